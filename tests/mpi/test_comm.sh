#!/usr/bin/env bash
# comm under mpirun: every case of comm_cases with 1 to 5 ranks; exit codes, lines and times are judged here.
set -u
cases=$TROUPE_BUILD/tests/comm_cases
out=$(mktemp)
trap 'rm -f "$out"' EXIT
failed=0

# expect CODE NP CASE LAYOUT [ARGUMENT...]: runs it, keeps output in $out and seconds in $took
expect() {
    local code=$1 np=$2
    shift 2
    local start=$SECONDS
    if [ "$np" = alone ]; then timeout 90 "$cases" "$@" >"$out" 2>&1; else timeout 90 mpirun -np "$np" "$cases" "$@" >"$out" 2>&1; fi
    local rc=$?
    took=$((SECONDS - start))
    if [ $rc -ne "$code" ]; then
        echo "FAILED: np $np: $*: exit $rc, not $code" && cat "$out"
        failed=1
    fi
}
says() { grep -qE "$1" "$out" || { echo "FAILED: no line like '$1' in:" && cat "$out" && failed=1; }; }
says_once() { says "$1"; [ "$(grep -cE "$1" "$out")" -le 1 ] || { echo "FAILED: said more than once: $1" && failed=1; }; }

# groups reach their roles, whole, and the stop code reaches all
expect 75 alone groups 1,0,0,1 && says 'rank 0 learnt from 24 groups'
expect 75 1 groups 0,1,1,1 && says 'rank 0 learnt from 24 groups'
expect 75 2 groups 1,0,0,1 && says 'rank 0 learnt from 24 groups'
expect 75 2 groups 2,0,0,0 && says 'rank 1 learnt from 12 groups'
expect 75 4 groups 2,0,0,2 && says 'rank 1 learnt from 12 groups'
expect 75 5 groups 0,2,2,1 && says 'rank 0 learnt from 24 groups'

# sums: the bits of a serial reference for any number of learners
crc=
for layout in '1 1,0,0,0' '3 2,0,0,1' '5 4,0,0,1' '4 0,1,2,1'; do
    expect 0 ${layout% *} sums ${layout#* } 1500001
    for got in $(sed -n 's/^CRC of the sum.*: //p' "$out"); do
        [ "${crc:=$got}" = "$got" ] || { echo "FAILED: sum $got, not $crc, with $layout" && failed=1; }
    done
done

# weights, with and without anybody to send to; two learners serve two actors
expect 0 3 weights 0,1,1,1 4 && says 'weights 4'
expect 0 5 weights 0,2,2,1 4
expect 0 3 weights 2,0,0,1 4

# the handshake: one rank differs, and only rank 0 says so
expect 0 alone handshake 1,0,0,1
expect 0 3 handshake 0,1,1,1 && says_once 'rank 0.*model differs: rank 2 .*00000006, rank 0 has 00000005'

# layouts that cannot be: 78 and one sentence
expect 78 2 groups 0,1,1,1 && says_once 'learners 1 \+ actors 1 \+ rewardsvc 1 = 3 ranks, but 2 were started: use mpirun -np 3'
expect 78 4 groups 0,0,3,1 && says_once 'learners 3, actors 0'
expect 78 4 groups 3,0,0,1 && says_once '3 learners do not divide learner.reduction_slots = 4'
expect 78 3 groups 2,1,0,1 && says_once 'workers are actors and learners at once'
SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4 expect 78 alone groups 1,0,0,1 && says 'srun was used without --mpi=pmix'
SLURM_NTASKS=4 expect 78 alone groups 1,0,0,1 && says 'started alone although'
SLURM_NTASKS=4 expect 75 1 groups 1,0,0,1

# a signal on any rank reaches rank 0; an idle rank costs next to nothing (judged inside)
expect 75 3 leave 0,1,1,1
expect 0 3 idle 0,1,1,1 && says 'idle rank 2'

# a rank that is lost is named, in time (deadline 3 s); one that works is left alone
expect 0 3 busy 0,1,1,1
expect 76 4 loss 0,1,2,1 2 stopped && says_once 'rank 2 \(actor 0\) on .* has been silent' && [ $took -le 9 ] || failed=1
expect 76 4 loss 0,1,2,1 1 stopped && says_once 'rank 1 \(learner 1\) on .* has been silent' && [ $took -le 9 ] || failed=1
expect 76 4 loss 0,1,2,1 0 stopped && says 'rank 0 \(learner 0\) has been silent' && [ $took -le 11 ] || failed=1
expect 76 2 loss 1,0,0,1 9 standstill && says 'nothing has happened' && says 'weights that never come' || failed=1
expect 137 4 loss 0,1,2,1 3 killed && [ $took -le 6 ] || failed=1
expect 65 4 loss 0,1,2,1 3 died && says 'a reason of its own' || failed=1
expect 1 3 loss 0,1,1,1 1 left

[ -z "$(pgrep -f "$cases" || true)" ] || { echo "FAILED: ranks are left behind" && failed=1; }
exit $failed

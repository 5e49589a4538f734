#!/usr/bin/env bash
# troupe inspect on a run in mid-flight: what it shows, in which form, and how it refuses.
set -u
troupe=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run=$work/run
failed=0
"$TROUPE_BUILD/tests/make_run" "$run" || exit 1

fail() { echo "FAILED: $*" && failed=1; }
# shows PATTERN ARGUMENTS...: exit 0 and a matching line
shows() {
    local pattern=$1
    shift
    "$troupe" inspect "$@" >"$work/out" 2>"$work/err" || fail "inspect $*: exit $?: $(cat "$work/err")"
    [ ! -s "$work/err" ] || fail "inspect $*: said $(cat "$work/err")"
    grep -qE -- "$pattern" "$work/out" || { fail "inspect $*: no '$pattern' in:" && head -40 "$work/out"; }
}
# refuses CODE PATTERN ARGUMENTS...
refuses() {
    local code=$1 pattern=$2
    shift 2
    "$troupe" inspect "$@" >"$work/out" 2>"$work/err"
    local rc=$?
    [ $rc -eq "$code" ] || fail "inspect $*: exit $rc, not $code"
    grep -qE -- "$pattern" "$work/err" || fail "inspect $*: no '$pattern' in: $(cat "$work/err")"
}
valid_json() {
    command -v python3 >/dev/null || return 0
    python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/out" 2>/dev/null || fail "not JSON: $1"
}

# the summary, and a table that fits
COLUMNS=60 shows '^held-out +20.0 % at step 10, 80.0 % at step 40$' "$run"
awk 'on && length($0) > 60 { wide = 1 } /^step/ { on = 1 } END { exit wide }' "$work/out" || fail "the table is wider than 60"
shows '^grpo 40 +0.4 +0.8 ' "$run"
shows '20 of 40 steps' "$run"
shows 'exact_number, length' "$run"
shows 'no summary.json' "$run"
shows '^mpo: version 1, step 20$' "$run"
shows '^    Sums\\x1b\[2J \(0-5\)$' "$run"
shows '^    no excuses$' "$run"
shows '"checkpoints": \[' "$run" --json && valid_json summary

# every step
shows '^grpo 17 ' "$run" --steps
[ "$(wc -l <"$work/out")" -eq 41 ] || fail "not 40 steps and a title"
shows '^40,grpo,0.40000000000000002,1234.5,-0.001' "$run" --steps --csv
head -1 "$work/out" | grep -q '^step,stage,reward,time.tokens_per_s,loss,evaluation.accuracy$' || fail "CSV title: $(head -1 "$work/out")"
shows '"reward": 0.4' "$run" --steps --json && valid_json steps

# rewards: a time-out is counted, and is no 0 in the mean
shows '^exact_number +80 +1 +0 +1 +1 +40 +40 +0 ' "$run" --rewards
shows '^reward +80 +1.25 ' "$run" --rewards
shows '^exact_number,80,1,0,1,1,40,40,0,0,0$' "$run" --rewards --csv
shows '"timeout": 40' "$run" --rewards --json && valid_json rewards

# answers, from a segment and from the live log, with nothing in them that acts on a terminal
shows 'group 6 \(train, problem 107, weights of version 6\)' "$run" --samples 7
shows 'group 36 ' "$run" --samples 37
shows 'reward 1.25  advantage \+0.5000  3 tokens, ended by end of text  \(exact_number 1, length 0.25\)' "$run" --samples 37 --group 36
shows 'step 1: tokens 0 to 0, reward \+0.05, advantage \+0.2500$' "$run" --samples 37 --group 36
shows 'step 2: tokens 1 to 1, reward -0.05, advantage \+0.7500$' "$run" --samples 7
shows '^      length wrote$' "$run" --samples 37
shows '^        a good.* answer$' "$run" --samples 37
grep -q "$(printf '\033')" "$work/out" && fail "a judge's note reached the terminal as it is"
shows '"length": "a good' "$run" --samples 37 --json
shows '"end": 2' "$run" --samples 37 --json
shows 'reward timeout' "$run" --samples 37
grep -qF '<answer>\x1b[2J\x0d\xff</answer>' "$work/out" || fail "control characters are not shown: $(cat -v "$work/out")"
grep -qF 'next \u202e line' "$work/out" || fail "a mark of direction is not shown"
shows '"problem": 137' "$run" --samples 37 --json && valid_json samples

# a checkpoint
shows 'weights/model.norm.weight +2 x 3 +6$' "$run/checkpoints/step-000030"
shows '"shape": \[' "$run/checkpoints/step-000030" --json && valid_json checkpoint
shows '^weights/model.norm.weight,2 x 3,6$' "$run/checkpoints/step-000030" --csv

# refusals: what, where, what to do
refuses 66 'no such directory' "$work/nowhere"
mkdir "$work/empty"
refuses 66 'neither a run .* nor a checkpoint' "$work/empty"
refuses 64 'which run' # no argument
refuses 64 'one of --steps' "$run" --steps --rewards
refuses 64 'whole number' "$run" --samples x
refuses 66 'no rollouts of step 99' "$run" --samples 99
refuses 66 'has no group 5' "$run" --samples 7 --group 5
printf 'x' | dd of="$run/checkpoints/step-000030/MANIFEST" bs=1 seek=30 conv=notrunc 2>/dev/null
refuses 65 'MANIFEST is damaged' "$run/checkpoints/step-000030"
truncate -s 3000 "$run/rollouts/steps-000016-000030.h5"
refuses 66 'steps-000016-000030.h5' "$run" --samples 20

# a torn line at the end of the metrics, and a damaged one, cost no more than themselves
printf '{"step": 41, "rew' >>"$run/metrics.jsonl"
shows '^grpo 40 ' "$run"
"$troupe" inspect --help | grep -q 'troupe inspect runs/addition' || fail "--help has no example"
exit $failed

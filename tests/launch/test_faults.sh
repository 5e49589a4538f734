# What happens when something breaks: the exit code (common/errors.h), one line that says what and who, how soon, and that nothing is left. Every job here has
# two workers and a reward rank. Bits after kills at random moments: test_resume.sh.
source "$(dirname "$0")/common.sh"
config=$source_dir/tests/launch/tiny.yaml
base=(--set "run.dir=$work" --set layout.workers=2 --set sft.steps=60)
endless=(--set sft.steps=4 --set sft.warmup=0 --set eval.problems=0 --set eval.every=0 --set run.steps=1000000 --set checkpoint.keep=2)

# start NAME ARGUMENTS...: a job in the background; output in $work/NAME.log, mpirun's pid in $job
start() {
  local name=$1
  shift
  mpirun -np 3 "$troupe" train "$config" "${base[@]}" --set "run.name=$name" "$@" >"$work/$name.log" 2>&1 &
  job=$!
}
lines_of() { cat "$work/$1/metrics.jsonl" 2>/dev/null | wc -l; }
# await NAME N: until the run of job $job has N lines of metrics (at most 60 s)
await() {
  local i
  for i in $(seq 1200); do
    [ "$(lines_of "$1")" -ge "$2" ] && return
    kill -0 "$job" || break
    sleep 0.05
  done
  echo "$1 makes no progress"
  cat "$work/$1.log"
  return 1
}
# rank JOB R: pid of rank R
rank() {
  local p
  for p in $(pgrep -P "$1" -x troupe); do
    tr '\0' '\n' <"/proc/$p/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$2" && echo "$p"
  done
}
# ends JOB CODE SECONDS: the job ends with CODE (or one of several, A|B), not later than in SECONDS, and leaves no process
ends() {
  local began code took
  began=$(date +%s%N)
  wait "$1"
  code=$?
  took=$((($(date +%s%N) - began) / 100000000))
  echo "ended with $code after $((took / 10)).$((took % 10)) s"
  [[ "|$2|" == *"|$code|"* ]] || { echo "exit code $code, not $2"; return 1; }
  [ $took -le $(($3 * 10)) ] || { echo "took longer than $3 s"; return 1; }
}
nothing_left() { ! pgrep -f "^[^ ]*troupe train .*run.name=$1( |\$)"; }
# says NAME TEXT: in exactly one line of the job's output (says_once), or in at least one
says() { grep -qE -- "$2" "$work/$1.log" || { echo "no line like '$2'"; cat "$work/$1.log"; return 1; }; }
says_once() {
  local n
  n=$(grep -cE -- "$2" "$work/$1.log")
  [ "$n" = 1 ] || { echo "$n lines like '$2'"; cat "$work/$1.log"; return 1; }
}
# refuses CODE TEXT NAME RANKS ARGUMENTS...: the job does not begin, and one line says why
refuses() {
  local code=$1 text=$2 name=$3 ranks=$4 got
  shift 4
  timeout 30 mpirun -np "$ranks" "$troupe" train "$config" "${base[@]}" --set "run.name=$name" "$@" >"$work/$name.log" 2>&1
  got=$?
  [ $got = "$code" ] || { echo "exit code $got, not $code"; cat "$work/$name.log"; return 1; }
  says_once "$name" "$text" && [ "$(grep -c '^troupe' "$work/$name.log")" = 1 ] || { cat "$work/$name.log"; return 1; }
}

# ---- silence: found after the deadline; these jobs wait while others are tested ----
start stopped1 "${endless[@]}" --set run.deadline_s=5
stopped1=$job
await stopped1 6 && kill -STOP "$(rank "$stopped1" 1)"
stopped_at=$(date +%s)
start stopped0 "${endless[@]}" --set run.deadline_s=5
stopped0=$job
await stopped0 6 && kill -STOP "$(rank "$stopped0" 0)"

# ---- jobs that cannot begin ----
check "too few ranks: 78, and what would do" refuses 78 'workers 2 \+ rewardsvc 1 = 3 ranks, but 2 were started: use mpirun -np 3' few 2
check "no such file: 66" refuses 66 'nothing.gguf' nofile 3 --set model.path="$work/nothing.gguf"
check "an unknown option: 65" refuses 65 'run.stepz' unknown 3 --set run.stepz=3
check "a run directory that cannot be made: 73" refuses 73 '/proc/troupe' nodir 3 --set run.dir=/proc/troupe

# ---- a rank dies ----
jobs=()
for name in kill0 kill2 segv; do
  start $name "${endless[@]}"
  jobs+=("$job")
done
# killed NAME JOB RANK SIGNAL CODE
killed() {
  job=$2
  await "$1" 6 || return 1
  kill -"$4" "$(rank "$2" "$3")"
  ends "$2" "$5" 5
}
check "SIGKILL of rank 0" killed kill0 "${jobs[0]}" 0 KILL 137
check "SIGKILL of the reward rank" killed kill2 "${jobs[1]}" 2 KILL 137
check "SIGSEGV of rank 1" killed segv "${jobs[2]}" 1 SEGV 139
check "no process of theirs is left" nothing_left '(kill0|kill2|segv)'

check "a stopped rank: 76" ends $stopped1 76 10
in_time() { # when mpirun wrote its last line: the deadline, 5 s for the launcher, 2 for a busy machine
  local took=$(($(stat -c %Y "$work/stopped1.log") - stopped_at))
  echo "ended $took s after the stop"
  [ $took -le 12 ]
}
check "in time" in_time
check "the stopped rank is named" says_once stopped1 'rank 1 \(.*has been silent for [0-9]+ s \(deadline 5 s\)'
check "a stopped rank 0: 76" ends $stopped0 76 10
check "rank 0 is named" says stopped0 'rank 0 \(.*has been silent for'
check "no stopped process is left" nothing_left '(stopped1|stopped0)'

# ---- one directory, two jobs ----
in_use() {
  start used "${endless[@]}"
  await used 6 || return 1
  refuses 73 "used is in use by another job: process [0-9]+ on .*; end that job, or choose another run.name" second 3 "${endless[@]}" --set run.name=used --resume
}
check "a second job in the same directory: 73" in_use
second_without_resume() { refuses 73 'used already holds a run: continue it with --resume, or choose another run.name' third 3 "${endless[@]}" --set run.name=used; }
check "a directory that holds a run, without --resume: 73" second_without_resume
still_runs() {
  await used $(($(lines_of used) + 2)) && kill -KILL "$(rank $job 0)" && ends $job 137 5
}
check "the first job goes on" still_runs
check "a resumed run with another seed: 65" refuses 65 'was started with other options' seed 3 "${endless[@]}" --set run.name=used --set run.seed=2 --resume

# ---- asked to leave ----
run_ranks 3 train "$config" "${base[@]}" --set run.name=whole || { cat "$work/log"; exit 1; }
# resumes_equal NAME [AS OPTIONS...]: the run goes on to the end of AS
resumes_equal() {
  local name=$1 as=${2:-whole}
  shift $(($# < 2 ? $# : 2))
  run_ranks 3 train "$config" "${base[@]}" "$@" --set "run.name=$name" --resume && same_metrics "$work/$as" "$work/$name" && same_weights "$work/$as" "$work/$name"
}
# So many steps that a signal reaches the run before its end, however quick the machine.
enough=(--set run.steps=100 --set checkpoint.keep=3)
run_ranks 3 train "$config" "${base[@]}" "${enough[@]}" --set run.name=enough || { cat "$work/log"; exit 1; }
asked() { # NAME LINES COMMAND..: sent after so many lines
  local name=$1 lines=$2
  shift 2
  start "$name" "${enough[@]}"
  await "$name" "$lines" || return 1
  "$@"
  ends $job 75 10 && resumes_equal "$name" enough "${enough[@]}"
}
twice() { kill -USR1 $job && sleep 0.01 && kill -USR1 $job; }
a_rank() { kill -"$2" "$(rank $job "$1")"; }
check "USR1 during imitation" asked usr1 20 kill -USR1 %%
check "USR1 twice" asked usr2 61 twice
check "USR1 on the reward rank alone" asked usr3 30 a_rank 2 USR1
check "SIGTERM on a rank" asked term 62 a_rank 1 TERM

# Answers of 100 tokens, 48 of them: a rollout that takes a while. Asked once, the job leaves at the end of the step; asked twice, it does not wait.
long=(--set rollout.ignore_eos=true --set rollout.max_tokens=100 --set rollout.prompts=64 --set rollout.samples=32 "${endless[@]}")
step_of() { tail -1 "$work/$1/metrics.jsonl" | sed -E 's/^\{"step":(-?[0-9]+).*/\1/'; }
newest_of() { ls "$work/$1/checkpoints" | sed -nE 's/^step-0*([0-9]+)$/\1/p' | sort -n | tail -1; }
long_rollout() {
  start "$1" "${long[@]}"
  await "$1" 5 || return 1
  "$2"
  ends $job 75 20 || return 1
  grep -q "\"exit_reason\": \"$3\"" "$work/$1/summary.json" || { cat "$work/$1/summary.json"; return 1; }
  [ "$(newest_of "$1")" = "$(step_of "$1")" ] || { echo "checkpoint $(newest_of "$1"), last step $(step_of "$1")"; return 1; }
}
once() { kill -USR1 $job; }
check "USR1 in a long rollout" long_rollout long1 once "asked to leave"
check "USR1 twice in a long rollout" long_rollout long2 twice "asked to leave at once"

# ---- a damaged checkpoint ----
flipped() {
  cp -r "$work/whole" "$work/flip"
  rm -r "$work/flip/checkpoints/step-000006" "$work/flip/summary.json"
  local file=$work/flip/checkpoints/step-000004/shard-000.h5 byte
  byte=$(od -An -tu1 -j30000 -N1 "$file")
  printf "\\x$(printf %02x $((byte ^ 16)))" | dd of="$file" bs=1 seek=30000 conv=notrunc status=none
  resumes_equal flip || return 1
  cp "$work/log" "$work/flip.log"
  says_once flip 'step-000004/shard-000.h5: .*CRC' && grep -q 'resumed_after_step=2 ' "$work/flip/launches.txt"
}
check "a flipped bit in the newest checkpoint: refused, the older one is used, equal" flipped

# ---- a full disk ----
if mkdir "$work/disk" && mount -t tmpfs -o size=4m none "$work/disk" 2>/dev/null; then
  trap 'umount "$work/disk"; rm -rf "$work"' EXIT
  disk=(--set "run.dir=$work/disk" --set run.steps=40 --set checkpoint.every=1000)
  run_ranks 3 train "$config" "${base[@]}" "${disk[@]}" --set "run.dir=$work" --set run.name=whole40 || { cat "$work/log"; exit 1; }
  full_once() {
    head -c 3900k /dev/zero >"$work/disk/ballast"
    start once "${disk[@]}"
    local i
    for i in $(seq 1200); do
      grep -q 'no checkpoint was written' "$work/once.log" && break
      sleep 0.02
    done
    rm "$work/disk/ballast"
    ends $job 0 30 && says_once once 'step 0: no checkpoint was written .*older ones are untouched, the run goes on' &&
      same_metrics "$work/whole40" "$work/disk/once" && same_weights "$work/whole40" "$work/disk/once"
  }
  check "a full disk once: the run goes on and says so" full_once
  rm -rf "$work/disk/once"
  full_twice() {
    start twice "${disk[@]}" --set checkpoint.every=2
    ends $job 74 30 && says_once twice 'two checkpoints in a row could not be written' || return 1
    [ -z "$(find "$work/disk" -name '*.tmp*' -print -quit)" ] || { echo "temporary files are left"; return 1; }
    mount -o remount,size=64m "$work/disk"
    run_ranks 3 train "$config" "${base[@]}" "${disk[@]}" --set checkpoint.every=2 --set run.name=twice --resume &&
      same_metrics "$work/whole40" "$work/disk/twice" && same_weights "$work/whole40" "$work/disk/twice"
  }
  check "a full disk: 74 at the second failure; with room it goes on, equal" full_twice
  mount -o remount,ro "$work/disk"
  check "a read-only run directory: 73" refuses 73 'Read-only file system' ro 3 "${disk[@]}" --set run.name=twice2
  check "a run directory that became read-only: 73" refuses 73 'Read-only file system' ro2 3 "${disk[@]}" --set run.name=twice --set checkpoint.every=2 --set run.steps=50 --resume
else
  echo "no tmpfs may be mounted here: full and read-only disks are not tested"
fi
# A launcher that hangs after its ranks have ended is ended; one with a living child is not, however long it takes.
hung() {
  sleep 300 &
  local pid=$!
  "$source_dir/launch/watch-mpirun" $pid 2 2>"$work/hung.log"
  wait $pid
  [ $? = 137 ] && grep -q 'hung although its ranks had ended' "$work/hung.log"
}
working() {
  bash -c 'sleep 5; exit 3' &
  local pid=$!
  "$source_dir/launch/watch-mpirun" $pid 2 2>"$work/working.log"
  wait $pid
  [ $? = 3 ] && [ ! -s "$work/working.log" ]
}
check "a launcher that hangs after its job is ended" hung
check "a launcher whose ranks work is left alone" working
finish

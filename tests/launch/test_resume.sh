# Killed by SIGKILL at random points and resumed, a run ends with the same bits; 3 trials, 20 with TROUPE_LONG. Also: USR1 saves and leaves with 75.
source "$(dirname "$0")/common.sh"
config=$source_dir/tests/launch/tiny.yaml
trials=$([ -n "${TROUPE_LONG:-}" ] && echo 20 || echo 3)
sets=(--set "run.dir=$work" --set layout.workers=2 --set run.steps=12 --set run.deadline_s=30)

run_ranks 3 train "$config" "${sets[@]}" --set run.name=whole || { cat "$work/log"; exit 1; }
whole_s=$(sed -nE 's/.*"seconds": ([0-9.]+).*/\1/p' "$work/whole/summary.json")

# One trial: SIGKILL a random rank at a random moment, again and again, until the run gets to its end. The first kill falls within the run, later ones
# may come too late for it.
trial() {
  local name=kill$1 launches=0 kills=0 code=1
  RANDOM=$((1000 + $1))
  while [ $launches -lt 40 ]; do
    launches=$((launches + 1))
    mpirun -np 3 "$troupe" train "$config" "${sets[@]}" --set "run.name=$name" --resume >"$work/log" 2>&1 &
    local job=$!
    "$source_dir/launch/watch-mpirun" $job 10 &
    if [ $kills -lt 3 ]; then
      local ranks=()
      for _ in $(seq 300); do
        mapfile -t ranks < <(pgrep -P "$job" -x "$(basename "$troupe" | cut -c1-15)")
        [ ${#ranks[@]} = 3 ] && break
        sleep 0.05
      done
      sleep "$(awk -v r=$RANDOM -v s="$whole_s" -v k=$kills 'BEGIN {print r / 32767 * (s + 0.5) * (k ? 1 : 0.7)}')"
      [ ${#ranks[@]} = 3 ] && kill -KILL "${ranks[$((RANDOM % 3))]}" 2>/dev/null && kills=$((kills + 1))
    fi
    wait $job
    code=$?
    [ $code = 0 ] && break
  done
  echo "trial $1: $kills kills, $launches launches, exit code $code"
  [ $code = 0 ] && [ $kills -gt 0 ] && same_metrics "$work/whole" "$work/$name" && same_weights "$work/whole" "$work/$name"
}
for t in $(seq "$trials"); do check "kill trial $t" trial "$t"; done

asked() {
  mpirun -np 3 "$troupe" train "$config" "${sets[@]}" --set run.name=asked --resume >"$work/log" 2>&1 &
  local job=$!
  for _ in $(seq 1200); do # in the middle of imitation
    [ "$(cat "$work/asked/metrics.jsonl" 2>/dev/null | wc -l)" -ge 40 ] && break
    sleep 0.05
  done
  kill -USR1 $job
  wait $job
  [ $? = 75 ] || { echo "exit code is not 75"; return 1; }
  [ "$(left asked)" = 12 ] || { echo "left: $(left asked)"; return 1; }
  run_ranks 3 train "$config" "${sets[@]}" --set run.name=asked --resume || return 1
  same_metrics "$work/whole" "$work/asked" && same_weights "$work/whole" "$work/asked"
}
left() { "$troupe" plan --left "$config" "${sets[@]}" --set run.name="$1"; }
check "USR1 saves and leaves, and the resumed run is the same" asked
# The last checkpoint is written, the report is not: what a kill in between leaves. One step is then "left", and the next launch reports.
unreported() {
  cp "$work/asked/summary.json" "$work/before.json"
  rm -r "$work/asked/summary.json" "$work/asked/model"
  [ "$(left asked)" = 1 ] || { echo "left: $(left asked)"; return 1; }
  run_ranks 3 train "$config" "${sets[@]}" --set run.name=asked --resume || return 1
  [ "$(left asked)" = 0 ] && [ -f "$work/asked/model/config.json" ] && same_metrics "$work/whole" "$work/asked" && same_weights "$work/whole" "$work/asked" &&
    [ "$(accuracies "$work/asked/summary.json")" = "$(accuracies "$work/before.json")" ]
}
accuracies() { grep -E '"accuracy"' "$1"; }
check "a run that was killed before its report is reported by the next launch" unreported
check "a finished run has no steps left" test "$(left asked)" = 0
check "no temporary file is left" test -z "$(find "$work" -name '*.tmp*' -print -quit)"
finish

# Shared by the end-to-end tests. `source` it after setting nothing; the program is the script's first argument.
set -uo pipefail
troupe=$1
source_dir=${TROUPE_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n_failed=0
# check WHAT COMMAND...: runs the command, says PASS or FAIL
check() {
  local what=$1
  shift
  if "$@"; then echo "PASS $what"; else
    echo "FAIL $what"
    n_failed=$((n_failed + 1))
  fi
}
# run_ranks N ARGUMENTS...: mpirun (or the bare program for N = 0), output in $work/log
run_ranks() {
  local n=$1
  shift
  if [ "$n" = 0 ]; then "$troupe" "$@" >"$work/log" 2>&1; else mpirun -np "$n" "$troupe" "$@" >"$work/log" 2>&1; fi
}
# Metrics without their times: what must be equal in every repetition of a run.
metrics_of() { sed -E 's/,"time":\{[^}]*\}//' "$1/metrics.jsonl"; }
same_metrics() { diff <(metrics_of "$1") <(metrics_of "$2") >"$work/diff" || { cut -c1-400 "$work/diff" | head -8; false; }; }
weights_of() { sed -nE 's/.*"weights_crc32c": "([0-9a-f]+)".*/\1/p' "$1/summary.json"; }
same_weights() {
  local a b
  a=$(weights_of "$1") b=$(weights_of "$2")
  [ -n "$a" ] && [ "$a" = "$b" ] || { echo "weights $a against $b"; false; }
}
# The recorded rollouts, times left out.
rollouts_of() {
  for f in "$1"/rollouts/steps-*.h5; do
    for d in samples/tokens samples/logprobs samples/reward samples/advantage groups/problem; do h5dump -d "/$d" "$f" | tail -n +2; done
  done
}
same_rollouts() { cmp <(rollouts_of "$1") <(rollouts_of "$2"); }
finish() {
  [ $n_failed = 0 ] || { echo "$n_failed failed; the last log:"; tail -40 "$work/log"; }
  [ $n_failed = 0 ]
  exit
}

# Shared by the tests that hold memory against `troupe plan`: `source` it after common.sh; the experiment file is $experiment, of six steps.
# numbers FILE KEY: those of a JSON array of numbers, or of every such field, one a line
numbers() { tr -d ' \n' <"$1" | grep -oE "\"$2\":(\[[0-9,]*\]|[0-9.]+)" | sed -E 's/.*://; s/[][]//g' | tr ',' '\n'; }
# within_tenth PLANNED USED: or within 10 MB, which libraries differ by from system to system and is much for a rank that only judges
within_tenth() { awk -v p="$1" -v u="$2" 'BEGIN {printf "  planned %.0f MB, used %.0f MB\n", p / 1e6, u / 1e6; d = p > u ? p - u : u - p; exit !(u > 0 && (d <= 0.1 * u || d <= 10e6))}'; }

# plan_of NAME RANKS COPIES OPTIONS...: COPIES of each kind of rank, in the order of `plan`, which is that of the ranks
plan_of() {
  local name=$1 ranks=$2 copies=$3 sets=() planned=() used i=0
  shift 3
  for s in "$@"; do sets+=(--set "$s"); done
  "$troupe" plan --json "$experiment" "${sets[@]}" >"$work/planned.json" || { check "$name: plan" false; return; }
  for kind in $(numbers "$work/planned.json" bytes); do
    for _ in $(seq "$(cut -d, -f$((i + 1)) <<<"$copies")"); do planned+=("$kind"); done
    i=$((i + 1))
  done
  run_ranks "$ranks" train "$experiment" --set "run.name=$name" "${sets[@]}" || { check "$name: run" false; return; }
  mapfile -t used < <(numbers "$work/$name/summary.json" peak_memory_bytes)
  check "$name: every rank has its plan" test ${#planned[@]} = ${#used[@]}
  for i in "${!used[@]}"; do check "$name: rank $i" within_tenth "${planned[$i]}" "${used[$i]}"; done
  check "$name: flat from the second step on" flat "$work/$name/metrics.jsonl"
}
flat() { grep -oE '"memory_gb":[0-9.]+' "$1" | awk -F: 'NR == 2 {second = $2} {last = $2} END {printf "  %.3f GB after step 2, %.3f GB at the end\n", second, last; exit !(NR == 6 && last <= 1.02 * second)}'; }

# Asynchronous runs: with run.max_staleness = k the groups of step s are written with the weights of step s - k, while others are judged and learnt from; the
# same bits in every layout, and after being killed and resumed. The lag stands in the metrics and on every token.
source "$(dirname "$0")/common.sh"
config=$source_dir/tests/launch/tiny.yaml
sets=(--set "run.dir=$work" --set run.steps=60 --set run.deadline_s=30 --set checkpoint.every=5)

# lag RUN K: step s (from 0) is min(s, K) behind
lag() { grep -oE '"staleness":[0-9]+' "$work/$1/metrics.jsonl" | awk -F: -v k="$2" '{want = NR - 1 < k ? NR - 1 : k; if ($2 != want) bad = 1} END {exit bad || NR != 60}'; }
train_as() {
  local name=$1 ranks=$2 k=$3
  shift 3
  run_ranks "$ranks" train "$config" "${sets[@]}" --set "run.name=$name" --set "run.max_staleness=$k" "$@"
}
same() { same_rollouts "$work/$1" "$work/$2" && same_metrics "$work/$1" "$work/$2" && same_weights "$work/$1" "$work/$2"; }
differ() { [ -n "$(weights_of "$work/$1")" ] && [ "$(weights_of "$work/$1")" != "$(weights_of "$work/$2")" ]; }

check "synchronous" train_as k0 0 0
check "no lag where there is none to have" lag k0 0
for k in 1 3; do
  check "lag $k, alone" train_as "k$k" 0 $k
  check "lag $k is what the metrics say" lag "k$k" $k
  check "lag $k is another run than the synchronous one" differ "k$k" k0
  check "lag $k, dedicated" train_as "dedicated$k" 3 $k --set layout.workers=0 --set layout.learners=1 --set layout.actors=1 --set layout.rewardsvc=1
  check "lag $k, dedicated: the same bits" same "k$k" "dedicated$k"
done
check "lag 1, two learners, two actors" train_as many 5 1 --set layout.workers=0 --set layout.learners=2 --set layout.actors=2 --set layout.rewardsvc=1
check "lag 1, two learners, two actors: the same bits" same k1 many
check "lag 3, colocated workers" train_as colocated 3 3 --set layout.workers=2
check "lag 3, colocated workers: the same bits" same k3 colocated

# Killed in the middle, again and again, and resumed: what was in flight is in the checkpoint.
trial() {
  local name=killed$1 kills=0 launches=0 code=1 job
  RANDOM=$((2000 + $1))
  while [ $launches -lt 20 ]; do
    launches=$((launches + 1))
    mpirun -np 3 "$troupe" train "$config" "${sets[@]}" --set run.max_staleness=3 --set layout.workers=0 --set layout.learners=1 --set layout.actors=1 \
      --set layout.rewardsvc=1 --set "run.name=$name" --resume >"$work/log" 2>&1 &
    job=$!
    "$source_dir/launch/watch-mpirun" $job 10 &
    if [ $kills -lt 2 ]; then # after the first checkpoint of reinforcement learning, or after the next
      for _ in $(seq 600); do
        [ "$(grep '"stage":"grpo"' "$work/$name/metrics.jsonl" 2>/dev/null | wc -l)" -gt $((6 + 6 * kills)) ] && break
        kill -0 $job 2>/dev/null || break
        sleep 0.02
      done
      pkill -KILL -P "$job" -x "$(basename "$troupe" | cut -c1-15)" && kills=$((kills + 1))
    fi
    wait $job
    code=$?
    [ $code = 0 ] && break
  done
  echo "trial $1: $kills kills, $launches launches, exit code $code"
  [ $code = 0 ] && [ $kills -gt 0 ] && same k3 "$name"
}
check "lag 3, killed and resumed: the same bits" trial 1

# Long enough that the signal reaches it before its end.
longer=(--set run.steps=600 --set checkpoint.every=200 --set eval.every=0)
asked() {
  train_as longer 0 3 "${longer[@]}" || return 1
  mpirun -np 3 "$troupe" train "$config" "${sets[@]}" "${longer[@]}" --set run.max_staleness=3 --set layout.workers=2 --set run.name=asked >"$work/log" 2>&1 &
  local job=$! code
  for _ in $(seq 600); do
    grep -q '"stage":"grpo"' "$work/asked/metrics.jsonl" 2>/dev/null && break
    sleep 0.02
  done
  kill -USR1 $job
  wait $job
  code=$?
  [ $code = 75 ] || { echo "exit code $code, not 75"; return 1; }
  train_as asked 0 3 "${longer[@]}" --resume && same_metrics "$work/longer" "$work/asked" && same_weights "$work/longer" "$work/asked"
}
check "lag 3, asked to leave by USR1, goes on alone: the same bits" asked
# Shares of every rank's time, in every line and in the summary: a share for each of three ranks, which with those of waiting and talking make 1.
shares() {
  grep '"stage":"grpo"' "$work/dedicated3/metrics.jsonl" | grep -vqE '"working":\[[^],]+,[^],]+,[^],]+\]' && return 1
  tr -d ' \n' <"$work/dedicated3/summary.json" | sed -E 's/.*"working":\[([^]]*)\],"waiting":\[([^]]*)\],"talking":\[([^]]*)\].*/\1\n\2\n\3/' |
    awk -F, 'NF != 3 {exit 1} {for (i = 1; i <= 3; i++) {if ($i < -0.01 || $i > 1.01) exit 1; s[i] += $i}} END {for (i = 1; i <= 3; i++) if (s[i] < 0.99 || s[i] > 1.01) exit 1}'
}
check "how the ranks spend their time is recorded" shares
in_flight() { ls "$work"/k3/checkpoints/*/in-flight.h5 >/dev/null 2>&1 && ! ls "$work"/k0/checkpoints/*/in-flight.h5 >/dev/null 2>&1; }
check "checkpoints hold what is in flight, and only then" in_flight
finish

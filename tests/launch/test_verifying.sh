# Cooper in the ring: the same run alone, with two reward ranks, and after a kill and a request to leave in the middle of a copy's interval, whose pairs are learned again.
source "$(dirname "$0")/common.sh"
sed '/^reward:/,$d; s/steps: 6/steps: 12/; s/digits: 2/digits: 1/; s/problems: 20, every: 3/problems: 10, every: 6/; s/every: 2, keep/every: 4, keep/; s/learner: {lr: 1e-3}/learner: {lr: 1e-4}/' "$source_dir/tests/launch/tiny.yaml" >"$work/verifier.yaml"
cat >>"$work/verifier.yaml" <<'EOF2'
judges: [{name: verifier, model: policy, max_context: 100}]
reward:
  - {name: exact_number, as: rule, weight: 0}
  - {name: cooper, verifier: verifier, rule: rule, template: "{prompt}{answer}={reference}", yes: c, no: ";", lr: 1e-3}
EOF2
sets=(--set "run.dir=$work" --set run.deadline_s=30)
states_of() { for s in 04 08 12; do grep -ao '"cooper":{.*}' "$1/checkpoints/step-0000$s/state.h5"; done; }
same_states() { [ -n "$(states_of "$1")" ] && diff <(states_of "$1") <(states_of "$2"); }
run_ranks 0 train "$work/verifier.yaml" "${sets[@]}" --set run.name=alone || { cat "$work/log"; exit 1; }
run_ranks 5 train "$work/verifier.yaml" "${sets[@]}" --set run.name=spread --set layout.workers=0 --set layout.actors=2 --set layout.learners=1 --set layout.rewardsvc=2
check "two reward ranks: metrics" same_metrics "$work/alone" "$work/spread"
check "two reward ranks: weights" same_weights "$work/alone" "$work/spread"
check "two reward ranks: the verifier" same_states "$work/alone" "$work/spread"
check "the verifier learned" [ "$(states_of "$work/alone" | grep -o '"crc":[0-9]*' | sort -u | wc -l)" = 3 ]

# The signals: to the last rank once a checkpoint is there; to the first as soon as it has begun again.
interrupted() {
  local code=1 launch ranks
  for launch in 1 2 3 4 5; do
    mpirun -np 3 "$troupe" train "$work/verifier.yaml" "${sets[@]}" --set layout.workers=1 --set layout.rewardsvc=2 --set run.name=interrupted --resume >"$work/log" 2>&1 &
    local job=$!
    for _ in $(seq 600); do
      [ $launch = 1 ] && [ -d "$work/interrupted/checkpoints/step-000004" ] && break
      [ $launch = 2 ] && [ "$(grep -c . "$work/interrupted/launches.txt")" -gt 1 ] && break
      kill -0 $job 2>/dev/null || break
      sleep 0.02
    done
    mapfile -t ranks < <(pgrep -P "$job" -x troupe)
    [ $launch = 1 ] && [ ${#ranks[@]} = 3 ] && kill -KILL "${ranks[2]}" 2>/dev/null
    [ $launch = 2 ] && [ ${#ranks[@]} = 3 ] && kill -USR1 "${ranks[0]}" 2>/dev/null
    wait $job
    code=$?
    echo "  launch $launch: exit code $code, $(ls "$work/interrupted/checkpoints" | grep step | tr '\n' ' ')"
    [ $code = 0 ] && break
  done
  [ $code = 0 ] && same_metrics "$work/alone" "$work/interrupted" && same_weights "$work/alone" "$work/interrupted" && same_states "$work/alone" "$work/interrupted"
}
check "killed, asked to leave, resumed" interrupted
finish

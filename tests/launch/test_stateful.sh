# Rewards with state over steps: the same run alone, with two reward ranks and two actors, and after kills and USR1; the state is in the checkpoints.
source "$(dirname "$0")/common.sh"
sed '/^reward:/,$d' "$source_dir/tests/launch/tiny.yaml" >"$work/state.yaml"
cat >>"$work/state.yaml" <<'EOF'
reward:
  - name: exact_number
  - {name: length, weight: 0, buffer: 30}
  - {name: running_scale, component: length, weight_of: 0.3, decay: 0.9}
EOF
sets=(--set "run.dir=$work" --set run.deadline_s=30)
run_ranks 0 train "$work/state.yaml" "${sets[@]}" --set run.name=alone || { cat "$work/log"; exit 1; }
run_ranks 5 train "$work/state.yaml" "${sets[@]}" --set run.name=spread --set layout.workers=0 --set layout.actors=2 --set layout.learners=1 --set layout.rewardsvc=2
check "two reward ranks: metrics" same_metrics "$work/alone" "$work/spread"
check "two reward ranks: weights" same_weights "$work/alone" "$work/spread"

killed() {
  local code=1 kills=0
  for _ in $(seq 20); do
    mpirun -np 3 "$troupe" train "$work/state.yaml" "${sets[@]}" --set layout.workers=1 --set layout.rewardsvc=2 --set run.name=killed --resume >"$work/log" 2>&1 &
    local job=$!
    if [ $kills -lt 2 ]; then
      for _ in $(seq 400); do # once there is a checkpoint more than at the last kill
        [ "$(ls "$work/killed/checkpoints" 2>/dev/null | grep -c step-)" -gt $kills ] && break
        kill -0 $job 2>/dev/null || break
        sleep 0.02
      done
      local ranks
      mapfile -t ranks < <(pgrep -P "$job" -x troupe)
      if [ ${#ranks[@]} = 3 ]; then kill -KILL "${ranks[$((2 - kills))]}" 2>/dev/null && kills=$((kills + 1)); fi
    fi
    wait $job
    code=$?
    [ $code = 0 ] && break
  done
  echo "  $kills kills of reward ranks, exit code $code"
  [ $code = 0 ] && same_metrics "$work/alone" "$work/killed" && same_weights "$work/alone" "$work/killed"
}
check "killed and resumed" killed
check "the state is in the checkpoint" grep -aq '"running_scale":{"mean"' "$work"/alone/checkpoints/step-000006/state.h5
finish

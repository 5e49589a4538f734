# A run is a number: the same rollouts and the same final weights, bit for bit, alone, colocated and dedicated, for 1 to 3 actor ranks, 1, 2 and 4 learner ranks,
# 1 and 2 reward ranks, 1 and 2 threads.
source "$(dirname "$0")/common.sh"
config=$source_dir/tests/launch/tiny.yaml

# layout NAME RANKS OPTIONS...
layout() {
  local name=$1 ranks=$2
  shift 2
  local sets=()
  for s in "$@"; do sets+=(--set "$s"); done
  run_ranks "$ranks" train "$config" --set "run.dir=$work" --set "run.name=$name" "${sets[@]}" || { echo "FAIL $name: exit code $?"; tail -20 "$work/log"; n_failed=$((n_failed + 1)); return; }
  [ "$name" = alone ] && return
  check "$name: metrics" same_metrics "$work/alone" "$work/$name"
  check "$name: weights" same_weights "$work/alone" "$work/$name"
  check "$name: rollouts" same_rollouts "$work/alone" "$work/$name"
}

layout alone 0 layout.threads=1
layout threads2 0 layout.threads=2
layout single 1
layout workers1 2 layout.workers=1
layout workers2 3 layout.workers=2 layout.rewardsvc=1
layout workers4 6 layout.workers=4 layout.rewardsvc=2
layout actors1 3 layout.workers=0 layout.actors=1 layout.learners=1
layout actors2 4 layout.workers=0 layout.actors=2 layout.learners=1
layout actors3 6 layout.workers=0 layout.actors=3 layout.learners=2
layout learners4 6 layout.workers=0 layout.actors=1 layout.learners=4

# Advantages over the whole step: what every learner adds up is the same for any number of them.
whitened=(--set "run.dir=$work" --set learner.advantage=reinforce --set learner.whiten=true --set learner.advantage_filter=2 --set learner.advantage_cap=3)
check "whitened, alone" run_ranks 0 train "$config" "${whitened[@]}" --set run.name=whitened
check "whitened, four learners" run_ranks 6 train "$config" "${whitened[@]}" --set run.name=whitened4 --set layout.workers=0 --set layout.actors=1 --set layout.learners=4
check "whitened, four learners: metrics" same_metrics "$work/whitened" "$work/whitened4"
check "whitened, four learners: weights" same_weights "$work/whitened" "$work/whitened4"
finish

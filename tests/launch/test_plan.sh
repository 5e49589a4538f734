# What `troupe plan` says a rank needs is what it then takes, within 10 %, in every layout; and memory does not grow from the second step on.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/memory.sh"
experiment=$work/plan.yaml
cat >"$experiment" <<EOF
run: {steps: 6, dir: $work}
model: {products: bf16_as_f32, layers: 6, width: 512, heads: 8, kv_heads: 4, mlp: 1408, max_positions: 256}
task: {name: sum, digits: 2}
rollout: {prompts: 2, samples: 8, max_tokens: 96, ignore_eos: true}
learner: {reduction_slots: 2}
eval: {problems: 0}
checkpoint: {every: 0, export: false}
reward:
  - random
EOF

plan_of alone 0 1
plan_of colocated 3 2,1 layout.workers=2 layout.rewardsvc=1
plan_of dedicated 4 1,2,1 layout.learners=1 layout.actors=2 layout.rewardsvc=1
plan_of kl 0 1 learner.kl=0.01
plan_of f32 0 1 model.precision=f32
finish

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

# judges that write and that rate, and a verifier that learns, where they are hosted
rewards_are() { sed -i '/^reward:/,$d; /^judges:/d' "$experiment" && printf '%s\n' "$@" >>"$experiment"; }
rewards_are 'judges: [{name: critic, model: policy, max_context: 256, batch: 16}]' 'reward:' '  - random' \
  '  - {name: judge, judge: critic, weight: 0, template: "{prompt}{answer}", max_tokens: 96, parse: "([0-9])"}' \
  '  - {name: judge_listener, judge: critic, weight: 0, template: "{prompt}{reasoning}", prefix: "=", verdicts: "", options: "0|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18"}'
plan_of judged 0 1 task.digits=1
rewards_are 'judges: [{name: verifier, model: policy, max_context: 120}]' 'reward:' '  - random' \
  '  - {name: regex, as: rule, weight: 0, pattern: "[02468][^0-9]*$"}' \
  '  - {name: cooper, verifier: verifier, rule: rule, weight: 0, template: "{prompt}{answer}={reference}", yes: "1", no: "2", where: whole}'
plan_of verifying 2 1,1 layout.workers=1 layout.rewardsvc=1
finish

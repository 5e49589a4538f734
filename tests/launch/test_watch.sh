# What a step's line says of its rewards: shares of what is not ok, how long judges took, and the monitor: a reward that is paid for leaving the answer's tags out is
# over-optimised against format_tags, which is said once, in one launch as in two.
source "$(dirname "$0")/common.sh"
experiment() { # experiment NAME JUDGES-AND-REWARDS
  cat >"$work/$1.yaml" <<X
run: {dir: $work, steps: 12}
layout: {workers: 1, rewardsvc: 1}
model: {products: bf16_as_f32, layers: 2, width: 32, heads: 4, kv_heads: 2, mlp: 64, max_positions: 128}
task: {name: sum, digits: 2}
sft: {steps: 60, batch: 32, lr: 5e-3, warmup: 5}
rollout: {prompts: 8, samples: 8, max_tokens: 32}
learner: {lr: 1e-3}
eval: {problems: 20, every: 1, component: format_tags}
checkpoint: {every: 7, keep: 1000}
$2
X
}
experiment hack 'monitor: {gold: format_tags}
reward:
  - {name: format_tags, weight: 0}
  - {name: regex, as: plain, pattern: "<answer>", mode: absent}
  - {name: exact_number, weight: 0, only_if: format_tags, at_least: 1}'
train() { "$troupe" train "$work/$1.yaml" "${@:2}" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }
alarm='monitor: the reward rises while the gold measure falls'

train hack --set run.name=whole
cp "$work/log" "$work/whole.log"
check "over-optimisation is said once" test "$(grep -c "$alarm" "$work/whole.log")" = 1
check "and from then on stands in the lines" grep -q '"alarms":\["the reward rises while the gold measure falls' "$work/whole/metrics.jsonl"
check "not before there are ten evaluations" test "$(grep -m 9 '"monitor"' "$work/whole/metrics.jsonl" | grep -c "gold measure falls")" = 0
check "every evaluation is compared" test "$(grep -c '"monitor":{"proxy":[0-9.]*,"gold":[0-9.]*,' "$work/whole/metrics.jsonl")" = 13
# what a closed gate leaves out, and only that, is counted
check "shares of what is not ok" awk -F'"exact_number.not_applicable":' '/"stage":"grpo"/ && NF > 1 { n++ } END { exit !(n >= 10) }' "$work/whole/metrics.jsonl"
check "no share where all is ok" test "$(grep -c '"statuses":{[^}]*\(format_tags\|plain\|timeout\|error\)' "$work/whole/metrics.jsonl")" = 0
check "no judge, no times of judges" test "$(grep -c judge_s "$work/whole/metrics.jsonl")" = 0

# the history of evaluations goes on where it was left
train hack --set run.name=parts --set run.steps=7
check "nothing to say of the first part" test "$(grep -c "$alarm" "$work/log")" = 0
train hack --set run.name=parts --resume
check "said in the second launch" test "$(grep -c "$alarm" "$work/log")" = 1
check "two launches give the lines of one" same_metrics "$work/whole" "$work/parts"
# where it shall stop, it does, with a checkpoint; who goes on all the same has the same run
"$troupe" train "$work/hack.yaml" --set run.name=stopped --set monitor.on_alarm=stop >"$work/log" 2>&1
check "the alarm ends the run" test $? = 78
check "and says why" grep -q '"exit_reason": "over-optimised"' "$work/stopped/summary.json"
check "before its last step" test "$(grep -c '"stage":"grpo"' "$work/stopped/metrics.jsonl")" -lt 13
train hack --set run.name=stopped --set monitor.on_alarm=stop --resume
check "resumed, it is the run that was not stopped" same_metrics "$work/whole" "$work/stopped"
mpirun -np 3 "$troupe" train "$work/hack.yaml" --set run.name=ranks --set layout.workers=2 >"$work/log" 2>&1
check "three ranks give the lines of one" same_metrics "$work/whole" "$work/ranks"

experiment judged 'judges:
  - {name: critic, model: policy}
reward:
  - name: format_tags
  - {name: judge, judge: critic, weight: 0, template: "1+1=", max_tokens: 8, parse: "(\\d)"}'
train judged --set run.steps=3
check "times of judges" test "$(grep -c '"time":{.*"judge_s":[0-9.e-]*,"judge_max_s":[0-9.e-]*,"judge_backlog":[0-9.e-]*}' "$work/judged/metrics.jsonl")" = 3
"$troupe" inspect "$work/judged" --rewards >"$work/log"
check "the judge is known as one" grep -q '^format_tags >= 0.5 against judge >= ' "$work/log"
"$troupe" audit "$work/judged" --config "$work/judged.yaml" >"$work/log"
check "a local judge says the same again" grep -qE '^judge .* all 192 equal to the bit$' "$work/log"

refused() { "$troupe" check "$@" >"$work/log" 2>&1; [ $? = 65 ]; }
check "a monitor of nothing is refused" refused "$work/hack.yaml" --set monitor.gold=golden
check "and said" grep -q 'no component golden; it has format_tags, plain, exact_number' "$work/log"
check "a monitor without evaluations is refused" refused "$work/hack.yaml" --set eval.every=0
check "and why" grep -q 'monitor.gold: needs evaluations' "$work/log"
check "a proxy without gold is refused" refused "$work/hack.yaml" --set monitor.gold= --set monitor.proxy=plain
finish

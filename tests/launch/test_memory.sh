# SmolLM2-135M trains at 8 x 8, 128 + 256 within 5 GB alone and within 8 GB as one actor, one reward and one learner rank, as `plan` says and flat
# from the second step on. Minutes long: with TROUPE_LONG only.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/memory.sh"
model=$source_dir/models/SmolLM2-135M-Instruct.Q4_1.gguf
[ -n "${TROUPE_LONG:-}" ] || { echo "skipped: minutes long, only with TROUPE_LONG (launch/test --long)"; exit 77; }
[ -f "$model" ] || { echo "skipped: no $model (launch/fetch-smollm2)"; exit 77; }

# 64 prompts of 128 tokens with the chat template's around them
for i in $(seq 64); do
  awk -v i="$i" 'BEGIN {srand(i); printf "{\"question\": \""; for (k = 0; k < 33; k++) printf " %d", 10 + int(90 * rand()); printf "\", \"answer\": \"%d\"}\n", i}'
done >"$work/prompts.jsonl"
experiment=$work/memory.yaml
cat >"$experiment" <<END
run: {steps: 6, dir: $work}
model: {path: $model, precision: bf16}
task: {name: jsonl, train: $work/prompts.jsonl, prompt_field: question, answer_field: answer}
rollout: {prompts: 8, samples: 8, max_tokens: 256, ignore_eos: true}
eval: {problems: 0}
checkpoint: {every: 0, export: false}
reward:
  - random
END
# within BYTES RUN: the ranks of RUN together
within() { numbers "$work/$2/summary.json" peak_memory_bytes | awk -v most="$1" '{n += $1} END {printf "  %.2f GB of %.0f\n", n / 1e9, most / 1e9; exit !(n > 0 && n <= most)}'; }

plan_of alone 0 1
check "alone: within 5 GB" within 5e9 alone
plan_of three 3 1,1,1 layout.learners=1 layout.actors=1 layout.rewardsvc=1
check "one actor, one reward and one learner rank: within 8 GB" within 8e9 three
finish

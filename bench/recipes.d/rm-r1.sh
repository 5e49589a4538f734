# A chain of rubrics: judges beside the rule, with the chain and without; and what a policy learns from pairs that a better or a worse judge compares
#
# First SmolLM2 as in configs/recipes/rm-r1.yaml (if it is there), greedy, with its chain and with the verdict alone: same question, same examples but for what stands before
# the verdict. Then policies whose judge is a script of tests/judge_server (word `sums`): it works the sum out, forgetting the carries in `slip` of 100 questions, and picks the
# answer with its result.
about="reward: share of comparisons won against a drawn answer of the group, in both orders; slip-N: a judge by script that forgets the carries in N of 100 questions; rule: what is right"
arms=(rule slip-0 slip-20 slip-60)
steps=100
figures=("right, last steps=exact_number" "wins, last steps=preference")
coproc server { exec "$(dirname "$troupe")/tests/judge_server"; }
read -r _ port <&"${server[0]}"
reward() {
  [ "$1" != rule ] || { echo 'reward: [exact_number]'; return; }
  cat <<END
judges:
  - {name: critic, model: script, url: "http://127.0.0.1:$port/sums=${1#slip-}/v1"}
reward:
  - {name: exact_number, weight: 0}
  - {name: judge_pairs, as: preference, judge: critic, against: random, opponents: 1}
END
}
prepare() {
  local digits recipe=$here/configs/recipes/rm-r1.yaml model=$here/models/SmolLM2-135M-Instruct.Q4_1.gguf
  [ -f "$model" ] || { echo "no SmolLM2 (launch/fetch-smollm2): no table of it"; return; }
  sed "s#models/SmolLM2.*gguf#$model#; s/against: random/against: anchor/; s/temperature: 0.7/temperature: 0/; /exact_number/d" "$recipe" >chain.yaml
  sed 's#<type>Reasoning</type><solution>.*<answer>#<answer>#; s# Write <type>.*\(End with\)# \1#; s/max_tokens: 80/max_tokens: 16/' chain.yaml >verdict.yaml
  echo "SmolLM2 as the judge: a right answer beside a wrong one"
  for digits in 1 2; do
    for how in verdict chain; do printf '%d digits, %-8s' "$digits" "$how" && "$here/bench/judge-pairs" "$digits" "${PROBLEMS:-3}" "$how.yaml"; done
  done
  echo
}

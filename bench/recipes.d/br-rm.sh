# A judge in two turns beside the rule; and what a policy learns from pairs that a better or a worse judge compares
#
# First SmolLM2 as in configs/recipes/br-rm.yaml (if it is there), greedy; one turn is in rm-r1.sh's table, on the same pairs. Then policies whose judge is a script of tests/judge_server (word `sums`), as in rm-r1.sh, here in two turns.
about="reward: share of comparisons won against a drawn answer of the group, in both orders; slip-N: a judge in two turns by script that forgets the carries in N of 100 verdicts; rule: what is right"
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
  - {name: judge_rethink, as: preference, judge: critic, against: random, opponents: 1}
END
}
prepare() {
  local digits recipe=$here/configs/recipes/br-rm.yaml model=$here/models/SmolLM2-135M-Instruct.Q4_1.gguf
  [ -f "$model" ] || { echo "no SmolLM2 (launch/fetch-smollm2): no table of it"; return; }
  sed "s#models/SmolLM2.*gguf#$model#; s/against: random/against: anchor/; s/temperature: 0.7/temperature: 0/; /exact_number/d" "$recipe" >two-turns.yaml
  echo "SmolLM2 as the judge: a right answer beside a wrong one"
  for digits in 1 2; do printf '%d digits, two turns' "$digits" && "$here/bench/judge-pairs" "$digits" "${PROBLEMS:-3}" two-turns.yaml; done
  echo
}

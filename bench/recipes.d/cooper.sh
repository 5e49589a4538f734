# A verifier that learns on beside one that is frozen: the frozen one is found out, Cooper's is not
#
# The verifier is a decoder as small as the policy, and reads problem, answer and reference. It is made first, once: the imitator's answers, a policy that does not learn, and
# Cooper's own pairs (a right answer, a copy with another final number), 300 steps for a poor verifier and 800 for a better one. Then all arms begin with that verifier and the
# same policies.
about="reward: sigmoid of a verifier's logit; frozen-n: a verifier made in n steps stays as it is; cooper-n: it learns on, lr 3e-4; rule: what is right"
arms=(rule frozen-300 cooper-300 frozen-800 cooper-800)
steps=150
figures=("right, last steps=right" "verifier, last steps=cooper")
right=right
verifier() { # LR
  cat <<END
  - {name: cooper, verifier: verifier, rule: right, template: "{prompt}{answer}={reference}", yes: c, no: ";", where: answer, lr: $1}
END
}
reward() {
  [ "$1" = rule ] || echo "judges: [{name: verifier, model: $runs/cooper-verifier-${1#*-}/rewards/cooper, max_context: 128}]"
  echo 'reward:'
  echo "  - {name: exact_number, as: right, weight: $([ "$1" = rule ] && echo 1 || echo 0)}"
  case $1 in
    frozen-*) verifier 0 ;;
    cooper-*) verifier 3e-4 ;;
  esac
}
prepare() {
  local n
  for n in 300 800; do
    {
      echo "run: {steps: $n}"
      world
      echo 'rollout: {prompts: 32, samples: 4, max_tokens: 48, temperature: 1, batch: 128}'
      echo 'learner: {lr: 0}'
      echo 'checkpoint: {every: 0}'
      echo 'sft: {steps: 300, batch: 64, lr: 3e-3, warmup: 20, decay: linear}'
      echo 'eval: {problems: 100, every: 0, component: right}'
      echo 'judges: [{name: verifier, model: policy, max_context: 128}]'
      echo 'reward:'
      echo '  - {name: exact_number, as: right, weight: 0}'
      verifier 1e-3
    } >cooper-verifier-$n.yaml
    run cooper-verifier-$n cooper-verifier-$n.yaml --set run.seed=9
    echo "a verifier while it is made, $n steps:"
    agreement cooper-verifier-$n
  done
}
agreement() { "$troupe" inspect "$1" --rewards --component right --against cooper --threshold 0.5,0.5 | grep -E '^  (all|first third|last third) '; }

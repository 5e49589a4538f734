# A verifier that learns on beside one that is frozen: the frozen one is found out, Cooper's is not
#
# The verifier is a decoder as small as the policy, and reads problem, answer and reference. It is made first, once: the imitator's answers, a policy that does not learn, and
# Cooper's own pairs (a right answer, a copy with another final number), 800 steps. Then all arms begin with this verifier and the same policies.
about="reward: sigmoid of a verifier's logit; frozen: it stays as it was made; cooper: it learns on with lr 3e-4; rule: what is right. Agreement is that of the verifier's verdict (above 1/2) with the rule"
arms=(rule frozen cooper)
steps=150
figures=("right, last steps=right" "verifier, last steps=cooper")
right=right
verifier() { # LR
  cat <<END
  - {name: cooper, verifier: verifier, rule: right, template: "{prompt}{answer}={reference}", yes: c, no: ";", where: answer, lr: $1}
END
}
reward() {
  [ "$1" = rule ] || echo "judges: [{name: verifier, model: $runs/cooper-verifier/rewards/cooper, max_context: 128}]"
  echo 'reward:'
  echo "  - {name: exact_number, as: right, weight: $([ "$1" = rule ] && echo 1 || echo 0)}"
  case $1 in
    frozen) verifier 0 ;;
    cooper) verifier 3e-4 ;;
  esac
}
prepare() {
  {
    echo 'run: {steps: 800}'
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
  } >cooper-verifier.yaml
  run cooper-verifier cooper-verifier.yaml --set run.seed=9
  echo "the verifier while it is made:"
  agreement cooper-verifier
}
agreement() { "$troupe" inspect "$1" --rewards --component right --against cooper --threshold 0.5,0.5 | grep -E '^  (all|first third|last third) '; }

# A dense reward model on the wrong side: added to the verdict it can turn right and wrong, inside the verdict it cannot
#
# The reward model is made by a rule and miscalibrated: it likes short answers, raw score r_m = -(tokens above 16). Each carry that is noted costs two tokens, so where a problem
# needs one, forgetting it is worth 2 in raw units or more: the model prefers the wrong answer.
about="verdict r_v by rule, raw score r_m of a reward model scripted to like short answers. rule: r_v; sum-w: r_v + w r_m; shaped: sigmoid(0.5 r_m) + r_v - 1; shaped-mixed: the same without r_m in groups that are all right or all wrong"
arms=(rule sum-0.1 sum-0.5 sum-1 shaped shaped-mixed)
figures=("answer tokens=answer_tokens" "groups without spread=flat_groups")
reward() {
  local verdict=1 score=0 only=
  case $1 in
    sum-*) score=$(awk "BEGIN {print 24 * ${1#sum-}}") ;;
    shaped*) verdict=0 ;;
  esac
  [ "$1" = shaped-mixed ] && only=', only_mixed: exact_number'
  echo "reward:"
  echo "  - {name: exact_number, weight: $verdict}"
  echo "  - {name: length, as: terse, limit: 40, buffer: 24, weight: $score$only}" # terse = r_m / 24
  [ $verdict = 1 ] || echo "  - {name: sigmoid_shaping, outcome: exact_number, score: terse, a: 12}"
}

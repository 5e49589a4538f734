# A judge that likes wrong answers: Trust-GRPO holds it back, a plain sum does not
#
# The judge is made by a rule and likes neat thinking: 1 where no carry is noted (no c inside <think>), else 0. A wrong answer here is nearly always a forgotten carry, so
# where a problem needs one the judge prefers the wrong answers. alpha is its weight at step 0; the paper's 0.3 never turns a group's order, 1.5 does.
about="outcome + alpha exp(-step / steps) gamma judge, the judge scripted to like thinking without carries; sum: gamma = 1, trust: gamma = exp(mu_right - mu_wrong) if that is below 1"
arms=(rule sum-0.3 trust-0.3 sum-1.5 trust-1.5)
figures=("judge, last steps=neat" "gamma=trust")
reward() {
  local alpha=${1#*-} trust=true anneal=true
  alpha=${alpha%-constant}
  [ "$1" = rule ] && alpha=0
  [ "${1%%-*}" = sum ] && trust=false
  [ "${1%-constant}" != "$1" ] && anneal=false
  cat <<END
reward:
  - {name: exact_number, weight: 0}
  - {name: regex, as: neat, weight: 0, where: thinking, pattern: c, mode: absent}
  - {name: trust, outcome: exact_number, judge: neat, alpha: $alpha, trust: $trust, anneal: $anneal}
END
}

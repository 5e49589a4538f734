# Concise thinking paid for in right answers (CRF), beside penalties of length that are added
#
# The demonstrator works four sums of five twice and forgets carries as ever: there is a way to be short that is right, the work once, and one that is wrong, no carries.
about="rule: outcome; crf-alpha: outcome (1 + alpha c (exp(-step / steps) + exp(share right))), c conciseness in 0.1..1; length-w: outcome - w (tokens above 16) / 24, the additive penalty"
arms=(rule crf-0.2 crf-1 length-0.2 length-1 length-5)
figures=("answer tokens=answer_tokens" "conciseness=conciseness")
prepare() { arithmetic_rows | twice >twice.jsonl; }
world() { jsonl_world twice; }
# A demonstration whose work is done twice, for four rows of five.
twice() { awk '{if (($0 ~ /"mix": [0-7]/) && match($0, /<think>[^<]*</)) {w = substr($0, RSTART + 7, RLENGTH - 8); $0 = substr($0, 1, RSTART + 6) w ";" substr($0, RSTART + 7)} print}'; }
reward() {
  local outcome=0 length=0
  case $1 in
    rule) outcome=1 ;;
    length-*) outcome=1 length=${1#*-} ;;
  esac
  cat <<END
reward:
  - {name: exact_number, weight: $outcome}
  - {name: conciseness, budget: 22, weight: 0}
  - {name: length, limit: 40, buffer: 24, weight: $length}
END
  [ "${1%-*}" != crf ] || echo "  - {name: crf, outcome: exact_number, conciseness: conciseness, alpha: ${1#*-}}"
}

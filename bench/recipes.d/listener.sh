# Thinking that convinces somebody who does not see the answer: a frozen listener
#
# The demonstrator forgets carries in the thinking and then answers rightly all the same in four of five cases: what is thought and what is answered are two things. The listener
# is a decoder that learned from thinking and answers that belong together; it hears the thinking alone and says how probable the right one of two results is (the other one is
# the sum without its carries). A second listener of another seed, which no arm is trained on, is the judge of the effect: its mean over right answers is 1 where the thinking leads to them.
about="r = format + 0.5 outcome + w listener's probability. none: w = 0; listener: 0.5; only: no outcome, w = 1"
arms=(none listener only)
figures=("listener=heard" "second listener, right answers=second" "outcome=exact_number")
steps=150
prepare() {
  arithmetic_rows | parted >parted.jsonl
  plain_cold_start 101
  plain_cold_start 102
}
world() { jsonl_world parted; }
# The demonstration answers rightly whatever was thought, for four rows of five.
parted() { awk '{if ($0 ~ /"mix": [0-7]/ && match($0, /"answer": "[0-9]+"/)) {right = substr($0, RSTART + 11, RLENGTH - 12); sub(/<answer>[0-9]+</, "<answer>" right "<")} print}'; }
listening() { echo "  - {name: judge_listener, as: $1, judge: $1, weight: 0, options_field: options, template: \"{prompt}<think>{reasoning}</think>\", prefix: \"<answer>\", verdicts: \"\"$2}"; }
reward() {
  local outcome=0.5 w=0.5
  [ "$1" = none ] && w=0
  [ "$1" = only ] && outcome=0 w=1
  cat <<END
judges:
  - {name: heard, model: "$runs/plain-101/model"}
  - {name: second, model: "$runs/plain-102/model"}
reward:
  - {name: exact_number, weight: 0}
  - {name: format_tags, weight: 0}
$(listening heard "")
$(listening second ", only_if: exact_number")
  - {name: listener, outcome: exact_number, listener: heard, format: format_tags, outcome_weight: $outcome, listener_weight: $w}
END
}

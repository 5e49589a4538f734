# Verdicts turned by noise, and what the reasoning pattern reward (RPR) saves of them
#
# In this world the phrase of a reasoner is "c;c", a carry noted and taken over: RPR looks for it and never at the answer. Noise turns verdicts, r -> 1 - r: all of a question, or
# (s before the share) each sample's by itself, as a reward model that is right in 1 - p of all cases. Advantages are not divided by their group's deviation (dr_grpo), as in the
# paper, whose PPO has no groups: divided, a difference of 0.1 of RPR is as loud as a verdict wherever verdicts agree.
about="noise-p: verdicts with noise p as they are; calibrated-p: those below a half get 0.1 RPR more; repaired-p: they get RPR instead; rpr: no verdict at all"
arms=(noise-0 rpr noise-0.2 calibrated-0.2 repaired-0.2 noise-0.4 calibrated-0.4 repaired-0.4 noise-s0.4 calibrated-s0.4 repaired-s0.4 noise-0.5 repaired-0.5)
figures=("clean verdict=exact_number" "RPR=rpr")
sets=(--set learner.advantage=dr_grpo --set learner.lr=2e-4 --set rollout.prompts=32 --set rollout.batch=256)
reward() {
  local p=${1#*-} by=false verdict=1 pattern=0
  [ "${p#s}" = "$p" ] || by=true
  [ "$1" = rpr ] && verdict=0 pattern=1
  cat <<END
reward:
  - {name: exact_number, weight: $verdict}
  - {name: format_tags, as: answered, weight: 0}
  - {name: reasoning_pattern, as: rpr, phrases: "c;c", divisor: 1, where: thinking, weight: $pattern}
END
  [ "$1" = rpr ] || echo "  - {name: flip_noise, p: ${p#s}, per_sample: $by, answered: answered}"
  case $1 in
    repaired*) echo "  - {name: rpr_calibration, pattern: rpr, format: answered, mode: wrong_only}" ;;
    calibrated*) echo "  - {name: rpr_calibration, pattern: rpr, format: answered, a: 0.1}" ;;
  esac
}

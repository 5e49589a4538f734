# What reward does that imitation cannot: held-out accuracy of configs/arithmetic.yaml rises by at least 40 points over a baseline whose learning rate had decayed to
# 0; with random rewards in the same number of steps it does not rise. Seed 1; seeds 1, 2, 3 with TROUPE_LONG.
source "$(dirname "$0")/common.sh"
seeds=$([ -n "${TROUPE_LONG:-}" ] && echo 1 2 3 || echo 1)

accuracy_of() { tr -d ' \n' <"$1/summary.json" | sed -nE "s/.*\"heldout_$2\":\{[^}]*\"accuracy\":([0-9.e-]+).*/\1/p"; }
rises() { awk -v a="$(accuracy_of "$1" before)" -v b="$(accuracy_of "$1" after)" -v by="$2" 'BEGIN {print a, "before,", b, "after"; exit !(a != "" && b >= a + by)}'; }
does_not_rise() { awk -v a="$(accuracy_of "$1" before)" -v b="$(accuracy_of "$1" after)" 'BEGIN {print a, "before,", b, "after"; exit !(a != "" && b != "" && b <= a)}'; }

for seed in $seeds; do
  for config in arithmetic control-random; do
    run_ranks 3 train "$source_dir/configs/$config.yaml" --set "run.dir=$work" --set "run.name=$config-$seed" --set "run.seed=$seed" || { tail -20 "$work/log"; exit 1; }
  done
  check "seed $seed: the right reward, at least 40 points" rises "$work/arithmetic-$seed" 0.4
  check "seed $seed: random rewards, no rise" does_not_rise "$work/control-random-$seed"
  check "seed $seed: plot and exported model" test -s "$work/arithmetic-$seed/plot.png" -a -s "$work/arithmetic-$seed/model/model.safetensors"
done
finish

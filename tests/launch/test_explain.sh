# troupe explain: options by name; a whole experiment file, printed so that it reads back to the same.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
config=$TROUPE_SOURCE/configs/control-random.yaml

"$troupe" explain learner.lr >"$dir/out"
grep -q "learner.lr" "$dir/out"
[ "$("$troupe" explain | wc -l)" -gt 50 ]
expect 64 "learner.lr" "$troupe" explain learner.lrr

# rewards and judges: every reward, its settings with type, default, range and meaning; what is misspelt
"$troupe" explain reward >"$dir/out"
for rule in "$TROUPE_SOURCE"/rewardsvc/rewards/*.c; do grep -q "^    $(basename "$rule" .c) " "$dir/out"; done
grep -q "^    only_if    label of a component" "$dir/out"
"$troupe" explain reward.exact_number.tolerance >"$dir/out"
grep -qF "reward.exact_number.tolerance" "$dir/out"
grep -qF "    tolerance  number; default 0; in [0, 1e+300]" "$dir/out"
grep -qF "largest distance that counts as equal" "$dir/out"
"$troupe" explain reward.judge >"$dir/out"
same "$("$troupe" score --list | sed -n '/^judge$/,/^[a-z]/p' | sed '$d')" "$(cat "$dir/out")" "reward.judge and its part of score --list"
same "$(cat "$dir/out")" "$("$troupe" explain judge)" "a reward by its bare name"
"$troupe" explain reward.weight | grep -qF "from, to, steps, kind"
"$troupe" explain judges | grep -qE "^    url +text"
"$troupe" explain judges.retries | grep -qF "number; default 4; in [0, 20]"
"$troupe" explain judges.model | grep -qF "none: must be given"
expect 64 "no reward is called exact_numbr; did you mean reward.exact_number?" "$troupe" explain reward.exact_numbr
expect 64 "reward.exact_number has no setting strikt; did you mean reward.exact_number.strict?" "$troupe" explain reward.exact_number.strikt
expect 64 "reward.exact_number has no setting qqqqqqqq (troupe explain reward.exact_number shows all)" "$troupe" explain reward.exact_number.qqqqqqqq
expect 64 "reward.judge has no setting url" "$troupe" explain judge.url
expect 64 "judges has no setting retrys; did you mean judges.retries?" "$troupe" explain judges.retrys

"$troupe" explain --config "$config" --set learner.lr=1.5e-4 >"$dir/whole.yaml"
grep -qE "^  lr: 0?\.?[0-9.e-]+ +# peak learning rate" "$dir/whole.yaml"
grep -qF "lr: 0.00015 " "$dir/whole.yaml"
grep -qxF "# reward = 1 * random" "$dir/whole.yaml"
same "$(cat "$dir/whole.yaml")" "$("$troupe" explain --config "$dir/whole.yaml")" "a printed file and its own print"
"$troupe" check "$dir/whole.yaml" >/dev/null

printf 'reward:\n  - exact_numbr\n' >"$dir/e.yaml"
expect 65 "e.yaml:2:5: no reward is called exact_numbr" "$troupe" explain --config "$dir/e.yaml"
expect 65 "did you mean learner.lr" "$troupe" explain --config "$config" --set learner.rl=1
expect 66 "nowhere.yaml" "$troupe" explain --config "$dir/nowhere.yaml"
expect 64 "--set needs --config" "$troupe" explain --set learner.lr=1
expect 64 "either KEY or --config" "$troupe" explain --config "$config" learner.lr

# troupe explain: options by name; a whole experiment file, printed so that it reads back to the same.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
config=$TROUPE_SOURCE/configs/control-random.yaml

"$troupe" explain learner.lr >"$dir/out"
grep -q "learner.lr" "$dir/out"
[ "$("$troupe" explain | wc -l)" -gt 50 ]
expect 64 "learner.lr" "$troupe" explain learner.lrr

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

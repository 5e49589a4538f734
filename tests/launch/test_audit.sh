# troupe audit: a run judged again by its own rewards gives the same bits; by others, the advantages that move are counted.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
tiny=$TROUPE_SOURCE/tests/launch/tiny.yaml
"$troupe" train "$tiny" --set run.dir="$dir" --set run.name=run --set eval.every=0 --set learner.advantage=rloo >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
run=$dir/run
before=$(cd "$run" && find . -type f -exec cksum {} + | sort)
audit() { "$troupe" audit "$run" "$@" >"$dir/out" 2>"$dir/err" || { echo "audit $*: exit $?"; cat "$dir/err"; exit 1; }; }
# has PATTERN...: each is somewhere in the report
has() { for p in "$@"; do grep -qE -- "$p" "$dir/out" || { echo "no '$p' in:"; cat "$dir/out" "$dir/err"; exit 1; }; done; }
lacks() { if grep -qE -- "$1" "$dir/out" "$dir/err"; then echo "'$1' is in:"; cat "$dir/out" "$dir/err"; exit 1; fi; }
number() { sed -nE "s/^ *\"$1\": (-?[0-9.e-]+),?$/\1/p" "$dir/out" | head -1; }
# other NAME ITEM...: an experiment file whose reward list has the items
other() {
    sed '/^reward:/,$d' "$tiny" >"$dir/$1.yaml"
    echo "reward:" >>"$dir/$1.yaml"
    printf '  - %s\n' "${@:2}" >>"$dir/$1.yaml"
}

# its own file, and the --set that the run was started with: nothing moves, every score has the same bits
audit --config "$tiny" --set learner.advantage=rloo
has '^format_tags .* all 192 equal to the bit$' '^exact_number .* all 192 equal to the bit$' '^advantages of 192 answers in 48 groups$' \
    '^  0 change sign \(0.0 %\): 0 from \+ to -, 0 from - to \+$' '^  0 lose theirs, 0 get one$' ' 0 become so, 0 no longer are$' \
    '^  rank correlation 1.0000$' '^reward .* ok 192 then, 192 now$' '^  then  1 \* format_tags \+ 1 \* exact_number$'
lacks 'changed most|differ'
audit --config "$tiny" --json --set learner.advantage=rloo
same "$(number old_mean)" "$(number new_mean)" "means of the same rewards"
nonzero=$((192 - $(number zero_to_zero)))
flat=$(number old)
[ "$nonzero" -gt 0 ] || { echo "no advantage in the whole run: nothing was tested"; exit 1; }

# the other way round: every advantage that there is changes its sign; the groups without any stay as they are
other minus '{name: format_tags, weight: -1}' '{name: exact_number, weight: -1}'
audit --config "$dir/minus.yaml" --json --set learner.advantage=rloo
same "$nonzero" "$(number changed)" "advantages that change sign"
same "$flat $flat 0 0" "$(number old) $(number new) $(number became) $(number ceased)" "flat groups of negative rewards"
same -1.0 "$(number rank_correlation)" "rank correlation of negative rewards"
audit --config "$dir/minus.yaml" --set learner.advantage=rloo
has '^groups changed most$' '^  step [0-9]+, group [0-9]+: advantages move by ' '^    \[0\] reward .* -> .*, advantage [+-]' 'all 192 equal to the bit'

# rewards without differences: no group has an advantage left
other same '{name: exact_number, clip: [0, 0]}'
audit --config "$dir/same.yaml" --json
same "48 $((48 - flat)) 0" "$(number new) $(number became) $(number ceased)" "flat groups of equal rewards"
audit --config "$dir/same.yaml"
has '^exact_number .* all 192 equal to the bit$' 'the learner.s options differ too \(advantage rloo then, grpo now\)'
# other settings, another component, a failure policy
other more '{name: length, as: format_tags}' exact_number 'gsm8k'
audit --config "$dir/more.yaml"
has '^gsm8k .* not in the run$' '^format_tags .* \(other settings\); first: step 1, group [0-9]+, sample [0-9]+, ' '^exact_number .* all 192 equal'
lacks 'and yet gives'

# some steps, a row a sample
audit --config "$dir/minus.yaml" --steps 2-3 --out "$dir/rows.jsonl" --json
same "2 3 64" "$(number first_step) $(number last_step) $(number samples)" "chosen steps"
same "64" "$(wc -l <"$dir/rows.jsonl")" "rows"
grep -qE '^\{"step":2,"group":8,"sample":0,"old":\{"reward":[0-9.]+,"status":"ok","advantage":[-0-9.e]+,"components":\{"format_tags":[0-9.]+,"exact_number":[0-9.]+\},.*"new":\{"reward":-?[0-9.]+,"status":"ok"' "$dir/rows.jsonl" || { head -1 "$dir/rows.jsonl"; exit 1; }
audit --config "$dir/minus.yaml" --steps 6
has ', steps 6 to 6$'
same "$before" "$(cd "$run" && find . -type f -exec cksum {} + | sort)" "the run's files before and after"

# recorded scores that no rule would give: said, with the first of them
"$TROUPE_BUILD/tests/make_ledger_run" "$dir/made"
printf 'run: {name: x}\nreward:\n  - exact_number\n' >"$dir/rule.yaml"
expect 0 'rule exact_number has the settings of the run and yet gives 48 of 96 answers another score' "$troupe" audit "$dir/made" --config "$dir/rule.yaml"
has '^exact_number .* 48 of 96 differ; first: step 1, group 0, sample 0, 1 -> 0$'

# refusals
expect 66 "there is no such run" "$troupe" audit "$dir/nowhere" --config "$tiny"
expect 66 "nowhere.yaml" "$troupe" audit "$run" --config "$dir/nowhere.yaml"
printf 'run: {name: x}\n' >"$dir/none.yaml"
expect 65 "no \`reward:\` block" "$troupe" audit "$run" --config "$dir/none.yaml"
other wrong nonsense
expect 65 "nonsense" "$troupe" audit "$run" --config "$dir/wrong.yaml"
expect 66 "no scored rollouts of these steps" "$troupe" audit "$run" --config "$tiny" --steps 99
expect 64 "a run and --config FILE are wanted" "$troupe" audit "$run"
expect 64 "with A at most B" "$troupe" audit "$run" --config "$tiny" --steps 5-2
expect 73 "rows.jsonl" "$troupe" audit "$run" --config "$tiny" --out "$dir/no/rows.jsonl"
truncate -s 3000 "$(ls "$run"/rollouts/steps-*.h5 | head -1)"
expect 65 "rollouts/steps-" "$troupe" audit "$run" --config "$tiny"
"$troupe" audit --help | grep -q Example

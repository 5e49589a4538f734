# troupe eval: figures that agree with the answers written out, the same for the same seed, whatever the batch; every source of problems.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
ev() { "$troupe" eval "$model" --precision f32 --max-tokens 12 "$@"; }
task=(--task sum --set task.digits=2)
count() { grep -c "\"right\":$1" "$dir/answers" || true; }

# the control reward draws its scores, so some answers are "right"
outcome=$(ev "${task[@]}" --reward random --threshold 0.5 --samples 4 --limit 40 --out "$dir/answers" --json)
same 160 "$(wc -l <"$dir/answers")" "answers written"
same "0 0 39 3" "$(sed -n '1p;160p' "$dir/answers" | sed 's/.*"problem":\([0-9]*\),"sample":\([0-9]*\).*/\1 \2/' | paste -sd ' ')" "order of answers"
right=$(count true)
[ "$right" -gt 20 ] && [ "$right" -lt 140 ] || { echo "$right of 160 are right"; exit 1; }
awk -v right="$right" -v json="$outcome" 'BEGIN {
    if (!match(json, /"avg@4":\{"value":[0-9.e-]*/)) exit 1
    v = substr(json, RSTART + 17, RLENGTH - 17) + 0
    exit !(v - right / 160 < 1e-8 && right / 160 - v < 1e-8) }' || { echo "$right of 160 are right, but: $outcome"; exit 1; }
# pass@4: problems with at least one right answer among all four
passed=$(grep '"right":true' "$dir/answers" | sed 's/.*"problem":\([0-9]*\).*/\1/' | sort -u | wc -l)
awk -v n="$passed" -v json="$outcome" 'BEGIN {
    if (!match(json, /"pass@4":\{"value":[0-9.e-]*/)) exit 1
    v = substr(json, RSTART + 18, RLENGTH - 18) + 0
    exit !(v - n / 40 < 1e-8 && n / 40 - v < 1e-8) }' || { echo "$passed of 40 problems passed, but: $outcome"; exit 1; }

# the same answers, one row at a time
cp "$dir/answers" "$dir/first"
ev "${task[@]}" --reward random --threshold 0.5 --samples 4 --limit 40 --out "$dir/answers" --set rollout.batch=1 >/dev/null
cmp "$dir/first" "$dir/answers"
ev "${task[@]}" --limit 5 >"$dir/text"
grep -q "avg@1 *0.00 %" "$dir/text"

# rows of a file, and an experiment file
for i in 1 2 3 4 5 6; do echo "{\"question\":\"$i+1=\",\"answer\":\"$((i + 1))\"}"; done >"$dir/rows.jsonl"
same 6 "$(ev --jsonl "$dir/rows.jsonl" --json | field problems)" "rows asked"
printf 'task:\n  name: sum\n  digits: 2\nreward:\n  - exact_number\n  - name: random\n    as: noise\neval:\n  problems: 7\n  component: noise\n  threshold: 0.5\n' >"$dir/e.yaml"
ev --config "$dir/e.yaml" --json --out "$dir/answers" >"$dir/json"
same 7 "$(field problems <"$dir/json")" "problems of the experiment"
grep -q '"noise":{"value":' "$dir/answers"

expect 65 "give --config, --task or --jsonl" "$troupe" eval "$model"
expect 65 "did you mean sum" "$troupe" eval "$model" --task sums
expect 64 "exclude each other" "$troupe" eval "$model" --task sum --jsonl x
expect 65 "would all be the same" "$troupe" eval "$model" --task sum --samples 2 --temperature 0
expect 65 "no reward is called nonsense" "$troupe" eval "$model" --task sum --reward nonsense
expect 65 "no component sound" "$troupe" eval "$model" --config "$dir/e.yaml" --set eval.component=sound
expect 66 "a model is" "$troupe" eval "$dir/nothing" --task sum
expect 73 "nowhere" "$troupe" eval "$model" --task sum --out "$dir/nowhere/x"
expect 65 "rows.jsonl" "$troupe" eval "$model" --jsonl "$dir/norows.jsonl"
"$troupe" eval --help | grep -q Example

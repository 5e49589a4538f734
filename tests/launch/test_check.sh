# troupe check: every experiment file of configs/ passes; a wrong one gets all of its errors, with their places and what was meant; parts that do not fit are told.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"

for file in "$TROUPE_SOURCE"/configs/*.yaml; do
    path=$(sed -nE 's/^.*\bpath: *"?([^",}]*).*/\1/p' "$file" | head -1)
    rows=$(sed -nE 's/^.*\btrain: *"?([^",}]*\.jsonl).*/\1/p' "$file" | head -1)
    if [ -n "$path" ] && [ ! -e "$path" ]; then echo "not checked, $path is missing: $file"; continue; fi
    sets=()
    if [ -n "$rows" ] && [ ! -e "$rows" ]; then # rows that the user brings
        data=${TROUPE_DATA:-$TROUPE_SOURCE/shared/data}/$(dirname "$rows")
        if [ ! -d "$data" ]; then echo "not checked, $rows is missing: $file"; continue; fi
        sets=(--set "task.train=$data/train.jsonl" --set "task.heldout=$data/test.jsonl")
    fi
    "$troupe" check "$file" "${sets[@]}" >"$dir/out"
    same 1 "$(grep -c ": OK: " "$dir/out")" "lines about $file"
    same true "$("$troupe" check --json "$file" "${sets[@]}" | field ok)" "ok of $file"
done

# all errors of one file
cat >"$dir/wrong.yaml" <<'X'
run: {steps: ten}
rollout:
  sampels: 4
  temperature: 1000
learner:
  lr: 1e-3
  lr: 2e-3
reward:
  - exact_number
X
expect 65 "wrong.yaml:7:3: key lr was given before, in line 6" "$troupe" check "$dir/wrong.yaml"
sed -i '7d' "$dir/wrong.yaml"
expect 65 "wrong.yaml:1:14: run.steps" "$troupe" check "$dir/wrong.yaml"
grep -qF "wrong.yaml:3:3: unknown key rollout.sampels; did you mean rollout.samples" "$dir/err"
grep -qF "wrong.yaml:4:16: rollout.temperature" "$dir/err"
same 3 "$(wc -l <"$dir/err")" "errors of one file"
same "" "$(cat "$dir/out")" "said of a wrong file"
same false "$("$troupe" check --json "$dir/wrong.yaml" 2>/dev/null | field ok)" "ok of a wrong file"

# what only the parts know
good='task: {name: sum, digits: 2}
reward:
  - exact_number'
refused() { printf '%s\n' "$2" >"$dir/e.yaml"; expect 65 "$1" "$troupe" check "$dir/e.yaml" "${@:3}"; }
printf '%s\n' "$good" >"$dir/good.yaml"
"$troupe" check "$dir/good.yaml" --set layout.workers=2 >"$dir/out"
grep -q "OK: 3 ranks; llama .*; task sum .*; reward 1 \* exact_number$" "$dir/out"
refused "e.yaml:3:5: no reward is called exact_numbr; did you mean exact_number" "${good%er}r"
refused "e.yaml:1:14: model.path: task jsonl" "${good/sum, digits: 2/jsonl, train: x}"
refused "no \`reward:\` block" "task: {name: sum}"
refused "e.yaml:4:19: eval.component: the reward block has no component noise; it has exact_number" "$good
eval: {component: noise, problems: 10}"
refused "e.yaml: eval.component: the reward block has no component noise" "$good" --set eval.component=noise --set eval.problems=10
refused "reward countdown cannot judge task sum: " "${good/exact_number/countdown}"
refused "do not fit in the model's 256 positions" "$good" --set model.max_positions=256 --set rollout.max_tokens=255
refused "task sum has 822 held-out problems" "$good" --set eval.problems=5000
refused "--set layout.learners=3: layout.learners: 3 learners do not divide" "$good" --set layout.learners=3 --set layout.actors=1

# several files, one of them missing
expect 66 "nowhere.yaml" "$troupe" check "$dir/good.yaml" "$dir/nowhere.yaml"
same 1 "$(grep -c OK "$dir/out")" "good files among the missing"
expect 65 "wrong.yaml:1:14" "$troupe" check "$dir/nowhere.yaml" "$dir/wrong.yaml" "$dir/good.yaml"
expect 64 "which experiment file" "$troupe" check
"$troupe" check --help | grep -q Example

# troupe score: rewards seen from outside: the row's id, every component with its status, a failure that is no 0, errors that name the line; GSM8K's own solutions.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
score() { "$troupe" score "$@" 2>"$dir/err"; }

# one reward; what out rows look like, to the byte
printf '%s\n' '{"id":7,"completion":"so #### 42","answer":42}' '' '{"id":{"a":[1]},"prompt":"?","completion":"41","answer":"42"}' '{"completion":"42"}' >"$dir/in"
score --reward gsm8k "$dir/in" >"$dir/out"
same '{"id":7,"reward":1.0,"status":"ok","components":{"gsm8k":1.0},"statuses":{"gsm8k":"ok"}}
{"id":{"a":[1]},"reward":0.0,"status":"ok","components":{"gsm8k":0.0},"statuses":{"gsm8k":"ok"}}
{"reward":null,"status":"error","components":{"gsm8k":null},"statuses":{"gsm8k":"error"}}' "$(cat "$dir/out")" "rows out"
grep -q "score: 3 rows, reward 0.5 (mean of 2 ok), 1 error, [0-9]* rows/s" "$dir/err"
grep -q "answer" "$dir/err" # why it is an error
same "$(cat "$dir/out")" "$(score --reward gsm8k <"$dir/in")" "rows of a file and of standard input"

# a block: weights, labels, --set, what an answer's length needs, the record that eval writes
cat >"$dir/e.yaml" <<'X'
rollout: {max_tokens: 100}
reward:
  - {name: exact_number, weight: 2}
  - {name: length, as: short, weight: 0.5}
X
strict='"completion":"<think>1</think><answer>5</answer>","answer":"5"'
same '"reward":2.0,"status":"ok","components":{"exact_number":1.0,"short":null},"statuses":{"exact_number":"ok","short":"not_applicable"}' \
    "$(echo "{$strict}" | score --config "$dir/e.yaml" | sed 's/^{//; s/}$//')" "a length that nobody counted"
same 1.5 "$(echo "{$strict,\"n_tokens\":200}" | score --config "$dir/e.yaml" | field reward)" "too long by a row's n_tokens"
same 2.0 "$(echo "{$strict,\"n_tokens\":200}" | score --config "$dir/e.yaml" --set rollout.max_tokens=1000 --set model.max_positions=2000 | field reward)" "not too long after --set"
same 2.0 "$(echo "{$strict,\"n_tokens\":200,\"max_tokens\":1000}" | score --config "$dir/e.yaml" | field reward)" "not too long by the row"
same 1.0 "$(echo '{"completion":"5","record":{"answer":"5"},"answer":"6"}' | score --reward gsm8k | field reward)" "a record of its own"
same '1.0 0.0' "$(printf '{"completion":"5","answer":"5"}\n{"completion":"5","answer":"5","finish":"length"}\n' | score --reward gsm8k | sed 's/.*"reward":\([0-9.]*\).*/\1/' | paste -sd ' ')" "an answer that was cut off"

# rows with the same "group" in a row are judged together: what looks at a group works as in a run
cat >"$dir/g.yaml" <<'X'
reward:
  - {name: exact_number, normalise: true}
X
g='"completion":"<think>1</think><answer>5</answer>"'
printf '%s\n' "{\"group\":\"a\",$g,\"answer\":\"5\"}" "{\"group\":\"a\",$g,\"answer\":\"6\"}" "{\"group\":[1],$g,\"answer\":\"5\"}" "{\"group\":\"a\",$g,\"answer\":\"5\"}" \
    "{\"group\":null,$g,\"answer\":\"5\"}" "{\"group\":null,$g,\"answer\":\"6\"}" "{$g,\"answer\":\"6\"}" "{\"group\":7,$g,\"answer\":\"6\"}" "{\"group\":7,$g,\"answer\":\"5\"}" "{\"group\":7,$g,\"answer\":\"6\"}" >"$dir/in"
same '0.707106781 -0.707106781 0.0 0.0 0.0 0.0 0.0 -0.577350269 1.15470054 -0.577350269' \
    "$(score --config "$dir/g.yaml" "$dir/in" | sed 's/.*"reward":\([-0-9.]*\).*/\1/' | paste -sd ' ')" "rewards normalised within groups"
grep -q "score: 10 rows, reward 0 (mean of 10 ok)" "$dir/err" || grep -q "score: 10 rows, reward .*e-.* (mean of 10 ok)" "$dir/err" || { cat "$dir/err"; exit 1; }
same '{"reward":1.0,"status":"ok","components":{"exact_number":1.0},"statuses":{"exact_number":"ok"},"notes":{}}' "$(echo "{$strict}" | score --reward exact_number --notes)" "no note of a rule"
# a wrong row spoils the group that it may belong to, not those before
printf '%s\n' "{$g,\"answer\":\"5\"}" "{\"group\":1,$g,\"answer\":\"5\"}" "{\"group\":1,\"completion\":[]}" >"$dir/in"
expect 65 'in:3:' "$troupe" score --config "$dir/g.yaml" "$dir/in"
same 1 "$(wc -l <"$dir/out")" "rows before a spoilt group"
yes "{\"group\":1,$g,\"answer\":\"5\"}" | head -5000 >"$dir/in" || true
expect 65 'in:4097: a group of more than 4096 rows' "$troupe" score --config "$dir/g.yaml" "$dir/in"

# what eval wrote is judged as eval judged it
"$troupe" eval "$model" --task sum --set task.digits=2 --reward format_tags --limit 8 --max-tokens 12 --out "$dir/answers" >/dev/null
same "$(sed 's/.*"reward":\([0-9.e-]*\).*/\1/' "$dir/answers")" "$(score --reward format_tags "$dir/answers" | sed 's/.*"reward":\([0-9.e-]*\).*/\1/')" "scores of eval"

# errors name the line; every wrong row is told, output ends before the first
printf '%s\n' '{"completion":"1","answer":1}' '{"completio":"2"}' '{' '{"completion":"1","answer":1}' '{"completion":"1","n_tokens":-1}' '{"completion":"1","finish":"end"}' >"$dir/in"
expect 65 'in:2: no field "completion"; did you mean completio' "$troupe" score --reward gsm8k "$dir/in"
grep -qF "in:3:" "$dir/err"
grep -qF 'in:5: "n_tokens" is not a whole number' "$dir/err"
grep -qF 'in:6: "finish" is none of' "$dir/err"
same 4 "$(wc -l <"$dir/err")" "reasons"
same 1 "$(wc -l <"$dir/out")" "rows before the wrong one"
for i in $(seq 50); do echo '{}'; done >"$dir/in"
expect 65 "too many errors" "$troupe" score --reward gsm8k "$dir/in"
same 21 "$(wc -l <"$dir/err")" "reasons of a wrong file"
expect 65 "no reward is called nonsense" "$troupe" score --reward nonsense "$dir/in"
expect 66 "nowhere" "$troupe" score --reward gsm8k "$dir/nowhere"
expect 66 "nowhere" "$troupe" score --config "$dir/nowhere" "$dir/in"
expect 64 "either --reward NAME" "$troupe" score "$dir/in"
expect 64 "either --reward NAME" "$troupe" score --reward gsm8k --config "$dir/e.yaml" "$dir/in"
expect 64 "--set needs --config" "$troupe" score --reward gsm8k --set run.seed=1

# the list has every reward with its settings (kept in files: a grep that stops early would end the program with SIGPIPE)
"$troupe" score --list >"$dir/list"
"$troupe" score --list --json >"$dir/list.json"
for file in "$TROUPE_SOURCE"/rewardsvc/rewards/*.c; do
    name=$(basename "$file" .c)
    grep -qx "$name" "$dir/list"
    grep -qF "\"name\":\"$name\"" "$dir/list.json"
done
grep -qF 'limit      number; default 0; in [0, 1000000000]' "$dir/list"
"$troupe" score --help | grep -q Example

# every reference solution of GSM8K is right, and is wrong as soon as its number is another
gsm8k=${TROUPE_DATA:-$TROUPE_SOURCE/shared/data}/gsm8k
if [ ! -f "$gsm8k/test.jsonl" ]; then
    echo "no GSM8K in TROUPE_DATA: its solutions were not judged"
    exit 0
fi
cat "$gsm8k"/train.jsonl "$gsm8k"/test.jsonl | sed -E 's/^\{"question": (.*), "answer": (".*")\}$/{"prompt": \1, "completion": \2, "answer": \2}/' >"$dir/in"
score --reward gsm8k "$dir/in" >"$dir/out"
cat "$dir/err"
same 8792 "$(grep -c '"reward":1.0,"status":"ok"' "$dir/out")" "GSM8K's solutions judged right"
sed -E 's/("completion": ".*#### )([^"]*"), "answer": /\11\2, "answer": /' "$dir/in" >"$dir/wrong"
same 8792 "$(score --reward gsm8k "$dir/wrong" | grep -c '"reward":0.0,"status":"ok"')" "solutions with another number judged wrong"

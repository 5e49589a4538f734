# Programs as rewards, from outside: doctor says whether they can be run; score judges rows in Python and C; check needs no sandbox; training under mpirun has helpers on its ranks and leaves none behind.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
"$troupe" doctor >"$dir/out"
grep -q "^ok *sandbox .*Python 3" "$dir/out" || { echo "skipped: $(grep sandbox "$dir/out")"; exit 77; }

# helpers: the processes of this build's helpers that run now, once those of ended jobs had a second to go
helpers() {
    local i p found=
    for i in 1 2 3 4 5 6 7 8 9 10; do
        found=
        for p in $(pgrep -x troupe-sandbox || true); do
            [ "$(readlink "/proc/$p/exe" || true)" != "$troupe" ] || found="$found $p"
        done
        [ -n "$found" ] || return 0
        sleep 0.1
    done
    echo "$found"
}

# rows as data sets have them: a failure of the program is a 0, one of the tests is none
cat >"$dir/in" <<'X'
{"completion":"```python\nprint(sum(map(int, input().split())))\n```","tests":[{"stdin":"2 3\n","stdout":"5\n"},{"stdin":"x","stdout":"5"}]}
{"completion":"```python\ndef add(a, b):\n    return a + b\n```","tests":["assert add(1, 2) == 3","assert add(1, 2) == 4","assert add([1], [2]) == [1, 2]","assert add('a', 'b') == 'ab'"]}
{"completion":"```python\ndef add(a, b):\n    return a + b\n```","tests":"def check(candidate):\n    assert candidate(1, 2) == 3\n","entry_point":"add"}
{"completion":"I would add them.","tests":["assert add(1, 2) == 3"]}
{"completion":"```python\nprint(5)\n```"}
X
same '0.5 ok 0.75 ok 1.0 ok 0.0 ok null error' "$("$troupe" score --reward program "$dir/in" 2>"$dir/err" | sed 's/.*"reward":\([^,]*\),"status":"\([a-z]*\)".*/\1 \2/' | paste -sd ' ')" "scores in Python"
grep -qF 'has no field "tests"' "$dir/err"
cat >"$dir/e.yaml" <<'X'
reward:
  - {name: program, language: c, value: all, compare: tokens}
X
echo '{"completion":"```c\n#include <stdio.h>\nint main(void) { int a, b; scanf(\"%d%d\", &a, &b); printf(\"%d \", a + b); return 0; }\n```","tests":[{"stdin":"2 3\n","stdout":"5\n"}]}' >"$dir/in"
same 1.0 "$("$troupe" score --config "$dir/e.yaml" "$dir/in" 2>"$dir/err" | field reward)" "a score in C"

# training: the tiny model writes numbers, which end a program
for i in $(seq 1 40); do
    echo "{\"question\":\"$i+$((i % 7))=\",\"answer\":\"$((i + i % 7))\",\"before\":\"x = \\\\\",\"tests\":[\"assert x == $((i + i % 7))\",\"assert type(x) is int\"]}"
done >"$dir/rows.jsonl"
cat >"$dir/e.yaml" <<X
run: {name: p, dir: $dir/runs, steps: 2}
layout: {workers: 1, rewardsvc: 1}
model: {path: $model, products: bf16_as_f32}
task: {name: jsonl, train: $dir/rows.jsonl}
sft: {steps: 40, batch: 16, lr: 5e-3, warmup: 5}
rollout: {prompts: 2, samples: 4, max_tokens: 8}
eval: {problems: 2, every: 2}
reward:
  - {name: program, fenced: false, before: before}
X
"$troupe" check "$dir/e.yaml" >/dev/null
mpirun -np 2 "$troupe" train "$dir/e.yaml" >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
same 2 "$(grep -c '"stage":"grpo","reward":[0-9]' "$dir/runs/p/metrics.jsonl")" "steps with a reward"
same "" "$(helpers)" "helpers left behind"
sed -i 's/name: program,/name: program, program: python17,/; s/name: p,/name: q,/' "$dir/e.yaml"
expect 65 "python17 does not run in the sandbox" mpirun -np 2 "$troupe" train "$dir/e.yaml"
same "" "$(helpers)" "helpers left behind by a job that did not begin"

# troupe bench --rewards: a figure for every rule that needs neither a judge nor a sandbox; every one of its generated answers is judged, or the verb fails.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"

"$troupe" bench --rewards --seconds 0.01 --threads 2 --json >"$dir/figures.json"
sed -nE 's/^ *"name": "([a-z_0-9]+)",?$/\1/p' "$dir/figures.json" | sort >"$dir/measured"
"$troupe" score --list | sed -nE "s/^([a-z_0-9]+)$/\1/p" | sort >"$dir/all"
grep -qx math_equal "$dir/all"
for rule in $(cat "$dir/measured"); do grep -qx "$rule" "$dir/all"; done
for rule in "$TROUPE_SOURCE"/rewardsvc/rewards/*.c; do
    grep -qE '^ *\.score = ' "$rule" || continue
    name=$(basename "$rule" .c)
    [ "$name" = program ] || grep -qx "$name" "$dir/measured" || { echo "no rate of the rule $name"; exit 1; }
done
grep -q "\"processes\": 2," "$dir/figures.json"
grep -q '"of": "the target"' "$dir/figures.json"

# one rule, for people
"$troupe" bench --rewards --seconds 0.01 --threads 1 --only gsm8k >"$dir/out"
grep -qE '^gsm8k +[0-9.e+]+ samples/s .* % of the target$' "$dir/out"

expect 64 "--rewards measures rules" "$troupe" bench --rewards model.gguf
expect 64 "--seconds" "$troupe" bench --rewards --seconds 0

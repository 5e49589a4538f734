# troupe generate: the same text for the same seed, streamed or as JSON; stop strings; what cannot be is refused with a reason.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
gen() { "$troupe" generate "$model" --precision f32 --max-tokens 30 "$@"; }

plain=$(gen "12+30=" --seed 4 </dev/null)
same "$plain" "$(gen "12+30=" --seed 4 </dev/null)" "two runs of one seed"
same "$plain" "$(printf '12+30=\n' | gen --seed 4)" "argument and standard input"
json=$(gen "12+30=" --seed 4 --json </dev/null)
same "\"$plain\"" "$(echo "$json" | field text)" "streamed text and JSON"
same '"12+30="' "$(echo "$json" | field prompt)" "prompt"
[ "$plain" != "$(gen "12+30=" --seed 5 </dev/null)" ] || { echo "another seed gives the same text"; exit 1; }

# several samples: as many rows, the first is the one alone
rows=$(gen "12+30=" --seed 4 --json -n 5 </dev/null)
same 5 "$(echo "$rows" | wc -l)" "rows"
same "$(echo "$json" | field ids)" "$(echo "$rows" | field ids)" "first sample of five"
same 5 "$(echo "$rows" | sort -u | wc -l)" "different samples"

# greedy does not look at the seed; the limit holds
same "$(gen "7+8=" --temperature 0 --seed 1 </dev/null)" "$(gen "7+8=" --temperature 0 --seed 2 </dev/null)" "greedy"
same 3 "$(gen "7+8=" --max-tokens 3 --temperature 1 --seed 6 --json </dev/null | field ids | tr , '\n' | wc -l)" "tokens"

# a stop string cuts the text before it
long=$(gen "12+30=" --temperature 1.5 -n 20 --json </dev/null | field text | tr -d '"')
stop=${long:3:2}
cut=$(gen "12+30=" --temperature 1.5 -n 20 --json --stop "$stop" </dev/null)
same "\"${long%%"$stop"*}\"" "$(echo "$cut" | field text)" "text before the stop string $stop"
same '"stop"' "$(echo "$cut" | field finish)" "finish"

expect 64 "no model" "$troupe" generate
expect 64 "--temperature: warm is not a number" "$troupe" generate "$model" x --temperature warm
expect 64 "--precision: f16 is neither" "$troupe" generate "$model" x --precision f16
expect 66 "a model is a Hugging Face folder, a .gguf file" "$troupe" generate "$dir/nothing" x
mkdir "$dir/empty"
expect 65 "neither a Hugging Face folder" "$troupe" generate "$dir/empty" x
expect 65 "the prompt is empty" "$troupe" generate "$model" ""
expect 65 "hello" "$troupe" generate "$model" "hello"
expect 65 "brings no chat template" "$troupe" generate "$model" "1" --template chat
expect 64 "--system needs a chat template" "$troupe" generate "$model" "1" --system "be brief"
"$troupe" generate --help | grep -q "Example: troupe generate"

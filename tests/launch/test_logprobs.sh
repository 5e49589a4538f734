# troupe logprobs: the learner's log-probabilities are what the engine said when it wrote the text; rows keep their fields; errors name the line.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
lp() { "$troupe" logprobs "$model" "$@"; }

for seed in 1 2 3 4; do
    row=$("$troupe" generate "$model" "12+30=" --precision f32 --temperature 1 --top-p 1 --max-tokens 20 --seed $seed --json </dev/null)
    text=$(echo "$row" | field text)
    out=$(echo "{\"id\":[$seed],\"prompt\":\"12+30=\",\"completion\":$text}" | lp)
    ids=$(echo "$out" | field ids) logprobs=$(echo "$out" | field logprobs)
    # end-of-text, the token 0, is not in the text
    same "$(echo "$row" | field ids | sed 's/,0\]$/]/; s/^\[0\]$/[]/')" "$ids" "ids"
    case $(echo "$row" | field logprobs) in "${logprobs%]}"*) ;; *)
        echo "seed $seed: generated with $(echo "$row" | field logprobs), judged $logprobs"
        exit 1
        ;;
    esac
    same "[$seed]" "$(echo "$out" | field id)" "the row's own field"
done

same null "$(echo '{"prompt":"1","completion":""}' | lp | field perplexity)" "perplexity of nothing"
# perplexity is exp(-mean log-probability)
echo '{"prompt":"1+1=","completion":"2"}' | lp >"$dir/two"
awk -v lp="$(field logprobs <"$dir/two" | tr -d '[]')" -v p="$(field perplexity <"$dir/two")" \
    'BEGIN { d = exp(-lp) / p - 1; exit !(d < 1e-6 && d > -1e-6) }' || { echo "perplexity:"; cat "$dir/two"; exit 1; }
[ "$(echo '{"prompt":"1+1=","completion":"2"}' | lp --temperature 2 | field logprobs)" != "$(field logprobs <"$dir/two")" ]

bad() { printf '%s\n' "$2" >"$dir/in"; expect 65 "$1" sh -c "'$troupe' logprobs '$model' <'$dir/in'"; }
good='{"prompt":"1","completion":"2"}'
bad 'standard input:2: no field "completion"' "$good
{\"prompt\":\"1\",\"completio\":\"2\"}"
same 1 "$(wc -l <"$dir/out")" "rows before the bad one"
bad "standard input:3:" "$good

{"
bad "standard input:1: \"completion\" cannot be said" '{"prompt":"1","completion":"hello"}'
bad "standard input:1: the prompt is empty" '{"prompt":"","completion":"2"}'
bad "positions: shorten the row" "{\"prompt\":\"1\",\"completion\":\"$(printf '%0600d' 0)\"}"
expect 64 "no model" "$troupe" logprobs
expect 66 "a model is" "$troupe" logprobs "$dir/nothing"
"$troupe" logprobs --help | grep -q Example

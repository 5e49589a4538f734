#!/usr/bin/env bash
# troupe tokenize: rows to ids and back, plain text, and errors that name the line. With the small tokenizer, in a folder of its own.
set -u
troupe=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$TROUPE_SOURCE/tests/data/tokenizer_small.json" "$dir/tokenizer.json"
failed=0

same() { # what, expected, got
    [ "$2" = "$3" ] && return
    printf '%s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
    failed=1
}

refused() { # what, exit status, text of the error, input, arguments...
    local what=$1 status=$2 text=$3 input=$4 rc
    shift 4
    printf '%s' "$input" | "$troupe" tokenize "$@" >"$dir/out" 2>"$dir/err"
    rc=$?
    same "$what: exit status" "$status" "$rc"
    grep -qF -- "$text" "$dir/err" || same "$what: message" "$text" "$(cat "$dir/err")"
}

row='{"text":"I'"'"'m sure: 12 caf\u00e9s \ud83d\ude00 <|im_end|>","n":7}'
ids=$(printf '%s\n' "$row" | "$troupe" tokenize "$dir")
same "keeps other fields" 7 "$(printf '%s' "$ids" | grep -o '"n":[0-9]*' | cut -d: -f2)"
only=$(printf '%s' "$ids" | grep -o '"ids":\[[0-9,]*\]')
back=$(printf '{%s}\n' "$only" | "$troupe" tokenize "$dir")
same "there and back" "{$only,\"text\":\"I'm sure: 12 cafés 😀 <|im_end|>\"}" "$back"
same "special tokens only on request" '{"text":"<|im_end|>","ids":[558]}' \
    "$(echo '{"text":"<|im_end|>"}' | "$troupe" tokenize --special "$dir")"
same "plain text" "$(printf '%s' "$only" | grep -o '\[.*\]' | tr -d '[]' | tr , ' ')" \
    "$(echo "I'm sure: 12 cafés 😀 <|im_end|>" | "$troupe" tokenize --text "$dir")"
same "plain text as JSON" '{"text":"","ids":[]}' "$(echo | "$troupe" tokenize --text --json "$dir")"
printf '{"text":"a"}\n\n{"text":"b"}\n' >"$dir/in"
same "a file, blank lines skipped" 2 "$("$troupe" tokenize "$dir" "$dir/in" | wc -l)"
same "half a character" '{"ids":[127],"text":"�","invalid_utf8":true}' "$(echo '{"ids":[127]}' | "$troupe" tokenize "$dir")"
printf '{"text":"e\\u0301"}\n' | "$troupe" tokenize "$dir" 2>"$dir/err" >/dev/null
grep -q 'the first in line 1, do not give the text back' "$dir/err" || same "says what is lost" note "$(cat "$dir/err")"

refused "no field" 65 ':2: the row has neither' $'{"text":"a"}\n{"txt":"b"}\n' "$dir"
refused "both fields" 65 ':1: the row has both' '{"text":"a","ids":[1]}' "$dir"
refused "an id too large" 65 ':1: ids[1] is not a whole number in [0, 563)' '{"ids":[1,563]}' "$dir"
refused "a text that is none" 65 '"text" is not a text' '{"text":3}' "$dir"
refused "not JSON" 65 ':1:' '{"text"' "$dir"
refused "not UTF-8" 65 ':2: this line could not be tokenised' $'a\n\xff\n' --text "$dir"
refused "no model" 66 'No such file' '' "$dir/none"
refused "a folder without one" 66 'tokenizer.json: not there' '' /
refused "no arguments" 64 'which MODEL' ''
exit $failed

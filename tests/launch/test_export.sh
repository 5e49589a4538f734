#!/usr/bin/env bash
# troupe import and export: every architecture there and back to the same bits, a run's weights, tokenizers that go along, and refusals that leave nothing behind.
set -u
troupe=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$TROUPE_BUILD/tests/make_models" "$dir" || exit 1
cd "$dir" || exit 1
failed=0

same() { # what, expected, got
    [ "$2" = "$3" ] && return
    printf '%s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
    failed=1
}

works() { # what, command...
    local what=$1
    shift
    "$@" >out 2>err && [ ! -s err ] && return
    same "$what" "success, quietly" "$? $(cat err)"
}

same_file() { # what, file, file
    cmp -s "$2" "$3" || same "$1" "$2" "$3, which differs"
}

refused() { # what, exit status, text of the error, arguments...
    local what=$1 status=$2 text=$3 before after rc
    shift 3
    before=$(find . -mindepth 1 | grep -v '^./err$' | sort)
    "$troupe" "$@" >/dev/null 2>err
    rc=$?
    after=$(find . -mindepth 1 | grep -v '^./err$' | sort)
    same "$what: exit status" "$status" "$rc"
    grep -qF -- "$text" err || same "$what: message" "$text" "$(cat err)"
    [ "$status" = 64 ] || same "$what: one line" 1 "$(wc -l <err)"
    same "$what: nothing is left" "$before" "$after"
}

for a in llama qwen2 qwen3; do
    works "$a to gguf" "$troupe" export $a $a.gguf
    works "$a back" "$troupe" import $a.gguf $a.back
    same_file "$a: weights" $a/model.safetensors $a.back/model.safetensors
    same_file "$a: config" $a/config.json $a.back/config.json
    text='{"text":"12+30=<think>4</think>"}'
    want=$(echo "$text" | "$troupe" tokenize $a)
    same "$a: ids from gguf" "$want" "$(echo "$text" | "$troupe" tokenize $a.gguf)"
    same "$a: ids from the folder" "$want" "$(echo "$text" | "$troupe" tokenize $a.back)"
    for t in f16 bf16; do
        works "$a to $t" "$troupe" export $a $a-$t --dtype $t
        works "$a to $t gguf" "$troupe" export $a $a-$t.gguf --dtype ${t^^}
        works "$a $t back" "$troupe" import $a-$t.gguf $a-$t.back --dtype $t
        same_file "$a: $t weights" $a-$t/model.safetensors $a-$t.back/model.safetensors
    done
    works "$a to q8_0" "$troupe" export $a $a-q8.gguf --dtype q8_0
    works "$a q8_0 back" "$troupe" import $a-q8.gguf $a-q8.back
    works "$a q8_0 again" "$troupe" export $a-q8.back $a-q8-again.gguf --dtype q8_0
    grep -q '"torch_dtype": "float32"' $a-q8.back/config.json || same "$a: q8_0 becomes f32" float32 "$(grep torch_dtype $a-q8.back/config.json)"
done

works "a folder with a slash, empty before" mkdir empty
works "into an empty folder" "$troupe" import llama.gguf empty/
same_file "into an empty folder: weights" llama/model.safetensors empty/model.safetensors
works "one safetensors file" "$troupe" import llama/model.safetensors one --no-tokenizer
[ -e one/tokenizer.json ] && same "--no-tokenizer" "no tokenizer.json" "one"
same "--json" '{"source":"llama.gguf","destination":"j","architecture":"llama","dtype":"F32","tensors":20,"parameters":19872,"tokenizer":true}' \
    "$("$troupe" import llama.gguf j --json)"

works "a run" "$troupe" export run run-hf
same_file "a run: weights" expected/model.safetensors run-hf/model.safetensors
works "a checkpoint" "$troupe" export run/checkpoints/step-000007 step.gguf
works "a checkpoint back" "$troupe" import step.gguf step-hf
same_file "a checkpoint: weights" expected/model.safetensors step-hf/model.safetensors
mkdir -p ended && cp -r expected ended/model && cp llama/tokenizer*.json ended/model/
works "a run that kept only its model" "$troupe" export ended ended-hf --no-tokenizer
same_file "a run that kept only its model: weights" expected/model.safetensors ended-hf/model.safetensors

refused "a destination that is there" 73 "there already and not empty" import llama.gguf qwen2
refused "a file that is there" 73 "is there already" export llama qwen2.gguf
refused "a source that is missing" 66 "nowhere: no such model" export nowhere x.gguf
head -c 3000 llama.gguf >cut.gguf
refused "a truncated source" 66 "fetch it again" import cut.gguf x
head -c 3000 llama/model.safetensors >llama-f16/model.safetensors
refused "truncated weights" 66 "fetch it again" export llama-f16 x.gguf
refused "a type that is none" 64 "f8 is not one of" import llama.gguf x --dtype f8
refused "q8_0 into a folder" 64 "cannot be written to a Hugging Face folder" export llama x --dtype q8_0
refused "q4_1, which is only read" 64 "Q4_1 cannot be written" export llama x.gguf --dtype q4_1
refused "import to gguf" 64 "troupe export" import llama x.gguf
refused "one argument" 64 "a source and a destination" import llama.gguf
refused "a parent that is missing" 74 "cannot create" export llama no/where
refused "a parent that is missing, gguf" 74 "cannot create" export llama no/where.gguf
refused "a run for import" 66 "config.json" import run x
rm llama-bf16/tokenizer.json
refused "no tokenizer" 66 "tokenizer.json" export llama-bf16 x.gguf
"$troupe" export --help | grep -q "Example: troupe export" || same "--help" "an example" none
exit $failed

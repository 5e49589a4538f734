# Sourced by the tests of verbs: $troupe is the program, $dir a folder of the test's own, $model a tiny model in it; expect, same.
set -euo pipefail
troupe=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
model=$dir/model
mkdir "$model"
"$TROUPE_BUILD/tests/test_tiny_model" "$model" >/dev/null

# expect CODE TEXT COMMAND...: the command ends with CODE and says TEXT on standard error; its standard output is in $dir/out.
expect() {
    local code=$1 text=$2 got=0
    shift 2
    "$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
    if [ "$got" != "$code" ]; then
        echo "$*: ended with $got, not $code"
        cat "$dir/err"
        exit 1
    fi
    if ! grep -qF -- "$text" "$dir/err"; then
        echo "$*: does not say \"$text\" but:"
        cat "$dir/err"
        exit 1
    fi
}

# same A B WHAT: two texts are equal.
same() {
    [ "$1" = "$2" ] || { printf '%s differ:\n%s\n%s\n' "$3" "$1" "$2"; exit 1; }
}

# field NAME: of the first JSON row on standard input, as written (text without escapes, numbers, lists).
field() {
    sed -n "1s/.*\"$1\":\(\"[^\"]*\"\|\[[^]]*\]\|[^,}]*\).*/\1/p"
}

# Curves of a run: braille where the locale is UTF-8, plain ASCII elsewhere, a PNG on request; with one point, too.
source "$(dirname "$0")/common.sh"
run_ranks 0 train "$source_dir/tests/launch/tiny.yaml" --set "run.dir=$work" --set run.name=a --set sft.steps=20 || { cat "$work/log"; exit 1; }
ascii() {
  LC_ALL=C "$troupe" inspect "$work/a" --plot >"$work/plot" && ! LC_ALL=C grep -q '[^[:print:]]' "$work/plot" && grep -q '|.*o' "$work/plot" &&
    grep -q 'held-out accuracy' "$work/plot"
}
braille() { LC_ALL=C.UTF-8 "$troupe" inspect "$work/a" --plot >"$work/plot" && grep -q '◆' "$work/plot" && grep -q '│' "$work/plot"; }
picture() { "$troupe" inspect "$work/a" --plot="$work/x.png" && head -c 8 "$work/x.png" | od -An -tx1 | grep -q '89 50 4e 47'; }
nowhere() {
  "$troupe" inspect "$work/a" --plot="$work/none/x.png" 2>"$work/log"
  [ $? = 73 ] && grep -q 'none/x.png' "$work/log"
}
check "ASCII without UTF-8" ascii
check "braille with it" braille
check "PNG" picture
check "the picture of the run's end" test -s "$work/a/plot.png"
check "a picture that cannot be written: 73 and its name" nowhere
finish

#!/usr/bin/env bash
# troupe inspect --rewards: the ledger of a run that can be counted by hand (make_ledger_run.c).
set -u
troupe=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run=$work/run
failed=0
"$TROUPE_BUILD/tests/make_ledger_run" "$run" || exit 1

fail() { echo "FAILED: $*" && failed=1; }
# has PATTERN...: each is somewhere in the output of the last command
has() {
    local p
    for p in "$@"; do grep -qE -- "$p" "$work/out" || { fail "no '$p' in:" && head -70 "$work/out"; }; done
}
show() { "$troupe" inspect "$run" --rewards "$@" >"$work/out" 2>"$work/err" || fail "$*: exit $?: $(cat "$work/err")"; }
refuses() {
    local code=$1 pattern=$2 rc
    shift 2
    "$troupe" inspect "$run" "$@" >"$work/out" 2>"$work/err"
    rc=$?
    [ $rc -eq "$code" ] || fail "$*: exit $rc, not $code"
    grep -qE -- "$pattern" "$work/err" || fail "$*: no '$pattern' in: $(cat "$work/err")"
}

# 96 answers: the rule says yes to half; the judge is heard 94 times, in 8 of them against the rule
show
has '^exact_number +96 +0.5 +0.5026 +0 +1 +96 +0 +0 +0 +0$' \
    '^critic +96 +6.17 +3.454 +2 +9 +94 +1 +1 +0 +0$' \
    '^reward +96 .* 94 +1 +1 +0 +0$' \
    '^critic +500 +500 +500 +500$' \
    '^exact_number +critic +94 +0\.[0-9]+ +0\.[0-9]+$' \
    '^exact_number +answer_tokens +96 +-0\.894 +-0\.894$' \
    '^exact_number >= 0.5 against critic >= 5.5$' \
    '^  all +94 answers, 8.5 % judged differently \(only exact_number yes 0, only critic yes 8\), kappa 0.829$' \
    '^  first third +32 answers, 0.0 % judged differently .* kappa 1.000$' \
    '^  last third +32 answers, 25.0 % judged differently \(only exact_number yes 0, only critic yes 8\), kappa 0.500$' \
    'share judged differently' \
    '^exact_number and critic are farthest apart$' \
    '^critic: timeout, 1 times; the newest$' '^  step 5, group 8, sample 3: reward timeout, exact_number 0, critic timeout$' \
    '^critic: error, 1 times; the newest$' '^    critic  no mark in it$' \
    '^highest rewards although exact_number < 0.5' '^  step 9, group 16, sample 2: reward 0.9, exact_number 0, critic 9$'
# nothing in a case acts on a terminal
grep -qF 'answer 2 of step 9\x1b[2J' "$work/out" || fail "an escape is not shown as text"
grep -qF 'so well said \u202e' "$work/out" || fail "a mark of direction is not shown as text"
LC_ALL=C show
LC_ALL=C grep -qP '[^\x00-\x7f]' "$work/out" && fail "not ASCII in a locale that is"

# which components, which verdicts, how many cases
show --component critic --against exact_number --threshold 9.5,1 --worst 1
has '^critic >= 9.5 against exact_number >= 1$' '^  all +94 answers, 51.1 % judged differently \(only critic yes 0, only exact_number yes 48\), kappa 0.000$'
[ "$(grep -c '^  step ' "$work/out")" -eq 4 ] || fail "not one case of each sort"
show --component critic
has '^critic +96 ' '^reward +96 ' '^exact_number >= 0.5 against critic >= 5.5$'
grep -q '^exact_number +96' "$work/out" && fail "a component that was not asked for"
show --worst 0
grep -q '^  step ' "$work/out" && fail "cases that were not asked for"

# for programs
show --json
has '"kind": "judge"' '"differ": 0.0851063829787234' '"kappa": 0.5,' '"b_only": 8' '"first_step": 1' \
    '"answer": "answer 2 of step 9\\u001[bB]\[2J"' '"critic": "no mark in it"' '"95": 9.0' '"step": 12,'
if command -v python3 >/dev/null; then
    python3 - "$work/out" <<'P' || fail "the JSON does not count"
import json, sys
o = json.load(open(sys.argv[1]))
assert [c["name"] for c in o["components"]] == ["exact_number", "critic", "reward"]
assert sum(o["components"][1]["histogram"]["counts"]) == 94
pair, = o["agreement"]
assert len(pair["by_step"]) == 12 and pair["by_step"][8]["differ"] == 0.25 and pair["by_step"][4]["n"] == 7
assert len(o["correlations"]) == 6 and all(c["n"] in (94, 96) for c in o["correlations"])
assert [(f["status"], f["n"]) for f in o["cases"]["failures"]] == [("timeout", 1), ("error", 1)]
P
fi
show --csv
has '^critic,96,6.170212765957447[0-9]*,3.4536510145913639,2,9,94,1,1,0,0$'

refuses 64 'no component is called judge; there are exact_number, critic, reward' --rewards --component judge
refuses 64 'against itself' --rewards --component critic --against critic
refuses 64 'go with --component' --rewards --against critic
refuses 64 'goes with --rewards' --component critic
refuses 64 'x is not a number' --rewards --component critic --threshold x
refuses 64 '--threshold X or X,Y' --rewards --component critic --threshold 1,2,3
exit $failed

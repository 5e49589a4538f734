# A rubric that is rewritten during a run: the same versions and weights alone, with two reward ranks, and resumed; they are in metrics, checkpoints and what inspect prints.
source "$(dirname "$0")/common.sh"
coproc server { exec "$TROUPE_BUILD/tests/judge_server"; }
read -r _ port <&"${server[0]}"
sed '/^reward:/,$d' "$source_dir/tests/launch/tiny.yaml" >"$work/mpo.yaml"
cat >>"$work/mpo.yaml" <<EOF
judges:
  - {name: junior, model: j, url: "http://127.0.0.1:$port/digest/v1"}
  - {name: senior, model: s, url: "http://127.0.0.1:$port/ok=<rubric>Sum_(0-6)%0Ais_it_right</rubric>/v1"}
reward:
  - name: exact_number
  - {name: mpo, judge: junior, meta: senior, every: 2, samples: 2, weight: 0.1}
EOF
sets=(--set "run.dir=$work" --set run.deadline_s=60 --set checkpoint.every=1)
run_ranks 0 train "$work/mpo.yaml" "${sets[@]}" --set run.name=alone || { cat "$work/log"; exit 1; }
run_ranks 5 train "$work/mpo.yaml" "${sets[@]}" --set run.name=spread --set layout.workers=0 --set layout.actors=2 --set layout.learners=1 --set layout.rewardsvc=2
check "two reward ranks: metrics" same_metrics "$work/alone" "$work/spread"
check "two reward ranks: weights" same_weights "$work/alone" "$work/spread"

versions() { grep -o '"rewards_state":{"mpo":{[^}]*' "$1/metrics.jsonl" | sed -E 's/.*"step":([0-9]+).*"version":([0-9]+).*/\2@\1/; s/.*"version":([0-9]+).*"step":([0-9]+).*/\1@\2/' | tr '\n' ' '; }
v=$(versions "$work/alone")
check "versions in the metrics: $v" [ "$v" = "0@0 1@2 2@4 3@6 " ]
"$troupe" inspect "$work/alone" >"$work/out"
check "inspect shows the run's" [ "$(grep -cE '^mpo: .*version [0-3]' "$work/out")" = 4 ]
check "inspect shows the rubric" grep -q '^    Sum (0-6)$' "$work/out"
"$troupe" inspect "$work/alone/checkpoints/step-000004" >"$work/out"
check "inspect shows a checkpoint's" [ "$(grep -cE '^mpo: .*version [0-2]' "$work/out")" = 3 ]
notes_with() { # how many notes of a step name a version of the rubric
  h5dump -d components/note -b LE -o "$work/notes" "$work/alone/rollouts/steps-00000$1-00000$1.h5" >/dev/null
  grep -ao "rubric v$2: item1" "$work/notes" | wc -l
}
check "all 32 scores of a step carry their version" [ "$(notes_with 2 0) $(notes_with 3 1) $(notes_with 5 2)" = "32 32 32" ]

cp -r "$work/alone" "$work/again" # as if it had been killed after step 3: between two rewritings
rm -rf "$work"/again/checkpoints/step-00000[456] "$work/again/summary.json"
run_ranks 0 train "$work/mpo.yaml" "${sets[@]}" --set run.name=again --resume
check "resumed: metrics" same_metrics "$work/alone" "$work/again"
check "resumed: weights" same_weights "$work/alone" "$work/again"
finish

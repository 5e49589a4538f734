# A file that a reward's setting names is part of the run: its text is in run.h5, and a resume with another text is refused, in every layout.
source "$(dirname "$0")/common.sh"
printf '{"type": "integer"}' >"$work/schema.json"
sed '/^reward:/,$d; s/steps: 6/steps: 4/; s/problems: 20, every: 3/problems: 0/; s/steps: 150/steps: 10/' "$source_dir/tests/launch/tiny.yaml" >"$work/files.yaml"
cat >>"$work/files.yaml" <<EOF
reward:
  - name: format_tags
  - {name: json_schema, file: $work/schema.json}
EOF
sets=(--set "run.dir=$work" --set run.deadline_s=30 --set run.name=one)
run_ranks 0 train "$work/files.yaml" "${sets[@]}" --set run.steps=2 || { cat "$work/log"; exit 1; }
shown() { "$troupe" inspect "$work/one" >"$work/shown" && grep -qE "^files +$work/schema.json \(json_schema\), 19 bytes, CRC [0-9a-f]{8}$" "$work/shown"; }
check "the file is shown" shown
check "its text is kept" grep -aqF '{\"type\": \"integer\"}' "$work/one/run.h5"

printf '{"type": "boolean"}' >"$work/schema.json"
refused() { ! run_ranks "$1" train "$work/files.yaml" "${sets[@]}" --resume && grep -qF "schema.json (file of json_schema) is not what it was when the run began" "$work/log"; }
check "another text is refused, alone" refused 0
check "another text is refused, on two ranks" refused 2
rm "$work/schema.json"
gone() { ! run_ranks 0 train "$work/files.yaml" "${sets[@]}" --resume && grep -qF "schema.json" "$work/log"; }
check "a file that is gone is said" gone
printf '{"type": "integer"}' >"$work/schema.json"
check "the same text goes on" run_ranks 2 train "$work/files.yaml" "${sets[@]}" --resume
check "to its end" grep -q '"steps": *4' "$work/one/summary.json"
finish

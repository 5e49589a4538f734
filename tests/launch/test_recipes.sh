# Every file of configs/recipes as it stands passes check and explain; and 20 steps of it run in the smallest form: a model that a cold start of a second has made, one-digit
# sums, four prompts, answers of 32 tokens. Then the run's ledger must have scores of every component, none that failed, and a spread in what the method adds (`tells`: by
# default the last item of its reward block; a shape's ledger holds its trust, its bonus, ...). A recipe is a file; one that the defaults below do not fit gets a line in `case`.
source "$(dirname "$0")/common.sh"
base=$work/base-model
mkdir "$base"
cp "$source_dir/tests/data/tokenizer_small.json" "$base/tokenizer.json"
echo '{"eos_token": "<|endoftext|>"}' >"$base/tokenizer_config.json"
"$TROUPE_BUILD/tests/make_small_model" "$base" || exit 1
small=(--set "run.dir=$work" --set model.precision=bf16 --set model.products=bf16_as_f32 --set layout.threads=1 --set task.name=sum --set task.digits=1 --set task.instruction= --set task.system=
  --set rollout.samples=4 --set rollout.max_tokens=32 --set eval.problems=10 --set eval.every=0)
"$troupe" train "$source_dir/configs/arithmetic.yaml" "${small[@]}" --set run.name=base --set "model.path=$base" --set run.steps=0 --set sft.steps=400 --set sft.batch=32 \
  --set sft.lr=5e-3 >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
coproc server { exec "$TROUPE_BUILD/tests/judge_server"; }
read -r _ port <&"${server[0]}"

# The models that judge by writing are replaced by a server (judge_server.c) that answers as `says` tells; says=local keeps them.
of_recipe() {
  says=digest tells='' more=()
  case $1 in
    listener) says=local ;;
    cooper) says=local ;;
    br-rm | grm-voting | mpo | rm-r1) says=sums=20 ;;
  esac
}

# judged_by_server FILE SCRIPT: the experiment with every local judge asked over HTTP
judged_by_server() { sed -E "/^judges:/,/^reward:/s#\{name: ([A-Za-z0-9_.-]+),.*\}#{name: \1, model: m, url: \"http://127.0.0.1:$port/$2/v1\"}#" "$1"; }

ledger_is_whole() { # RUN N_COMPONENTS: rows are name,n,mean,std,min,max,ok,timeout,error,refused,not applicable
  "$troupe" inspect "$1" --rewards --csv >"$work/ledger" || return 1
  awk -F, -v want="$2" -v tells="$tells" '
    $1 == "component" || $1 == "name" {next}
    {n++; name[n] = $1; std[$1] = $4}
    tolower($0) ~ /nan|inf/ {print "not finite: " $0; bad = 1}
    $2 != 320 || $2 != $7 + $8 + $9 + $10 + $11 {print "answers without a status: " $0; bad = 1}
    $7 == 0 || $8 + $9 + $10 > 0 {print "failed, or never scored: " $0; bad = 1}
    END {
      if (name[n] != "reward" || n != want + 1) {print n " rows, " want " components and the reward wanted"; bad = 1}
      if (tells == "") tells = name[n - 1]
      if (!(std[tells] > 0 && std["reward"] > 0)) {print "no spread in " tells " (" std[tells] ") or the reward (" std["reward"] ")"; bad = 1}
      exit bad
    }' "$work/ledger" || { cat "$work/ledger"; return 1; }
}
no_nan() { [ -s "$1/metrics.jsonl" ] && ! grep -qiE '[:, [](-?nan|-?inf)' "$1/metrics.jsonl"; }
every_step() { [ "$(grep -c '"step":' "$1/metrics.jsonl")" -ge 20 ] && [ "$(sed -nE 's/.*"steps": ?([0-9]+).*/\1/p' "$1/summary.json" | head -1)" = 20 ]; }

n=0
for recipe in "$source_dir"/configs/recipes/*.yaml; do
  name=$(basename "$recipe" .yaml)
  n=$((n + 1))
  of_recipe "$name"
  if ! "$troupe" check "$recipe" >"$work/out" 2>"$work/err"; then # the model that it names may not be on this machine
    "$troupe" check "$recipe" --set "model.path=$base" >"$work/out" 2>"$work/err"
  fi
  check "$name: check" grep -q ': OK' "$work/out"
  check "$name: bench/recipes has it" test -f "$source_dir/bench/recipes.d/$name.sh"
  "$troupe" explain --config "$recipe" >"$work/out" 2>"$work/err"
  check "$name: explain" grep -q '^# reward = ' "$work/out"
  components=$(sed -n '/^reward:/,$p' "$work/out" | grep -c '^  - ')
  file=$work/$name.yaml
  if [ "$says" = local ]; then cp "$recipe" "$file"; else judged_by_server "$recipe" "$says" >"$file"; fi
  "$troupe" train "$file" "${small[@]}" --set "run.name=$name" --set "model.path=$work/base/model" --set run.steps=20 --set sft.steps=0 --set rollout.prompts=4 \
    --set learner.lr=1e-4 --set checkpoint.every=0 --set checkpoint.export=false "${more[@]}" >"$work/log" 2>&1
  code=$?
  [ $code = 0 ] || tail -5 "$work/log"
  check "$name: 20 steps" test $code = 0 && every_step "$work/$name"
  check "$name: no number that is none" no_nan "$work/$name"
  check "$name: the ledger" ledger_is_whole "$work/$name" "$components"
done
check "there are recipes" test $n -gt 0
finish

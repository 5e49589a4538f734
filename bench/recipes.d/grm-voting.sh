# Votes of a judge that slips: k of them beside one, and a meta judge that picks among them beside a plain sum
#
# The judge is a script of tests/judge_server (word `sums`): it works the sum out, and in `slip` of 100 judgements forgets the carries in doing so, as the careless
# demonstrator does; answers with its result get 8, others 3, each with -2 ... 2 of noise. The meta judge works the sum named in a judgement out again and slips in 20 of 100. The
# first table needs no training: groups of a right answer, one without the carries and two others, and the share of groups in which the right one has the highest score (a tie
# counts as wrong, as in the paper). Then policies learn from such judges.
about="reward: k votes of a judge that slips in s of 100 judgements: votes-k-s, meta-k-s (k_meta = k / 2); rule: what is right. judge and meta judge are scripts"
arms=(rule votes-1-40 votes-8-40 votes-1-60 votes-8-60 meta-8-60)
steps=100
figures=("right, last steps=exact_number" "reward, last steps=reward")
coproc server { exec "$(dirname "$troupe")/tests/judge_server"; }
read -r _ port <&"${server[0]}"
judged() { # SLIP VOTES meta|'' COMPONENTS
  cat <<END
judges:
  - {name: critic, model: script, url: "http://127.0.0.1:$port/sums=$1/v1"}
  - {name: senior, model: script, url: "http://127.0.0.1:$port/sums+0=20/v1"}
reward:
$4
  - {name: judge_group, judge: critic, votes: $2$3}
END
}
meta=', meta_judge: senior'
reward() {
  local how k slip
  IFS=- read -r how k slip <<<"$1"
  if [ "$how" = rule ]; then
    echo 'reward: [exact_number]'
  else
    judged "$slip" "$k" "$([ "$how" = meta ] && echo "$meta" || true)" '  - {name: exact_number, weight: 0}'
  fi
}
groups() { # N: rows of four answers; the first is right, the second has no carries
  awk -v n="$1" 'BEGIN {
    srand(3)
    for (g = 0; g < n;) {
      a = 10 + int(90 * rand()); b = 10 + int(90 * rand()); s = a + b; c = int(a / 10) * 10 + int(b / 10) * 10 + (a % 10 + b % 10) % 10
      if (a % 10 + b % 10 < 10) continue
      d = s + 1 + int(9 * rand()); e = s - 1 - int(8 * rand())
      split(s " " c " " d " " e, x, " ")
      for (i = 1; i <= 4; i++) printf "{\"group\":%d,\"prompt\":\"%d+%d=\",\"completion\":\"%d\",\"answer\":\"%d\"}\n", g, a, b, x[i], s
      g++
    }}'
}
highest() { sed -E 's/.*"reward":([-0-9.e]+).*/\1/' | awk '{x[NR % 4] = $1} NR % 4 == 0 {n++; right += x[1] > x[2] && x[1] > x[3] && x[1] > x[0]} END {printf "%.1f", 100 * right / n}'; }
prepare() {
  local k slip
  groups 400 >groups.jsonl
  echo "groups in which the right answer is the highest, %, by how often the judge slips (400 groups)"
  printf '%-22s' 'votes'
  for slip in 0 20 40 60 80; do printf '%8s' "$slip %"; done
  echo
  for k in 1 4 16 32 '16 meta' '32 meta'; do
    printf '%-22s' "$k"
    for slip in 0 20 40 60 80; do
      judged "$slip" "${k% meta}" "$([ "${k% meta}" = "$k" ] || echo "$meta")" '' >vote.yaml
      printf '%8s' "$("$troupe" score --config vote.yaml groups.jsonl 2>score.log | highest)"
    done
    echo
  done
  echo
}

/* Rates of the rules of rewards. What is timed is what a reward rank does with a group between two
 * messages (rewardsvc/service.c): its record read, every sample judged, the scores written back. A
 * rank judges with one thread, so N cores are N processes here too. A rule that fails on these
 * answers, or finds all of them alike, has no rate: a quick refusal is not a fast rule. */
#include "launch/bench_rewards.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/yaml.h"
#include "launch/bench_answers.h"
#include "launch/verb.h"
#include "rewardsvc/group_case.h"

enum { GROUPS = 64, G = 8, MAX_TOKENS = 256 };

/* Samples a second on two cores that the reward service is to reach. */
static const double CHEAP = 50000, MATH = 2000;

typedef struct {
    const char *name, *item; /* of the reward block; NULL: the name */
    AnswerKind answers;
    double target; /* on two cores; 0: none */
    bool alike;    /* a rule to which these answers may be alike */
} Rule;

static const Rule rules[] = {
    {"exact", NULL, ANSWER_WORKED, CHEAP, false},
    {"exact_number", NULL, ANSWER_WORKED, CHEAP, false},
    {"number", NULL, ANSWER_WORKED, CHEAP, false},
    {"gsm8k", NULL, ANSWER_WORKED, CHEAP, false},
    {"choice", NULL, ANSWER_CHOICE, CHEAP, false},
    {"format_tags", NULL, ANSWER_WORKED, CHEAP, true},
    {"regex", "{name: regex, pattern: '(?i)\\b(so|thus|therefore)\\b[^.]*\\d+ apples'}",
     ANSWER_WORKED, CHEAP, false},
    {"length", NULL, ANSWER_WORKED, CHEAP, false},
    {"soft_overlong", NULL, ANSWER_WORKED, CHEAP, false},
    {"repetition", NULL, ANSWER_WORKED, CHEAP, false},
    {"reasoning_pattern", NULL, ANSWER_WORKED, CHEAP, false},
    {"refusal", NULL, ANSWER_WORKED, CHEAP, true},
    {"conciseness", NULL, ANSWER_WORKED, CHEAP, false},
    {"equations", NULL, ANSWER_WORKED, CHEAP, true},
    {"instructions", NULL, ANSWER_WORKED, CHEAP, true},
    {"countdown", NULL, ANSWER_COUNTDOWN, CHEAP, false},
    {"game24", NULL, ANSWER_GAME24, CHEAP, false},
    {"json_schema", NULL, ANSWER_JSON, CHEAP, false},
    {"random", NULL, ANSWER_WORKED, CHEAP, false},
    {"confidence", "{name: confidence, where: answer}", ANSWER_WORKED, CHEAP, false},
    {"language", NULL, ANSWER_WORKED, 0, true},
    {"rouge", NULL, ANSWER_SENTENCE, 0, false},
    {"wer", NULL, ANSWER_SENTENCE, 0, false},
    {"bleu", NULL, ANSWER_SENTENCE, 0, false},
    {"chrf", NULL, ANSWER_SENTENCE, 0, false},
    {"math_equal", NULL, ANSWER_MATH, MATH, false},
};
enum { N_RULES = sizeof rules / sizeof *rules };

/* ---- one process ----------------------------------------------------------------------------- */

typedef struct {
    int n;
    Group *list; /* [n] */
} Groups;

static void judge(RewardBlock *b, Group *g)
{
    const RewardRun run = {1, 1, MAX_TOKENS};
    REQUIRE(!group_case_score(b, g, &run, 0), "a record of our own");
}

/* The first round: every sample judged, and not all alike. */
static int check_scores(const Rule *r, const Groups *all)
{
    double least = 0, most = 0;
    int n = 0;
    for (int i = 0; i < all->n; i++)
        for (int k = 0; k < all->list[i].n_samples; k++, n++) {
            Score s = all->list[i].samples[k].reward;
            if (s.status != SCORE_OK)
                return fail("%s: %s for group %d, sample %d", r->name, score_status_name(s.status),
                            i, k);
            if (!n || s.value < least) least = s.value;
            if (!n || s.value > most) most = s.value;
        }
    if (!r->alike && !(least < most)) return fail("%s: all answers have %g", r->name, least);
    return 0;
}

static int open_rule(RewardBlock *b, const Rule *r)
{
    char *text = mem_printf("[%s]", r->item ? r->item : r->name);
    YamlNode *list = yaml_parse(r->name, text, strlen(text));
    int rc = list ? reward_block_open(b, list) : -1;
    yaml_close(list);
    mem_free(text);
    return rc;
}

static int judge_all(RewardBlock *b, const Groups *all)
{
    int samples = 0;
    for (int i = 0; i < all->n; i++) {
        judge(b, &all->list[i]);
        samples += all->list[i].n_samples;
    }
    return samples;
}

/* Samples a second of the best round (other programs on the machine slow some); 0: it cannot be
 * measured, and that was said. */
static double rate(const Rule *r, const Groups *all, double seconds)
{
    RewardBlock b;
    if (open_rule(&b, r)) return 0;
    judge_all(&b, all);
    double best = 0, end = clock_seconds() + seconds;
    int rc = check_scores(r, all);
    while (!rc && (best == 0 || clock_seconds() < end)) {
        double began = clock_seconds();
        int samples = judge_all(&b, all);
        best = fmax(best, samples / (clock_seconds() - began));
    }
    reward_block_close(&b);
    return rc ? 0 : best;
}

/* ---- several ----------------------------------------------------------------------------------
 */

static pid_t start_one(const Rule *r, const Groups *all, double seconds, int to)
{
    pid_t child = fork();
    if (child) return child;
    double mine = rate(r, all, seconds);
    _exit(write(to, &mine, sizeof mine) == sizeof mine && mine > 0 ? 0 : EXIT_INTERNAL);
}

/* The sum of the processes' rates; 0 if one has none. */
static double rate_of_all(const Rule *r, const Groups *all, int processes, double seconds)
{
    int ends[2], status;
    double sum = 0, one;
    bool whole = true;
    if (pipe(ends)) die(EXIT_UNABLE, "no pipe to measure with");
    for (int i = 0; i < processes; i++)
        if (start_one(r, all, seconds, ends[1]) < 0) die(EXIT_UNABLE, "no process to measure with");
    close(ends[1]);
    while (read(ends[0], &one, sizeof one) == sizeof one) sum += one;
    close(ends[0]);
    for (int i = 0; i < processes; i++) whole &= wait(&status) > 0 && status == 0;
    return whole ? sum : 0;
}

static int bench_rule(Figures *f, const Rule *r, const char *name, Groups *all, int processes,
                      double seconds)
{
    double all_of_them = rate_of_all(r, all, processes, seconds);
    if (all_of_them > 0)
        figures_add(f, name, all_of_them, "samples/s", r->target * processes / 2, "the target");
    for (int i = 0; i < all->n; i++) group_free(&all->list[i]);
    mem_free(all->list);
    return all_of_them > 0 ? 0 : -1;
}

static Groups generated(AnswerKind kind)
{
    Groups all = {GROUPS, NEW(Group, GROUPS)};
    for (int i = 0; i < GROUPS; i++) all.list[i] = answers_group(kind, i, G);
    return all;
}

/* math_equal on worked solutions of people, where they are. */
static int bench_math500(Figures *f, int processes, double seconds)
{
    const char *name = "math_equal, MATH-500's solutions", *data = getenv("TROUPE_DATA");
    Rule rule = {"math_equal", "{name: math_equal, undecided: wrong}", ANSWER_MATH, MATH, false};
    if (!data || !figures_wanted(f, name)) return 0;
    char *path = mem_printf("%s/math500/test.jsonl", data);
    Groups all = {0};
    int rc = 0;
    if (!access(path, R_OK)) rc = answers_read(path, &all.list, &all.n);
    mem_free(path);
    if (rc || !all.n) return rc;
    return bench_rule(f, &rule, name, &all, processes, seconds);
}

int bench_rewards(Figures *f, int processes, double seconds)
{
    KernelSet here;
    kernelset_choose(&here, PRECISION_F32);
    int rc = 0;
    if (!f->json)
        printf("%s, %d process%s, %s\n", here.cpu, processes, processes == 1 ? "" : "es",
               troupe_version);
    for (int i = 0; i < N_RULES; i++) {
        if (!figures_wanted(f, rules[i].name)) continue;
        Groups all = generated(rules[i].answers);
        rc |= bench_rule(f, &rules[i], rules[i].name, &all, processes, seconds);
    }
    rc |= bench_math500(f, processes, seconds);
    figures_end(f, json_pack("{s:s, s:i, s:s}", "cpu", here.cpu, "processes", processes, "version",
                             troupe_version));
    return rc ? EXIT_INTERNAL : 0;
}

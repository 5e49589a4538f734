/* troupe score: rewards without training. Rows of JSON in, one row out for each, through the same
 * block that the reward service uses. A wrong row ends the output, so that line i of it is always
 * row i; reading goes on, so that every wrong row is named. */
#include <argp.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/errors.h"
#include "common/sandbox.h"
#include "common/jsonl.h"
#include "launch/json_text.h"
#include "launch/progress.h"
#include "launch/reward_show.h"
#include "launch/score_rows.h"
#include "launch/sets.h"
#include "launch/verb.h"
#include "rewardsvc/reward.h"

enum { KEY_REWARD = 0x300, KEY_CONFIG, KEY_LIST, KEY_JSON, KEY_NOTES, MOST_ERRORS = 20 };
enum { N_STATUSES = SCORE_NOT_APPLICABLE + 1 };

typedef struct {
    Sets sets;
    const char *reward, *config, *input;
    bool list, json, notes;
} Arguments;

/* "score: 1000 rows, reward 0.43 (mean of 990 ok), 10 error, 52000 rows/s (rewards alone 410000)"
 */
static void print_summary(const Scoring *s, double seconds)
{
    int64_t ok = s->counts[SCORE_OK];
    fprintf(stderr, "score: %lld row%s", (long long)s->n_rows, s->n_rows == 1 ? "" : "s");
    if (ok) fprintf(stderr, ", reward %.6g (mean of %lld ok)", s->sum / (double)ok, (long long)ok);
    for (int i = SCORE_OK + 1; i < N_STATUSES; i++)
        if (s->counts[i])
            fprintf(stderr, ", %lld %s", (long long)s->counts[i],
                    score_status_name((ScoreStatus)i));
    fprintf(stderr, ", %.0f rows/s", seconds > 0 ? (double)s->n_rows / seconds : 0);
    if (s->scoring_s > 0)
        fprintf(stderr, " (rewards alone %.0f)", (double)s->n_rows / s->scoring_s);
    fputc('\n', stderr);
}

static int score_rows(Scoring *s, const char *path)
{
    Jsonl in;
    Progress progress;
    json_t *row;
    int more;
    double began = clock_seconds();
    if (jsonl_open(&in, path)) return EXIT_NO_INPUT;
    progress_begin(&progress, "rows", 0);
    while (s->errors < MOST_ERRORS && (more = jsonl_next(&in, &row))) {
        if (more < 0 || score_row(s, &in, row)) s->errors++;
        json_decref(row);
        if (ferror(in.file)) break;
        progress_show(&progress, s->n_rows, NULL);
    }
    score_group(s);
    progress_end(&progress);
    if (s->errors >= MOST_ERRORS) fail("%s: too many errors, the rest was not read", in.name);
    int code = ferror(in.file) ? EXIT_IO : s->errors ? EXIT_CONFIG : 0;
    jsonl_close(&in);
    if (!code) print_summary(s, clock_seconds() - began);
    return code;
}

static int open_block(Scoring *s, const Arguments *a)
{
    if (a->reward) {
        int rc = reward_block_single(&s->block, a->reward);
        if (!rc) rc = reward_block_prepare(&s->block, NULL, NULL, 0);
        return rc ? EXIT_CONFIG : 0;
    }
    int code = access(a->config, R_OK) ? EXIT_NO_INPUT : EXIT_CONFIG;
    if (config_read(&s->cfg, a->config, a->sets.list, a->sets.n)) return code;
    if (!s->cfg.reward) {
        fail("%s: no `reward:` block: name at least one reward", a->config);
        return EXIT_CONFIG;
    }
    if (reward_block_read(&s->block, &s->cfg)) return EXIT_CONFIG;
    KernelSet k;
    kernelset_named(&k, s->cfg.model.precision, s->cfg.model.products);
    return reward_block_prepare(&s->block, &k, NULL, 0) ? EXIT_CONFIG : 0;
}

static int score(const Arguments *a)
{
    Scoring s = {.notes = a->notes};
    int code = open_block(&s, a);
    if (!code) code = score_rows(&s, a->input);
    score_free(&s);
    return code;
}

/* ---- the command line ------------------------------------------------------------------------ */

static void check_arguments(const Arguments *a, const struct argp_state *state)
{
    if (!a->list && !a->reward == !a->config)
        argp_error(state, "either --reward NAME (--list shows them) or --config FILE is wanted");
    if (a->sets.n && !a->config) argp_error(state, "--set needs --config");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->sets;
        return 0;
    case KEY_REWARD:
        a->reward = arg;
        return 0;
    case KEY_CONFIG:
        a->config = arg;
        return 0;
    case KEY_LIST:
        a->list = true;
        return 0;
    case KEY_NOTES:
        a->notes = true;
        return 0;
    case KEY_JSON:
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num) argp_error(state, "one file of rows, please: what is %s?", arg);
        a->input = arg;
        return 0;
    case ARGP_KEY_END:
        check_arguments(a, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"reward", KEY_REWARD, "NAME", 0, "one reward with its default settings", 0},
        {"config", KEY_CONFIG, "FILE", 0, "the reward block of an experiment file", 0},
        {"notes", KEY_NOTES, NULL, 0, "what judges wrote too, by component", 0},
        {"list", KEY_LIST, NULL, 0, "every reward with what it does and its settings", 0},
        {"json", KEY_JSON, NULL, 0, "with --list: as JSON (rows are always JSON)", 0},
        {0},
    };
    static const struct argp_child children[] = {{&sets_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[ROWS.jsonl]",
        .doc = "Judges answers with a reward, or a reward block, without training. Rows come from "
               "a file or standard input: \"completion\", \"prompt\" if the reward reads it, and "
               "the problem's own fields (\"answer\", ...), or those of \"record\" as `troupe "
               "eval --out` writes it; \"n_tokens\", \"max_tokens\" and \"finish\" (eos, stop, "
               "length) "
               "where they are known. Rows in a row with the same \"group\" are answers to one "
               "prompt and "
               "judged together, as shapes, `normalise` and comparing judges want it. A row out "
               "has the row's \"id\", \"reward\", \"status\" (ok, "
               "timeout, error, refused, not_applicable), and both of each component; what is not "
               "ok is null, never 0. A summary goes to standard error."
               "\vExample: echo '{\"completion\": \"so it is #### 42\", \"answer\": 42}' | troupe "
               "score --reward gsm8k",
        .children = children,
    };
    Arguments a = {.input = "-"};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!a.list) return sandbox_start() ? EXIT_UNABLE : score(&a);
    reward_show_all(a.json);
    return 0;
}

const Verb verb_score = {"score", "judges rows of JSON with rewards, without training", 60, run};

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
#include "launch/sets.h"
#include "launch/verb.h"
#include "rewardsvc/reward.h"

enum { KEY_REWARD = 0x300, KEY_CONFIG, KEY_LIST, KEY_JSON, MOST_ERRORS = 20 };
enum { N_STATUSES = SCORE_NOT_APPLICABLE + 1 };

typedef struct {
    Sets sets;
    const char *reward, *config, *input;
    bool list, json;
} Arguments;

typedef struct {
    Config cfg; /* of --config; all zero for --reward */
    RewardBlock block;
    Score *components; /* [block.n] of the latest row */
    float *latencies;
    int64_t rows, counts[N_STATUSES];
    double sum;       /* of rewards that are ok */
    double scoring_s; /* spent in the rewards alone */
    int errors;
} Scoring;

/* ---- one row --------------------------------------------------------------------------------- */

/* A whole number that a row may have: 0 and *out left alone where it has none. */
static int read_count(const Jsonl *in, const json_t *row, const char *field, int *out)
{
    const json_t *v = json_object_get(row, field);
    if (!v) return 0;
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > INT32_MAX)
        return jsonl_fail(in, "\"%s\" is not a whole number of tokens", field);
    *out = (int)json_integer_value(v);
    return 0;
}

static int read_finish(const Jsonl *in, const json_t *row, FinishReason *out)
{
    static const char *const words[] = {"eos", "stop", "length"};
    const json_t *v = json_object_get(row, "finish");
    if (!v) return 0;
    for (int i = 0; i < 3 && json_is_string(v); i++)
        if (!strcmp(json_string_value(v), words[i])) {
            *out = (FinishReason)i;
            return 0;
        }
    return jsonl_fail(in, "\"finish\" is none of \"eos\", \"stop\", \"length\"");
}

/* What `eval --out` wrote has the problem's record as a field of its own; otherwise the row is the
 * record. */
static const json_t *record_of(const json_t *row)
{
    const json_t *record = json_object_get(row, "record");
    return json_is_object(record) ? record : row;
}

/* *prompt and *completion are the caller's to free. */
static int read_evidence(const Jsonl *in, const json_t *row, Evidence *e, char **prompt,
                         char **completion)
{
    if (json_object_get(row, "prompt") && !(*prompt = jsonl_text(in, row, "prompt"))) return -1;
    if (!(*completion = jsonl_text(in, row, "completion"))) return -1;
    e->prompt = *prompt ? *prompt : "";
    e->n_prompt = strlen(e->prompt);
    e->text = *completion;
    e->n_text = strlen(e->text);
    e->record = record_of(row);
    if (read_count(in, row, "n_tokens", &e->n_tokens)) return -1;
    if (read_count(in, row, "max_tokens", &e->max_tokens)) return -1;
    return read_finish(in, row, &e->finish);
}

static json_t *value_json(Score s)
{
    return s.status == SCORE_OK ? json_real(s.value) : json_null();
}

static void write_row(const Scoring *s, const json_t *row, Score reward)
{
    json_t *o = json_object(), *components = json_object(), *statuses = json_object(),
           *id = json_object_get(row, "id");
    for (int i = 0; i < s->block.n; i++) {
        const char *name = s->block.components[i].name;
        json_object_set_new(components, name, value_json(s->components[i]));
        json_object_set_new(statuses, name,
                            json_string(score_status_name(s->components[i].status)));
    }
    if (id) json_object_set(o, "id", id);
    json_object_set_new(o, "reward", value_json(reward));
    json_object_set_new(o, "status", json_string(score_status_name(reward.status)));
    json_object_set_new(o, "components", components);
    json_object_set_new(o, "statuses", statuses);
    json_line(stdout, o);
}

static int score_row(Scoring *s, const Jsonl *in, const json_t *row)
{
    char *prompt = NULL, *completion = NULL;
    Evidence e = {.max_tokens = s->cfg.file ? (int)s->cfg.rollout.max_tokens : 0,
                  .seed = s->cfg.file ? (uint64_t)s->cfg.run.seed : 1,
                  .group = s->rows};
    int rc = read_evidence(in, row, &e, &prompt, &completion);
    if (!rc) {
        Score reward = reward_block_score(&s->block, &e, s->components, s->latencies);
        for (int i = 0; i < s->block.n; i++) s->scoring_s += (double)s->latencies[i];
        s->counts[reward.status]++;
        if (reward.status == SCORE_OK) s->sum += reward.value;
        if (!s->errors) write_row(s, row, reward);
    }
    s->rows++;
    mem_free(prompt);
    mem_free(completion);
    return rc;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* "score: 1000 rows, reward 0.43 (mean of 990 ok), 10 error, 52000 rows/s (rewards alone 410000)"
 */
static void print_summary(const Scoring *s, double seconds)
{
    int64_t ok = s->counts[SCORE_OK];
    fprintf(stderr, "score: %lld row%s", (long long)s->rows, s->rows == 1 ? "" : "s");
    if (ok) fprintf(stderr, ", reward %.6g (mean of %lld ok)", s->sum / (double)ok, (long long)ok);
    for (int i = SCORE_OK + 1; i < N_STATUSES; i++)
        if (s->counts[i])
            fprintf(stderr, ", %lld %s", (long long)s->counts[i],
                    score_status_name((ScoreStatus)i));
    fprintf(stderr, ", %.0f rows/s", seconds > 0 ? (double)s->rows / seconds : 0);
    if (s->scoring_s > 0) fprintf(stderr, " (rewards alone %.0f)", (double)s->rows / s->scoring_s);
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
        progress_show(&progress, s->rows, NULL);
    }
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
    Scoring s = {0};
    int code = open_block(&s, a);
    s.components = NEW(Score, s.block.n + 1);
    s.latencies = NEW(float, s.block.n + 1);
    if (!code) code = score_rows(&s, a->input);
    mem_free(s.components);
    mem_free(s.latencies);
    reward_block_close(&s.block);
    config_free(&s.cfg);
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
               "where they are known. A row out has the row's \"id\", \"reward\", \"status\" (ok, "
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

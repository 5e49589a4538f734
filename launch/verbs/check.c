/* troupe check: everything about experiment files that can be known without training: options,
 * rewards, task, model, and that they fit together. No weights are read. */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/policy.h"
#include "common/prompts.h"
#include "launch/footprint.h"
#include "launch/json_text.h"
#include "launch/sets.h"
#include "launch/verb.h"
#include "rewardsvc/reward.h"

enum { MOST_FILES = 256 };

typedef struct {
    Sets sets;
    const char *files[MOST_FILES];
    int n_files;
    bool json;
} Arguments;

/* An experiment as far as it could be opened. */
typedef struct {
    Config cfg;
    RewardBlock rewards;
    ModelDesc desc;
    Tokenizer *tok;
    Prompts *prompts;
} Experiment;

/* ---- what must hold between the parts; each says its reason ---------------------------------- */

/* Logs at the line that set section.name, where the file set it and no --set replaced it. */
static int fail_at(const Config *c, const char *section, const char *name, const char *value,
                   const char *why)
{
    const YamlNode *at = c->root ? yaml_get(yaml_get(c->root, section), name) : NULL;
    if (at && at->kind == YAML_SCALAR && !strcmp(at->text, value))
        return yaml_fail(at, "%s.%s: %s", section, name, why);
    return fail("%s: %s.%s: %s", c->file, section, name, why);
}

/* section.key names a component of the reward block, or nothing. */
static int check_component(const Experiment *e, const char *section, const char *key,
                           const char *name)
{
    Buffer why = {0};
    if (!*name) return 0;
    for (int i = 0; i < e->rewards.n; i++)
        if (!strcmp(e->rewards.components[i].name, name)) return 0;
    buffer_printf(&why, "the reward block has no component %.60s; it has", name);
    for (int i = 0; i < e->rewards.n; i++)
        buffer_printf(&why, "%s %s", i ? "," : "", e->rewards.components[i].name);
    fail_at(&e->cfg, section, key, name, why.data);
    buffer_free(&why);
    return -1;
}

static int check_components(const Experiment *e)
{
    if (!e->rewards.n) return 0;
    int rc = check_component(e, "eval", "component", e->cfg.eval.component);
    rc |= check_component(e, "monitor", "gold", e->cfg.monitor.gold);
    return rc | check_component(e, "monitor", "proxy", e->cfg.monitor.proxy);
}

/* Every rule must find what it reads in a problem's record: an empty answer to the first one is
 * judged. */
static int check_judging(const Experiment *e)
{
    Group g = {0};
    int rc = prompts_fill(e->prompts, GROUP_TRAIN, 0, 1, 0, &g);
    json_t *record = rc ? NULL : json_loads(g.record, JSON_REJECT_DUPLICATES, NULL);
    Evidence answer = {.prompt = rc ? "" : g.prompt_text,
                       .n_prompt = rc ? 0 : strlen(g.prompt_text),
                       .text = "",
                       .record = record,
                       .max_tokens = (int)e->cfg.rollout.max_tokens};
    for (int i = 0; record && i < e->rewards.n; i++) {
        const RewardComponent *c = &e->rewards.components[i];
        if (!c->reward->score) continue; /* judges take their time, shapes need scores */
        errors_quiet(1);
        Score s = c->reward->score(c->values, c->state, &answer);
        errors_quiet(-1);
        if (s.status == SCORE_ERROR)
            rc = fail("%s: reward %s cannot judge task %s: %s", e->cfg.file, c->name,
                      e->cfg.task.name, errors_last());
    }
    json_decref(record);
    group_free(&g);
    return rc;
}

static int check_length(const Experiment *e)
{
    int prompt = footprint_longest_prompt(e->prompts), positions = e->desc.max_positions;
    if (prompt < 0) return -1;
    if (prompt + e->cfg.rollout.max_tokens <= positions) return 0;
    return fail("%s: a prompt of %d tokens and an answer of rollout.max_tokens %lld do not fit in "
                "the model's %d positions",
                e->cfg.file, prompt, (long long)e->cfg.rollout.max_tokens, positions);
}

static int check_tasks(Experiment *e)
{
    e->prompts = prompts_open(&e->cfg, e->tok);
    if (!e->prompts) return -1;
    if (!prompts_count(e->prompts, SPLIT_TRAIN)) return 0; /* only evaluated */
    int rc = check_length(e);
    if (check_judging(e)) rc = -1;
    return rc;
}

/* All errors are reported: a part is left out only where it needs one that could not be opened. */
static int check_parts(Experiment *e)
{
    int rc = 0;
    if (!e->cfg.reward)
        rc = fail("%s: no `reward:` block: name at least one reward", e->cfg.file);
    else
        rc = reward_block_read(&e->rewards, &e->cfg);
    if (check_components(e)) rc = -1;
    if (policy_describe(&e->cfg, &e->desc, &e->tok)) return -1;
    return check_tasks(e) ? -1 : rc;
}

/* ---- one line a file ------------------------------------------------------------------------- */

static size_t parameters_of(const ModelDesc *d)
{
    int count;
    size_t n;
    mem_free(model_params(d, &count, &n));
    return n;
}

static void print_line(const Experiment *e)
{
    const ModelDesc *d = &e->desc;
    int64_t train = prompts_count(e->prompts, SPLIT_TRAIN);
    int ranks = footprint_ranks(&e->cfg);
    char *formula = reward_block_formula(&e->rewards), problems[64] = "made without end";
    if (train != INT64_MAX)
        snprintf(problems, sizeof problems, "%lld problems, %lld held out", (long long)train,
                 (long long)prompts_count(e->prompts, SPLIT_HELDOUT));
    printf("%s: OK: %d rank%s; %s of %.3g million parameters (%d layers x %d); task %s (%s); "
           "reward %s\n",
           e->cfg.file, ranks, ranks > 1 ? "s" : "", d->architecture,
           (double)parameters_of(d) / 1e6, d->L, d->C, e->cfg.task.name, problems, formula);
    mem_free(formula);
}

static void print_json(const char *file, const Experiment *e, int code)
{
    json_t *o = json_object();
    json_object_set_new(o, "file", json_text(file, strlen(file)));
    json_object_set_new(o, "ok", json_boolean(!code));
    if (!code) {
        int64_t train = prompts_count(e->prompts, SPLIT_TRAIN);
        char *formula = reward_block_formula(&e->rewards);
        json_object_set_new(o, "ranks", json_integer(footprint_ranks(&e->cfg)));
        json_object_set_new(o, "architecture", json_string(e->desc.architecture));
        json_object_set_new(o, "parameters", json_integer((json_int_t)parameters_of(&e->desc)));
        json_object_set_new(o, "task", json_string(e->cfg.task.name));
        json_object_set_new(o, "problems", train == INT64_MAX ? json_null() : json_integer(train));
        json_object_set_new(o, "heldout", json_integer(prompts_count(e->prompts, SPLIT_HELDOUT)));
        json_object_set_new(o, "reward", json_string(formula));
        mem_free(formula);
    }
    json_line(stdout, o);
}

static int check_file(const Arguments *a, const char *file)
{
    Experiment e = {0};
    int code = EXIT_CONFIG;
    if (access(file, R_OK)) code = EXIT_NO_INPUT; /* config_read says why */
    if (!config_read(&e.cfg, file, a->sets.list, a->sets.n))
        code = check_parts(&e) ? EXIT_CONFIG : 0;
    if (a->json)
        print_json(file, &e, code);
    else if (!code)
        print_line(&e);
    prompts_close(e.prompts);
    tokenizer_close(e.tok);
    reward_block_close(&e.rewards);
    config_free(&e.cfg);
    return code;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->sets;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->n_files == MOST_FILES) argp_error(state, "more than %d files", MOST_FILES);
        a->files[a->n_files++] = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which experiment file?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, "an object a line instead; reasons still go to standard error", 0},
        {0},
    };
    static const struct argp_child children[] = {{&sets_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "EXPERIMENT.yaml...",
        .doc = "Says whether experiment files would run: every error of the file with its line and "
               "column, then whether rewards, task, model and lengths fit together. Nothing is "
               "trained and no weights are read."
               "\vExit status: 0 all are good, 65 one is wrong, 66 one is missing.\n\n"
               "Example: troupe check configs/*.yaml --set rollout.samples=16",
        .children = children,
    };
    Arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    int code = 0;
    for (int i = 0; i < a.n_files; i++) {
        int one = check_file(&a, a.files[i]);
        if (one && code != EXIT_CONFIG) code = one;
    }
    return code;
}

const Verb verb_check = {"check", "whether experiment files would run, without running them", 15,
                         run};

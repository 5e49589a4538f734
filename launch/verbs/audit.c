/* troupe audit: the stored answers of a run before another reward block. Nothing of the run is
 * changed; no model is needed but those that judge. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"
#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"
#include "common/sandbox.h"
#include "launch/audit.h"
#include "launch/json_text.h"
#include "launch/ledger.h"
#include "launch/progress.h"
#include "launch/rescore.h"
#include "launch/run_config.h"
#include "launch/sets.h"
#include "launch/verb.h"
#include "learner/advantage.h"

enum { KEY_CONFIG = 0x300, KEY_JSON, KEY_STEPS, KEY_OUT, KEY_WORST };

typedef struct {
    Sets sets;
    const char *run, *config, *out;
    int64_t first, last; /* steps */
    int worst;
    bool json;
} Arguments;

typedef struct {
    const Arguments *a;
    json_t *info;          /* run.h5's; NULL if there is none yet */
    Config was, cfg;       /* the run's, the other */
    bool known;            /* the run's configuration could be read */
    RewardBlock block;     /* the other's */
    const Advantage *rule; /* the other's */
    RewardRun run;
    Audit audit;
    FILE *out;
    Progress progress;
    int64_t step; /* of the groups that are gathered */
    Group *groups;
    int n, capacity;
    int64_t first_step, last_step; /* that were compared */
} Work;

/* ---- a step ---------------------------------------------------------------------------------- */

static void write_rows(const Work *w, const Group *old, const Group *new)
{
    for (int i = 0; w->out && i < old->n_samples; i++)
        json_line(w->out, audit_row(&w->audit, w->step, old, new, i,
                                    json_object_get(w->info, "components")));
}

static void compare(Work *w, const Group *old, Group *new)
{
    const Config *c = &w->cfg;
    advantage_assign(w->rule, c->learner.advantage_eps, advantage_leaves_out(c), new);
    advantage_limit(new, c->learner.advantage_cap);
    audit_add(&w->audit, w->step, old, new);
    write_rows(w, old, new);
}

/* Judges the gathered groups again and compares them. Steps before --steps only move the state of
 * rewards that have one. */
static int finish_step(Work *w)
{
    bool wanted = w->step >= w->a->first;
    int rc = 0;
    if (w->n && (wanted || reward_block_has_state(&w->block))) {
        Group *new = NEW(Group, w->n);
        for (int i = 0; i < w->n; i++) new[i] = group_copy(&w->groups[i]);
        rc = rescore_step(&w->block, &w->run, w->step, new, w->n);
        if (rc) fail("%s: step %lld cannot be judged again", w->a->run, (long long)w->step);
        for (int i = 0; i < w->n && !rc && wanted; i++) compare(w, &w->groups[i], &new[i]);
        for (int i = 0; i < w->n; i++) group_free(&new[i]);
        mem_free(new);
        if (wanted && w->first_step < 0) w->first_step = w->step;
        if (wanted) w->last_step = w->step;
        progress_show(&w->progress, w->step, NULL);
    }
    for (int i = 0; i < w->n; i++) group_free(&w->groups[i]);
    w->n = 0;
    return rc;
}

static int gather(void *ctx, int64_t step, const Group *g)
{
    Work *w = ctx;
    if (!ledger_has(g)) return 0;
    if (step != w->step && finish_step(w)) return -1;
    if (step > w->a->last) return 1;
    if (w->n == w->capacity) {
        size_t old = (size_t)w->capacity, new = 2 * old + 16;
        w->groups = mem_resize(w->groups, old, new, sizeof *w->groups);
        w->capacity = (int)new;
    }
    w->step = step;
    w->groups[w->n++] = group_copy(g);
    return 0;
}

static int judge_again(Work *w)
{
    progress_begin(&w->progress, "steps", 0);
    int rc = runfile_each_group(w->a->run, gather, w);
    if (rc >= 0 && w->step <= w->a->last) rc = finish_step(w);
    progress_end(&w->progress);
    if (rc < 0) return EXIT_CONFIG;
    if (w->first_step >= 0) return 0;
    fail("%s: no scored rollouts %s", w->a->run, w->a->last < INT64_MAX ? "of these steps" : "yet");
    return EXIT_NO_INPUT;
}

/* ---- the report ------------------------------------------------------------------------------ */

/* "grpo" against "rloo" moves every advantage: that is not the reward's doing. */
static char *remark(const Work *w)
{
    const Config *a = &w->was, *b = &w->cfg;
    if (!w->known)
        return mem_text("the run's own configuration is not known: the other's seed, steps and "
                        "max_tokens are used");
    bool same = !strcmp(a->learner.advantage, b->learner.advantage) &&
                a->learner.advantage_eps == b->learner.advantage_eps &&
                advantage_leaves_out(a) == advantage_leaves_out(b);
    return same ? mem_text("")
                : mem_printf("the learner's options differ too (advantage %s then, %s now): part "
                             "of the change is theirs",
                             a->learner.advantage, b->learner.advantage);
}

static char *formula_of(const Work *w)
{
    RewardBlock old = {0};
    errors_quiet(1);
    int rc = w->known && w->was.reward ? reward_block_open(&old, w->was.reward) : -1;
    errors_quiet(-1);
    if (rc) return mem_text("not known");
    char *formula = reward_block_formula(&old);
    reward_block_close(&old);
    return formula;
}

static void add_text(json_t *o, const char *key, char *text)
{
    json_object_set_new(o, key, json_string(text));
    mem_free(text);
}

/* A rule that gives other scores for the same answers breaks what the run file promises. */
static void warn_of_differences(const Work *w)
{
    for (int k = 0; k < w->block.n; k++) {
        const AuditComponent *c = &w->audit.components[k];
        if (c->rule && c->alike == 1 && c->equal < c->n)
            fail("rule %s has the settings of the run and yet gives %lld of %lld answers another "
                 "score: it is not a function of the answer alone, or was changed since",
                 c->name, (long long)(c->n - c->equal), (long long)c->n);
    }
}

static void report(const Work *w)
{
    json_t *all =
        json_pack("{s:s, s:s, s:I, s:I}", "run", w->a->run, "config", w->a->config, "first_step",
                  (json_int_t)w->first_step, "last_step", (json_int_t)w->last_step);
    add_text(all, "old_formula", formula_of(w));
    add_text(all, "new_formula", reward_block_formula(&w->block));
    add_text(all, "remark", remark(w));
    json_object_update_new(all, audit_json(&w->audit));
    if (w->a->json)
        json_dumpf(all, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER), putchar('\n');
    else
        audit_print(all);
    json_decref(all);
    warn_of_differences(w);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Which of the run's components each of the block's is. */
static void match_components(Work *w)
{
    const json_t *names = json_object_get(w->info, "components");
    for (int k = 0; k < w->block.n; k++) {
        AuditComponent *c = &w->audit.components[k];
        for (size_t i = 0; i < json_array_size(names); i++) {
            const char *name = json_string_value(json_array_get(names, i));
            if (name && !strcmp(name, c->name)) c->old = (int)i;
        }
        if (c->old >= 0 && w->known && w->was.reward)
            c->alike = run_config_same_scores(w->was.reward, c->old, w->cfg.reward, k);
    }
}

static int open_block(Work *w)
{
    const Arguments *a = w->a;
    if (access(a->config, R_OK)) {
        fail("%s: %s", a->config, strerror(errno));
        return EXIT_NO_INPUT;
    }
    if (config_read(&w->cfg, a->config, a->sets.list, a->sets.n)) return EXIT_CONFIG;
    if (!w->cfg.reward) {
        fail("%s: no `reward:` block: name at least one reward", a->config);
        return EXIT_CONFIG;
    }
    if (reward_block_read(&w->block, &w->cfg)) return EXIT_CONFIG;
    KernelSet k;
    kernelset_named(&k, w->cfg.model.precision, w->cfg.model.products);
    w->rule = advantage_find(w->cfg.learner.advantage);
    return reward_block_prepare(&w->block, &k, NULL, 0) ? EXIT_CONFIG : 0;
}

static int open_run(Work *w)
{
    struct stat st;
    if (stat(w->a->run, &st) || !S_ISDIR(st.st_mode)) {
        fail("%s: there is no such run", w->a->run);
        return EXIT_NO_INPUT;
    }
    errors_quiet(1); /* a run in its first interval has none yet */
    w->info = runfile_read_info(w->a->run);
    w->known = w->info && !run_config_read(w->info, w->a->run, &w->was);
    errors_quiet(-1);
    const Config *c = w->known ? &w->was : &w->cfg;
    const json_t *seed = json_object_get(w->info, "seed");
    w->run = (RewardRun){.seed = json_is_integer(seed) ? (uint64_t)json_integer_value(seed)
                                                       : (uint64_t)c->run.seed,
                         .steps = c->run.steps,
                         .max_tokens = (int)c->rollout.max_tokens};
    return 0;
}

static int open_out(Work *w)
{
    if (!w->a->out) return 0;
    w->out = fopen(w->a->out, "w");
    if (w->out) return 0;
    fail("%s: %s", w->a->out, strerror(errno));
    return EXIT_CREATE;
}

static int audit(const Arguments *a)
{
    Work w = {.a = a, .first_step = -1};
    int code = open_block(&w);
    if (!code) code = open_run(&w);
    if (!code) code = open_out(&w);
    if (!code) {
        audit_init(&w.audit, &w.block, a->worst);
        match_components(&w);
        code = judge_again(&w);
    }
    if (w.out && fclose(w.out) && !code) {
        fail("%s: %s", a->out, strerror(errno));
        code = EXIT_IO;
    }
    if (!code) report(&w);
    for (int i = 0; i < w.n; i++) group_free(&w.groups[i]);
    mem_free(w.groups);
    audit_free(&w.audit);
    reward_block_close(&w.block);
    config_free(&w.was);
    config_free(&w.cfg);
    json_decref(w.info);
    return code;
}

/* ---- the command line ------------------------------------------------------------------------ */

static int64_t number(const char *text, const char **end, const struct argp_state *state)
{
    errno = 0;
    long long v = strtoll(text, (char **)end, 10);
    if (errno || *end == text || v < 0) argp_error(state, "%s: a step is a whole number", text);
    return v;
}

static void read_steps(Arguments *a, const char *text, const struct argp_state *state)
{
    const char *end;
    a->first = a->last = number(text, &end, state);
    if (*end == '-') a->last = end[1] ? number(end + 1, &end, state) : (end++, INT64_MAX);
    if (*end || a->last < a->first) argp_error(state, "--steps A-B, with A at most B: %s", text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    const char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->sets;
        return 0;
    case KEY_CONFIG:
        a->config = arg;
        return 0;
    case KEY_JSON:
        a->json = true;
        return 0;
    case KEY_STEPS:
        read_steps(a, arg, state);
        return 0;
    case KEY_OUT:
        a->out = arg;
        return 0;
    case KEY_WORST:
        a->worst = (int)number(arg, &end, state);
        if (*end || a->worst > 1000) argp_error(state, "--worst is in [0, 1000]");
        return 0;
    case ARGP_KEY_ARG:
        if (a->run) argp_error(state, "one run at a time");
        a->run = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->run || !a->config)
            argp_error(state,
                       "a run and --config FILE are wanted: whose rewards, and which others");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", KEY_CONFIG, "FILE", 0, "the experiment file with the other reward block", 0},
        {"steps", KEY_STEPS, "A-B", 0, "only these steps", 0},
        {"out", KEY_OUT, "FILE.jsonl", 0, "a row a sample: rewards and advantages, then and now",
         0},
        {"worst", KEY_WORST, "N", 0, "show the N groups that changed most (default 3)", 0},
        {"json", KEY_JSON, NULL, 0, "JSON", 0},
        {0},
    };
    static const struct argp_child children[] = {{&sets_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "RUN",
        .doc = "Judges the stored answers of a run with another reward block and shows what "
               "the learner would have made of it: rewards by step, advantages that change sign, "
               "groups without any, the groups that change most; and whether components that "
               "both have give the same scores to the bit. Advantages now are those of the "
               "other file's learner block. The run is not touched."
               "\vExample: troupe audit runs/addition --config stricter.yaml --steps 1-50",
        .children = children,
    };
    Arguments a = {.last = INT64_MAX, .worst = 3};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    return sandbox_start() ? EXIT_UNABLE : audit(&a);
}

const Verb verb_audit = {"audit", "a stored run before another reward: which advantages move", 65,
                         run};

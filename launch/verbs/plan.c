/* troupe plan: how many ranks an experiment needs and how much memory each of them, before anything
 * runs. */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/checkpoint_folder.h"
#include "common/errors.h"
#include "common/policy.h"
#include "common/prompts.h"
#include "launch/footprint.h"
#include "launch/report.h"
#include "launch/sets.h"
#include "launch/verb.h"

typedef struct {
    Sets sets;
    const char *config;
    bool ranks_only, left_only, json;
} Arguments;

static error_t parse_argument(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->sets;
        return 0;
    case 'r':
        a->ranks_only = true;
        return 0;
    case 'l':
        a->left_only = true;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->config) argp_error(state, "one experiment file, please: what is %s?", arg);
        a->config = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which experiment file?");
    }
    return ARGP_ERR_UNKNOWN;
}

static void print_row(const char *what, double bytes)
{
    if (bytes != 0) printf("    %-58s %9.1f MB\n", what, bytes / 1e6);
}

static void print_footprint(const char *rank, int n, const Footprint *f)
{
    printf("  %s (%d rank%s): %.2f GB each\n", rank, n, n > 1 ? "s" : "",
           (double)footprint_total(f) / 1e9);
    print_row("weights", (double)f->weights);
    print_row("optimiser's moments", (double)f->optimizer);
    print_row("gradient, with the partial sums of the tree", (double)f->gradients);
    print_row("activations and logits of one group", (double)f->trainer);
    print_row("reference model of the KL term", (double)f->reference);
    print_row("keys and values of the rows that decode together", (double)f->engine);
    print_row("of the last two, what they take turns with", -(double)f->lent);
    print_row("judges: weights", (double)f->judges.weights);
    print_row("judges: keys and values", (double)f->judges.engines);
    print_row("judges: activations, moments and gradient of those that learn",
              (double)f->judges.trainers);
    print_row("weights on their way", (double)f->messages);
    print_row("program and libraries", (double)f->program);
}

typedef struct {
    const char *name;
    int n;
    Hosted hosted;
} RankKind;

enum { MOST_KINDS = 3 };

static int kinds_of(const Config *c, RankKind kinds[MOST_KINDS])
{
    int n = 0;
    if (footprint_ranks(c) == 1)
        kinds[n++] = (RankKind){"alone", 1, {true, true, true}};
    else {
        if (c->layout.workers)
            kinds[n++] = (RankKind){"worker", (int)c->layout.workers, {true, true, false}};
        if (c->layout.learners)
            kinds[n++] = (RankKind){"learner", (int)c->layout.learners, {true, false, false}};
        if (c->layout.actors)
            kinds[n++] = (RankKind){"actor", (int)c->layout.actors, {false, true, false}};
        if (c->layout.rewardsvc)
            kinds[n++] =
                (RankKind){"reward service", (int)c->layout.rewardsvc, {false, false, true}};
    }
    return n;
}

static json_t *footprint_json(const RankKind *k, const Footprint *f)
{
    return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                     "rank", k->name, "count", k->n, "bytes", (json_int_t)footprint_total(f),
                     "weights", (json_int_t)f->weights, "optimizer", (json_int_t)f->optimizer,
                     "gradients", (json_int_t)f->gradients, "trainer", (json_int_t)f->trainer,
                     "reference", (json_int_t)f->reference, "engine", (json_int_t)f->engine, "lent",
                     (json_int_t)f->lent, "judge_weights", (json_int_t)f->judges.weights,
                     "judge_engines", (json_int_t)f->judges.engines, "judge_trainers",
                     (json_int_t)f->judges.trainers, "messages", (json_int_t)f->messages, "program",
                     (json_int_t)f->program);
}

static void print_plan(const Arguments *a, const Config *c, const ModelDesc *d,
                       const RankKind *kinds, const Footprint *f, int n, int prompt)
{
    json_t *list = json_array();
    if (!a->json)
        printf("%s: %d rank%s; %d layers x %d; %lld prompts x %lld answers, %d + %lld tokens at "
               "most\n",
               c->file, footprint_ranks(c), footprint_ranks(c) > 1 ? "s" : "", d->L, d->C,
               (long long)c->rollout.prompts, (long long)c->rollout.samples, prompt,
               (long long)c->rollout.max_tokens);
    for (int i = 0; i < n; i++) {
        if (a->json)
            json_array_append_new(list, footprint_json(&kinds[i], &f[i]));
        else
            print_footprint(kinds[i].name, kinds[i].n, &f[i]);
    }
    if (a->json) {
        json_t *all = json_pack("{s:i, s:O}", "ranks", footprint_ranks(c), "memory", list);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else {
        printf("  start it with: mpirun -np %d troupe train %s\n", footprint_ranks(c), a->config);
    }
    json_decref(list);
}

static int plan(const Arguments *a, const Config *c)
{
    ModelDesc d;
    Tokenizer *tok = NULL;
    if (policy_describe(c, &d, &tok)) return EXIT_CONFIG;
    Prompts *p = prompts_open(c, tok);
    int prompt = p ? footprint_longest_prompt(p) : -1;
    prompts_close(p);
    tokenizer_close(tok);
    if (prompt < 0) return EXIT_CONFIG;
    KernelSet k;
    kernelset_named(&k, c->model.precision, c->model.products);
    RewardBlock rewards = {0};
    if (c->reward && reward_block_read(&rewards, c)) return EXIT_CONFIG;
    RankKind kinds[MOST_KINDS];
    Footprint f[MOST_KINDS];
    int n = kinds_of(c, kinds), rc = 0;
    for (int i = 0; i < n && !rc; i++) {
        f[i] = footprint_of(c, &d, &k, prompt, kinds[i].hosted);
        if (kinds[i].hosted.judges) rc = footprint_add_judges(&f[i], &rewards, &k);
    }
    if (!rc) print_plan(a, c, &d, kinds, f, n, prompt);
    reward_block_close(&rewards);
    return rc ? EXIT_CONFIG : 0;
}

static int64_t newest_checkpoint(const char *dir)
{
    char **names, *folder = mem_printf("%s/checkpoints", dir);
    int n = checkpoint_folder_list(folder, &names);
    int64_t newest = 0, step;
    for (int i = 0; i < n; i++) {
        if (sscanf(names[i], "step-%" SCNd64, &step) == 1 && step > newest) newest = step;
        mem_free(names[i]);
    }
    mem_free(names);
    mem_free(folder);
    return newest;
}

/* Of a finished run the summary says so; of any other the newest checkpoint counts, and a run whose
 * end was not reported is not over. Only looks: the run may be going on. */
static int64_t steps_left(const Config *c)
{
    char *dir = mem_printf("%s/%s", c->run.dir, c->run.name);
    int64_t reported = report_finished_steps(dir);
    int64_t done = reported >= 0 ? reported : newest_checkpoint(dir);
    int64_t left = done < c->run.steps ? c->run.steps - done : reported >= 0 ? 0 : 1;
    mem_free(dir);
    return left;
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"ranks", 'r', NULL, 0, "prints the number of ranks and nothing else", 0},
        {"left", 'l', NULL, 0,
         "prints how many steps of the run are left and nothing else: 0 is a run that is finished",
         0},
        {"json", 'j', NULL, 0, "for programs", 0},
        {0},
    };
    static const struct argp_child children[] = {{&sets_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .children = children,
        .options = options,
        .parser = parse_argument,
        .args_doc = "EXPERIMENT.yaml",
        .doc = "Prints how many ranks an experiment needs and how much memory each of them, "
               "without starting it."
               "\vExample: troupe plan configs/smollm2-arithmetic.yaml --set rollout.samples=16",
    };
    Arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    Config c;
    if (config_read(&c, a.config, a.sets.list, a.sets.n)) return EXIT_CONFIG;
    int code = 0;
    if (a.ranks_only)
        printf("%d\n", footprint_ranks(&c));
    else if (a.left_only)
        printf("%lld\n", (long long)steps_left(&c));
    else
        code = plan(&a, &c);
    config_free(&c);
    return code;
}

const Verb verb_plan = {"plan", "ranks and memory of an experiment, before it runs", 20, run};

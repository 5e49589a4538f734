/* See eval_setup.h. A configuration says what to ask: a run's own, an experiment file, or one made
 * of the command line. */
#include "launch/eval_setup.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"

enum { USUAL_LIMIT = 500 };

/* ---- what is asked, and who judges ----------------------------------------------------------- */

static void make_set(Eval *e, const char *key, const char *value)
{
    e->made_sets[e->n_made] = mem_printf("%s=%s", key, value);
    e->sets[e->n_sets++] = e->made_sets[e->n_made++];
}

/* The run's own configuration, then the command line's --set. */
static int read_run_config(Eval *e)
{
    const char *sets[2 * EVAL_SETS];
    int n = 0, rc = policy_run_config(e->path, &e->cfg, &e->run_kernels);
    if (rc > 0)
        return fail("%s: no run with a checkpoint, so it does not say what to ask: give --config, "
                    "--task or --jsonl",
                    e->path);
    if (rc || !e->n_sets) return rc;
    Config own = e->cfg;
    char *lines = mem_text(own.sets ? own.sets : ""), *rest = lines, *line;
    while (n < EVAL_SETS && (line = strsep(&rest, "\n")))
        if (*line) sets[n++] = line;
    for (int i = 0; i < e->n_sets; i++) sets[n++] = e->sets[i];
    rc = config_parse(&e->cfg, own.file, own.text, sets, n);
    mem_free(lines);
    config_free(&own);
    return rc;
}

static int read_config(Eval *e)
{
    if (!e->config && !e->task && !e->jsonl) {
        int rc = read_run_config(e);
        e->is_run = !rc;
        return rc;
    }
    if (e->task) make_set(e, "task.name", e->task);
    if (e->jsonl) {
        make_set(e, "task.name", "jsonl");
        make_set(e, "task.train", e->jsonl);
        make_set(e, "task.heldout", e->jsonl);
    }
    make_set(e, "model.path", e->path);
    return e->config ? config_read(&e->cfg, e->config, e->sets, e->n_sets)
                     : config_parse(&e->cfg, "eval", "", e->sets, e->n_sets);
}

/* The named reward, the configuration's, or what its task is usually judged by. */
static int open_reward(Eval *e)
{
    const char *task = e->cfg.task.name;
    const char *usual = !strcmp(task, "countdown") ? "countdown"
                        : !strcmp(task, "game24")  ? "game24"
                        : !strcmp(task, "jsonl")   ? "gsm8k"
                                                   : "exact_number";
    if (!e->reward && e->cfg.reward) return reward_block_read(&e->block, &e->cfg);
    return reward_block_single(&e->block, e->reward ? e->reward : usual);
}

static int open_tally(Eval *e)
{
    const char *component = e->reward ? "" : e->cfg.eval.component;
    e->tally = (Tally){.n_samples = e->samples,
                       .component = -1,
                       .threshold = isnan(e->threshold) ? e->cfg.eval.threshold : e->threshold};
    for (int i = 0; *component && i < e->block.n; i++)
        if (!strcmp(e->block.components[i].name, component)) e->tally.component = i;
    if (!*component || e->tally.component >= 0) return 0;
    return fail("%s: eval.component: the reward block has no component %s", e->cfg.file, component);
}

/* ---- who answers, and how -------------------------------------------------------------------- */

/* A run is evaluated with its own kernels where this machine has them, so that its own figures come
 * out again. */
static KernelSet choose_kernels(const Eval *e)
{
    KernelSet k;
    const char *precision = e->args.precision ? e->args.precision : e->cfg.model.precision;
    Precision wanted = strcmp(precision, "f32") ? PRECISION_BF16 : PRECISION_F32;
    errors_quiet(1);
    bool own =
        e->is_run && e->run_kernels.precision == wanted && !kernelset_verify(&e->run_kernels);
    errors_quiet(-1);
    if (own) return e->run_kernels;
    kernelset_named(&k, precision, e->cfg.model.products);
    return k;
}

static int read_stops(Eval *e, GenerateParams *p)
{
    e->stop_text = mem_text(e->cfg.rollout.stop);
    char *rest = e->stop_text, *word;
    while ((word = strsep(&rest, "|"))) {
        if (!*word) continue;
        if (p->n_stops == MODEL_ARGS_STOPS)
            return fail("rollout.stop: more than %d stop strings", MODEL_ARGS_STOPS);
        e->stops[p->n_stops++] = word;
    }
    p->stops = e->stops;
    return 0;
}

/* One answer is greedy; several are sampled as in training. */
static int choose_params(Eval *e)
{
    const Config *c = &e->cfg;
    GenerateParams usual = {.sampling = {0, 0, 1, 0},
                            .max_tokens = (int)c->rollout.max_tokens,
                            .seed = (uint64_t)c->run.seed};
    if (e->samples > 1 || e->args.temperature > 0)
        usual.sampling = (SamplingParams){(float)c->rollout.temperature, (int)c->rollout.top_k,
                                          (float)c->rollout.top_p, (float)c->rollout.min_p};
    if (read_stops(e, &usual)) return -1;
    e->params = model_args_params(&e->args, &usual);
    /* the graders are told these */
    e->cfg.rollout.max_tokens = e->params.max_tokens;
    e->cfg.run.seed = (int64_t)e->params.seed;
    if (e->samples > 1 && e->params.sampling.temperature == 0)
        return fail("%d answers a problem at temperature 0 would all be the same: give a "
                    "temperature, or one sample",
                    e->samples);
    return 0;
}

static int choose_limit(Eval *e)
{
    int64_t there = prompts_count(e->prompts, SPLIT_HELDOUT);
    int64_t wanted = e->limit               ? e->limit
                     : e->cfg.eval.problems ? e->cfg.eval.problems
                     : there == INT64_MAX   ? USUAL_LIMIT
                                            : there;
    if (wanted > there && e->limit)
        fprintf(stderr, "there are %lld held-out problems, fewer than --limit\n", (long long)there);
    e->limit = wanted < there ? wanted : there;
    return e->limit ? 0 : fail("%s: no held-out problems", e->cfg.file);
}

static int open_out(Eval *e)
{
    if (!e->out) return 0;
    e->out_file = fopen(e->out, "w");
    if (e->out_file) return 0;
    fail("%s: %s", e->out, strerror(errno));
    return EXIT_CREATE;
}

int eval_open(Eval *e)
{
    if (access(e->path, F_OK)) {
        fail("%s: %s; a model is a Hugging Face folder, a .gguf file or a run's folder", e->path,
             strerror(errno));
        return EXIT_NO_INPUT;
    }
    if (read_config(e) || open_reward(e) || open_tally(e) || choose_params(e)) return EXIT_CONFIG;
    e->cfg.run.steps = e->cfg.sft.steps =
        0; /* nothing is trained: a file may be held out as a whole */
    KernelSet k = choose_kernels(e);
    if (policy_open(&e->policy, e->path, &k, false)) return EXIT_CONFIG;
    e->prompts = prompts_open(&e->cfg, e->policy.tok);
    if (!e->prompts || choose_limit(e)) return EXIT_CONFIG;
    if (reward_block_prepare(&e->block, &k, NULL, 0)) return EXIT_CONFIG;
    e->engine = engine_new(e->policy.model, e->policy.tok, (int)e->cfg.rollout.batch, 0);
    return open_out(e);
}

void eval_close(Eval *e)
{
    engine_free(e->engine);
    prompts_close(e->prompts);
    reward_block_close(&e->block);
    policy_close(&e->policy);
    tally_free(&e->tally);
    mem_free(e->stop_text);
    for (int i = 0; i < e->n_made; i++) mem_free(e->made_sets[i]);
    config_free(&e->cfg);
}

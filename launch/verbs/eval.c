/* troupe eval: how often a model is right: the same engine, templates and graders as training, on
 * held-out problems. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/sandbox.h"
#include "launch/eval_setup.h"
#include "launch/json_text.h"
#include "launch/verb.h"
#include "rewardsvc/service.h"

enum {
    KEY_TASK = 0x200,
    KEY_JSONL,
    KEY_CONFIG,
    KEY_SET,
    KEY_SAMPLES,
    KEY_LIMIT,
    KEY_REWARD,
    KEY_THRESHOLD,
    KEY_JSON,
    KEY_OUT
};
enum { CHUNK = 1024 /* groups that are in memory together */ };

/* ---- asking ---------------------------------------------------------------------------------- */

static const char *finish_name(FinishReason f)
{
    return f == FINISH_EOS ? "eos" : f == FINISH_STOP ? "stop" : "length";
}

static json_t *score_json(Score s)
{
    return s.status == SCORE_OK ? json_real(s.value) : json_null();
}

static void write_answer(const Eval *e, const Group *g, int i)
{
    const Sample *s = &g->samples[i];
    int right = tally_judge(&e->tally, s);
    json_t *o = json_object(), *components = json_object();
    for (int c = 0; c < e->block.n; c++)
        json_object_set_new(components, e->block.components[c].name,
                            json_pack("{s:o, s:s}", "value", score_json(s->components[c]), "status",
                                      score_status_name(s->components[c].status)));
    json_object_set_new(o, "problem", json_integer(g->problem));
    json_object_set_new(o, "sample", json_integer(i));
    json_object_set_new(o, "prompt", json_text(g->prompt_text, strlen(g->prompt_text)));
    json_object_set_new(o, "completion", json_text(s->text, strlen(s->text)));
    json_object_set_new(o, "record", json_loads(g->record, 0, NULL));
    json_object_set_new(o, "n_tokens", json_integer(s->n_tokens));
    json_object_set_new(o, "finish", json_string(finish_name(s->finish)));
    json_object_set_new(o, "right", right < 0 ? json_null() : json_boolean(right));
    json_object_set_new(o, "reward", score_json(s->reward));
    json_object_set_new(o, "status", json_string(score_status_name(s->reward.status)));
    json_object_set_new(o, "components", components);
    json_line(e->out_file, o);
}

static void judge(void *ctx, Group *g)
{
    Eval *e = ctx;
    service_score(&e->block, &e->cfg, g);
}

/* Problems run together and end together: progress is counted in answers. */
static void show(void *ctx)
{
    Eval *e = ctx;
    int64_t done = e->n_done;
    for (int i = 0; i < e->n_groups; i++)
        for (int j = 0; j < e->samples; j++) done += e->groups[i].samples[j].text != NULL;
    progress_show(&e->progress, done, NULL);
}

/* Problems first .. first+n-1, tallied in their order. */
static int ask(Eval *e, int64_t first, int n)
{
    Group *groups = NEW(Group, n), **list = NEW(Group *, n);
    int rc = 0, positions = model_desc(e->policy.model)->max_positions;
    for (int i = 0; i < n && !rc; i++) {
        list[i] = &groups[i];
        rc = prompts_fill(e->prompts, GROUP_EVAL, first + i, e->samples, 0, &groups[i]);
        if (!rc && groups[i].n_prompt >= positions)
            rc = fail("problem %lld: its prompt has %d tokens, the model %d positions: leave it "
                      "out of the file",
                      (long long)(first + i), groups[i].n_prompt, positions);
    }
    e->groups = groups;
    e->n_groups = n;
    if (!rc) engine_generate(e->engine, list, n, &e->params, 0, judge, show, e);
    for (int i = 0; i < n; i++) {
        if (!rc) tally_add(&e->tally, &groups[i]);
        for (int j = 0; !rc && e->out_file && j < e->samples; j++) write_answer(e, &groups[i], j);
        group_free(&groups[i]);
    }
    e->n_done += (int64_t)n * e->samples;
    mem_free(list);
    mem_free(groups);
    return rc;
}

static int ask_all(Eval *e)
{
    int rc = 0;
    progress_begin(&e->progress, "answers", e->limit * e->samples);
    for (int64_t i = 0; i < e->limit && !rc; i += CHUNK)
        rc = ask(e, i, (int)(e->limit - i < CHUNK ? e->limit - i : CHUNK));
    progress_end(&e->progress);
    return rc ? EXIT_CONFIG : 0;
}

/* ---- the outcome ----------------------------------------------------------------------------- */

static void print_outcome(const Eval *e)
{
    EngineStats s = engine_stats(e->engine);
    double seconds = s.prefill_s + s.decode_s,
           speed = seconds > 0 ? (double)s.decode_tokens / seconds : 0;
    char *formula = reward_block_formula(&e->block);
    if (e->json) {
        json_t *o = tally_json(&e->tally);
        json_object_set_new(o, "model", json_text(e->path, strlen(e->path)));
        json_object_set_new(o, "task", json_string(e->cfg.task.name));
        json_object_set_new(o, "reward", json_text(formula, strlen(formula)));
        json_object_set_new(o, "threshold", json_real(e->tally.threshold));
        json_object_set_new(o, "temperature", json_real((double)e->params.sampling.temperature));
        json_object_set_new(o, "max_tokens", json_integer(e->params.max_tokens));
        json_object_set_new(o, "seed", json_integer((json_int_t)e->params.seed));
        json_object_set_new(o, "tokens_per_s", json_real(speed));
        json_line(stdout, o);
    } else {
        printf("%s on %s, right where %s >= %g, temperature %g\n", e->path, e->cfg.task.name,
               e->tally.component < 0 ? formula : e->block.components[e->tally.component].name,
               e->tally.threshold, (double)e->params.sampling.temperature);
        tally_print(&e->tally, stdout);
        printf("  %.0f tokens/s\n", speed);
    }
    mem_free(formula);
}

static int close_out(Eval *e)
{
    if (!e->out_file || !fclose(e->out_file)) return 0;
    fail("%s: %s", e->out, strerror(errno));
    return EXIT_IO;
}

/* ---- the command line ------------------------------------------------------------------------ */

static void check_arguments(const Eval *e, const struct argp_state *state)
{
    if (!e->path) argp_error(state, "no model");
    if (!!e->config + !!e->task + !!e->jsonl > 1)
        argp_error(state, "--config, --task and --jsonl exclude each other");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Eval *e = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &e->args;
        return 0;
    case KEY_TASK:
        e->task = arg;
        return 0;
    case KEY_JSONL:
        e->jsonl = arg;
        return 0;
    case KEY_CONFIG:
        e->config = arg;
        return 0;
    case KEY_REWARD:
        e->reward = arg;
        return 0;
    case KEY_OUT:
        e->out = arg;
        return 0;
    case KEY_JSON:
        e->json = true;
        return 0;
    case KEY_SAMPLES:
        e->samples = (int)arg_integer(state, "samples", arg, 1, 1024);
        return 0;
    case KEY_LIMIT:
        e->limit = arg_integer(state, "limit", arg, 1, 1000000000);
        return 0;
    case KEY_THRESHOLD:
        e->threshold = arg_number(state, "threshold", arg, -1e6, 1e6);
        return 0;
    case KEY_SET:
        if (e->n_sets == EVAL_SETS - 4)
            argp_error(state, "more than %d times --set", EVAL_SETS - 4);
        e->sets[e->n_sets++] = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num) argp_error(state, "more than one model: %s", arg);
        e->path = arg;
        return 0;
    case ARGP_KEY_END:
        check_arguments(e, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"config", KEY_CONFIG, "FILE", 0, "task, template and reward of an experiment file", 1},
    {"task", KEY_TASK, "NAME", 0, "a built-in task; its settings with --set", 1},
    {"jsonl", KEY_JSONL, "FILE", 0,
     "rows with question and answer (other names: --set task.prompt_field=..., "
     "task.answer_field=...)",
     1},
    {"set", KEY_SET, "KEY=VALUE", 0, "an option of the experiment, for instance task.digits=4", 1},
    {"reward", KEY_REWARD, "NAME", 0, "judge by this reward instead", 1},
    {"threshold", KEY_THRESHOLD, "X", 0,
     "right where the reward reaches X; default: eval.threshold", 1},
    {"samples", KEY_SAMPLES, "K", 0, "answers to a problem; default 1", 1},
    {"limit", KEY_LIMIT, "N", 0,
     "problems; default: eval.problems, or all (500 where they are made without end)", 1},
    {"out", KEY_OUT, "FILE", 0, "every answer as JSONL", 1},
    {"json", KEY_JSON, 0, 0, "the outcome as a JSON object", 1},
    {0}};

static int run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&model_argp, 0, NULL, 2}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "MODEL",
        .doc =
            "Asks held-out problems and counts right answers: avg@k, pass@k (unbiased), maj@k, "
            "each with its 95 % interval. MODEL is a "
            "run's folder (which says itself what to ask), a Hugging Face folder or a .gguf file."
            "\vOne answer is greedy, several are sampled at rollout.temperature.\n\n"
            "Example: troupe eval runs/arithmetic --samples 8 --temperature 1",
        .children = children,
    };
    Eval e = {.args = model_args_empty(), .samples = 1, .threshold = NAN};
    argp_parse(&argp, argc, argv, 0, NULL, &e);
    if (sandbox_start()) return EXIT_UNABLE; /* before the model: see sandbox.h */
    int code = eval_open(&e);
    if (!code) code = ask_all(&e);
    int closed = close_out(&e);
    if (!code) code = closed;
    if (!code) print_outcome(&e);
    eval_close(&e);
    return code;
}

const Verb verb_eval = {"eval", "avg@k, pass@k, maj@k of a model or run on a task", 20, run};

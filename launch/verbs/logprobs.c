/* troupe logprobs: what a model thinks of given texts, token by token: the learner's own forward
 * pass seen from outside. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/jsonl.h"
#include "launch/json_text.h"
#include "launch/model_args.h"
#include "launch/progress.h"
#include "launch/verb.h"

enum { KEY_TEMPERATURE = 0x200, KEY_PRECISION, KEY_SPECIAL };

typedef struct {
    const char *path, *precision;
    double temperature;
    bool special;
    Policy policy;
    Trainer *trainer;
    TreeLayout tree;
} Logprobs;

/* Where the loss's view of the log-probabilities is kept. */
static void keep(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    (void)entropy, (void)dlp;
    memcpy((float *)ctx + i0, lp, (size_t)n * sizeof *lp);
}

/* lp [answer->n] of the answer's tokens after the prompt. */
static void score(Logprobs *l, const Ids *prompt, const Ids *answer, float *lp)
{
    int T = answer->n;
    int32_t *want = NEW(int32_t, T);
    tree_layout(&l->tree, prompt->data, prompt->n, 1, &T, &answer->data, false);
    for (int t = 0; t < T; t++) want[t] = t ? l->tree.first_row[0] + t - 1 : prompt->n - 1;
    trainer_group(l->trainer, &l->tree.rows, l->tree.n_pages, want, answer->data, T,
                  (float)(1 / l->temperature), keep, lp, NULL);
    mem_free(want);
}

static int encode_field(const Logprobs *l, const Jsonl *in, const json_t *row, const char *field,
                        bool first, Ids *ids)
{
    char *text = jsonl_text(in, row, field);
    if (!text) return -1;
    int rc = tokenizer_encode(l->policy.tok, text, strlen(text), l->special, first, ids);
    if (rc)
        jsonl_fail(in, "\"%s\" cannot be said in this model's tokens (the reason is above)", field);
    mem_free(text);
    return rc;
}

static int check_lengths(const Logprobs *l, const Jsonl *in, const Ids *prompt, const Ids *answer)
{
    int positions = model_desc(l->policy.model)->max_positions;
    if (!prompt->n)
        return jsonl_fail(in, "the prompt is empty and this model has no beginning-of-text token, "
                              "so nothing predicts the first token: "
                              "move the completion's beginning into the prompt");
    if (prompt->n + answer->n > positions)
        return jsonl_fail(in, "%d + %d tokens, the model has %d positions: shorten the row",
                          prompt->n, answer->n, positions);
    return 0;
}

/* Adds ids, logprobs and perplexity to the row. */
static int do_row(Logprobs *l, const Jsonl *in, json_t *row)
{
    Ids prompt = {0}, answer = {0};
    int rc = -1;
    if (encode_field(l, in, row, "prompt", true, &prompt)) goto done;
    if (encode_field(l, in, row, "completion", false, &answer)) goto done;
    if (check_lengths(l, in, &prompt, &answer)) goto done;
    float *lp = NEW(float, answer.n);
    double sum = 0;
    if (answer.n) score(l, &prompt, &answer, lp);
    for (int t = 0; t < answer.n; t++) sum += (double)lp[t];
    json_object_set_new(row, "ids", json_ids(answer.data, answer.n));
    json_object_set_new(row, "logprobs", json_floats(lp, answer.n));
    json_object_set_new(row, "perplexity",
                        answer.n ? json_real(exp(-sum / answer.n)) : json_null());
    mem_free(lp);
    rc = 0;
done:
    ids_free(&prompt);
    ids_free(&answer);
    return rc;
}

static int do_rows(Logprobs *l)
{
    Jsonl in;
    Progress progress;
    json_t *row;
    int rc;
    int64_t done = 0;
    if (jsonl_open(&in, "-")) return EXIT_NO_INPUT;
    progress_begin(&progress, "rows", 0);
    while ((rc = jsonl_next(&in, &row)) > 0) {
        rc = do_row(l, &in, row);
        if (rc) {
            json_decref(row);
            break;
        }
        json_line(stdout, row);
        progress_show(&progress, ++done, NULL);
    }
    progress_end(&progress);
    jsonl_close(&in);
    return rc ? EXIT_CONFIG : 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Logprobs *l = state->input;
    switch (key) {
    case KEY_TEMPERATURE:
        l->temperature = arg_number(state, "temperature", arg, 0.01, 100);
        return 0;
    case KEY_SPECIAL:
        l->special = true;
        return 0;
    case KEY_PRECISION:
        if (strcmp(arg, "f32") && strcmp(arg, "bf16"))
            argp_error(state, "--precision: %s is neither f32 nor bf16", arg);
        l->precision = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num)
            argp_error(state, "more than one MODEL; rows are read from standard input");
        l->path = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no model");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"precision", KEY_PRECISION, "f32|bf16", 0, "of products; default f32", 0},
    {"temperature", KEY_TEMPERATURE, "T", 0, "divides the logits; default 1", 0},
    {"special", KEY_SPECIAL, 0, 0, "special tokens written in the texts are tokens, not text", 0},
    {0}};

static int run(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "MODEL < IN.jsonl > OUT.jsonl",
        .doc =
            "Reads rows with \"prompt\" and \"completion\" and adds \"ids\" and \"logprobs\" of "
            "the completion's tokens, and its "
            "\"perplexity\" (null for an empty one). Prompt and completion are tokenised "
            "separately."
            "\vExample: echo '{\"prompt\": \"2 + 2 =\", \"completion\": \" 4\"}' | troupe logprobs "
            "models/SmolLM2-135M-Instruct.Q4_1.gguf",
    };
    Logprobs l = {.precision = "f32", .temperature = 1};
    argp_parse(&argp, argc, argv, 0, NULL, &l);
    int code = model_args_open(&l.policy, l.path, l.precision);
    if (!code) {
        l.trainer = trainer_new(l.policy.model);
        code = do_rows(&l);
        trainer_free(l.trainer);
    }
    tree_layout_free(&l.tree);
    policy_close(&l.policy);
    return code;
}

const Verb verb_logprobs = {"logprobs", "JSONL of prompts and completions to log-probabilities", 50,
                            run};

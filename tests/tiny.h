/* A small random decoder over an alphabet, and groups to write: what the engine's tests share. */
#ifndef TESTS_TINY_H
#define TESTS_TINY_H

#include "tests/harness.h"

#include "common/engine.h"
#include "common/rng.h"

typedef struct {
    Tokenizer *tok;
    Model *model;
} Tiny;

/* Weights are drawn wide, so that distributions are far from uniform and attention from an average.
 */
static inline Tiny tiny_new(Precision precision, ProductKind product)
{
    Tiny t = {.tok = tokenizer_from_alphabet(
                  "0 1 2 3 4 5 6 7 8 9 + - * = <think> </think> a b c d e f g h i j k l m n")};
    ModelDesc d = {.architecture = "llama",
                   .L = 2,
                   .C = 48,
                   .H = 4,
                   .Kh = 2,
                   .D = 12,
                   .F = 80,
                   .V = tokenizer_size(t.tok),
                   .max_positions = 160,
                   .rms_eps = 1e-5f,
                   .rope_theta = 10000,
                   .bos = -1,
                   .eos = tokenizer_eos(t.tok)};
    KernelSet k = {.precision = precision, .product = product};
    t.model = model_new(&d, &k, true);
    model_init_random(t.model, 5);
    size_t n;
    int n_params;
    const Param *p = model_param_table(t.model, &n_params, &n);
    float *w = model_master(t.model);
    for (int i = 0; i < n_params; i++)
        for (size_t j = 0; p[i].decay && j < (size_t)p[i].rows * (size_t)p[i].cols; j++)
            w[p[i].offset + j] *= 10;
    model_pack(t.model);
    return t;
}

static inline void tiny_free(Tiny *t)
{
    model_free(t->model);
    tokenizer_close(t->tok);
    *t = (Tiny){0};
}

/* A group with a random prompt of n_prompt tokens that depends on id alone. */
static inline Group tiny_group(const Tiny *t, int64_t id, int n_prompt, int n_samples)
{
    Group g = {.kind = GROUP_TRAIN, .id = id, .n_prompt = n_prompt, .n_samples = n_samples};
    g.prompt = NEW(int32_t, n_prompt);
    for (int i = 0; i < n_prompt; i++)
        g.prompt[i] = 1 + (int32_t)rng_below((uint32_t)tokenizer_size(t->tok) - 1, 9, STREAM_TASK,
                                             (uint64_t)id, (uint32_t)i, 0);
    g.samples = NEW(Sample, n_samples);
    return g;
}

static inline GenerateParams tiny_params(float temperature, int max_tokens)
{
    return (GenerateParams){
        .sampling = {temperature, 0, 1, 0}, .max_tokens = max_tokens, .seed = 77};
}

static inline void check_same_sample(const Sample *a, const Sample *b)
{
    ck_assert_int_eq(a->n_tokens, b->n_tokens);
    size_t n = 4 * (size_t)a->n_tokens;
    ck_assert(same_bits(a->tokens, b->tokens, n));
    ck_assert(same_bits(a->logprobs, b->logprobs, n));
    ck_assert(same_bits(a->logprobs_untempered, b->logprobs_untempered, n));
    ck_assert(same_bits(a->logprobs_sampled, b->logprobs_sampled, n));
    ck_assert(same_bits(a->versions, b->versions, n));
    ck_assert_int_eq(a->finish, b->finish);
    ck_assert_str_eq(a->text, b->text);
}

#endif

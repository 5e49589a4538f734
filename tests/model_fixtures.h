/* Small random models of every architecture, and a group to run through them. */
#ifndef TESTS_MODEL_FIXTURES_H
#define TESTS_MODEL_FIXTURES_H

#include <math.h>
#include <string.h>

#include "common/memory.h"
#include "common/model.h"
#include "common/rng.h"

/* Grouped queries, heads wider than C / H, odd vocabularies: shapes that no kernel likes. */
static const ModelDesc small_models[] = {
    {.architecture = "llama",
     .L = 3,
     .C = 48,
     .H = 6,
     .Kh = 2,
     .D = 8,
     .F = 80,
     .V = 61,
     .max_positions = 512,
     .rms_eps = 1e-5f,
     .rope_theta = 1e4,
     .tied = true,
     .bos = 0,
     .eos = 1},
    {.architecture = "llama",
     .L = 2,
     .C = 96,
     .H = 4,
     .Kh = 4,
     .D = 24,
     .F = 256,
     .V = 20,
     .max_positions = 512,
     .rms_eps = 1e-5f,
     .rope_theta = 1e4,
     .tied = false,
     .bos = 0,
     .eos = 1},
    {.architecture = "qwen2",
     .L = 2,
     .C = 64,
     .H = 4,
     .Kh = 1,
     .D = 16,
     .F = 96,
     .V = 131,
     .max_positions = 512,
     .rms_eps = 1e-6f,
     .rope_theta = 1e6,
     .tied = true,
     .qkv_bias = true,
     .bos = -1,
     .eos = 1},
    {.architecture = "qwen3",
     .L = 2,
     .C = 40,
     .H = 4,
     .Kh = 2,
     .D = 16,
     .F = 72,
     .V = 67,
     .max_positions = 512,
     .rms_eps = 1e-6f,
     .rope_theta = 1e6,
     .tied = false,
     .qk_norm = true,
     .bos = -1,
     .eos = 1},
};
enum { N_SMALL_MODELS = sizeof small_models / sizeof *small_models };

static inline KernelSet test_kernels(ProductKind product)
{
    return (KernelSet){.precision = product == PRODUCT_F32 ? PRECISION_F32 : PRECISION_BF16,
                       .product = product};
}

/* Weights large enough that attention is far from uniform, norms off 1, biases off 0. */
static inline Model *test_model(const ModelDesc *d, ProductKind product, uint64_t seed)
{
    KernelSet k = test_kernels(product);
    Model *m = model_new(d, &k, true);
    int count;
    const Param *p = model_param_table(m, &count, NULL);
    for (int i = 0; i < count; i++) {
        bool bias = strstr(p[i].name, ".bias"), norm = p[i].n_dims == 1 && !bias;
        float scale = p[i].n_dims == 2 ? 1.5f / sqrtf((float)p[i].cols) : 0.3f;
        if (strstr(p[i].name, "embed")) scale = 0.5f;
        for (size_t j = 0; j < (size_t)p[i].rows * (size_t)p[i].cols; j++)
            model_master(m)[p[i].offset + j] =
                (norm ? 1.0f : 0) + scale * rng_normal(seed, STREAM_INIT, p[i].offset + j, 0, 0);
    }
    model_pack(m);
    return m;
}

/* A prompt, answers, and the rows that predict the answers' tokens. */
typedef struct {
    int n_prompt, n, n_want;
    int *lengths;
    int32_t *prompt, **answers;
    int32_t *want, *target; /* [n_want] answer after answer */
    TreeLayout tree;
} TestGroup;

/* Tree and wanted rows of a group whose prompt and answers are set. */
static inline void test_group_lay_out(TestGroup *g)
{
    tree_layout(&g->tree, g->prompt, g->n_prompt, g->n, g->lengths, g->answers, false);
    g->n_want = 0;
    for (int i = 0; i < g->n; i++) g->n_want += g->lengths[i];
    g->want = NEW(int32_t, g->n_want);
    g->target = NEW(int32_t, g->n_want);
    for (int i = 0, at = 0; i < g->n; i++)
        for (int j = 0; j < g->lengths[i]; j++, at++) {
            g->want[at] = j ? g->tree.first_row[i] + j - 1 : g->n_prompt - 1;
            g->target[at] = g->answers[i][j];
        }
}

static inline TestGroup test_group(int V, int n_prompt, int n, int longest, uint64_t seed)
{
    TestGroup g = {.n_prompt = n_prompt,
                   .n = n,
                   .lengths = NEW(int, n),
                   .prompt = NEW(int32_t, n_prompt),
                   .answers = NEW(int32_t *, n)};
    for (int i = 0; i < n_prompt; i++)
        g.prompt[i] = (int32_t)rng_below((uint32_t)V, seed, STREAM_TASK, 0, 0, (uint32_t)i);
    for (int i = 0; i < n; i++) {
        g.lengths[i] = 1 + (int)rng_below((uint32_t)longest, seed, STREAM_TASK, 1, 0, (uint32_t)i);
        g.answers[i] = NEW(int32_t, g.lengths[i]);
        for (int j = 0; j < g.lengths[i]; j++)
            g.answers[i][j] =
                (int32_t)rng_below((uint32_t)V, seed, STREAM_TASK, 2, (uint32_t)i, (uint32_t)j);
    }
    test_group_lay_out(&g);
    return g;
}

static inline void test_group_free(TestGroup *g)
{
    for (int i = 0; i < g->n; i++) mem_free(g->answers[i]);
    mem_free(g->answers);
    mem_free(g->lengths);
    mem_free(g->prompt);
    mem_free(g->want);
    mem_free(g->target);
    tree_layout_free(&g->tree);
}

/* Loss = sum_i weight_i lp_i, and what the trainer said. */
typedef struct {
    const float *weight; /* [n_want] */
    float *lp, *entropy; /* [n_want] or NULL */
    double loss;
} TestLoss;

static inline void test_loss(void *ctx, int i0, int n, const float *lp, const float *entropy,
                             float *dlp)
{
    TestLoss *t = ctx;
    for (int i = 0; i < n; i++) {
        t->loss += (double)t->weight[i0 + i] * lp[i];
        dlp[i] = t->weight[i0 + i];
        if (t->lp) t->lp[i0 + i] = lp[i];
        if (t->entropy) t->entropy[i0 + i] = entropy[i];
    }
}

static inline float *test_weights(int n, uint64_t seed)
{
    float *w = NEW(float, n);
    for (int i = 0; i < n; i++) w[i] = 0.2f + rng_normal(seed, STREAM_TASK, 3, 0, (uint32_t)i);
    return w;
}

static inline double test_run(Trainer *t, const TestGroup *g, TestLoss *loss, float inv_temp,
                              float *grad)
{
    loss->loss = 0;
    trainer_group(t, &g->tree.rows, g->tree.n_pages, g->want, g->target, g->n_want, inv_temp,
                  test_loss, loss, grad);
    return loss->loss;
}

#endif

/* stories260K, a tiny trained Llama in the format of llama2.c, as a model of ours: a conformance
 * test against numbers that we did not make.
 *
 * The file is seven int32 (dim, hidden, layers, heads, kv heads, vocabulary, positions; a negative
 * vocabulary means a separate head) and then f32 tensors, each kind for all layers at once. Its
 * rotation turns neighbours (2i, 2i+1); ours turns (i, i + D/2) as Hugging Face does, so the rows
 * of q and k are reordered within each head. Its vocabulary (SentencePiece) is only needed to
 * print: `pieces`. */
#ifndef TESTS_STORIES_H
#define TESTS_STORIES_H

#include "tests/harness.h"

#include "common/memory.h"
#include "common/model.h"

typedef struct {
    ModelDesc desc;
    Model *model; /* trainable, f32 */
    Buffer weights, vocabulary;
    const char **pieces; /* [V], not terminated */
    int *lengths;        /* [V] */
} Stories;

/* Copies n tensors of `numbers` each into the parameters named by fmt (one %d: the layer), heads >
 * 0: undoing the rotation's order. */
static inline const float *stories_take(Stories *s, const float *from, const char *fmt, int n,
                                        int heads)
{
    int count;
    const Param *params = model_param_table(s->model, &count, NULL);
    for (int l = 0; l < n; l++) {
        char name[96];
        snprintf(name, sizeof name, fmt, l);
        const Param *p = params;
        while (p < params + count && strcmp(p->name, name)) p++;
        ck_assert_msg(p < params + count, "no parameter %s", name);
        float *to = model_master(s->model) + p->offset;
        size_t cols = (size_t)p->cols;
        for (int r = 0; r < p->rows; r++) {
            int D = heads ? p->rows / heads : 1, i = r % D, row = r;
            if (heads) row = r - i + (i < D / 2 ? 2 * i : 2 * (i - D / 2) + 1);
            memcpy(to + (size_t)r * cols, from + (size_t)row * cols, cols * sizeof *to);
        }
        from += (size_t)p->rows * cols;
    }
    return from;
}

static inline void stories_weights(Stories *s)
{
    const ModelDesc *d = &s->desc;
    const float *at = (const float *)(const void *)(s->weights.data + 7 * 4);
    at = stories_take(s, at, "model.embed_tokens.weight", 1, 0);
    at = stories_take(s, at, "model.layers.%d.input_layernorm.weight", d->L, 0);
    at = stories_take(s, at, "model.layers.%d.self_attn.q_proj.weight", d->L, d->H);
    at = stories_take(s, at, "model.layers.%d.self_attn.k_proj.weight", d->L, d->Kh);
    at = stories_take(s, at, "model.layers.%d.self_attn.v_proj.weight", d->L, 0);
    at = stories_take(s, at, "model.layers.%d.self_attn.o_proj.weight", d->L, 0);
    at = stories_take(s, at, "model.layers.%d.post_attention_layernorm.weight", d->L, 0);
    at = stories_take(s, at, "model.layers.%d.mlp.gate_proj.weight", d->L, 0);
    at = stories_take(s, at, "model.layers.%d.mlp.down_proj.weight", d->L, 0);
    at = stories_take(s, at, "model.layers.%d.mlp.up_proj.weight", d->L, 0);
    at = stories_take(s, at, "model.norm.weight", 1, 0);
    at += d->max_positions * d->D; /* its own table of cos and sin */
    ck_assert_msg((const char *)at == s->weights.data + s->weights.size, "%td numbers are left",
                  (const float *)(const void *)(s->weights.data + s->weights.size) - at);
    model_pack(s->model);
}

static inline void stories_vocabulary(Stories *s)
{
    s->pieces = NEW(const char *, s->desc.V);
    s->lengths = NEW(int, s->desc.V);
    size_t at = 4; /* the longest piece's length */
    for (int i = 0; i < s->desc.V; i++) {
        ck_assert_uint_le(at + 8, s->vocabulary.size);
        memcpy(&s->lengths[i], s->vocabulary.data + at + 4, 4); /* after its score */
        s->pieces[i] = s->vocabulary.data + at + 8;
        at += 8 + (size_t)s->lengths[i];
    }
    ck_assert_uint_eq(at, s->vocabulary.size);
}

static inline Stories stories_open(const char *data_dir)
{
    Stories s = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/stories260k/stories260K.bin", data_dir);
    ck_assert_int_eq(file_read(path, 1 << 24, &s.weights), 0);
    snprintf(path, sizeof path, "%s/stories260k/tok512.bin", data_dir);
    ck_assert_int_eq(file_read(path, 1 << 24, &s.vocabulary), 0);
    int32_t h[7];
    ck_assert_uint_gt(s.weights.size, sizeof h);
    memcpy(h, s.weights.data, sizeof h);
    ck_assert_msg(h[5] > 0, "a separate head is not in this file");
    s.desc = (ModelDesc){.architecture = "llama",
                         .C = h[0],
                         .F = h[1],
                         .L = h[2],
                         .H = h[3],
                         .Kh = h[4],
                         .D = h[0] / h[3],
                         .V = h[5],
                         .max_positions = h[6],
                         .rms_eps = 1e-5f,
                         .rope_theta = 10000,
                         .tied = true,
                         .bos = 1,
                         .eos = 2};
    KernelSet k = {.precision = PRECISION_F32, .product = PRODUCT_F32};
    s.model = model_new(&s.desc, &k, true);
    stories_weights(&s);
    stories_vocabulary(&s);
    return s;
}

static inline void stories_close(Stories *s)
{
    model_free(s->model);
    mem_free(s->pieces);
    mem_free(s->lengths);
    buffer_free(&s->weights);
    buffer_free(&s->vocabulary);
    *s = (Stories){0};
}

#endif

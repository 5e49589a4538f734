/* See tensor_names.h. */
#include "common/tensor_names.h"

#include <stdio.h>
#include <string.h>

#include "common/errors.h"

typedef enum { NONE, ONE, VOCABULARY, CHANNELS, QUERIES, KEYS, HEAD, MLP } Extent;
typedef enum { ALWAYS, IF_UNTIED, IF_QKV_BIAS, IF_QK_NORM, IF_SCALAR, IF_SCALAR_BIAS } Presence;

typedef struct {
    const char *name, *gguf_name;
    Extent rows, cols;
    Presence presence;
} Row;

static const Row before[] = {
    {"model.embed_tokens.weight", "token_embd.weight", VOCABULARY, CHANNELS, ALWAYS}};

/* After "model.layers.N." and "blk.N.". */
static const Row layer[] = {
    {"input_layernorm.weight", "attn_norm.weight", CHANNELS, NONE, ALWAYS},
    {"self_attn.q_proj.weight", "attn_q.weight", QUERIES, CHANNELS, ALWAYS},
    {"self_attn.k_proj.weight", "attn_k.weight", KEYS, CHANNELS, ALWAYS},
    {"self_attn.v_proj.weight", "attn_v.weight", KEYS, CHANNELS, ALWAYS},
    {"self_attn.q_proj.bias", "attn_q.bias", QUERIES, NONE, IF_QKV_BIAS},
    {"self_attn.k_proj.bias", "attn_k.bias", KEYS, NONE, IF_QKV_BIAS},
    {"self_attn.v_proj.bias", "attn_v.bias", KEYS, NONE, IF_QKV_BIAS},
    {"self_attn.q_norm.weight", "attn_q_norm.weight", HEAD, NONE, IF_QK_NORM},
    {"self_attn.k_norm.weight", "attn_k_norm.weight", HEAD, NONE, IF_QK_NORM},
    {"self_attn.o_proj.weight", "attn_output.weight", CHANNELS, QUERIES, ALWAYS},
    {"post_attention_layernorm.weight", "ffn_norm.weight", CHANNELS, NONE, ALWAYS},
    {"mlp.gate_proj.weight", "ffn_gate.weight", MLP, CHANNELS, ALWAYS},
    {"mlp.up_proj.weight", "ffn_up.weight", MLP, CHANNELS, ALWAYS},
    {"mlp.down_proj.weight", "ffn_down.weight", CHANNELS, MLP, ALWAYS},
};

static const Row after[] = {{"model.norm.weight", "output_norm.weight", CHANNELS, NONE, ALWAYS},
                            {"lm_head.weight", "output.weight", VOCABULARY, CHANNELS, IF_UNTIED},
                            {"score.weight", "cls.output.weight", ONE, CHANNELS, IF_SCALAR},
                            {"score.bias", "cls.output.bias", ONE, NONE, IF_SCALAR_BIAS}};

enum {
    N_BEFORE = sizeof before / sizeof *before,
    N_LAYER = sizeof layer / sizeof *layer,
    N_AFTER = sizeof after / sizeof *after
};

static bool is_there(const Row *r, const ModelDesc *d)
{
    switch (r->presence) {
    case IF_UNTIED:
        return !d->tied && !d->scalar;
    case IF_QKV_BIAS:
        return d->qkv_bias;
    case IF_QK_NORM:
        return d->qk_norm;
    case IF_SCALAR:
        return d->scalar;
    case IF_SCALAR_BIAS:
        return d->scalar_bias;
    default:
        return true;
    }
}

static int64_t extent(Extent e, const ModelDesc *d)
{
    switch (e) {
    case ONE:
        return 1;
    case VOCABULARY:
        return d->V;
    case CHANNELS:
        return d->C;
    case QUERIES:
        return (int64_t)d->H * d->D;
    case KEYS:
        return (int64_t)d->Kh * d->D;
    case HEAD:
        return d->D;
    case MLP:
        return d->F;
    default:
        return 0;
    }
}

static int count_rows(const Row *rows, int n, const ModelDesc *d)
{
    int count = 0;
    for (int i = 0; i < n; i++) count += is_there(&rows[i], d);
    return count;
}

int tensor_spec_count(const ModelDesc *d)
{
    return count_rows(before, N_BEFORE, d) + d->L * count_rows(layer, N_LAYER, d) +
           count_rows(after, N_AFTER, d);
}

/* The i-th row that is there. */
static const Row *pick(const Row *rows, int n, const ModelDesc *d, int i)
{
    for (int k = 0; k < n; k++)
        if (is_there(&rows[k], d) && i-- == 0) return &rows[k];
    return NULL;
}

void tensor_spec_at(const ModelDesc *d, int i, TensorSpec *out)
{
    int n_before = count_rows(before, N_BEFORE, d), n_layer = count_rows(layer, N_LAYER, d);
    REQUIRE(i >= 0 && i < tensor_spec_count(d), "tensor %d of %d", i, tensor_spec_count(d));
    const Row *r;
    *out = (TensorSpec){0};
    if (i >= n_before && i < n_before + d->L * n_layer) {
        int l = (i - n_before) / n_layer;
        r = pick(layer, N_LAYER, d, (i - n_before) % n_layer);
        snprintf(out->name, sizeof out->name, "model.layers.%d.%s", l, r->name);
        snprintf(out->gguf_name, sizeof out->gguf_name, "blk.%d.%s", l, r->gguf_name);
    } else {
        r = i < n_before ? pick(before, N_BEFORE, d, i)
                         : pick(after, N_AFTER, d, i - n_before - d->L * n_layer);
        snprintf(out->name, sizeof out->name, "%s", r->name);
        snprintf(out->gguf_name, sizeof out->gguf_name, "%s", r->gguf_name);
    }
    out->n_dims = r->cols == NONE ? 1 : 2;
    out->dims[0] = extent(r->rows, d);
    out->dims[1] = extent(r->cols, d);
    if (!strcmp(r->name, "self_attn.q_proj.weight")) out->rope_heads = d->H;
    if (!strcmp(r->name, "self_attn.k_proj.weight")) out->rope_heads = d->Kh;
}

static const char *translate(const Row *rows, int n, const char *gguf_name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(rows[i].gguf_name, gguf_name)) return rows[i].name;
    return NULL;
}

bool tensor_name_from_gguf(const char *name, size_t n, char out[96])
{
    char copy[96];
    int l, used = 0;
    REQUIRE(n < sizeof copy, "a name of %zu bytes", n);
    memcpy(copy, name, n);
    copy[n] = 0;
    memcpy(out, copy, n + 1);
    const char *hf = translate(before, N_BEFORE, copy);
    if (!hf) hf = translate(after, N_AFTER, copy);
    if (hf) {
        snprintf(out, 96, "%s", hf);
        return true;
    }
    /* up to six digits, and only as printf would write them: "blk.007." is another name */
    if (sscanf(copy, "blk.%6d.%n", &l, &used) != 1 || !used || l < 0) return false;
    hf = translate(layer, N_LAYER, copy + used);
    char again[96];
    if (!hf || snprintf(again, sizeof again, "blk.%d.%.60s", l, copy + used) < 0 ||
        strcmp(again, copy))
        return false;
    snprintf(out, 96, "model.layers.%d.%s", l, hf);
    return true;
}

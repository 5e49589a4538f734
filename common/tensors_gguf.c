/* A model in GGUF: metadata -> description, names translated.
 *
 * Whatever stands under the architecture's own prefix decides how the model computes, so every such
 * key is either read here, or must have the value that means "off", or is refused: an unknown
 * feature would give wrong numbers without a word. */
#include "common/tensors_internal.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/tensor_names.h"

enum { MOST_EXTENT = 1 << 24 };

typedef struct {
    const GgufFile *g;
    const char *arch;
    ModelDesc *d;
} Reader;

static const char *key_of(const Reader *r, const char *rest, char out[128])
{
    snprintf(out, 128, "%s.%s", r->arch, rest);
    return out;
}

/* A whole number from 1; otherwise: what it is if the key is absent, 0 for a key that must be
 * there. */
static int read_extent(const Reader *r, const char *rest, int otherwise, int *out)
{
    char key[128];
    int64_t v = otherwise;
    int got = gguf_get_int(r->g, key_of(r, rest, key), 1, MOST_EXTENT, &v);
    if (got < 0) return -1;
    if (!got && !otherwise)
        return fail("%s: metadata key %s is missing: convert the model again", gguf_name(r->g),
                    key);
    *out = (int)v;
    return 0;
}

static int read_float(const Reader *r, const char *rest, double otherwise, double *out)
{
    char key[128];
    *out = otherwise;
    int got = gguf_get_float(r->g, key_of(r, rest, key), out);
    if (got < 0) return -1;
    if (!got && otherwise == 0)
        return fail("%s: metadata key %s is missing: convert the model again", gguf_name(r->g),
                    key);
    return 0;
}

static int read_token(const Reader *r, const char *key, int *out)
{
    int64_t v = -1;
    if (gguf_get_int(r->g, key, 0, INT_MAX, &v) < 0) return -1;
    *out = (int)v;
    return 0;
}

/* ---- features that are not computed here ----------------------------------------------------- */

/* Keys that are read, or that say nothing about the numbers. */
static const char *const known[] = {
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.layer_norm_rms_epsilon",
    "rope.freq_base",
    "rope.dimension_count",
    "vocab_size",
    "rope.scaling.original_context_length", /* what scaling started from: the type decides whether
                                               there is any */
    "rope.scaling.finetuned"};

/* Keys that must have the value which means that the feature is off. */
static const struct {
    const char *rest;
    double off;
    const char *feature;
} neutral[] = {
    {"rope.scale_linear", 1, "scaled rotary positions"},
    {"rope.scaling.factor", 1, "scaled rotary positions"},
    {"rope.scaling.attn_factor", 1, "scaled rotary positions"},
    {"rope.scaling.yarn_log_multiplier", 0, "scaled rotary positions"},
    {"attention.sliding_window", 0, "sliding-window attention"},
    {"attention.causal", 1, "attention to later tokens"},
    {"attention.max_alibi_bias", 0, "ALiBi"},
    {"attention.clamp_kqv", 0, "clamped attention"},
    {"attn_logit_softcapping", 0, "capped attention logits"},
    {"final_logit_softcapping", 0, "capped logits"},
    {"logit_scale", 1, "scaled logits"},
    {"embedding_scale", 1, "scaled embeddings"},
    {"residual_scale", 1, "scaled residuals"},
    {"expert_count", 0, "experts"},
    {"expert_used_count", 0, "experts"},
    {"use_parallel_residual", 0, "parallel residuals"},
    {"nextn_predict_layers", 0, "layers that predict several tokens"},
    {"pooling_type", 0, "pooling"},
};

static int refuse(const Reader *r, const char *key, const char *feature)
{
    return fail(
        "%s: metadata key %s asks for %s, which is not computed here: use a model without it",
        gguf_name(r->g), key, feature);
}

/* The value as a number, whatever its type; false for texts and arrays. */
static bool number_of(const Reader *r, const char *key, double *v)
{
    GgufType type = GGUF_U8;
    bool is_array = false, b = false, ok;
    int64_t i = 0;
    if (!gguf_has(r->g, key, &type, &is_array) || is_array || type == GGUF_TEXT) return false;
    errors_quiet(
        1); /* another type is not the user's problem here: the key is refused as a whole */
    if (type == GGUF_BOOL) {
        ok = gguf_get_bool(r->g, key, &b) == 1;
        *v = b;
    } else if (type == GGUF_F32 || type == GGUF_F64) {
        ok = gguf_get_float(r->g, key, v) == 1;
    } else {
        ok = gguf_get_int(r->g, key, INT64_MIN, INT64_MAX, &i) == 1;
        *v = (double)i;
    }
    errors_quiet(-1);
    return ok;
}

static int check_text_key(const Reader *r, const char *key, const char *good, const char *feature)
{
    GgufText t = {"", 0};
    if (gguf_get_text(r->g, key, &t) != 1) return -1;
    return gguf_text_is(t, good) ? 0 : refuse(r, key, feature);
}

static int check_key(const Reader *r, const char *key, const char *rest)
{
    double v = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(rest, known[i])) return 0;
    for (size_t i = 0; i < sizeof neutral / sizeof *neutral; i++) {
        if (strcmp(rest, neutral[i].rest)) continue;
        return number_of(r, key, &v) && v == neutral[i].off ? 0
                                                            : refuse(r, key, neutral[i].feature);
    }
    if (!strcmp(rest, "rope.scaling.type"))
        return check_text_key(r, key, "none", "scaled rotary positions");
    if (!strcmp(rest,
                "tensor_data_layout")) /* such files have the same row order as converted ones */
        return check_text_key(r, key, "Meta AI original pth", "another layout of the weights");
    if (!strcmp(rest, "attention.scale") && number_of(r, key, &v) &&
        fabs(v * sqrt((double)r->d->D) - 1) < 1e-5)
        return 0;
    return fail("%s: metadata key %s is of a feature that this program does not know, and ignoring "
                "it could give "
                "wrong results: use a model without it",
                gguf_name(r->g), key);
}

static int check_features(const Reader *r)
{
    size_t prefix = strlen(r->arch);
    for (size_t i = 0; i < gguf_key_count(r->g); i++) {
        GgufText k = gguf_key_at(r->g, i);
        char key[128], shown[64];
        if (k.n <= prefix || memcmp(k.data, r->arch, prefix) || k.data[prefix] != '.') continue;
        if (k.n >= sizeof key || strlen(printable_text(shown, k.data, k.n)) != k.n)
            return fail(
                "%s: metadata key %s is not one that this program knows: convert the model again",
                gguf_name(r->g), printable_text(shown, k.data, k.n));
        memcpy(key, k.data, k.n);
        key[k.n] = 0;
        if (check_key(r, key, key + prefix + 1)) return -1;
    }
    return 0;
}

/* ---- description ----------------------------------------------------------------------------- */

static const GgufTensor *find_tensor(const GgufFile *g, const char *name)
{
    for (size_t i = 0; i < gguf_tensor_count(g); i++)
        if (gguf_text_is(gguf_tensor_at(g, i)->name, name)) return gguf_tensor_at(g, i);
    return NULL;
}

static int read_architecture(const GgufFile *g, ModelDesc *d)
{
    static const char *const ours[] = {"llama", "qwen2", "qwen3"};
    GgufText t = {"", 0};
    char shown[64];
    int got = gguf_get_text(g, "general.architecture", &t);
    if (got < 0) return -1;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (gguf_text_is(t, ours[i])) {
            snprintf(d->architecture, sizeof d->architecture, "%s", ours[i]);
            return 0;
        }
    return fail("%s: %s %s: models of the architectures llama, qwen2 and qwen3 are read",
                gguf_name(g), got ? "general.architecture is" : "general.architecture is missing",
                printable_text(shown, t.data, t.n));
}

static int read_heads(const Reader *r)
{
    ModelDesc *d = r->d;
    int value = 0, rotary = 0;
    if (read_extent(r, "attention.head_count", 0, &d->H) ||
        read_extent(r, "attention.head_count_kv", d->H, &d->Kh))
        return -1;
    int otherwise = d->C / d->H ? d->C / d->H : 1;
    if (read_extent(r, "attention.key_length", otherwise, &d->D) ||
        read_extent(r, "attention.value_length", otherwise, &value) ||
        read_extent(r, "rope.dimension_count", d->D, &rotary))
        return -1;
    if (value != d->D)
        return fail("%s: keys of %d numbers and values of %d: heads of one size are computed here",
                    gguf_name(r->g), d->D, value);
    if (rotary != d->D)
        return fail("%s: rotary positions on %d of %d numbers of a head, which is not computed "
                    "here: use a model that "
                    "rotates whole heads",
                    gguf_name(r->g), rotary, d->D);
    return 0;
}

static int read_vocabulary(const Reader *r)
{
    const GgufTensor *t = find_tensor(r->g, "token_embd.weight");
    int said = 0;
    if (!t || t->n_dims != 2 || t->dims[1] > MOST_EXTENT)
        return fail("%s: no embedding (tensor token_embd.weight with 2 dimensions): the file holds "
                    "no whole model",
                    gguf_name(r->g));
    r->d->V = (int)t->dims[1];
    if (read_extent(r, "vocab_size", r->d->V, &said)) return -1;
    if (said != r->d->V)
        return fail("%s: a vocabulary of %d in the metadata, of %d in the embedding: convert the "
                    "model again",
                    gguf_name(r->g), said, r->d->V);
    return 0;
}

static int read_desc(const GgufFile *g, ModelDesc *d)
{
    Reader r = {g, d->architecture, d};
    double eps = 0;
    if (read_architecture(g, d) || read_extent(&r, "block_count", 0, &d->L) ||
        read_extent(&r, "context_length", 0, &d->max_positions) ||
        read_extent(&r, "embedding_length", 0, &d->C) ||
        read_extent(&r, "feed_forward_length", 0, &d->F) || read_heads(&r) || read_vocabulary(&r) ||
        read_float(&r, "attention.layer_norm_rms_epsilon", 0, &eps) ||
        read_float(&r, "rope.freq_base", 10000, &d->rope_theta) ||
        read_token(&r, "tokenizer.ggml.bos_token_id", &d->bos) ||
        read_token(&r, "tokenizer.ggml.eos_token_id", &d->eos))
        return -1;
    d->rms_eps = (float)eps;
    d->tied = !find_tensor(g, "output.weight");
    d->qkv_bias = !strcmp(d->architecture, "qwen2");
    d->qk_norm = !strcmp(d->architecture, "qwen3");
    if (check_features(&r)) return -1;
    errors_quiet(1);
    int bad = model_desc_check(d);
    errors_quiet(-1);
    return bad ? fail("%s: %s: convert the model again", gguf_name(g), errors_last()) : 0;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static int take_tensor(const GgufFile *g, const GgufTensor *from, bool permuted, const ModelDesc *d,
                       Tensor *to)
{
    int type = gguf_dtype(from->type);
    tensor_name_from_gguf(from->name.data, from->name.n, to->name);
    if (type < 0)
        return fail("%s: tensor %.*s has the type %s; F32, F16, BF16, Q8_0, Q4_0 and Q4_1 are "
                    "read: convert the model to one "
                    "of these, for example with llama-quantize --allow-requantize",
                    gguf_name(g), (int)from->name.n, from->name.data, gguf_type_name(from->type));
    to->dtype = (Dtype)type;
    to->n_dims = from->n_dims;
    for (int i = 0; i < to->n_dims; i++) to->dims[i] = from->dims[to->n_dims - 1 - i];
    to->data = from->data;
    if (!permuted || to->n_dims != 2) return 0;
    if (strstr(to->name, ".self_attn.q_proj.weight")) to->rope_heads = d->H;
    if (strstr(to->name, ".self_attn.k_proj.weight")) to->rope_heads = d->Kh;
    to->rope_permuted = to->rope_heads > 0;
    return 0;
}

TensorFile *tensor_file_from_gguf(GgufFile *g)
{
    TensorFile *f = tensor_file_new(gguf_name(g));
    size_t n = gguf_tensor_count(g);
    Tensor *found = NEW(Tensor, n);
    int rc = -1;
    f->gguf = g;
    if (read_desc(g, &f->desc)) goto done;
    bool permuted = !strcmp(f->desc.architecture, "llama");
    for (size_t i = 0; i < n; i++)
        if (take_tensor(g, gguf_tensor_at(g, i), permuted, &f->desc, &found[i])) goto done;
    rc = tensor_file_settle(f, found, (int)n);
done:
    mem_free(found);
    if (!rc) return f;
    tensor_file_close(f);
    return NULL;
}

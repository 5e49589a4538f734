/* See hf_config.h. Defaults of absent keys are those of transformers' configuration classes
 * (LlamaConfig, Qwen2Config, Qwen3Config), read 2026-11. Keys that say how the model computes are
 * checked by name; the many that do not (dropout, initialiser, cache) are passed over. */
#include "common/hf_config.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/filemap.h"

enum { MOST_EXTENT = 1 << 24 };

typedef struct {
    const char *name;
    json_t *root;
    bool scalar; /* a reward model is wanted */
} Reader;

static const char *shown(char out[64], const json_t *v)
{
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    printable_text(out, text ? text : "?", text ? strlen(text) : 1);
    free(text);
    return out;
}

/* The value of a key, NULL if it is absent or null. */
static json_t *value(const json_t *object, const char *key)
{
    json_t *v = json_object_get(object, key);
    return json_is_null(v) ? NULL : v;
}

/* otherwise: what it is if the key is absent, -1 for a key that must be there. */
static int read_int(const Reader *r, const char *key, int64_t least, int64_t most, int otherwise,
                    int *out)
{
    json_t *v = value(r->root, key);
    char text[64];
    *out = otherwise;
    if (!v && otherwise == -1)
        return fail("%s: key \"%s\" is missing: fetch the model's config.json again", r->name, key);
    if (!v) return 0;
    if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most)
        return fail("%s: \"%s\" is %s, not a whole number in [%lld, %lld]", r->name, key,
                    shown(text, v), (long long)least, (long long)most);
    *out = (int)json_integer_value(v);
    return 0;
}

static int read_number(const Reader *r, const json_t *object, const char *key, double otherwise,
                       double *out)
{
    json_t *v = value(object, key);
    char text[64];
    *out = v ? json_number_value(v) : otherwise;
    if (v && !json_is_number(v))
        return fail("%s: \"%s\" is %s, not a number", r->name, key, shown(text, v));
    return 0;
}

static int read_bool(const Reader *r, const char *key, bool otherwise, bool *out)
{
    json_t *v = value(r->root, key);
    char text[64];
    *out = v ? json_is_true(v) : otherwise;
    if (v && !json_is_boolean(v))
        return fail("%s: \"%s\" is %s, not true or false", r->name, key, shown(text, v));
    return 0;
}

/* ---- features that are not computed here ----------------------------------------------------- */

static int refuse(const Reader *r, const char *key, const json_t *v, const char *feature)
{
    char text[64];
    return fail("%s: \"%s\" is %s: %s, which is not computed here: use a model without it", r->name,
                key, shown(text, v), feature);
}

/* Keys that must be absent, null, false, or the number that means "off". */
static const struct {
    const char *key;
    double off; /* NAN: no number means off */
    const char *feature;
} neutral[] = {
    {"attention_bias", 0, "biases in attention"},
    {"mlp_bias", 0, "biases in the MLP"},
    {"use_sliding_window", 0, "sliding-window attention"},
    {"partial_rotary_factor", 1, "rotary positions on a part of each head"},
    {"rotary_pct", 1, "rotary positions on a part of each head"},
    {"attn_logit_softcapping", 0, "capped attention logits"},
    {"final_logit_softcapping", 0, "capped logits"},
    {"logit_scale", 1, "scaled logits"},
    {"logits_scaling", 1, "scaled logits"},
    {"embedding_multiplier", 1, "scaled embeddings"},
    {"residual_multiplier", 1, "scaled residuals"},
    {"attention_multiplier", NAN, "another scale of attention"},
    {"query_pre_attn_scalar", NAN, "another scale of attention"},
    {"num_experts", 0, "experts"},
    {"num_local_experts", 0, "experts"},
    {"n_routed_experts", 0, "experts"},
    {"no_rope_layers", NAN, "layers without rotary positions"},
    {"no_rope_layer_interval", NAN, "layers without rotary positions"},
    {"quantization_config", NAN, "quantised weights"},
    {"compression_config", NAN, "quantised weights"},
    {"clip_qkv", NAN, "clamped attention"},
};

static bool is_off(const json_t *v, double off)
{
    if (!v || json_is_false(v)) return true;
    return json_is_number(v) && json_number_value(v) == off;
}

static int check_neutral(const Reader *r)
{
    for (size_t i = 0; i < sizeof neutral / sizeof *neutral; i++) {
        json_t *v = value(r->root, neutral[i].key);
        if (!is_off(v, neutral[i].off)) return refuse(r, neutral[i].key, v, neutral[i].feature);
    }
    return 0;
}

static bool text_is(const json_t *v, const char *s)
{
    return json_is_string(v) && !strcmp(json_string_value(v), s);
}

/* Every layer must attend to everything before it. Qwen2 and Qwen3 state a window that counts only
 * if use_sliding_window is true. */
static int check_windows(const Reader *r, const char *architecture)
{
    json_t *v = value(r->root, "sliding_window"), *layers = value(r->root, "layer_types"), *kind;
    size_t i;
    if (v && !strcmp(architecture, "llama"))
        return refuse(r, "sliding_window", v, "sliding-window attention");
    if (layers && !json_is_array(layers))
        return refuse(r, "layer_types", layers, "layers of an unknown kind");
    json_array_foreach(layers, i, kind)
    {
        if (!text_is(kind, "full_attention"))
            return refuse(r, "layer_types", kind, "layers of another kind");
    }
    return 0;
}

static int check_activation(const Reader *r)
{
    static const char *const keys[] = {"hidden_act", "hidden_activation"};
    for (int i = 0; i < 2; i++) {
        json_t *v = value(r->root, keys[i]);
        if (v && !text_is(v, "silu") && !text_is(v, "swish"))
            return refuse(r, keys[i], v, "another activation than SiLU");
    }
    return 0;
}

/* One object of either spelling: {"type" | "rope_type": ..., "factor": ..., "rope_theta": ...}.
 * Unknown members are refused: each changes angles. */
static int check_rope_object(const Reader *r, const char *where, const json_t *rope, double *theta)
{
    const char *key;
    json_t *v;
    double x = 0;
    if (!json_is_object(rope)) return refuse(r, where, rope, "scaled rotary positions");
    json_object_foreach((json_t *)rope, key, v)
    {
        if (json_is_null(v)) continue;
        if (!strcmp(key, "type") || !strcmp(key, "rope_type")) {
            if (!text_is(v, "default")) return refuse(r, where, rope, "scaled rotary positions");
        } else if (!strcmp(key, "rope_theta")) {
            if (read_number(r, rope, key, 0, theta)) return -1;
        } else if (!strcmp(key, "factor") || !strcmp(key, "partial_rotary_factor") ||
                   !strcmp(key, "attention_factor")) {
            if (read_number(r, rope, key, 1, &x)) return -1;
            if (x != 1) return refuse(r, where, rope, "scaled rotary positions");
        } else if (strcmp(key, "original_max_position_embeddings")) {
            return refuse(r, where, rope, "rotary positions of an unknown kind");
        }
    }
    return 0;
}

/* Transformers up to 4 writes rope_theta and rope_scaling, from 5 on rope_parameters. */
static int read_rope(const Reader *r, ModelDesc *d)
{
    json_t *old = value(r->root, "rope_scaling"), *new = value(r->root, "rope_parameters");
    if (read_number(r, r->root, "rope_theta", 10000, &d->rope_theta)) return -1;
    if (old && check_rope_object(r, "rope_scaling", old, &d->rope_theta)) return -1;
    return new ? check_rope_object(r, "rope_parameters", new, &d->rope_theta) : 0;
}

/* ---- description ----------------------------------------------------------------------------- */

static const struct {
    const char *model_type, *class_name, *scalar_name;
} kinds[] = {{"llama", "LlamaForCausalLM", "LlamaForSequenceClassification"},
             {"qwen2", "Qwen2ForCausalLM", "Qwen2ForSequenceClassification"},
             {"qwen3", "Qwen3ForCausalLM", "Qwen3ForSequenceClassification"}};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* The first of the classes must be the one of its kind. */
static int check_class(const Reader *r, const json_t *classes, int kind)
{
    const char *causal = kinds[kind].class_name, *scalar = kinds[kind].scalar_name;
    const json_t *first = json_array_get(classes, 0);
    char text[64];
    if (r->scalar && !text_is(first, scalar))
        return fail(
            "%s: \"architectures\" is %s, not [\"%s\"]: a reward model with a scalar head is "
            "wanted",
            r->name, shown(text, classes), scalar);
    if (!r->scalar && text_is(first, scalar))
        return fail(
            "%s: \"architectures\" is %s: a reward model with a scalar head writes nothing; "
            "it can only be the model of a judge that judge_scalar asks",
            r->name, shown(text, classes));
    if (!r->scalar && classes && !text_is(first, causal))
        return fail("%s: \"architectures\" is %s, not [\"%s\"]: a causal language model is wanted",
                    r->name, shown(text, classes), causal);
    return 0;
}

static int read_architecture(const Reader *r, ModelDesc *d)
{
    json_t *type = value(r->root, "model_type"), *classes = value(r->root, "architectures");
    char text[64];
    for (int i = 0; i < N_KINDS; i++) {
        if (!text_is(type, kinds[i].model_type)) continue;
        if (check_class(r, classes, i)) return -1;
        strcpy(d->architecture, kinds[i].model_type);
        d->qkv_bias = !strcmp(d->architecture, "qwen2");
        d->qk_norm = !strcmp(d->architecture, "qwen3");
        return 0;
    }
    if (!type)
        return fail("%s: key \"model_type\" is missing: is this a model's config.json?", r->name);
    return fail("%s: \"model_type\" is %s: models of the kinds llama, qwen2 and qwen3 are read",
                r->name, shown(text, type));
}

static int read_sizes(const Reader *r, ModelDesc *d)
{
    if (read_int(r, "num_hidden_layers", 1, MOST_EXTENT, -1, &d->L) ||
        read_int(r, "hidden_size", 1, MOST_EXTENT, -1, &d->C) ||
        read_int(r, "intermediate_size", 1, MOST_EXTENT, -1, &d->F) ||
        read_int(r, "vocab_size", 1, MOST_EXTENT, -1, &d->V) ||
        read_int(r, "num_attention_heads", 1, MOST_EXTENT, -1, &d->H) ||
        read_int(r, "num_key_value_heads", 1, MOST_EXTENT,
                 strcmp(d->architecture, "llama") ? -1 : d->H, &d->Kh) ||
        read_int(r, "max_position_embeddings", 1, 1 << 30, -1, &d->max_positions))
        return -1;
    /* Qwen3Config alone has a fixed default; a head size that C does not give is refused by the
     * shapes of the tensors */
    int otherwise = d->qk_norm ? 128 : d->C / d->H;
    return read_int(r, "head_dim", 1, MOST_EXTENT, otherwise ? otherwise : 1, &d->D);
}

/* An id, a list of ids (the first counts here: the tokenizer knows them all), or none. */
static int read_token(const Reader *r, const char *key, int *out)
{
    json_t *v = value(r->root, key);
    char text[64];
    *out = -1;
    if (json_is_array(v)) v = json_array_get(v, 0);
    if (!v) return 0;
    if (!json_is_integer(v) || json_integer_value(v) < -1 || json_integer_value(v) >= MOST_EXTENT)
        return fail("%s: \"%s\" is %s, not a token's id", r->name, key, shown(text, v));
    *out = (int)json_integer_value(v);
    return 0;
}

/* Transformers keeps the number of labels as their names; where both are absent the tensor decides.
 */
static int check_one_label(const Reader *r)
{
    json_t *names = value(r->root, "id2label"), *count = value(r->root, "num_labels");
    size_t n = names ? json_object_size(names) : 1;
    char text[64];
    if (count && !(json_is_integer(count) && json_integer_value(count) == 1))
        return fail("%s: \"num_labels\" is %s: a head of one number is wanted", r->name,
                    shown(text, count));
    if (n == 1) return 0;
    return fail("%s: \"id2label\" names %zu labels: a head of one number is wanted", r->name, n);
}

static int read_head(const Reader *r, ModelDesc *d)
{
    d->scalar = r->scalar;
    d->pad = -1;
    if (!r->scalar) return 0;
    return check_one_label(r) ? -1 : read_token(r, "pad_token_id", &d->pad);
}

static int read_desc(const Reader *r, ModelDesc *d)
{
    double eps = 0;
    if (read_architecture(r, d) || read_sizes(r, d) ||
        read_number(r, r->root, "rms_norm_eps", 1e-6, &eps) || read_rope(r, d) ||
        read_bool(r, "tie_word_embeddings", false, &d->tied) ||
        read_token(r, "bos_token_id", &d->bos) || read_token(r, "eos_token_id", &d->eos) ||
        read_head(r, d) || check_neutral(r) || check_windows(r, d->architecture) ||
        check_activation(r))
        return -1;
    d->rms_eps = (float)eps;
    errors_quiet(1);
    int bad = model_desc_check(d);
    errors_quiet(-1);
    return bad ? fail("%s: %s", r->name, errors_last()) : 0;
}

/* jansson recurses to 2048 levels and copes; no configuration nests past a handful, and a deep one
 * is no configuration. */
static bool is_flat(const json_t *v, int levels)
{
    const char *key;
    json_t *member;
    size_t i;
    if (levels == 0) return false;
    json_object_foreach((json_t *)v, key, member) if (!is_flat(member, levels - 1)) return false;
    json_array_foreach(v, i, member) if (!is_flat(member, levels - 1)) return false;
    return true;
}

static int parse(const char *name, const char *text, size_t n, bool scalar, ModelDesc *d)
{
    json_error_t e;
    char what[64];
    int rc = -1;
    Reader r = {name, json_loadb(text, n, JSON_REJECT_DUPLICATES, &e), scalar};
    *d = (ModelDesc){0};
    if (!r.root)
        return fail("%s:%d:%d: %s: fetch the model's config.json again", name, e.line, e.column,
                    printable_text(what, e.text, strlen(e.text)));
    if (!json_is_object(r.root) || !is_flat(r.root, 64))
        fail("%s: not a JSON object of at most 64 levels: fetch the model's config.json again",
             name);
    else
        rc = read_desc(&r, d);
    json_decref(r.root);
    return rc;
}

int hf_config_parse(const char *name, const char *text, size_t n, ModelDesc *d)
{
    return parse(name, text, n, false, d);
}

int hf_config_parse_scalar(const char *name, const char *text, size_t n, ModelDesc *d)
{
    return parse(name, text, n, true, d);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void dump(json_t *root, Buffer *out)
{
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    REQUIRE(text, "a configuration cannot be written");
    buffer_text(out, text);
    buffer_text(out, "\n");
    free(text);
    json_decref(root);
}

static void set_token(json_t *root, const char *key, int id)
{
    json_object_set_new(root, key, id < 0 ? json_null() : json_integer(id));
}

/* The shortest decimal that gives this float back: 1e-05, not 9.9999997473787516e-06. */
static double short_decimal(float x)
{
    char text[32];
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
        if (strtof(text, NULL) == x) break;
    }
    return strtod(text, NULL);
}

void hf_config_write(const ModelDesc *d, Dtype dtype, Buffer *config, Buffer *generation)
{
    const char *class_name = kinds[0].class_name;
    for (int i = 0; i < N_KINDS; i++)
        if (!strcmp(kinds[i].model_type, d->architecture)) class_name = kinds[i].class_name;
    const char *torch = dtype == DTYPE_F32   ? "float32"
                        : dtype == DTYPE_F16 ? "float16"
                                             : "bfloat16";
    /* rope_theta in both spellings: old and new transformers read it */
    json_t *root =
        json_pack("{s:[s], s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, "
                  "s:{s:s, s:f}, s:b, s:b}",
                  "architectures", class_name, "model_type", d->architecture, "torch_dtype", torch,
                  "hidden_act", "silu", "num_hidden_layers", d->L, "hidden_size", d->C,
                  "intermediate_size", d->F, "vocab_size", d->V, "num_attention_heads", d->H,
                  "num_key_value_heads", d->Kh, "head_dim", d->D, "max_position_embeddings",
                  d->max_positions, "rms_norm_eps", short_decimal(d->rms_eps), "rope_theta",
                  d->rope_theta, "rope_parameters", "rope_type", "default", "rope_theta",
                  d->rope_theta, "tie_word_embeddings", d->tied, "attention_bias", d->qkv_bias);
    REQUIRE(root, "a configuration cannot be packed");
    if (d->qkv_bias)
        json_object_del(root, "attention_bias"); /* Qwen2 has its biases without asking */
    set_token(root, "bos_token_id", d->bos);
    set_token(root, "eos_token_id", d->eos);
    dump(root, config);
    root = json_pack("{s:b}", "_from_model_config", 1);
    if (d->bos >= 0) set_token(root, "bos_token_id", d->bos);
    if (d->eos >= 0) set_token(root, "eos_token_id", d->eos);
    dump(root, generation);
}

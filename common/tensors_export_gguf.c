/* A model into one GGUF file (version 3) that llama.cpp loads: metadata, tokenizer, then the
 * numbers.
 *
 * llama.cpp multiplies vectors (norms, biases) in f32 only, so they stay F32 whatever is asked for;
 * a matrix whose rows are no multiple of a Q8_0 block becomes F16. */
#include <string.h>

#include "common/errors.h"
#include "common/gguf.h"
#include "common/memory.h"
#include "common/tensors_export.h"
#include "common/tokenizer.h"

enum { ALIGNMENT = 32 };

/* ---- metadata -------------------------------------------------------------------------------- */

typedef struct {
    Buffer bytes;
    uint64_t n;
} Keys;

static void add_raw_text(Buffer *b, const char *s, size_t n)
{
    uint64_t length = n;
    buffer_add(b, &length, 8);
    buffer_add(b, s, n);
}

static void add_u32(Buffer *b, uint32_t v)
{
    buffer_add(b, &v, 4);
}

static void add_u64(Buffer *b, uint64_t v)
{
    buffer_add(b, &v, 8);
}

static void begin_key(Keys *k, const char *key, GgufType type)
{
    add_raw_text(&k->bytes, key, strlen(key));
    add_u32(&k->bytes, type);
    k->n++;
}

static void put_u32(Keys *k, const char *key, uint32_t v)
{
    begin_key(k, key, GGUF_U32);
    add_u32(&k->bytes, v);
}

static void put_f32(Keys *k, const char *key, float v)
{
    begin_key(k, key, GGUF_F32);
    buffer_add(&k->bytes, &v, 4);
}

static void put_bool(Keys *k, const char *key, bool v)
{
    char byte = v;
    begin_key(k, key, GGUF_BOOL);
    buffer_add(&k->bytes, &byte, 1);
}

static void put_text(Keys *k, const char *key, const char *s)
{
    begin_key(k, key, GGUF_TEXT);
    add_raw_text(&k->bytes, s, strlen(s));
}

static void begin_array(Keys *k, const char *key, GgufType elements, uint64_t n)
{
    begin_key(k, key, GGUF_ARRAY);
    add_u32(&k->bytes, elements);
    add_u64(&k->bytes, n);
}

/* Under the architecture's own prefix. */
static void put_size(Keys *k, const ModelDesc *d, const char *rest, int v)
{
    char *key = mem_printf("%s.%s", d->architecture, rest);
    put_u32(k, key, (uint32_t)v);
    mem_free(key);
}

static void put_number(Keys *k, const ModelDesc *d, const char *rest, float v)
{
    char *key = mem_printf("%s.%s", d->architecture, rest);
    put_f32(k, key, v);
    mem_free(key);
}

/* general.file_type, numbers of llama.cpp's enum llama_ftype. */
static uint32_t file_type(Dtype t)
{
    return t == DTYPE_F32 ? 0 : t == DTYPE_F16 ? 1 : t == DTYPE_BF16 ? 32 : 7;
}

static void put_model(Keys *k, const ModelDesc *d, Dtype dtype)
{
    put_text(k, "general.architecture", d->architecture);
    put_text(k, "general.type", "model");
    put_u32(k, "general.file_type", file_type(dtype));
    put_u32(k, "general.quantization_version", 2);
    put_u32(k, "general.alignment", ALIGNMENT);
    put_size(k, d, "block_count", d->L);
    put_size(k, d, "context_length", d->max_positions);
    put_size(k, d, "embedding_length", d->C);
    put_size(k, d, "feed_forward_length", d->F);
    put_size(k, d, "attention.head_count", d->H);
    put_size(k, d, "attention.head_count_kv", d->Kh);
    put_size(k, d, "attention.key_length", d->D);
    put_size(k, d, "attention.value_length", d->D);
    put_size(k, d, "rope.dimension_count", d->D);
    put_size(k, d, "vocab_size", d->V);
    put_number(k, d, "rope.freq_base", (float)d->rope_theta);
    put_number(k, d, "attention.layer_norm_rms_epsilon", d->rms_eps);
}

/* ---- tokenizer ------------------------------------------------------------------------------- */

static void put_tokens(Keys *k, const Tokenizer *tok, int V)
{
    int n = tokenizer_size(tok);
    begin_array(k, "tokenizer.ggml.tokens", GGUF_TEXT, (uint64_t)V);
    for (int i = 0; i < V;
         i++) { /* models pad the embedding past the vocabulary: those rows get names too */
        Buffer text = {0};
        if (i < n)
            tokenizer_token_text(tok, i, &text);
        else
            buffer_printf(&text, "[PAD%d]", i);
        add_raw_text(&k->bytes, text.data ? text.data : "", text.size);
        buffer_free(&text);
    }
    begin_array(k, "tokenizer.ggml.token_type", GGUF_I32, (uint64_t)V);
    for (int i = 0; i < V; i++)
        add_u32(&k->bytes, (uint32_t)(i < n ? tokenizer_token_type(tok, i) : TOKEN_UNUSED));
}

static void put_merges(Keys *k, const Tokenizer *tok)
{
    int n = tokenizer_merge_count(tok);
    begin_array(k, "tokenizer.ggml.merges", GGUF_TEXT, (uint64_t)n);
    for (int i = 0; i < n; i++) {
        Buffer text = {0};
        tokenizer_merge_text(tok, i, &text);
        add_raw_text(&k->bytes, text.data ? text.data : "", text.size);
        buffer_free(&text);
    }
}

static void put_id(Keys *k, const char *key, int id)
{
    if (id >= 0) put_u32(k, key, (uint32_t)id);
}

/* GGUF has room for one more id that ends an answer (Qwen: <|im_end|> and <|endoftext|>); -1 if
 * there is none. */
static int second_end(const Tokenizer *tok)
{
    for (int i = 0; i < tokenizer_size(tok); i++)
        if (i != tokenizer_eos(tok) && tokenizer_is_eos(tok, i)) return i;
    return -1;
}

static int put_tokenizer(Keys *k, const char *path, const ModelDesc *d, const Tokenizer *tok)
{
    const char *pre = tokenizer_pre_name(tok), *chat = tokenizer_chat_template(tok);
    if (tokenizer_size(tok) > d->V)
        return fail("%s: the tokenizer has %d ids, the model's embedding %d rows: they belong to "
                    "different models",
                    path, tokenizer_size(tok), d->V);
    if (!pre && tokenizer_kind(tok) == TOKENIZER_BPE)
        return fail("%s: GGUF has no name for this tokenizer's pre-tokeniser, so other programs "
                    "would split text otherwise: export to a Hugging "
                    "Face folder",
                    path);
    put_text(k, "tokenizer.ggml.model", "gpt2");
    put_text(k, "tokenizer.ggml.pre",
             pre ? pre : "gpt-2"); /* an alphabet's tokens are all cut out before it is asked */
    put_tokens(k, tok, d->V);
    put_merges(k, tok);
    put_id(k, "tokenizer.ggml.bos_token_id", tokenizer_bos_id(tok));
    put_id(k, "tokenizer.ggml.eos_token_id", tokenizer_eos(tok));
    put_id(k, "tokenizer.ggml.eot_token_id", second_end(tok));
    put_id(k, "tokenizer.ggml.padding_token_id", tokenizer_pad_id(tok));
    put_bool(k, "tokenizer.ggml.add_bos_token", tokenizer_bos(tok) >= 0);
    put_bool(k, "tokenizer.ggml.add_space_prefix", false);
    if (chat) put_text(k, "tokenizer.chat_template", chat);
    return 0;
}

/* ---- the file -------------------------------------------------------------------------------- */

static Dtype stored_as(const TensorSpec *s, Dtype dtype)
{
    if (s->n_dims == 1) return DTYPE_F32;
    return dtype == DTYPE_Q8_0 && s->dims[1] % dtype_block(DTYPE_Q8_0) ? DTYPE_F16 : dtype;
}

static uint32_t ggml_type(Dtype t)
{
    return t == DTYPE_F32 ? 0 : t == DTYPE_F16 ? 1 : t == DTYPE_Q8_0 ? 8 : 30;
}

static uint64_t padded(uint64_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void add_tensor_infos(Buffer *b, const ModelDesc *d, Dtype dtype)
{
    uint64_t at = 0;
    for (int i = 0; i < tensor_spec_count(d); i++) {
        TensorSpec s;
        tensor_spec_at(d, i, &s);
        Dtype t = stored_as(&s, dtype);
        uint64_t count = (uint64_t)s.dims[0] * (s.n_dims == 2 ? (uint64_t)s.dims[1] : 1);
        add_raw_text(b, s.gguf_name, strlen(s.gguf_name));
        add_u32(b, (uint32_t)s.n_dims);
        for (int k = s.n_dims - 1; k >= 0; k--) add_u64(b, (uint64_t)s.dims[k]);
        add_u32(b, ggml_type(t));
        add_u64(b, at);
        at = padded(at + dtype_bytes(t, count));
    }
}

static void write_padding(Aside *a)
{
    static const char zeros[ALIGNMENT];
    aside_write(a, zeros, (size_t)(padded(a->written) - a->written));
}

static int write_file(const char *path, const Buffer *header, const ModelDesc *d,
                      tensor_fetch_fn *fetch, void *ctx, Dtype dtype)
{
    bool good = true, interleave = !strcmp(d->architecture, "llama");
    Aside a;
    if (aside_open(&a, path)) return -1;
    aside_write(&a, header->data, header->size);
    write_padding(&a);
    for (int i = 0; good && i < tensor_spec_count(d); i++) {
        TensorSpec s;
        tensor_spec_at(d, i, &s);
        good = !tensor_write(&a, &s, fetch, ctx, stored_as(&s, dtype), interleave);
        write_padding(&a);
    }
    return aside_close(&a, good);
}

int tensors_export_gguf_from(const char *path, const ModelDesc *d, tensor_fetch_fn *fetch,
                             void *ctx, Dtype dtype, const Tokenizer *tok)
{
    Keys keys = {0};
    Buffer header = {0};
    int rc = -1;
    if (dtype != DTYPE_F32 && dtype != DTYPE_F16 && dtype != DTYPE_BF16 && dtype != DTYPE_Q8_0)
        return fail("%s: %s is read but not written: ask for F32, F16, BF16 or Q8_0", path,
                    dtype_name(dtype));
    if (model_desc_check(d)) return -1;
    put_model(&keys, d, dtype);
    if (tok) {
        if (put_tokenizer(&keys, path, d, tok)) goto done;
    } else {
        put_id(&keys, "tokenizer.ggml.bos_token_id", d->bos);
        put_id(&keys, "tokenizer.ggml.eos_token_id", d->eos);
    }
    buffer_text(&header, "GGUF");
    add_u32(&header, 3);
    add_u64(&header, (uint64_t)tensor_spec_count(d));
    add_u64(&header, keys.n);
    buffer_add(&header, keys.bytes.data, keys.bytes.size);
    add_tensor_infos(&header, d, dtype);
    rc = write_file(path, &header, d, fetch, ctx, dtype);
done:
    buffer_free(&keys.bytes);
    buffer_free(&header);
    return rc;
}

int tensors_export_gguf(const char *path, const ModelDesc *d, const TensorView *t, int n,
                        Dtype dtype, const Tokenizer *tok)
{
    TensorList list = {t, n};
    if (model_desc_check(d) || tensor_list_check(&list, d)) return -1;
    return tensors_export_gguf_from(path, d, tensor_list_fetch, &list, dtype, tok);
}

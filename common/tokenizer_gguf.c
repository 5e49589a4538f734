/* The tokenizer in a GGUF file's metadata (tokenizer.ggml.*). The file names the pre-tokeniser
 * instead of carrying it; a name that this program does not know is refused, since a wrong cut
 * gives wrong ids without a sign. */
#include "common/tokenizer_parts.h"

#include <string.h>

#include "common/errors.h"
#include "common/gguf.h"

static char *text_copy(GgufText x)
{
    return mem_text_n(x.data ? x.data : "", x.n);
}

/* A text key that must be there, as a C string the caller frees; NULL with the reason. */
static char *needed_text(const GgufFile *f, const char *key, const char *advice)
{
    GgufText x;
    int rc = gguf_get_text(f, key, &x);
    if (!rc) fail("%s: %s is missing; %s", gguf_name(f), key, advice);
    return rc == 1 ? text_copy(x) : NULL;
}

static int set_token(Tokenizer *t, int id, GgufText text, int64_t type)
{
    switch (type) {
    case TOKEN_NORMAL:
        return tokenizer_set_spelled(t, id, text.data, text.n, TOKEN_NORMAL);
    case TOKEN_UNUSED:
        return tokenizer_set(t, id, text.data, text.n, TOKEN_UNUSED);
    case TOKEN_UNKNOWN:
    case TOKEN_CONTROL:
    case TOKEN_USER_DEFINED:
        t->tokens[id].added = true;
        return tokenizer_set_spelled(t, id, text.data, text.n,
                                     type == TOKEN_USER_DEFINED ? TOKEN_USER_DEFINED
                                                                : TOKEN_CONTROL);
    default:
        return fail(
            "%s: tokenizer.ggml.token_type of token %d is %lld, which byte-level BPE does not have",
            t->where, id, (long long)type);
    }
}

/* No merges and no normal tokens: an alphabet, as tensors_export_gguf writes one. */
static bool is_alphabet(const int64_t *types, size_t n_types, size_t n_merges)
{
    for (size_t i = 0; i < n_types; i++)
        if (types[i] == TOKEN_NORMAL) return false;
    return !n_merges && n_types;
}

static Tokenizer *read_tokens(const GgufFile *f)
{
    GgufText *texts = NULL, *merges = NULL;
    int64_t *types = NULL;
    size_t n = 0, n_types = 0, n_merges = 0;
    Tokenizer *t = NULL;
    int rc = -1;
    if (gguf_get_texts(f, "tokenizer.ggml.tokens", &texts, &n) < 0) goto done;
    if (gguf_get_ints(f, "tokenizer.ggml.token_type", &types, &n_types) < 0) goto done;
    if (gguf_get_texts(f, "tokenizer.ggml.merges", &merges, &n_merges) < 0) goto done;
    if (!n || n > TOKENIZER_MAX_IDS) {
        fail("%s: %zu tokens in tokenizer.ggml.tokens, 1 to %d are possible", gguf_name(f), n,
             TOKENIZER_MAX_IDS);
        goto done;
    }
    if (n_types && n_types != n) {
        fail("%s: %zu tokens and %zu types of tokens; the file is damaged, fetch it again",
             gguf_name(f), n, n_types);
        goto done;
    }
    t = tokenizer_new(is_alphabet(types, n_types, n_merges) ? TOKENIZER_ALPHABET : TOKENIZER_BPE,
                      gguf_name(f), (int)n);
    for (size_t i = 0; i < n; i++)
        if (set_token(t, (int)i, texts[i], n_types ? types[i] : TOKEN_NORMAL)) goto done;
    if (tokenizer_finish(t)) goto done;
    bpe_reserve_merges(t, n_merges);
    for (size_t i = 0; i < n_merges; i++)
        if (bpe_add_merge_text(t, merges[i].data, merges[i].n)) goto done;
    rc = 0;
done:
    mem_free(texts);
    mem_free(merges);
    mem_free(types);
    if (!rc) return t;
    tokenizer_close(t);
    return NULL;
}

static int read_pre(Tokenizer *t, const GgufFile *f)
{
    char *name = needed_text(f, "tokenizer.ggml.pre",
                             "it names the pre-tokeniser: convert the model again with a recent "
                             "converter, or use its Hugging Face folder");
    int rc = name ? pre_named(t, name) : -1;
    mem_free(name);
    return rc;
}

static int read_id(const Tokenizer *t, const GgufFile *f, const char *key, int *id)
{
    int64_t v;
    int rc = gguf_get_int(f, key, 0, t->n_tokens - 1, &v);
    if (rc == 1) *id = (int)v;
    return rc < 0 ? -1 : 0;
}

static int read_ends(Tokenizer *t, const GgufFile *f)
{
    int eos = -1, eot = -1;
    bool add_eos = false;
    if (read_id(t, f, "tokenizer.ggml.eos_token_id", &eos) ||
        read_id(t, f, "tokenizer.ggml.eot_token_id", &eot))
        return -1;
    if (read_id(t, f, "tokenizer.ggml.bos_token_id", &t->bos) ||
        read_id(t, f, "tokenizer.ggml.padding_token_id", &t->pad))
        return -1;
    tokenizer_add_eos(t, eos);
    tokenizer_add_eos(t, eot);
    t->add_bos =
        t->ignore_merges; /* llama-bpe: where the file says nothing the reference adds it */
    if (gguf_get_bool(f, "tokenizer.ggml.add_bos_token", &t->add_bos) < 0) return -1;
    if (gguf_get_bool(f, "tokenizer.ggml.add_eos_token", &add_eos) < 0) return -1;
    if (add_eos)
        return fail("%s: tokenizer.ggml.add_eos_token: a token after the text is not supported",
                    t->where);
    if (t->add_bos && t->bos < 0)
        return fail("%s: tokenizer.ggml.add_bos_token without a bos_token_id", t->where);
    return 0;
}

static int read_template(Tokenizer *t, const GgufFile *f)
{
    GgufText x;
    int rc = gguf_get_text(f, "tokenizer.chat_template", &x);
    if (rc == 1) t->chat_template = text_copy(x);
    return rc < 0 ? -1 : 0;
}

Tokenizer *tokenizer_read_gguf(const GgufFile *f)
{
    char *model = needed_text(f, "tokenizer.ggml.model",
                              "the file carries no tokenizer: use the model's Hugging Face folder");
    Tokenizer *t = NULL;
    if (model && strcmp(model, "gpt2") != 0)
        fail("%s: tokenizer.ggml.model '%s' is not supported, only byte-level BPE ('gpt2') is; use "
             "a model with such a tokenizer, as "
             "SmolLM2, Qwen and Llama 3 have",
             gguf_name(f), model);
    else if (model)
        t = read_tokens(f);
    mem_free(model);
    if (t &&
        ((t->kind == TOKENIZER_BPE && read_pre(t, f)) || read_ends(t, f) || read_template(t, f))) {
        tokenizer_close(t);
        t = NULL;
    }
    return t;
}

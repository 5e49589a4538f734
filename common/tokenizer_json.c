/* tokenizer.json of Hugging Face's `tokenizers`: what Troupe can do exactly as the reference does
 * is read, anything else is refused by name. A refusal costs the user a minute; ids that differ
 * from those a model was trained on cost a run. */
#include "common/tokenizer_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "common/errors.h"

/* --- small readings --------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static bool is_set(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static bool is_null(const json_t *v)
{
    return !v || json_is_null(v);
}

static int unsupported(const Tokenizer *t, const char *what, const char *type)
{
    return fail(
        "%s: %s '%s' is not supported (byte-level BPE with normaliser NFC or none, pre-tokenisers "
        "Split, Digits and "
        "ByteLevel is); use a model with such a tokenizer, as SmolLM2, Qwen and Llama 3 have",
        t->where, what, type);
}

/* --- tokens ----------------------------------------------------------------------------------- */

/* The largest id of vocabulary and added tokens, -1 with the reason. */
static int64_t largest_id(const char *where, json_t *vocab, const json_t *added)
{
    const char *text;
    json_t *v;
    size_t i;
    int64_t most = -1, n = (int64_t)json_object_size(vocab) + (int64_t)json_array_size(added);
    json_object_foreach(vocab, text, v)
    {
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return fail("%s: model.vocab: '%s' has no id", where, text);
        if (json_integer_value(v) > most) most = json_integer_value(v);
    }
    json_array_foreach(added, i, v)
    {
        const json_t *id = json_object_get(v, "id");
        if (!json_is_integer(id) || json_integer_value(id) < 0)
            return fail("%s: added_tokens[%zu] has no id", where, i);
        if (json_integer_value(id) > most) most = json_integer_value(id);
    }
    if (most < 0) return fail("%s: there are no tokens", where);
    if (most >= TOKENIZER_MAX_IDS || most > 2 * n + 4096)
        return fail(
            "%s: the largest id is %lld for %lld tokens; the file is damaged, fetch it again",
            where, (long long)most, (long long)n);
    return most;
}

static int check_normalized(const Tokenizer *t, int id, const char *content)
{
    if (!t->nfc) return 0;
    utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)content);
    bool same = nfc && !strcmp((const char *)nfc, content);
    free(nfc);
    return same ? 0
                : fail("%s: added token %d ('%s') is itself not normalised, which is not supported",
                       t->where, id, content);
}

static int read_added_token(Tokenizer *t, const json_t *vocab, const json_t *a)
{
    int id = (int)json_integer_value(json_object_get(a, "id"));
    const json_t *content = json_object_get(a, "content"), *known;
    if (!json_string_length(content))
        return fail("%s: added token %d has no content", t->where, id);
    const char *text = json_string_value(content);
    size_t n = json_string_length(content);
    bool special = is_set(a, "special");
    known = json_object_get(vocab, text);
    if (known && json_integer_value(known) != id)
        return fail("%s: '%s' has id %d in added_tokens and another in model.vocab", t->where, text,
                    id);
    if (is_set(a, "single_word")) return unsupported(t, "an added token with single_word:", text);
    const json_t *normalized = json_object_get(a, "normalized");
    Token *k = &t->tokens[id];
    TokenType type = special ? TOKEN_CONTROL : TOKEN_USER_DEFINED;
    if (known ? tokenizer_set_spelled(t, id, text, n, type) : tokenizer_set(t, id, text, n, type))
        return -1;
    k->added = true;
    k->normalized = normalized ? json_is_true(normalized) : !special;
    k->lstrip = is_set(a, "lstrip");
    k->rstrip = is_set(a, "rstrip");
    return k->normalized ? check_normalized(t, id, text) : 0;
}

static int read_tokens(Tokenizer *t, json_t *vocab, const json_t *added)
{
    const char *text;
    json_t *v;
    size_t i;
    json_array_foreach(added, i, v) if (read_added_token(t, vocab, v)) return -1;
    json_object_foreach(vocab, text, v)
    {
        int id = (int)json_integer_value(v);
        const Token *k = &t->tokens[id];
        if (k->added && !strcmp(t->pool.data + k->at, text))
            continue; /* it is there already, as an added one */
        if (tokenizer_set_spelled(t, id, text, strlen(text), TOKEN_NORMAL)) return -1;
    }
    return tokenizer_finish(t);
}

static int read_merges(Tokenizer *t, const json_t *merges)
{
    json_t *m;
    size_t i;
    if (!json_is_array(merges)) return fail("%s: model.merges is missing", t->where);
    bpe_reserve_merges(t, json_array_size(merges));
    json_array_foreach(merges, i, m)
    {
        const json_t *a = json_array_get(m, 0), *b = json_array_get(m, 1);
        int rc;
        if (json_is_string(m))
            rc = bpe_add_merge_text(t, json_string_value(m), json_string_length(m));
        else if (json_is_string(a) && json_is_string(b) && json_array_size(m) == 2)
            rc = bpe_add_merge(t, json_string_value(a), json_string_length(a), json_string_value(b),
                               json_string_length(b));
        else
            rc = fail("%s: model.merges[%zu] is neither \"a b\" nor [\"a\", \"b\"]", t->where, i);
        if (rc) return -1;
    }
    return 0;
}

/* --- model ------------------------------------------------------------------------------------ */

static int read_unk(Tokenizer *t, const json_t *model)
{
    const char *unk = text_of(model, "unk_token");
    const json_t *id = json_object_get(json_object_get(model, "vocab"), unk);
    t->fuse_unk = is_set(model, "fuse_unk");
    if (!*unk) return 0;
    if (!id) return fail("%s: model.unk_token '%s' is not in the vocabulary", t->where, unk);
    t->unk = (int)json_integer_value(id);
    return 0;
}

static int read_bpe(Tokenizer *t, const json_t *model)
{
    const json_t *dropout = json_object_get(model, "dropout");
    if (!is_null(dropout) && json_number_value(dropout) != 0)
        return unsupported(t, "BPE with", "dropout");
    if (is_set(model, "byte_fallback")) return unsupported(t, "BPE with", "byte_fallback");
    if (*text_of(model, "continuing_subword_prefix"))
        return unsupported(t, "BPE with", "continuing_subword_prefix");
    if (*text_of(model, "end_of_word_suffix"))
        return unsupported(t, "BPE with", "end_of_word_suffix");
    t->ignore_merges = is_set(model, "ignore_merges");
    return read_unk(t, model) || read_merges(t, json_object_get(model, "merges")) ? -1 : 0;
}

/* Every token of an alphabet is an added one, so no text is left for the WordLevel model but what
 * it must refuse. */
static int check_alphabet(const Tokenizer *t, const json_t *model)
{
    for (int id = 0; id < t->n_tokens; id++)
        if (!t->tokens[id].added) return unsupported(t, "model.type", "WordLevel");
    if (json_object_get(json_object_get(model, "vocab"), text_of(model, "unk_token")))
        return unsupported(t, "WordLevel with an unk_token that is in its vocabulary:",
                           text_of(model, "unk_token"));
    return 0;
}

/* --- normaliser, pre-tokeniser, decoder ------------------------------------------------------- */

static int read_normalizer(Tokenizer *t, const json_t *n)
{
    if (is_null(n)) return 0;
    const char *type = text_of(n, "type");
    if (!strcmp(type, "NFC")) {
        t->nfc = true;
        return 0;
    }
    const json_t *parts = json_object_get(n, "normalizers");
    if (strcmp(type, "Sequence") != 0 || !json_is_array(parts))
        return unsupported(t, "normalizer", type);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        if (strcmp(text_of(part, "type"), "NFC") != 0)
            return unsupported(t, "normalizer", text_of(part, "type"));
        t->nfc = true;
    }
    return 0;
}

/* A literal pattern as a regular expression. */
static char *quoted(const char *s)
{
    Buffer b = {0};
    for (; *s; s++) {
        if (strchr("\\^$.|?*+()[]{}#&-", *s)) buffer_add(&b, "\\", 1);
        buffer_add(&b, s, 1);
    }
    return b.data ? b.data : mem_text("");
}

static int read_split(const Tokenizer *t, const json_t *p, PreStep *s)
{
    const json_t *pattern = json_object_get(p, "pattern");
    const char *behavior = text_of(p, "behavior"), *regex = text_of(pattern, "Regex"),
               *literal = text_of(pattern, "String");
    bool invert = is_set(p, "invert");
    s->kind = STEP_SPLIT;
    if (!strcmp(behavior, "Removed") && invert)
        s->drop_gaps = true;
    else if (strcmp(behavior, "Isolated") != 0 || invert)
        return unsupported(t, invert ? "Split with invert and behavior" : "Split with behavior",
                           behavior);
    if (!*regex && !*literal) return fail("%s: a Split pre-tokeniser without a pattern", t->where);
    s->pattern = *regex ? mem_text(regex) : quoted(literal);
    return 0;
}

static int read_step(const Tokenizer *t, const json_t *p, PreStep *s)
{
    const char *type = text_of(p, "type");
    if (!strcmp(type, "Split")) return read_split(t, p, s);
    if (!strcmp(type, "Digits")) {
        *s = (PreStep){.kind = STEP_DIGITS, .individual = is_set(p, "individual_digits")};
        return 0;
    }
    if (strcmp(type, "ByteLevel") != 0) return unsupported(t, "pre_tokenizer", type);
    if (is_set(p, "add_prefix_space")) return unsupported(t, "ByteLevel with", "add_prefix_space");
    *s = (PreStep){.kind = STEP_BYTE_LEVEL,
                   .no_regex = json_is_false(json_object_get(p, "use_regex"))};
    return 0;
}

static int add_step(Tokenizer *t, const json_t *p)
{
    PreStep s = {0};
    if (t->n_steps == TOKENIZER_MAX_STEPS)
        return fail("%s: more than %d pre-tokenisers", t->where, TOKENIZER_MAX_STEPS);
    if (t->n_steps && t->steps[t->n_steps - 1].kind == STEP_BYTE_LEVEL)
        return unsupported(t, "a pre_tokenizer after ByteLevel:", text_of(p, "type"));
    if (read_step(t, p, &s)) return -1;
    t->steps[t->n_steps++] = s;
    return 0;
}

static int read_pre_tokenizer(Tokenizer *t, const json_t *p)
{
    const json_t *parts = json_object_get(p, "pretokenizers");
    if (is_null(p)) return unsupported(t, "pre_tokenizer", "null");
    if (strcmp(text_of(p, "type"), "Sequence") != 0) {
        if (add_step(t, p)) return -1;
    } else {
        for (size_t i = 0; i < json_array_size(parts); i++)
            if (add_step(t, json_array_get(parts, i))) return -1;
    }
    if (!t->n_steps || t->steps[t->n_steps - 1].kind != STEP_BYTE_LEVEL)
        return unsupported(t, "a pre_tokenizer without ByteLevel at its end:", text_of(p, "type"));
    return pre_compile(t);
}

static int check_decoder(const Tokenizer *t, const json_t *d)
{
    return strcmp(text_of(d, "type"), "ByteLevel") != 0
               ? unsupported(t, "decoder", is_null(d) ? "null" : text_of(d, "type"))
               : 0;
}

/* --- post-processor: what it puts before the text, if it is one token ------------------------- */

static int read_special(Tokenizer *t, const char *name)
{
    int id = -1;
    for (int i = 0; i < t->n_tokens && id < 0; i++)
        if (t->tokens[i].added && !strcmp(t->pool.data + t->tokens[i].at, name)) id = i;
    if (id < 0) return fail("%s: post_processor: '%s' is not an added token", t->where, name);
    t->bos = id;
    t->add_bos = true;
    return 0;
}

static int read_template(Tokenizer *t, const json_t *single)
{
    size_t n = json_array_size(single);
    const json_t *first = json_object_get(json_array_get(single, 0), "SpecialToken");
    if (!n || !json_object_get(json_array_get(single, n - 1), "Sequence") || n > 2 ||
        (n == 2 && !first))
        return unsupported(
            t, "post_processor",
            "TemplateProcessing with more than one token before the text or any after it");
    return n == 2 ? read_special(t, text_of(first, "id")) : 0;
}

static int read_post_processor(Tokenizer *t, const json_t *p)
{
    const char *type = text_of(p, "type");
    if (is_null(p) || !strcmp(type, "ByteLevel")) return 0; /* ByteLevel concerns offsets only */
    if (!strcmp(type, "TemplateProcessing")) return read_template(t, json_object_get(p, "single"));
    const json_t *parts = json_object_get(p, "processors");
    if (strcmp(type, "Sequence") != 0 || !json_is_array(parts))
        return unsupported(t, "post_processor", type);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        if (!strcmp(text_of(part, "type"), "Sequence"))
            return unsupported(t, "post_processor", "Sequence in Sequence");
        if (read_post_processor(t, part)) return -1;
    }
    return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int read_whole(Tokenizer *t, json_t *root)
{
    json_t *model = json_object_get(root, "model"), *vocab = json_object_get(model, "vocab");
    const json_t *pre = json_object_get(root, "pre_tokenizer");
    if (read_normalizer(t, json_object_get(root, "normalizer"))) return -1;
    if (read_tokens(t, vocab, json_object_get(root, "added_tokens"))) return -1;
    if (read_post_processor(t, json_object_get(root, "post_processor"))) return -1;
    if (t->kind == TOKENIZER_BPE)
        return read_pre_tokenizer(t, pre) || check_decoder(t, json_object_get(root, "decoder")) ||
                       read_bpe(t, model)
                   ? -1
                   : 0;
    if (!is_null(pre)) return unsupported(t, "WordLevel with pre_tokenizer", text_of(pre, "type"));
    if (t->nfc) return unsupported(t, "WordLevel with normalizer", "NFC");
    return check_alphabet(t, model);
}

Tokenizer *tokenizer_read_json(const char *name, const char *text, size_t n)
{
    json_error_t e;
    Tokenizer *t = NULL;
    int rc = -1;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
    if (!root) {
        fail("%s:%d:%d: not JSON: %s", name, e.line, e.column, e.text);
        return NULL;
    }
    json_t *model = json_object_get(root, "model"), *vocab = json_object_get(model, "vocab");
    const json_t *added = json_object_get(root, "added_tokens");
    const char *type = text_of(model, "type");
    bool bpe = !strcmp(type, "BPE") ||
               (!*type && json_object_get(model, "merges")); /* old files do not say */
    bool alphabet = !strcmp(type, "WordLevel");
    int64_t most = -1;
    if (!json_is_object(model))
        fail("%s: there is no model in it; is it a tokenizer.json?", name);
    else if (!bpe && !alphabet)
        fail("%s: model.type '%s' is not supported, only byte-level BPE is; use a model with such "
             "a tokenizer, as SmolLM2, Qwen and "
             "Llama 3 have",
             name, type);
    else if (!json_is_object(vocab))
        fail("%s: model.vocab is missing", name);
    else
        most = largest_id(name, vocab, added);
    if (most < 0) goto done;
    t = tokenizer_new(bpe ? TOKENIZER_BPE : TOKENIZER_ALPHABET, name, (int)most + 1);
    rc = read_whole(t, root);
done:
    json_decref(root);
    if (!rc) return t;
    tokenizer_close(t);
    return NULL;
}

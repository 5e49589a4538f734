/* A tokenizer as Hugging Face files: tokenizer.json, tokenizer_config.json, and the end tokens of
 * generation_config.json where there are several. An alphabet becomes a WordLevel model whose every
 * token is an added one: `tokenizers` looks for the longest added token at each place first, as we
 * do, and has no token for what is left. */
#include "common/tokenizer_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/aside.h"
#include "common/errors.h"

static json_t *text_json(const Tokenizer *t, int id)
{
    Buffer b = {0};
    tokenizer_token_text(t, id, &b);
    json_t *s = json_stringn(b.data ? b.data : "", b.size);
    if (!s) fail("%s: token %d is not UTF-8: tokenizer.json cannot hold it", t->where, id);
    buffer_free(&b);
    return s;
}

/* Tokens that BPE gives come first: where an added token is spelled like one of them it stands in
 * added_tokens alone. */
static int add_vocab(const Tokenizer *t, json_t *vocab, bool bpe)
{
    for (int id = 0; id < t->n_tokens; id++) {
        const Token *k = &t->tokens[id];
        if (k->bpe != bpe || k->type == TOKEN_UNUSED) continue;
        json_t *text = text_json(t, id);
        if (!text) return -1;
        const char *key = json_string_value(text);
        if (!json_object_get(vocab, key)) json_object_set_new(vocab, key, json_integer(id));
        json_decref(text);
    }
    return 0;
}

static json_t *added_tokens(const Tokenizer *t)
{
    json_t *list = json_array();
    for (int id = 0; id < t->n_tokens; id++) {
        const Token *k = &t->tokens[id];
        if (!k->added) continue;
        json_array_append_new(list,
                              json_pack("{s:i, s:s%, s:b, s:b, s:b, s:b, s:b}", "id", id, "content",
                                        t->pool.data + k->at, (size_t)k->n, "single_word", 0,
                                        "lstrip", k->lstrip, "rstrip", k->rstrip, "normalized",
                                        k->normalized, "special", k->type == TOKEN_CONTROL));
    }
    return list;
}

static int add_merges(const Tokenizer *t, json_t *merges)
{
    for (int i = 0; i < t->n_merges; i++) {
        json_t *left = text_json(t, t->merge[i][0]), *right = text_json(t, t->merge[i][1]);
        json_array_append_new(merges, json_pack("[o, o]", left, right));
        if (!left || !right) return -1;
    }
    return 0;
}

static json_t *byte_level(bool use_regex)
{
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                     "trim_offsets", 1, "use_regex", use_regex);
}

static json_t *step_json(const PreStep *s)
{
    switch (s->kind) {
    case STEP_SPLIT:
        return json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                         s->pattern, "behavior", s->drop_gaps ? "Removed" : "Isolated", "invert",
                         s->drop_gaps);
    case STEP_DIGITS:
        return json_pack("{s:s, s:b}", "type", "Digits", "individual_digits", s->individual);
    case STEP_BYTE_LEVEL:
        return byte_level(!s->no_regex);
    }
    return NULL;
}

static json_t *pre_tokenizer(const Tokenizer *t)
{
    if (t->n_steps == 1) return step_json(t->steps);
    json_t *steps = json_array();
    for (int i = 0; i < t->n_steps; i++) json_array_append_new(steps, step_json(&t->steps[i]));
    return json_pack("{s:s, s:o}", "type", "Sequence", "pretokenizers", steps);
}

static const char *token_content(const Tokenizer *t, int id)
{
    return t->pool.data + t->tokens[id].at;
}

static json_t *post_processor(const Tokenizer *t)
{
    if (!t->add_bos) return byte_level(true);
    const char *bos = token_content(t, t->bos);
    return json_pack(
        "{s:s, s:[{s:{s:s, s:i}}, {s:{s:s, s:i}}], s:[{s:{s:s, s:i}}, {s:{s:s, s:i}}], "
        "s:{s:{s:s, s:[i], s:[s]}}}",
        "type", "TemplateProcessing", "single", "SpecialToken", "id", bos, "type_id", 0, "Sequence",
        "id", "A", "type_id", 0, "pair", "Sequence", "id", "A", "type_id", 0, "Sequence", "id", "B",
        "type_id", 1, "special_tokens", bos, "id", bos, "ids", t->bos, "tokens", bos);
}

static json_t *model_json(const Tokenizer *t)
{
    json_t *vocab = json_object(), *merges = json_array();
    if (add_vocab(t, vocab, true) || add_vocab(t, vocab, false) || add_merges(t, merges)) {
        json_decref(vocab);
        json_decref(merges);
        return NULL;
    }
    if (t->kind == TOKENIZER_ALPHABET) {
        json_decref(merges);
        return json_pack("{s:s, s:o, s:s}", "type", "WordLevel", "vocab", vocab, "unk_token", "");
    }
    json_t *unk = t->unk < 0 ? json_null() : text_json(t, t->unk);
    return json_pack("{s:s, s:n, s:o, s:s, s:s, s:b, s:b, s:b, s:o, s:o}", "type", "BPE", "dropout",
                     "unk_token", unk, "continuing_subword_prefix", "", "end_of_word_suffix", "",
                     "fuse_unk", t->fuse_unk, "byte_fallback", 0, "ignore_merges", t->ignore_merges,
                     "vocab", vocab, "merges", merges);
}

static json_t *tokenizer_json(const Tokenizer *t)
{
    json_t *model = model_json(t);
    if (!model) return NULL;
    if (t->kind == TOKENIZER_ALPHABET)
        return json_pack("{s:s, s:n, s:n, s:o, s:n, s:n, s:n, s:{s:s}, s:o}", "version", "1.0",
                         "truncation", "padding", "added_tokens", added_tokens(t), "normalizer",
                         "pre_tokenizer", "post_processor", "decoder", "type", "Fuse", "model",
                         model);
    json_t *normalizer = t->nfc ? json_pack("{s:s}", "type", "NFC") : json_null();
    return json_pack("{s:s, s:n, s:n, s:o, s:o, s:o, s:o, s:o, s:o}", "version", "1.0",
                     "truncation", "padding", "added_tokens", added_tokens(t), "normalizer",
                     normalizer, "pre_tokenizer", pre_tokenizer(t), "post_processor",
                     post_processor(t), "decoder", byte_level(true), "model", model);
}

static void set_token(const Tokenizer *t, json_t *config, const char *key, int id)
{
    if (id >= 0) json_object_set_new(config, key, json_string(token_content(t, id)));
}

static json_t *config_json(const Tokenizer *t)
{
    json_t *config = json_pack("{s:s, s:b, s:b}", "tokenizer_class", "PreTrainedTokenizerFast",
                               "clean_up_tokenization_spaces", 0, "add_bos_token", t->add_bos);
    set_token(t, config, "bos_token", t->bos);
    set_token(t, config, "eos_token", tokenizer_eos(t));
    set_token(t, config, "pad_token", t->pad);
    set_token(t, config, "unk_token", t->unk);
    if (t->chat_template)
        json_object_set_new(config, "chat_template", json_string(t->chat_template));
    return config;
}

/* Takes `value`; NULL has already been complained of. */
static int put_json(const char *folder, const char *name, json_t *value)
{
    if (!value) return -1;
    char *path = mem_printf("%s/%s", folder, name);
    char *text = json_dumps(value, JSON_INDENT(2));
    int rc =
        text ? aside_put(path, text, strlen(text)) : fail("%s: cannot be written as JSON", path);
    free(text); /* jansson's own malloc */
    json_decref(value);
    mem_free(path);
    return rc;
}

/* Several end tokens: into generation_config.json, keeping what else stands there. */
static int put_end_tokens(const Tokenizer *t, const char *folder)
{
    if (t->n_eos < 2) return 0;
    char *path = mem_printf("%s/generation_config.json", folder);
    json_t *config = access(path, F_OK) ? json_object() : json_load_file(path, 0, NULL);
    if (!json_is_object(config)) fail("%s: not a JSON object; remove it and export again", path);
    mem_free(path);
    if (!json_is_object(config)) {
        json_decref(config);
        return -1;
    }
    json_t *ids = json_array();
    for (int i = 0; i < t->n_eos; i++) json_array_append_new(ids, json_integer(t->eos[i]));
    json_object_set_new(config, "eos_token_id", ids);
    return put_json(folder, "generation_config.json", config);
}

int tokenizer_export(const Tokenizer *t, const char *folder)
{
    if (put_json(folder, "tokenizer.json", tokenizer_json(t))) return -1;
    if (put_json(folder, "tokenizer_config.json", config_json(t))) return -1;
    return put_end_tokens(t, folder);
}

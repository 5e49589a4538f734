/* What tokenizer files may say and what is refused: tokenizer.json, the files beside it, and GGUF
 * metadata, each made here. */
#include "tests/harness.h"

#include <unistd.h>

#include "common/errors.h"
#include "common/gguf.h"
#include "common/tokenizer_parts.h"

#define ADDED  "{\"id\":4,\"content\":\"<e>\",\"special\":true,\"normalized\":false}"
#define VOCAB  "{\"a\":0,\"b\":1,\"ab\":2,\"\xc4\xa0\":3}"
#define MERGES "[[\"a\",\"b\"]]"
#define BPE    "{\"type\":\"BPE\",\"vocab\":" VOCAB ",\"merges\":" MERGES "}"
#define BL     "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define FILE_OF(added, norm, pre, post, dec, model)                                                \
    "{\"added_tokens\":[" added "],\"normalizer\":" norm ",\"pre_tokenizer\":" pre                 \
    ",\"post_processor\":" post ",\"decoder\":" dec ",\"model\":" model "}"
#define MODEL(m) FILE_OF(ADDED, "null", BL, "null", BL, m)
#define PRE(p)   FILE_OF(ADDED, "null", p, "null", BL, BPE)
#define SPLIT(rest)                                                                                \
    PRE("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\"," rest "}," BL "]}")
#define REGEX(r)                                                                                   \
    SPLIT("\"pattern\":{\"Regex\":\"" r "\"},\"behavior\":\"Isolated\",\"invert\":false")

static Tokenizer *read_text(const char *text)
{
    return tokenizer_read_json("t.json", text, strlen(text));
}

static void expect_ids(const Tokenizer *t, const char *text, bool bos, int n, const int32_t *want)
{
    Ids ids = {0};
    ck_assert_int_eq(tokenizer_encode(t, text, strlen(text), true, bos, &ids), 0);
    ck_assert_int_eq(ids.n, n);
    for (int i = 0; i < n; i++) ck_assert_int_eq(ids.data[i], want[i]);
    ids_free(&ids);
}

START_TEST(refuses_json_it_cannot_follow)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "not JSON"},
        {"{\"model\":1}", "no model in it"},
        {"[]", "no model in it"},
        {"{\"a\":1,\"a\":1}", "t.json:1:"},
        {MODEL("{\"type\":\"Unigram\",\"vocab\":[]}"), "model.type 'Unigram' is not supported"},
        {MODEL("{\"type\":\"WordPiece\",\"vocab\":{}}"), "model.type 'WordPiece' is not supported"},
        {MODEL("{\"type\":\"BPE\",\"merges\":[]}"), "model.vocab is missing"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":" VOCAB "}"), "model.merges is missing"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}"), "'a' has no id"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":{\"a\":99999999},\"merges\":[]}"),
         "the largest id is 99999999"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}"),
         "two tokens have the id 0"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":" VOCAB ",\"merges\":[\"a\"]}"),
         "merge 0 is not two parts"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":" VOCAB ",\"merges\":[3]}"),
         "model.merges[0] is neither"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":" VOCAB ",\"merges\":[\"a b\",\"a b\"]}"),
         "merge 1 is there twice"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":" VOCAB ",\"merges\":[\"a c\"]}"),
         "its right part is not in"},
        {MODEL("{\"type\":\"BPE\",\"vocab\":" VOCAB ",\"merges\":[\"b a\"]}"),
         "its result is not in"},
        {MODEL("{\"type\":\"BPE\",\"dropout\":0.1,\"vocab\":" VOCAB ",\"merges\":[]}"), "dropout"},
        {MODEL("{\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":" VOCAB ",\"merges\":[]}"),
         "byte_fallback"},
        {MODEL("{\"type\":\"BPE\",\"end_of_word_suffix\":\"x\",\"vocab\":" VOCAB ",\"merges\":[]}"),
         "end_of_word"},
        {MODEL("{\"type\":\"BPE\",\"unk_token\":\"u\",\"vocab\":" VOCAB ",\"merges\":[]}"),
         "unk_token 'u' is not"},
        {MODEL("{\"type\":\"WordLevel\",\"vocab\":{\"a\":0},\"unk_token\":\"\"}"), "WordLevel"},
        {FILE_OF(ADDED, "{\"type\":\"NFKC\"}", BL, "null", BL, BPE), "normalizer 'NFKC'"},
        {FILE_OF(ADDED, "null", BL, "null", "null", BPE), "decoder 'null'"},
        {FILE_OF(ADDED, "null", BL, "{\"type\":\"BertProcessing\"}", BL, BPE),
         "post_processor 'BertProcessing'"},
        {FILE_OF(ADDED, "null", BL,
                 "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{}},{\"SpecialToken\":"
                 "{\"id\":\"<e>\"}}]}",
                 BL, BPE),
         "any after it"},
        {FILE_OF("{\"id\":4,\"content\":\"x\",\"single_word\":true}", "null", BL, "null", BL, BPE),
         "single_word"},
        {FILE_OF("{\"id\":4,\"content\":\"\"}", "null", BL, "null", BL, BPE), "has no content"},
        {FILE_OF("{\"id\":4,\"content\":\"ab\"}", "null", BL, "null", BL, BPE),
         "another in model.vocab"},
        {FILE_OF(ADDED ",{\"id\":5,\"content\":\"<e>\",\"normalized\":false}", "null", BL, "null",
                 BL, BPE),
         "there twice"},
        {PRE("null"), "pre_tokenizer 'null'"},
        {PRE("{\"type\":\"Whitespace\"}"), "pre_tokenizer 'Whitespace'"},
        {PRE("{\"type\":\"Digits\"}"), "without ByteLevel"},
        {PRE("{\"type\":\"Sequence\",\"pretokenizers\":[" BL "," BL "]}"), "after ByteLevel"},
        {PRE("{\"type\":\"ByteLevel\",\"add_prefix_space\":true}"), "add_prefix_space"},
        {SPLIT("\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"MergedWithNext\""),
         "behavior 'MergedWithNext'"},
        {SPLIT("\"pattern\":{},\"behavior\":\"Isolated\""), "without a pattern"},
        {REGEX("(a"), "does not compile"},
        {REGEX("\\\\p{Nope}"), "does not compile"},
        {REGEX("a|\\\\w+"), "an escape at character 3"},
        {REGEX("[a[b]]"), "a class within a class"},
        {REGEX("[a&&b]"), "an intersection"},
        {REGEX("(?m:a)"), "a group"},
        {REGEX("a$"), "an anchor or a dot"},
        {REGEX("a{2}+"), "a counted possessive"},
    };
    errors_quiet(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_ptr_null(read_text(cases[i].text));
        ck_assert_msg(strstr(errors_last(), cases[i].reason) != NULL, "%zu: '%s' lacks '%s'", i,
                      errors_last(), cases[i].reason);
    }
    errors_quiet(-1);
}
END_TEST

START_TEST(reads_both_spellings_of_merges_and_a_first_token)
{
    Tokenizer *t =
        read_text(FILE_OF(ADDED, "null", BL,
                          "{\"type\":\"Sequence\",\"processors\":[" BL
                          ",{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
                          "\"<e>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}]}]}",
                          BL, "{\"vocab\":" VOCAB ",\"merges\":[\"a b\"]}"));
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(tokenizer_bos(t), 4);
    expect_ids(t, "ab<e>a b", true, 6, (int32_t[]){4, 2, 4, 0, 3, 1});
    tokenizer_close(t);
    t = read_text(MODEL(BPE));
    expect_ids(t, "abab \xc3\xa9", true, 3,
               (int32_t[]){2, 2, 3}); /* no token for the bytes of the last: left out */
    Buffer merge = {0};
    tokenizer_merge_text(t, 0, &merge);
    ck_assert_str_eq(merge.data, "a b");
    buffer_free(&merge);
    tokenizer_close(t);
}
END_TEST

START_TEST(gives_unk_where_the_model_has_one)
{
    Tokenizer *t = read_text(
        MODEL("{\"type\":\"BPE\",\"unk_token\":\"b\",\"vocab\":" VOCAB ",\"merges\":[]}"));
    expect_ids(t, "axy", true, 3, (int32_t[]){0, 1, 1});
    tokenizer_close(t);
    t = read_text(MODEL("{\"type\":\"BPE\",\"unk_token\":\"b\",\"fuse_unk\":true,\"vocab\":" VOCAB
                        ",\"merges\":[]}"));
    expect_ids(t, "axy", true, 2, (int32_t[]){0, 1});
    tokenizer_close(t);
}
END_TEST

START_TEST(stops_a_pattern_that_never_ends)
{
    Tokenizer *t = read_text(REGEX("(?:(?:a+)+)+[bc]"));
    char text[64];
    Ids ids = {0};
    memset(text, 'a', sizeof text);
    ck_assert_ptr_nonnull(t);
    errors_quiet(1);
    ck_assert_int_eq(tokenizer_encode(t, text, sizeof text, false, false, &ids), -1);
    errors_quiet(-1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "match limit"));
    ids_free(&ids);
    tokenizer_close(t);
}
END_TEST

/* --- the files beside tokenizer.json ---------------------------------------------------------- */

static const char *const names[] = {"tokenizer.json", "tokenizer_config.json",
                                    "chat_template.jinja", "generation_config.json"};

/* Opens a folder with these four texts (NULL: no such file). */
static Tokenizer *open_with(const char *const texts[4])
{
    char folder[] = "/tmp/test_tokenizer_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (int i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        FILE *f = texts[i] ? fopen(path, "w") : NULL;
        if (f) fputs(texts[i], f);
        if (f) fclose(f);
    }
    Tokenizer *t = tokenizer_open(folder);
    for (int i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    return t;
}

START_TEST(reads_what_stands_beside)
{
    static const char config[] =
        "{\"eos_token\":{\"content\":\"<e>\"},\"bos_token\":\"a\",\"pad_token\":null,"
        "\"model_max_length\":1000000000000000019884624838656,"
        "\"chat_template\":[{\"name\":\"tools\",\"template\":\"x\"},{\"name\":\"default\","
        "\"template\":\"y\"}]}";
    Tokenizer *t =
        open_with((const char *const[]){MODEL(BPE), config, NULL, "{\"eos_token_id\":[1,4]}"});
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(tokenizer_eos(t), 4);
    ck_assert(tokenizer_is_eos(t, 1) && !tokenizer_is_eos(t, 0));
    ck_assert_int_eq(tokenizer_bos(t), -1);
    ck_assert_int_eq(tokenizer_bos_id(t), 0);
    ck_assert_str_eq(tokenizer_chat_template(t), "y");
    tokenizer_close(t);
    t = open_with((const char *const[]){
        MODEL(BPE), "{\"add_bos_token\":true,\"bos_token\":\"a\",\"chat_template\":\"z\"}", "jinja",
        NULL});
    ck_assert_int_eq(tokenizer_bos(t), 0);
    ck_assert_int_eq(tokenizer_eos(t), -1);
    ck_assert_str_eq(tokenizer_chat_template(t), "jinja");
    tokenizer_close(t);
}
END_TEST

START_TEST(refuses_folders_that_are_wrong)
{
    static const struct {
        const char *texts[4], *reason;
    } cases[] = {
        {{NULL, NULL, NULL, NULL}, "tokenizer.json: not there"},
        {{MODEL(BPE), "{", NULL, NULL}, "tokenizer_config.json:1:"},
        {{MODEL(BPE), "[]", NULL, NULL}, "not a JSON object"},
        {{MODEL(BPE), "{\"eos_token\":\"?\"}", NULL, NULL}, "eos_token '?'"},
        {{MODEL(BPE), NULL, NULL, "{\"eos_token_id\":5}"}, "not an id in [0, 5)"},
        {{MODEL(BPE), NULL, NULL, "{\"eos_token_id\":[1,\"x\"]}"}, "not an id in [0, 5)"},
    };
    errors_quiet(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_ptr_null(open_with(cases[i].texts));
        ck_assert_msg(strstr(errors_last(), cases[i].reason) != NULL, "%zu: '%s' lacks '%s'", i,
                      errors_last(), cases[i].reason);
    }
    errors_quiet(-1);
}
END_TEST

/* --- GGUF ------------------------------------------------------------------------------------- */

typedef struct {
    const char *model, *pre, *merge;
    const char *tokens[6];
    int32_t types[6];
    uint32_t eos;
    bool add_bos;
} GgufCase;

static void put_u32(Buffer *b, uint32_t v)
{
    buffer_add(b, &v, 4);
}

static void put_u64(Buffer *b, uint64_t v)
{
    buffer_add(b, &v, 8);
}

static void put_text(Buffer *b, const char *s)
{
    put_u64(b, strlen(s));
    buffer_text(b, s);
}

static void put_key(Buffer *b, const char *key, uint32_t type)
{
    put_text(b, key);
    put_u32(b, type);
}

static Tokenizer *read_gguf(const GgufCase *c)
{
    Buffer b = {0};
    uint64_t n = 0;
    while (n < 6 && c->tokens[n]) n++;
    buffer_text(&b, "GGUF");
    put_u32(&b, 3);
    put_u64(&b, 0);
    put_u64(&b, 7);
    put_key(&b, "tokenizer.ggml.model", GGUF_TEXT), put_text(&b, c->model);
    put_key(&b, c->pre ? "tokenizer.ggml.pre" : "other.pre", GGUF_TEXT),
        put_text(&b, c->pre ? c->pre : "");
    put_key(&b, "tokenizer.ggml.tokens", GGUF_ARRAY), put_u32(&b, GGUF_TEXT), put_u64(&b, n);
    for (uint64_t i = 0; i < n; i++) put_text(&b, c->tokens[i]);
    put_key(&b, "tokenizer.ggml.token_type", GGUF_ARRAY), put_u32(&b, GGUF_I32), put_u64(&b, n);
    for (uint64_t i = 0; i < n; i++) put_u32(&b, (uint32_t)c->types[i]);
    put_key(&b, "tokenizer.ggml.merges", GGUF_ARRAY), put_u32(&b, GGUF_TEXT),
        put_u64(&b, c->merge != NULL);
    if (c->merge) put_text(&b, c->merge);
    put_key(&b, "tokenizer.ggml.eos_token_id", GGUF_U32), put_u32(&b, c->eos);
    put_key(&b, "tokenizer.ggml.add_bos_token", GGUF_BOOL), buffer_add(&b, &c->add_bos, 1);
    GgufFile *f = gguf_open_memory("t.gguf", b.data, b.size);
    ck_assert_ptr_nonnull(f);
    Tokenizer *t = tokenizer_read_gguf(f);
    gguf_close(f);
    buffer_free(&b);
    return t;
}

START_TEST(reads_gguf_metadata)
{
    GgufCase c = {
        "gpt2", "gpt-2", "a b", {"a", "b", "ab", "<e>", "<u>", "[PAD5]"}, {1, 1, 1, 3, 4, 5},
        3,      false};
    Tokenizer *t = read_gguf(&c);
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(tokenizer_kind(t), TOKENIZER_BPE);
    ck_assert_int_eq(tokenizer_eos(t), 3);
    expect_ids(t, "ab<e><u>b", true, 4, (int32_t[]){2, 3, 4, 1});
    Ids ids = {0};
    ck_assert_int_eq(tokenizer_encode(t, "<u>[PAD5]<e>", 12, false, false, &ids), 0);
    ck_assert(
        ids.n == 1 &&
        ids.data[0] ==
            4); /* user-defined ones always, the rest only where asked; nothing spells the others */
    ids_free(&ids);
    tokenizer_close(t);
    c = (GgufCase){"gpt2",          "gpt-2", NULL, {"<eos>", "0", "1", "12", "é"},
                   {3, 4, 4, 4, 4}, 0,       false};
    t = read_gguf(&c);
    ck_assert_int_eq(tokenizer_kind(t), TOKENIZER_ALPHABET);
    expect_ids(t, "120é<eos>", true, 4, (int32_t[]){3, 1, 4, 0});
    tokenizer_close(t);
}
END_TEST

START_TEST(refuses_gguf_it_cannot_follow)
{
    const struct {
        GgufCase c;
        const char *reason;
    } cases[] = {
        {{"llama", "default", NULL, {"a"}, {1}, 0, false},
         "tokenizer.ggml.model 'llama' is not supported"},
        {{"gpt2", NULL, NULL, {"a"}, {1}, 0, false}, "tokenizer.ggml.pre is missing"},
        {{"gpt2", "tekken", NULL, {"a"}, {1}, 0, false}, "tokenizer.ggml.pre is 'tekken'"},
        {{"gpt2", "gpt-2", NULL, {NULL}, {0}, 0, false}, "0 tokens"},
        {{"gpt2", "gpt-2", NULL, {"a", "a"}, {1, 1}, 0, false}, "tokens 0 and 1 are the same"},
        {{"gpt2", "gpt-2", NULL, {"a", "b"}, {1, 6}, 0, false}, "token_type of token 1 is 6"},
        {{"gpt2", "gpt-2", "a c", {"a", "b"}, {1, 1}, 0, false}, "merge 0: its right part"},
        {{"gpt2", "gpt-2", NULL, {"a"}, {1}, 1, false}, "tokenizer.ggml.eos_token_id"},
        {{"gpt2", "gpt-2", NULL, {"a"}, {1}, 0, true}, "without a bos_token_id"},
    };
    errors_quiet(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_ptr_null(read_gguf(&cases[i].c));
        ck_assert_msg(strstr(errors_last(), cases[i].reason) != NULL, "%zu: '%s' lacks '%s'", i,
                      errors_last(), cases[i].reason);
    }
    errors_quiet(-1);
}
END_TEST

TEST_MAIN("tokenizer files", refuses_json_it_cannot_follow,
          reads_both_spellings_of_merges_and_a_first_token, gives_unk_where_the_model_has_one,
          stops_a_pattern_that_never_ends, reads_what_stands_beside, refuses_folders_that_are_wrong,
          reads_gguf_metadata, refuses_gguf_it_cannot_follow)

/* Byte-level BPE against golden ids of Hugging Face's `tokenizers`: thousands of generated strings
 * by hash, some hundred by their ids. tests/data/make_tokenizer_golden.py made them; the generator
 * of strings is there and here. Alphabets; bad files. */
#include "tests/harness.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/tokenizer_parts.h"

static char *data_path(const char *name)
{
    const char *source = getenv("TROUPE_SOURCE");
    return mem_printf("%s/tests/data/%s", source ? source : ".", name);
}

static json_t *load_data(const char *name)
{
    char *path = data_path(name);
    json_t *v = json_load_file(path, JSON_ALLOW_NUL, NULL);
    ck_assert_msg(v != NULL, "%s", path);
    mem_free(path);
    return v;
}

/* --- the generator: as in make_tokenizer_golden.py -------------------------------------------- */

static json_t *pieces;

static uint32_t below(uint64_t *x, uint64_t n)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) % n);
}

static const json_t *pick(uint64_t *x, const char *name)
{
    if (!pieces) pieces = load_data("tokenizer_pieces.json");
    const json_t *list = json_object_get(pieces, name);
    return json_array_get(list, below(x, json_array_size(list)));
}

static void add_picked(uint64_t *x, const char *name, Buffer *out)
{
    const json_t *s = pick(x, name);
    buffer_add(out, json_string_value(s), json_string_length(s));
}

/* Characters that are too new for one engine or the other: see make_tokenizer_golden.py. */
static bool is_newer(uint32_t c)
{
    const json_t *list = json_object_get(pieces, "newer");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *r = json_array_get(list, i);
        if (c >= (uint32_t)json_integer_value(json_array_get(r, 0)) &&
            c <= (uint32_t)json_integer_value(json_array_get(r, 1)))
            return true;
    }
    return false;
}

static void add_char(uint32_t c, Buffer *out)
{
    char s[4];
    if ((c >= 0xd800 && c <= 0xdfff) || is_newer(c)) c = 0xfffd;
    int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = n - 1; i > 0; i--, c >>= 6) s[i] = (char)(0x80 | (c & 0x3f));
    s[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xf0) | c);
    buffer_add(out, s, (size_t)n);
}

static void add_point(uint64_t *x, const char *name, Buffer *out)
{
    const json_t *r = pick(x, name);
    uint32_t lo = (uint32_t)json_integer_value(json_array_get(r, 0)),
             hi = (uint32_t)json_integer_value(json_array_get(r, 1));
    add_char(lo + below(x, hi - lo + 1), out);
}

static void add_text(uint64_t *x, uint32_t n, Buffer *out)
{
    for (uint32_t i = 0; i < n; i++) {
        add_picked(x, "texts", out);
        add_picked(x, "separators", out);
        if (below(x, 6) == 0) add_point(x, "ranges", out);
    }
}

static void add_long_word(uint64_t *x, uint32_t n, Buffer *out)
{
    const json_t *r = pick(x, "ranges");
    uint32_t lo = (uint32_t)json_integer_value(json_array_get(r, 0)),
             hi = (uint32_t)json_integer_value(json_array_get(r, 1));
    uint32_t width = 1 + below(x, 40);
    if (width > hi - lo + 1) width = hi - lo + 1;
    n = 20 * n * (1 + below(x, 4));
    for (uint32_t i = 0; i < n; i++) add_char(lo + below(x, width), out);
}

static void add_runs(uint64_t *x, uint32_t n, bool digits, Buffer *out)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = below(x, digits ? 5 : 6); k > 0; k--)
            digits ? add_point(x, "digits", out) : add_picked(x, "spaces", out);
        add_picked(x, "bits", out);
    }
}

static void generate(int i, Buffer *out)
{
    uint64_t x = (uint64_t)i * 1000003 + 17;
    int kind = i % 8;
    uint32_t n = 1 + below(&x, 14);
    out->size = 0;
    buffer_text(out, "");
    if (kind <= 2)
        add_text(&x, n, out);
    else if (kind == 3)
        for (uint32_t k = 0; k < 3 * n; k++) add_point(&x, "ranges", out);
    else if (kind == 5)
        for (uint32_t k = 0; k < 5 * n; k++) add_char(below(&x, 256), out);
    else if (kind == 6)
        add_long_word(&x, n, out);
    else
        add_runs(&x, 2 * n, kind == 7, out);
}

/* --- comparison ------------------------------------------------------------------------------- */

static uint32_t fnv_add(uint32_t h, uint32_t v)
{
    for (int k = 0; k < 4; k++) h = (h ^ (v >> 8 * k & 0xff)) * 0x01000193u;
    return h;
}

static uint32_t hash_ids(const Ids *ids)
{
    uint32_t h = fnv_add(0x811c9dc5u, (uint32_t)ids->n);
    for (int i = 0; i < ids->n; i++) h = fnv_add(h, (uint32_t)ids->data[i]);
    return h;
}

static const struct {
    const char *name;
    int n;
} columns[] = {
    {"smollm2", 12000},    {"smollm2-undivided", 4000}, {"small-qwen", 4000},
    {"small-llama", 4000}, {"small-smollm", 4000},
};

static uint32_t *golden_column(const char *name, int *n)
{
    char *path = data_path("tokenizer_golden.bin");
    Buffer all = {0};
    ck_assert_int_eq(file_read(path, 1 << 20, &all), 0);
    size_t at = 0;
    int c = 0;
    for (; strcmp(columns[c].name, name) != 0; c++) at += (size_t)columns[c].n;
    *n = columns[c].n;
    ck_assert((at + (size_t)*n) * 4 <= all.size);
    uint32_t *column = NEW(uint32_t, *n);
    memcpy(column, all.data + at * 4, (size_t)*n * 4);
    buffer_free(&all);
    mem_free(path);
    return column;
}

/* Decoding gives the text back, but for bytes without a token, normalisation, and blanks that an
 * added token takes. */
static void check_round_trip(const Tokenizer *t, const Buffer *text, const Ids *ids)
{
    Buffer back = {0}, kept = {0};
    tokenizer_decode(t, ids->data, ids->n, false, &back);
    for (size_t i = 0; i < text->size; i++)
        if (t->byte_id[(uint8_t)text->data[i]] >= 0) buffer_add(&kept, text->data + i, 1);
    ck_assert_uint_eq(back.size, kept.size);
    ck_assert(!back.size || !memcmp(back.data, kept.data, kept.size));
    buffer_free(&back);
    buffer_free(&kept);
}

static void check_column(const Tokenizer *t, const char *name, bool round_trip)
{
    int n, wrong = 0;
    uint32_t *want = golden_column(name, &n);
    Buffer text = {0};
    Ids ids = {0};
    for (int i = 0; i < n; i++) {
        generate(i, &text);
        ids.n = 0;
        ck_assert_int_eq(tokenizer_encode(t, text.data, text.size, i % 2, false, &ids), 0);
        if (hash_ids(&ids) != want[i] && wrong++ < 5)
            fprintf(stderr, "%s: string %d differs: %.300s\n", name, i, text.data);
        if (round_trip) check_round_trip(t, &text, &ids);
    }
    ck_assert_msg(wrong == 0, "%s: %d of %d strings differ", name, wrong, n);
    ids_free(&ids);
    buffer_free(&text);
    mem_free(want);
}

static void expect_row(const Tokenizer *t, const json_t *row, const char *column)
{
    const json_t *text = json_object_get(row, "text"), *want = json_object_get(row, column);
    Ids ids = {0};
    Buffer got = {0};
    ck_assert_int_eq(
        tokenizer_encode(t, json_string_value(text), json_string_length(text), true, false, &ids),
        0);
    for (int i = 0; i < ids.n; i++) buffer_printf(&got, i ? ",%d" : "%d", ids.data[i]);
    char *expected = json_dumps(want, JSON_COMPACT | JSON_ENCODE_ANY);
    size_t length = strlen(expected) - 2; /* without the brackets */
    ck_assert_msg(length == got.size && !strncmp(expected + 1, got.data ? got.data : "", length),
                  "%s: '%s' gives [%s], not %s", column, json_string_value(text),
                  got.data ? got.data : "", expected);
    free(expected);
    buffer_free(&got);
    ids_free(&ids);
}

static void check_explicit(const Tokenizer *t, const char *column)
{
    char *path = data_path("tokenizer_golden.jsonl");
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    json_t *row;
    int n = 0;
    while ((row = json_loadf(f, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL))) {
        expect_row(t, row, column);
        json_decref(row);
        n++;
    }
    ck_assert_int_ge(n, 200);
    fclose(f);
    mem_free(path);
}

static Tokenizer *small_with(const char *pre, bool ignore_merges)
{
    json_t *spec = load_data("tokenizer_small.json");
    if (pre) json_object_set_new(spec, "pre_tokenizer", json_loads(pre, 0, NULL));
    json_object_set_new(json_object_get(spec, "model"), "ignore_merges",
                        json_boolean(ignore_merges));
    char *text = json_dumps(spec, 0);
    Tokenizer *t = tokenizer_read_json("small", text, strlen(text));
    ck_assert_ptr_nonnull(t);
    free(text);
    json_decref(spec);
    return t;
}

/* --- tests ------------------------------------------------------------------------------------ */

#define BYTE_LEVEL(regex)                                                                          \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":" regex "}"
#define DIGITS "{\"type\":\"Digits\",\"individual_digits\":true}"

START_TEST(small_equals_the_reference)
{
    static const char llama[] =
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?"
        "i:'s|'t|'re|'ve|'m|'ll|'d)|"
        "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| "
        "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|"
        "\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\",\"invert\":false}," BYTE_LEVEL(
            "false") "]}";
    static const char digits[] =
        "{\"type\":\"Sequence\",\"pretokenizers\":[" DIGITS "," BYTE_LEVEL("true") "]}";
    Tokenizer *t = small_with(NULL, false);
    ck_assert_str_eq(tokenizer_pre_name(t), "qwen2");
    check_explicit(t, "small-qwen");
    check_column(t, "small-qwen", false);
    tokenizer_close(t);
    t = small_with(llama, true);
    ck_assert_ptr_null(tokenizer_pre_name(t)); /* llama-bpe has no normaliser */
    check_column(t, "small-llama", false);
    tokenizer_close(t);
    t = small_with(digits, false);
    check_column(t, "small-smollm", false);
    tokenizer_close(t);
}
END_TEST

static bool has_smollm2(void)
{
    if (test_smollm2_path()) return true;
    fprintf(stderr, "SmolLM2 is not there (launch/fetch-smollm2): its vocabulary is left out\n");
    return false;
}

START_TEST(smollm2_gguf_equals_the_reference)
{
    if (!has_smollm2()) return;
    Tokenizer *t = tokenizer_open(test_smollm2_path());
    ck_assert_ptr_nonnull(t);
    ck_assert_str_eq(tokenizer_pre_name(t), "smollm");
    ck_assert_int_eq(tokenizer_size(t), 49152);
    ck_assert_int_eq(tokenizer_eos(t), 2);
    ck_assert_int_eq(tokenizer_bos(t), -1);
    ck_assert_int_eq(tokenizer_bos_id(t), 1);
    check_explicit(t, "smollm2");
    check_column(t, "smollm2", true);
    tokenizer_close(t);
}
END_TEST

START_TEST(smollm2_folder_equals_the_reference)
{
    if (!has_smollm2()) return;
    char *model = mem_text(test_smollm2_path()), *slash = strrchr(model, '/');
    if (slash) *slash = 0;
    char *folder = mem_printf("%s/smollm2-hf", slash ? model : ".");
    if (!access(folder, R_OK)) {
        Tokenizer *t = tokenizer_open(folder);
        ck_assert_ptr_nonnull(t);
        ck_assert_int_eq(tokenizer_eos(t), 2);
        ck_assert_ptr_nonnull(tokenizer_chat_template(t));
        bool divided = !strcmp(tokenizer_pre_name(t),
                               "smollm"); /* a folder made from GGUF may lack the Digits step */
        check_column(t, divided ? "smollm2" : "smollm2-undivided", true);
        tokenizer_close(t);
    } else {
        fprintf(stderr, "%s is not there: the folder of SmolLM2 is left out\n", folder);
    }
    mem_free(folder);
    mem_free(model);
}
END_TEST

static void expect_ids(const Tokenizer *t, const char *text, bool special, int n,
                       const int32_t *want)
{
    Ids ids = {0};
    ck_assert_int_eq(tokenizer_encode(t, text, strlen(text), special, true, &ids), 0);
    ck_assert_int_eq(ids.n, n);
    for (int i = 0; i < n; i++) ck_assert_int_eq(ids.data[i], want[i]);
    Buffer back = {0};
    tokenizer_decode(t, ids.data, ids.n, false, &back);
    ck_assert_str_eq(back.data ? back.data : "", text);
    buffer_free(&back);
    ids_free(&ids);
}

START_TEST(alphabet_takes_the_longest_literal)
{
    Tokenizer *t = tokenizer_from_alphabet(" 0 1 12 + =\n<think> </think>\t< é ");
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(tokenizer_size(t), 10);
    ck_assert_int_eq(tokenizer_eos(t), 0);
    ck_assert(tokenizer_is_eos(t, 0) && !tokenizer_is_eos(t, 1));
    ck_assert_int_eq(tokenizer_bos(t), -1);
    expect_ids(t, "", false, 0, NULL);
    expect_ids(t, "1120", false, 3, (int32_t[]){2, 3, 1});
    expect_ids(t, "<think><é</think>", false, 4, (int32_t[]){6, 8, 9, 7});
    expect_ids(t, "1<eos>", true, 2, (int32_t[]){2, 0});
    tokenizer_close(t);
}
END_TEST

START_TEST(alphabet_refuses_other_text)
{
    static const char *const bad[] = {"2", "1 1", "1<eos>", "1é"};
    Tokenizer *t = tokenizer_from_alphabet("1 <");
    Ids ids = {0};
    ids_add(&ids, 1);
    errors_quiet(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(tokenizer_encode(t, bad[i], strlen(bad[i]), false, false, &ids), -1);
        ck_assert_int_eq(ids.n, 1); /* nothing was left behind */
    }
    ck_assert_ptr_nonnull(strstr(errors_last(), "no token for 'é'"));
    ck_assert_ptr_null(tokenizer_from_alphabet(" \n"));
    ck_assert_ptr_null(tokenizer_from_alphabet("a b a"));
    ck_assert_ptr_null(tokenizer_from_alphabet("a <eos>"));
    errors_quiet(-1);
    ids_free(&ids);
    tokenizer_close(t);
}
END_TEST

START_TEST(refuses_text_that_is_not_utf8)
{
    static const char *const bad[] = {"a\xff", "\xc3", "\xed\xa0\x80", "\xc0\x80",
                                      "x\xf4\x90\x80\x80"};
    Tokenizer *t = small_with(NULL, false);
    Ids ids = {0};
    errors_quiet(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(tokenizer_encode(t, bad[i], strlen(bad[i]), true, true, &ids), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "byte 1 of the text (0xf4) is not UTF-8"));
    errors_quiet(-1);
    ck_assert_int_eq(ids.n, 0);
    tokenizer_close(t);
}
END_TEST

START_TEST(a_megabyte_without_blanks_takes_no_quadratic_time)
{
    static const char *const units[] = {"a", " ", "\n", "ab", "中", "a\xcc\x81", "1", "' ", "=-"};
    Tokenizer *t = small_with(NULL, false);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        Buffer text = {0};
        Ids ids = {0};
        while (text.size < 1 << 20) buffer_text(&text, units[u]);
        ck_assert_int_eq(tokenizer_encode(t, text.data, text.size, true, false, &ids), 0);
        ck_assert_int_gt(ids.n, 1000);
        buffer_free(&text);
        ids_free(&ids);
    }
    tokenizer_close(t);
}
END_TEST

/* --- export ----------------------------------------------------------------------------------- */

/* Exports t into a folder of its own and opens that. */
static Tokenizer *exported(const Tokenizer *t)
{
    static const char *const files[] = {"tokenizer.json", "tokenizer_config.json",
                                        "generation_config.json"};
    char folder[] = "/tmp/test_tokenizer_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(tokenizer_export(t, folder), 0);
    ck_assert_int_eq(tokenizer_export(t, folder), 0); /* over what is there */
    Tokenizer *back = tokenizer_open(folder);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = mem_printf("%s/%s", folder, files[i]);
        unlink(path);
        mem_free(path);
    }
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left there */
    ck_assert_ptr_nonnull(back);
    return back;
}

static void same_tokens(const Tokenizer *a, const Tokenizer *b)
{
    ck_assert_int_eq(tokenizer_kind(a), tokenizer_kind(b));
    ck_assert_int_eq(tokenizer_size(a), tokenizer_size(b));
    ck_assert_int_eq(tokenizer_merge_count(a), tokenizer_merge_count(b));
    for (int id = 0; id < tokenizer_size(a); id++) {
        Buffer x = {0}, y = {0};
        tokenizer_token_text(a, id, &x);
        tokenizer_token_text(b, id, &y);
        ck_assert_str_eq(x.data, y.data);
        ck_assert_int_eq(tokenizer_token_type(a, id), tokenizer_token_type(b, id));
        buffer_free(&x);
        buffer_free(&y);
    }
}

START_TEST(exports_an_alphabet)
{
    Tokenizer *t = tokenizer_from_alphabet("0 1 12 \" \\ <think> é <unk>");
    Tokenizer *back = exported(t);
    same_tokens(t, back);
    ck_assert_int_eq(tokenizer_eos(back), 0);
    ck_assert_int_eq(tokenizer_bos(back), -1);
    ck_assert_str_eq(tokenizer_pre_name(back), "gpt-2");
    expect_ids(back, "112é\"\\<think><unk>", false, 7, (int32_t[]){2, 3, 7, 4, 5, 6, 8});
    tokenizer_close(back);
    tokenizer_close(t);
}
END_TEST

START_TEST(exports_bpe)
{
    Tokenizer *t = small_with(NULL, false);
    t->chat_template = mem_text("{{ \"é\" }}\n");
    t->bos = 557, t->add_bos = true, t->pad = 556;
    tokenizer_add_eos(t, 558);
    tokenizer_add_eos(t, 556);
    Tokenizer *back = exported(t);
    same_tokens(t, back);
    ck_assert_str_eq(tokenizer_chat_template(back), tokenizer_chat_template(t));
    ck_assert_str_eq(tokenizer_pre_name(back), "qwen2");
    ck_assert_int_eq(tokenizer_bos(back), 557);
    ck_assert_int_eq(tokenizer_pad_id(back), 556);
    ck_assert_int_eq(tokenizer_eos(back), 558);
    ck_assert(tokenizer_is_eos(back, 556) && !tokenizer_is_eos(back, 557));
    check_explicit(back, "small-qwen");
    check_column(back, "small-qwen", false);
    Ids ids = {0};
    ck_assert_int_eq(tokenizer_encode(back, "", 0, false, true, &ids), 0);
    ck_assert(ids.n == 1 && ids.data[0] == 557);
    ids_free(&ids);
    tokenizer_close(back);
    tokenizer_close(t);
}
END_TEST

START_TEST(exports_what_gguf_held)
{
    if (!has_smollm2()) return;
    Tokenizer *t = tokenizer_open(test_smollm2_path()), *back = exported(t);
    same_tokens(t, back);
    ck_assert_str_eq(tokenizer_pre_name(back), "smollm");
    ck_assert_str_eq(tokenizer_chat_template(back), tokenizer_chat_template(t));
    check_explicit(back, "smollm2");
    check_column(back, "smollm2", false);
    tokenizer_close(back);
    tokenizer_close(t);
}
END_TEST

TEST_MAIN("tokenizer", small_equals_the_reference, smollm2_gguf_equals_the_reference,
          smollm2_folder_equals_the_reference, alphabet_takes_the_longest_literal,
          alphabet_refuses_other_text, refuses_text_that_is_not_utf8,
          a_megabyte_without_blanks_takes_no_quadratic_time, exports_an_alphabet, exports_bpe,
          exports_what_gguf_held)

/* The GGUF parser: every type of value, and what hostile bytes get: one line that says what and
 * where, never a crash. */
#include "tests/harness.h"

#include "common/errors.h"
#include "common/gguf.h"
#include "tests/model_files.h"

/* A file with a value of every type, three arrays and two tensors. */
static void make_all_types(Buffer *out)
{
    GgufMaker m = {0};
    maker_key(&m, "k.u8", 0), buffer_add(&m.keys, "\xff", 1);
    maker_key(&m, "k.i8", 1), buffer_add(&m.keys, "\xff", 1);
    maker_key(&m, "k.u16", 2), buffer_add(&m.keys, "\xfe\xff", 2);
    maker_key(&m, "k.i16", 3), buffer_add(&m.keys, "\xfe\xff", 2);
    maker_u32(&m, "k.u32", 4000000000u);
    maker_key(&m, "k.i32", 5), put_u32(&m.keys, (uint32_t)-7);
    maker_f32(&m, "k.f32", 0.375f);
    maker_key(&m, "k.bool", 7), buffer_add(&m.keys, "\1", 1);
    maker_text(&m, "k.text", "h\xc3\xa9llo");
    maker_key(&m, "k.u64", 10), put_u64(&m.keys, UINT64_MAX);
    maker_key(&m, "k.i64", 11), put_u64(&m.keys, (uint64_t)-5000000000ll);
    double x = -2.5;
    maker_key(&m, "k.f64", 12), buffer_add(&m.keys, &x, 8);
    maker_key(&m, "k.texts", 9), put_u32(&m.keys, 8), put_u64(&m.keys, 3);
    put_string(&m.keys, "one"), put_string(&m.keys, ""), put_string(&m.keys, "three");
    maker_key(&m, "k.ints", 9), put_u32(&m.keys, 5), put_u64(&m.keys, 2),
        put_u32(&m.keys, (uint32_t)-1), put_u32(&m.keys, 9);
    maker_key(&m, "k.floats", 9), put_u32(&m.keys, 6), put_u64(&m.keys, 1),
        put_u32(&m.keys, 0x3f800000);
    maker_key(&m, "k.empty", 9), put_u32(&m.keys, 8), put_u64(&m.keys, 0);
    float numbers[32] = {1, 2, 3};
    maker_tensor(&m, "a", 0, (int64_t[]){4, 2}, 2, numbers, 32);
    maker_tensor(&m, "b", 8, (int64_t[]){32}, 1, numbers, 34);
    maker_finish(&m, 3, out);
}

START_TEST(gives_every_type_of_value)
{
    Buffer b = {0};
    make_all_types(&b);
    GgufFile *f = gguf_open_memory("all", b.data, b.size);
    ck_assert_ptr_nonnull(f);
    int64_t v = 0;
    const struct {
        const char *key;
        int64_t v;
    } whole[] = {{"k.u8", 255},         {"k.i8", -1},  {"k.u16", 65534},      {"k.i16", -2},
                 {"k.u32", 4000000000}, {"k.i32", -7}, {"k.i64", -5000000000}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        ck_assert_int_eq(gguf_get_int(f, whole[i].key, INT64_MIN, INT64_MAX, &v), 1);
        ck_assert_int_eq(v, whole[i].v);
    }
    double x = 0;
    bool yes = false;
    GgufText t = {0};
    ck_assert(gguf_get_float(f, "k.f32", &x) == 1 && x == 0.375);
    ck_assert(gguf_get_float(f, "k.f64", &x) == 1 && x == -2.5);
    ck_assert(gguf_get_bool(f, "k.bool", &yes) == 1 && yes);
    ck_assert(gguf_get_text(f, "k.text", &t) == 1 && gguf_text_is(t, "h\xc3\xa9llo"));
    GgufText *texts;
    int64_t *ints;
    float *floats;
    size_t n;
    ck_assert(gguf_get_texts(f, "k.texts", &texts, &n) == 1 && n == 3);
    ck_assert(gguf_text_is(texts[0], "one") && gguf_text_is(texts[1], "") &&
              gguf_text_is(texts[2], "three"));
    mem_free(texts);
    ck_assert(gguf_get_ints(f, "k.ints", &ints, &n) == 1 && n == 2 && ints[0] == -1 &&
              ints[1] == 9);
    mem_free(ints);
    ck_assert(gguf_get_floats(f, "k.floats", &floats, &n) == 1 && n == 1 && floats[0] == 1);
    mem_free(floats);
    ck_assert(gguf_get_texts(f, "k.empty", &texts, &n) == 1 && n == 0);
    mem_free(texts);
    ck_assert_int_eq(gguf_tensor_count(f), 2);
    const GgufTensor *a = gguf_tensor_at(f, 0);
    ck_assert(gguf_text_is(a->name, "a") && a->n_dims == 2 && a->dims[0] == 4 && a->dims[1] == 2);
    ck_assert(((const float *)a->data)[1] == 2);
    gguf_close(f);
    buffer_free(&b);
}
END_TEST

START_TEST(tells_absent_from_wrong)
{
    Buffer b = {0};
    make_all_types(&b);
    GgufFile *f = gguf_open_memory("all", b.data, b.size);
    int64_t v = 77;
    uint32_t u = 0;
    double x;
    bool yes;
    GgufText t, *texts;
    size_t n;
    errors_quiet(1);
    ck_assert(gguf_get_int(f, "k.none", 0, 9, &v) == 0 && v == 77);
    ck_assert_int_eq(gguf_get_int(f, "k.u8", 0, 254, &v), -1);
    ck_assert_str_eq(
        errors_last(),
        "all: key k.u8 is 255, not in [0, 254]; the file is damaged or incomplete: fetch it again");
    ck_assert_int_eq(gguf_get_int(f, "k.u64", INT64_MIN, INT64_MAX, &v), -1);
    ck_assert_int_eq(gguf_get_int(f, "k.bool", 0, 1, &v), -1);
    ck_assert_int_eq(gguf_get_int(f, "k.ints", 0, 1, &v), -1);
    ck_assert_int_eq(gguf_get_u32(f, "k.i32", &u), -1);
    ck_assert_int_eq(gguf_get_float(f, "k.u32", &x), -1);
    ck_assert_int_eq(gguf_get_bool(f, "k.u8", &yes), -1);
    ck_assert_int_eq(gguf_get_text(f, "k.texts", &t), -1);
    ck_assert_int_eq(gguf_get_texts(f, "k.text", &texts, &n), -1);
    errors_quiet(-1);
    gguf_close(f);
    buffer_free(&b);
}
END_TEST

/* Opens bytes; the number of lines printed must be 0 for a success and 1 for a refusal. */
static bool opens(const void *data, size_t n)
{
    catch_stderr();
    GgufFile *f = gguf_open_memory("hostile", data, n);
    int lines = release_stderr();
    ck_assert_msg(lines == (f ? 0 : 1), "%d lines, last: %s", lines, errors_last());
    bool good = f != NULL;
    gguf_close(f);
    return good;
}

START_TEST(refuses_every_truncation)
{
    Buffer b = {0};
    make_all_types(&b);
    size_t padding = 64 - 34; /* of the last tensor: not needed */
    for (size_t n = 0; n < b.size - padding; n++) {
        char *copy = malloc(n ? n : 1); /* exact size: the sanitizer sees a byte too far */
        memcpy(copy, b.data, n);
        ck_assert_msg(!opens(copy, n), "%zu of %zu bytes were accepted", n, b.size);
        free(copy);
    }
    ck_assert(opens(b.data, b.size));
    buffer_free(&b);
}
END_TEST

START_TEST(survives_flipped_bytes)
{
    Buffer b = {0};
    make_all_types(&b);
    uint64_t state = 5;
    int refused = 0, rounds = 20000;
    char *copy = malloc(b.size);
    for (int i = 0; i < rounds; i++) {
        memcpy(copy, b.data, b.size);
        for (uint32_t k = 0; k <= fixture_random(&state) % 3; k++) {
            static const unsigned char sharp[] = {0, 1, 0x7f, 0x80, 0xff};
            uint32_t r = fixture_random(&state);
            copy[fixture_random(&state) % b.size] = (char)(r & 1 ? sharp[r / 2 % 5] : r / 2);
        }
        refused += !opens(copy, b.size);
    }
    ck_assert_msg(refused > rounds / 10 && refused < rounds, "%d of %d refused", refused, rounds);
    free(copy);
    buffer_free(&b);
}
END_TEST

/* One defect each. `say` must stand in the message. */
static void expect_refusal(const Buffer *b, const char *say)
{
    ck_assert_msg(!opens(b->data, b->size), "accepted, expected: %s", say);
    ck_assert_msg(strstr(errors_last(), say) != NULL, "\"%s\" does not say \"%s\"", errors_last(),
                  say);
}

static void with_tensor(const char *name, uint32_t type, const int64_t *dims, int n_dims,
                        size_t bytes, const char *say)
{
    GgufMaker m = {0};
    Buffer b = {0};
    char zeros[64] = {0};
    maker_tensor(&m, name, type, dims, n_dims, zeros, bytes);
    maker_finish(&m, 3, &b);
    expect_refusal(&b, say);
    buffer_free(&b);
}

START_TEST(refuses_tensors_that_cannot_be)
{
    with_tensor("t", 0, (int64_t[]){1ll << 40, 1ll << 40}, 2, 32, "too many numbers");
    with_tensor("t", 0, (int64_t[]){-4}, 1, 32, "too many numbers");
    with_tensor("t", 0, (int64_t[]){0, 4}, 2, 32, "no or too many");
    with_tensor("t", 0, (int64_t[]){1, 1, 1, 1, 1}, 5, 32, "5 dimensions");
    with_tensor("t", 0, (int64_t[]){17}, 1, 64, "68 bytes at 0");
    with_tensor("t", 8, (int64_t[]){33}, 1, 64, "multiple of the 32");
    with_tensor("t", 77, (int64_t[]){1}, 1, 64, "number 77");
    with_tensor("", 0, (int64_t[]){1}, 1, 64, "tensor name");
    with_tensor("a\nb", 0, (int64_t[]){1}, 1, 64, "a\\x0ab");
    char name[97];
    memset(name, 'x', 96), name[96] = 0;
    with_tensor(name, 0, (int64_t[]){1}, 1, 64, "96 bytes");
}
END_TEST

START_TEST(refuses_headers_that_cannot_be)
{
    GgufMaker m = {0};
    Buffer b = {0};
    float x[8] = {0};
    for (uint32_t version = 0; version < 6; version++) {
        maker_finish(&m, version, &b);
        if (version == 2 || version == 3)
            ck_assert(opens(b.data, b.size));
        else
            expect_refusal(&b, "GGUF version");
        buffer_free(&b);
    }
    maker_finish(&m, 3u << 24, &b);
    expect_refusal(&b, "big-endian");
    buffer_free(&b);

    maker_u32(&m, "k", 1), maker_u32(&m, "k", 1);
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "key k is there twice");
    buffer_free(&b);

    maker_tensor(&m, "t", 0, (int64_t[]){8}, 1, x, 32),
        maker_tensor(&m, "t", 0, (int64_t[]){8}, 1, x, 32);
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "tensor t is there twice");
    buffer_free(&b);

    maker_tensor(&m, "s", 0, (int64_t[]){8}, 1, x, 32),
        maker_tensor(&m, "t", 0, (int64_t[]){8}, 1, x, 32);
    memset(m.infos.data + m.infos.size - 8, 0, 8); /* t's offset */
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "overlap");
    buffer_free(&b);

    maker_tensor(&m, "s", 0, (int64_t[]){1}, 1, x, 32);
    m.infos.data[m.infos.size - 8] = 4;
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "multiple of the alignment");
    buffer_free(&b);

    maker_key(&m, "k", 9), put_u32(&m.keys, 9), put_u64(&m.keys, 1), put_u64(&m.keys, 1),
        put_u64(&m.keys, 1);
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "array of arrays");
    buffer_free(&b);

    maker_key(&m, "k", 9), put_u32(&m.keys, 4), put_u64(&m.keys, UINT64_MAX / 2),
        put_u64(&m.keys, 1);
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "values of type u32");
    buffer_free(&b);

    maker_key(&m, "k", 9), put_u32(&m.keys, 8), put_u64(&m.keys, 3), put_u64(&m.keys, 1);
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "3 texts");
    buffer_free(&b);

    maker_key(&m, "k", 7), buffer_add(&m.keys, "\2", 1), buffer_add(&m.keys, "        ", 8);
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "not 0 or 1");
    buffer_free(&b);

    for (uint32_t bad = 0; bad < 3; bad++) {
        maker_u32(&m, "general.alignment", bad == 0 ? 0 : bad == 1 ? 48 : 1u << 31);
        maker_finish(&m, 3, &b);
        expect_refusal(&b, "general.alignment");
        buffer_free(&b);
    }

    maker_u32(&m, "k", 1);
    m.n_keys = 1ull << 60;
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "metadata keys in");
    buffer_free(&b);

    maker_u32(&m, "k", 1);
    m.n_tensors = 1ull << 60;
    maker_finish(&m, 3, &b);
    expect_refusal(&b, "tensors in");
    buffer_free(&b);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    errors_quiet(1);
    ck_assert_ptr_null(gguf_open("/nonexistent/model.gguf"));
    ck_assert(strstr(errors_last(), "No such file"));
    ck_assert_ptr_null(gguf_open("/dev/zero"));
    ck_assert(strstr(errors_last(), "not a regular file"));
    write_bytes(fixture_path("empty.gguf"), "", 0);
    ck_assert_ptr_null(gguf_open(fixture_path("empty.gguf")));
    ck_assert(strstr(errors_last(), "not a GGUF file"));
    errors_quiet(-1);
}
END_TEST

TEST_MAIN("gguf", gives_every_type_of_value, tells_absent_from_wrong, refuses_every_truncation,
          survives_flipped_bytes, refuses_tensors_that_cannot_be, refuses_headers_that_cannot_be,
          refuses_what_is_no_file)

/* The safetensors parser: sizes, ranges, types; and what hostile headers get. */
#include "tests/harness.h"

#include "common/errors.h"
#include "common/safetensors.h"
#include "tests/model_files.h"

static void make(Buffer *b, const char *header, const void *data, size_t n)
{
    put_u64(b, strlen(header));
    buffer_text(b, header);
    buffer_add(b, data, n);
}

/* Number of tensors, or -1 after exactly one line on standard error. */
static int parses(const void *data, size_t n)
{
    Tensor *t = NULL;
    int count = 0;
    catch_stderr();
    int rc = safetensors_parse("hostile", data, n, &t, &count);
    int lines = release_stderr();
    ck_assert_msg(lines == (rc ? 1 : 0), "%d lines, last: %s", lines, errors_last());
    ck_assert(!rc || count == 0);
    mem_free(t);
    return rc ? -1 : count;
}

static void refused(const char *header, size_t n_data, const char *say)
{
    Buffer b = {0};
    char zeros[256] = {0};
    make(&b, header, zeros, n_data);
    ck_assert_msg(parses(b.data, b.size) < 0, "accepted: %s", header);
    ck_assert_msg(strstr(errors_last(), say) != NULL, "\"%s\" does not say \"%s\"", errors_last(),
                  say);
    buffer_free(&b);
}

START_TEST(reads_what_is_there)
{
    Buffer b = {0};
    float f[3] = {1, -2, 0.5f};
    uint16_t h[2] = {0x3c00, 0xc000}, g[2] = {0x3f80, 0xc000};
    char data[20];
    memcpy(data, h, 4), memcpy(data + 4, f, 12), memcpy(data + 16, g, 4);
    make(&b,
         "{\"__metadata__\":{\"format\":\"pt\"},\"f\":{\"dtype\":\"F32\",\"shape\":[3],\"data_"
         "offsets\":[4,16]},"
         "\"h\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[0,4]},\"g\":{\"dtype\":"
         "\"BF16\",\"shape\":[2,1],\"data_offsets\":[16,20]}}   ",
         data, sizeof data);
    Tensor *t = NULL;
    int n = 0;
    ck_assert_int_eq(safetensors_parse("good", (unsigned char *)b.data, b.size, &t, &n), 0);
    ck_assert_int_eq(n, 3);
    for (int i = 0; i < n; i++) {
        float x[3];
        tensor_read(&t[i], x); /* at whatever address the header's length gave */
        if (!strcmp(t[i].name, "f"))
            ck_assert(t[i].dtype == DTYPE_F32 && t[i].n_dims == 1 && same_bits(x, f, 12));
        if (!strcmp(t[i].name, "h"))
            ck_assert(t[i].dtype == DTYPE_F16 && t[i].dims[1] == 2 && x[0] == 1 && x[1] == -2);
        if (!strcmp(t[i].name, "g"))
            ck_assert(t[i].dtype == DTYPE_BF16 && t[i].dims[0] == 2 && x[0] == 1 && x[1] == -2);
    }
    mem_free(t);
    buffer_free(&b);
}
END_TEST

START_TEST(accepts_the_empty_and_the_zero_sized)
{
    Buffer b = {0};
    make(&b, "{}", "", 0);
    ck_assert_int_eq(parses(b.data, b.size), 0);
    buffer_free(&b);
    make(&b,
         "{\"z\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[4,4]},\"a\":{\"dtype\":"
         "\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
         "1234", 4);
    ck_assert_int_eq(parses(b.data, b.size), 2);
    buffer_free(&b);
}
END_TEST

#define ONE(dtype, shape, range)                                                                   \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" range "}}"

START_TEST(refuses_one_defect_each)
{
    refused(ONE("F32", "[4]", "[0,12]"), 12, "12 bytes of data, its shape and type need 16");
    refused(ONE("F32", "[4]", "[0,16]"), 12, "only 12 bytes of data");
    refused(ONE("F32", "[4]", "[0,16]"), 20, "end at byte 16 of 20");
    refused(ONE("F32", "[4]", "[4,20]"), 20, "gap");
    refused(ONE("F32", "[4]", "[16,0]"), 16, "two growing numbers");
    refused(ONE("F32", "[4]", "[-16,0]"), 16, "two growing numbers");
    refused(ONE("F32", "[4]", "[0]"), 16, "two growing numbers");
    refused(ONE("F32", "[4]", "[0,16,32]"), 16, "two growing numbers");
    refused(ONE("F32", "[4]", "[0,16.0]"), 16, "two growing numbers");
    refused(ONE("F32", "[4294967296,4294967296]", "[0,0]"), 16, "2^48");
    refused(ONE("F32", "[9223372036854775807,4]", "[0,0]"), 16, "2^48");
    refused(ONE("F32", "[0,4294967296,4294967296,4294967296]", "[0,8]"), 8,
            "8 bytes of data, its shape and type need 0");
    refused(ONE("F32", "[-4]", "[0,16]"), 16, "below 0");
    refused(ONE("F32", "[4.0]", "[0,16]"), 16, "below 0");
    refused(ONE("F32", "[]", "[0,4]"), 4, "1 to 4 numbers");
    refused(ONE("F32", "[1,1,1,1,1]", "[0,4]"), 4, "1 to 4 numbers");
    refused(ONE("F32", "4", "[0,16]"), 16, "1 to 4 numbers");
    refused(ONE("F8_E4M3", "[4]", "[0,4]"), 4, "F8_E4M3; F32, F16 and BF16");
    refused(ONE("I64", "[1]", "[0,8]"), 8, "I64");
    refused("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "missing");
    refused("{\"a\":3}", 0, "not described by an object");
    refused("{\"a\\nb\":{}}", 0, "a\\x0ab");
    refused("{\"\":{}}", 0, "1 to 95 printable");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":"
            "\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
            12, "overlaps");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":"
            "\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            4, "duplicate");
    refused("[]", 0, "no JSON object");
    refused("{\"a\":", 0, "header, byte");
    refused("{} {}", 0, "header, byte");
}
END_TEST

START_TEST(refuses_header_lengths_that_lie)
{
    const uint64_t lengths[] = {0, 1, 3, 1u << 20, 1ull << 40, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        Buffer b = {0};
        put_u64(&b, lengths[i]);
        buffer_text(&b, "{}");
        ck_assert_int_eq(parses(b.data, b.size), -1);
        buffer_free(&b);
    }
}
END_TEST

static void make_two(Buffer *b)
{
    float x[6] = {0, 1, 2, 3, 4, 5};
    make(b,
         "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},\"b\":{\"dtype\":"
         "\"BF16\",\"shape\":[4],\"data_offsets\":[16,24]}}",
         x, 24);
}

START_TEST(refuses_every_truncation)
{
    Buffer b = {0};
    make_two(&b);
    ck_assert_int_eq(parses(b.data, b.size), 2);
    for (size_t n = 0; n < b.size; n++) {
        char *copy = malloc(n ? n : 1);
        memcpy(copy, b.data, n);
        ck_assert_msg(parses(copy, n) < 0, "%zu of %zu bytes were accepted", n, b.size);
        free(copy);
    }
    buffer_free(&b);
}
END_TEST

START_TEST(survives_flipped_bytes)
{
    Buffer b = {0};
    make_two(&b);
    uint64_t state = 9;
    int refused_n = 0, rounds = 20000;
    char *copy = malloc(b.size);
    for (int i = 0; i < rounds; i++) {
        memcpy(copy, b.data, b.size);
        copy[fixture_random(&state) % (b.size - 24)] = (char)fixture_random(&state);
        if (i % 2)
            copy[fixture_random(&state) % (b.size - 24)] =
                "0123456789[]{},\":-e"[fixture_random(&state) % 19];
        refused_n += parses(copy, b.size) < 0;
    }
    ck_assert_msg(refused_n > rounds / 4 && refused_n < rounds, "%d of %d refused", refused_n,
                  rounds);
    free(copy);
    buffer_free(&b);
}
END_TEST

START_TEST(reads_its_own_header)
{
    float data[6] = {0};
    TensorView v[2] = {{.name = "a", .n_dims = 2, .dims = {2, 2}},
                       {.name = "b", .n_dims = 1, .dims = {2}}};
    const Dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    for (int i = 0; i < 3; i++) {
        Buffer b = {0};
        safetensors_header(v, 2, types[i], &b);
        ck_assert_int_eq(b.size % 64, 0);
        buffer_add(&b, data, dtype_bytes(types[i], 6));
        ck_assert_int_eq(parses(b.data, b.size), 2);
        buffer_free(&b);
    }
}
END_TEST

TEST_MAIN("safetensors", reads_what_is_there, accepts_the_empty_and_the_zero_sized,
          refuses_one_defect_each, refuses_header_lengths_that_lie, refuses_every_truncation,
          survives_flipped_bytes, reads_its_own_header)

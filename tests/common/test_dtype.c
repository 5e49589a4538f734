/* Number formats: every f16 and bf16 there and back, rounding at ties, and the Q blocks against
 * hand-made bytes. */
#include "common/dtype.h"
#include "tests/harness.h"

START_TEST(every_half_survives_the_round_trip)
{
    for (uint32_t h = 0; h < 65536; h++) {
        int is_nan16 = (h & 0x7c00) == 0x7c00 && (h & 0x3ff),
            is_nan_b = (h & 0x7f80) == 0x7f80 && (h & 0x7f);
        float f = f32_from_f16((uint16_t)h), b = f32_from_bf16((uint16_t)h);
        ck_assert(is_nan16 ? isnan(f) && isnan(f32_from_f16(f16_from_f32(f)))
                           : f16_from_f32(f) == h);
        ck_assert(is_nan_b ? isnan(b) && isnan(f32_from_bf16(bf16_from_f32(b)))
                           : bf16_from_f32(b) == h);
    }
}
END_TEST

START_TEST(f16_has_the_values_of_the_standard)
{
    ck_assert(f32_from_f16(0x3c00) == 1 && f32_from_f16(0xc000) == -2 &&
              f32_from_f16(0x7bff) == 65504);
    ck_assert(f32_from_f16(1) == 0x1p-24f && f32_from_f16(0x0400) == 0x1p-14f &&
              f32_from_f16(0xfc00) == -INFINITY);
}
END_TEST

/* Between neighbours a and b: below the middle to a, above it to b, at the middle to the even one.
 */
START_TEST(rounding_is_to_nearest_even)
{
    for (uint16_t h = 0; h < 0x7bff; h += 7) {
        float a = f32_from_f16(h), b = f32_from_f16((uint16_t)(h + 1)), middle = a + (b - a) / 2;
        ck_assert(f16_from_f32(middle) == (h & 1 ? h + 1 : h));
        ck_assert(f16_from_f32(nextafterf(middle, 0)) == h &&
                  f16_from_f32(-nextafterf(middle, 1e9f)) == (0x8000 | (h + 1)));
    }
    for (uint16_t h = 0x80; h < 0x7f7f; h = (uint16_t)(h + 13)) {
        float a = f32_from_bf16(h), middle = a + (f32_from_bf16((uint16_t)(h + 1)) - a) / 2;
        ck_assert(bf16_from_f32(middle) == (h & 1 ? h + 1 : h));
    }
    ck_assert(f16_from_f32(65520) == 0x7c00 && f16_from_f32(65519.996f) == 0x7bff &&
              f16_from_f32(1e30f) == 0x7c00);
    ck_assert(f16_from_f32(0x1p-25f) == 0 && f16_from_f32(0x1.8p-25f) == 1 &&
              f16_from_f32(-0.0f) == 0x8000);
}
END_TEST

START_TEST(q_blocks_mean_what_ggml_says)
{
    uint8_t q8[34] = {0x00, 0x38}, q40[18] = {0x00, 0x38},
            q41[20] = {0x00, 0x38, 0x00, 0xbc}; /* d = 0.5, m = -1 */
    float x[32];
    for (int i = 0; i < 32; i++) q8[2 + i] = (uint8_t)(int8_t)(i - 16);
    for (int i = 0; i < 16; i++) q40[2 + i] = q41[4 + i] = (uint8_t)(i | (15 - i) << 4);
    dtype_to_f32(x, q8, DTYPE_Q8_0, 32);
    for (int i = 0; i < 32; i++) ck_assert(x[i] == 0.5f * (float)(i - 16));
    dtype_to_f32(x, q40, DTYPE_Q4_0, 32);
    for (int i = 0; i < 16; i++)
        ck_assert(x[i] == 0.5f * (float)(i - 8) && x[i + 16] == 0.5f * (float)(7 - i));
    dtype_to_f32(x, q41, DTYPE_Q4_1, 32);
    for (int i = 0; i < 16; i++)
        ck_assert(x[i] == 0.5f * (float)i - 1 && x[i + 16] == 0.5f * (float)(15 - i) - 1);
}
END_TEST

START_TEST(written_formats_read_back_within_their_step)
{
    enum { N = 96 };
    float x[N], y[N];
    uint8_t stored[N * 4];
    for (int i = 0; i < N; i++) x[i] = i < 32 ? 0 : 3 * sinf((float)(i * i));
    static const struct {
        Dtype t;
        float step;
    } rows[] = {{DTYPE_F32, 0},
                {DTYPE_F16, 3 * 0x1p-11f},
                {DTYPE_BF16, 3 * 0x1p-8f},
                {DTYPE_Q8_0, 3 / 127.0f * 0.51f}};
    for (int r = 0; r < 4; r++) {
        dtype_from_f32(stored, x, rows[r].t, N);
        dtype_to_f32(y, stored, rows[r].t, N);
        ck_assert_msg(max_abs_diff(x, y, N) <= (double)rows[r].step, "%s", dtype_name(rows[r].t));
        ck_assert(y[5] == 0);
    }
    ck_assert_uint_eq(dtype_bytes(DTYPE_Q8_0, N), 3 * 34);
    ck_assert_uint_eq(dtype_bytes(DTYPE_Q4_1, N), 3 * 20);
    ck_assert_uint_eq(dtype_bytes(DTYPE_BF16, 7), 14);
    ck_assert_int_eq(dtype_block(DTYPE_Q4_0), 32);
    ck_assert_str_eq(dtype_name(DTYPE_Q4_0), "Q4_0");
}
END_TEST

TEST_MAIN("dtype", every_half_survives_the_round_trip, f16_has_the_values_of_the_standard,
          rounding_is_to_nearest_even, q_blocks_mean_what_ggml_says,
          written_formats_read_back_within_their_step)

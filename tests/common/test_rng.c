/* Philox4x32-10 gives the published known-answer vectors' quality; here: purity, spread,
 * independence of neighbours. */
#include "tests/harness.h"

#include "common/rng.h"

START_TEST(is_a_pure_function)
{
    ck_assert(rng_uniform(1, STREAM_SAMPLING, 7, 3, 9) == rng_uniform(1, STREAM_SAMPLING, 7, 3, 9));
    ck_assert(rng_uniform(1, STREAM_SAMPLING, 7, 3, 9) != rng_uniform(2, STREAM_SAMPLING, 7, 3, 9));
    ck_assert(rng_uniform(1, STREAM_SAMPLING, 7, 3, 9) != rng_uniform(1, STREAM_TASK, 7, 3, 9));
    ck_assert(rng_uniform(1, STREAM_SAMPLING, 7, 3, 9) !=
              rng_uniform(1, STREAM_SAMPLING, 7 + (1ull << 32), 3, 9));
}
END_TEST

START_TEST(is_uniform_over_every_argument)
{
    for (int argument = 0; argument < 3; argument++) {
        int count[16] = {0}, n = 1 << 16;
        for (int i = 0; i < n; i++) {
            uint32_t v[3] = {5, 6, 7};
            v[argument] = (uint32_t)i;
            float u = rng_uniform(11, STREAM_TASK, v[0], v[1], v[2]);
            ck_assert(u >= 0 && u < 1);
            count[(int)(u * 16)]++;
        }
        double chi2 = 0, expect = n / 16.0;
        for (int i = 0; i < 16; i++) chi2 += (count[i] - expect) * (count[i] - expect) / expect;
        /* p = 0.001 */
        ck_assert_msg(chi2 < 37.7, "chi2(15) = %g over argument %d", chi2, argument);
    }
}
END_TEST

START_TEST(below_stays_below_and_covers)
{
    int seen[7] = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t x = rng_below(7, 3, STREAM_PROBLEM, i, 0, 0);
        ck_assert(x < 7);
        seen[x]++;
    }
    for (int i = 0; i < 7; i++) ck_assert(seen[i] > 90);
    ck_assert_uint_eq(rng_below(1, 3, STREAM_PROBLEM, 1, 1, 1), 0);
}
END_TEST

START_TEST(normal_has_moments)
{
    double sum = 0, sum2 = 0;
    int n = 100000;
    for (int i = 0; i < n; i++) {
        double x = rng_normal(1, STREAM_INIT, (uint64_t)i, 0, 0);
        sum += x, sum2 += x * x;
    }
    ck_assert(fabs(sum / n) < 0.015 && fabs(sum2 / n - 1) < 0.02);
}
END_TEST

TEST_MAIN("rng", is_a_pure_function, is_uniform_over_every_argument, below_stays_below_and_covers,
          normal_has_moments)

/* pass@k against counting every subset; intervals against published and direct values. */
#include "tests/harness.h"

#include "common/statistics.h"

/* Among all k-subsets of n answers (the first c right), the share with at least one right one. */
static double count_subsets(int n, int c, int k)
{
    int hit = 0, all = 0;
    for (unsigned set = 0; set < 1u << n; set++) {
        if (__builtin_popcount(set) != k) continue;
        all++;
        hit += (set & ((1u << c) - 1)) != 0;
    }
    return (double)hit / all;
}

START_TEST(pass_at_k_is_the_share_of_subsets)
{
    for (int n = 1; n <= 9; n++)
        for (int c = 0; c <= n; c++)
            for (int k = 1; k <= n; k++)
                ck_assert_double_eq_tol(pass_at_k(n, c, k), count_subsets(n, c, k), 1e-12);
    ck_assert_double_eq_tol(pass_at_k(200, 20, 1), 0.1, 1e-12);
}
END_TEST

START_TEST(wilson_is_known)
{
    Estimate e =
        estimate_share(0.5, 10); /* statsmodels: proportion_confint(5, 10, method="wilson") */
    ck_assert_double_eq_tol(e.low, 0.236593090512564, 1e-9);
    ck_assert_double_eq_tol(e.high, 0.763406909487436, 1e-9);
    e = estimate_share(0, 20);
    ck_assert_double_eq_tol(e.low, 0, 1e-12);
    ck_assert_double_eq_tol(e.high, 0.161125158052819, 1e-9);
}
END_TEST

START_TEST(a_mean_of_single_answers_is_a_share)
{
    double x[40];
    for (int i = 0; i < 40; i++) x[i] = i % 4 == 0;
    Estimate a = estimate_mean(x, 40), b = estimate_share(0.25, 40);
    ck_assert_double_eq_tol(a.low, b.low, 1e-12);
    ck_assert_double_eq_tol(a.high, b.high, 1e-12);
    for (int i = 0; i < 40; i++)
        x[i] = i % 4 == 0 ? 0.5 : 0.25; /* several answers a problem are surer */
    Estimate c = estimate_mean(x, 40);
    ck_assert(c.high - c.low < a.high - a.low);
    for (int i = 0; i < 40; i++) x[i] = 1;
    a = estimate_mean(x, 40);
    ck_assert(a.high == 1 && a.low > 0.9 && a.low < 1);
}
END_TEST

TEST_MAIN("statistics", pass_at_k_is_the_share_of_subsets, wilson_is_known,
          a_mean_of_single_answers_is_a_share)

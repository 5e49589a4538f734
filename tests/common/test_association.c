/* Correlations, ranks, quantiles and kappa against scipy, numpy and scikit-learn
 * (tests/data/make_association.py prints the golden values), and what must hold at the edges. */
#include "tests/harness.h"

#include "common/association.h"

static const double x[] = {0.3, 1.5, -2.0, 7.25, 0.3, 4.0, 1e3, -5.5},
                    y[] = {1, 0, 2, 2, 5, -1, 3, 2.5};

START_TEST(correlations_are_scipys)
{
    const double big[] = {1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4, 1e9 + 5.5}, z[] = {2, 1, 4, 3, 7};
    ck_assert_double_eq_tol(correlation_pearson(x, y, 8), 0.25599650248700362, 1e-14);
    ck_assert_double_eq_tol(correlation_spearman(x, y, 8), -0.12048192771084336, 1e-14);
    ck_assert_double_eq_tol(correlation_pearson(big, z, 5), 0.85808683824017873, 1e-12);
}
END_TEST

START_TEST(ranks_share_ties)
{
    const double rx[] = {3.5, 5, 2, 7, 3.5, 6, 8, 1}, ry[] = {3, 2, 4.5, 4.5, 8, 1, 7, 6};
    double ranks[8];
    ranks_of(x, 8, ranks);
    ck_assert(same_bits(ranks, rx, sizeof ranks));
    ranks_of(y, 8, ranks);
    ck_assert(same_bits(ranks, ry, sizeof ranks));
    ranks_of(x, 0, ranks);
}
END_TEST

START_TEST(quantiles_are_numpys)
{
    const double q[] = {0, .05, .25, .5, .9, 1},
                 want[] = {-5.5, -4.275, -0.275, 0.9, 305.075, 1000};
    double sorted[8];
    memcpy(sorted, x, sizeof x);
    sort_numbers(sorted, 8);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq_tol(quantile_sorted(sorted, 8, q[i]), want[i], 1e-9);
    ck_assert_double_eq(quantile_sorted(sorted, 1, 0.99), -5.5);
}
END_TEST

/* The textbook's two pairs of judges: the same share of agreement, unlike beyond chance. */
START_TEST(kappa_is_scikit_learns)
{
    Verdicts v = {{{15, 10}, {5, 20}}};
    ck_assert_int_eq(verdicts_count(&v), 50);
    ck_assert_double_eq_tol(verdicts_differ(&v), 0.3, 1e-15);
    ck_assert_double_eq_tol(verdicts_kappa(&v), 0.4, 1e-14);
    v = (Verdicts){{{15, 25}, {15, 45}}};
    ck_assert_double_eq_tol(verdicts_differ(&v), 0.4, 1e-15);
    ck_assert_double_eq_tol(verdicts_kappa(&v), 0.13043478260869568, 1e-14);
    v = (Verdicts){0};
    for (int i = 0; i < 6; i++) verdicts_add(&v, i % 2, i % 2);
    ck_assert_double_eq(verdicts_kappa(&v), 1);
    v = (Verdicts){0};
    for (int i = 0; i < 6; i++) verdicts_add(&v, i % 2, !(i % 2));
    ck_assert_double_eq(verdicts_kappa(&v), -1);
}
END_TEST

START_TEST(what_is_not_defined_is_no_number)
{
    const double same[] = {0.1, 0.1, 0.1};
    Verdicts none = {0}, always = {{{0, 0}, {0, 9}}};
    ck_assert(isnan(correlation_pearson(same, y, 3)) && isnan(correlation_spearman(y, same, 3)));
    ck_assert(isnan(correlation_pearson(x, y, 1)) && isnan(correlation_pearson(x, y, 0)));
    ck_assert(isnan(verdicts_differ(&none)) && isnan(verdicts_kappa(&none)));
    ck_assert(verdicts_differ(&always) == 0 && isnan(verdicts_kappa(&always)));
}
END_TEST

START_TEST(perfect_correlation_is_exactly_one)
{
    double a[64], b[64], c[64];
    for (int i = 0; i < 64; i++) a[i] = i * 0.1, b[i] = 3 + i * 0.7, c[i] = exp(-a[i]);
    ck_assert_double_eq_tol(correlation_pearson(a, b, 64), 1, 1e-15);
    ck_assert(correlation_pearson(a, b, 64) <= 1);
    ck_assert_double_eq_tol(correlation_spearman(a, c, 64), -1, 1e-14);
    ck_assert(correlation_pearson(a, c, 64) > -1);
}
END_TEST

TEST_MAIN("association", correlations_are_scipys, ranks_share_ties, quantiles_are_numpys,
          kappa_is_scikit_learns, what_is_not_defined_is_no_number,
          perfect_correlation_is_exactly_one)

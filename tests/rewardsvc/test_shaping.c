/* The formulas of rewardsvc/shaping.h: every number the specifications give, through the learner's
 * advantage where they go so far. */
#include "rewardsvc/shaping.h"

#include "learner/advantage.h"
#include "tests/harness.h"

/* Specification 2 divides by the standard deviation with divisor n. */
static void expect_advantages_n(const double *reward, const double *want)
{
    double a[4];
    advantage_find("grpo")->assign(4, reward, 1e-6, a);
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(a[i] * sqrt(4. / 3), want[i], 2e-6);
}

static void expect_advantages(const double *reward, const double *want)
{
    double a[4];
    advantage_find("grpo")->assign(4, reward, 1e-6, a);
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(a[i], want[i], 2e-6);
}

START_TEST(crf_12)
{
    const double c[] = {0.9, 0.3, 1.0, 0.5}, even[] = {0.9, 0.3, 0.6, 0.6};
    double a[4], b[4], d = shaping_difficulty(2, 4);
    ck_assert_double_eq_tol(d, 1.648721, 5e-7);
    for (int i = 0; i < 4; i++) a[i] = shaping_crf(i < 2, c[i], 0.2, 1, d);
    for (int i = 0; i < 4; i++) b[i] = shaping_crf(1, even[i], 0.2, 0.5, shaping_difficulty(4, 4));
    const double want_a[] = {1.476770, 1.158923, 0, 0},
                 want_b[] = {1.579291, 1.193097, 1.386194, 1.386194};
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq_tol(a[i], want_a[i], 5e-7);
        ck_assert_double_eq_tol(b[i], want_b[i], 5e-7);
    }
    expect_advantages(a, (double[]){1.059598, 0.647798, -0.853698, -0.853698});
    expect_advantages(b, (double[]){1.224737, -1.224737, 0, 0});
    ck_assert_double_eq_tol(shaping_difficulty(0, 4), 1, 1e-12);
    ck_assert_double_eq_tol(shaping_anneal(0, 100), 1, 1e-12);
    ck_assert_double_eq_tol(shaping_anneal(50, 100), exp(-0.5), 1e-12);
}
END_TEST

START_TEST(sigmoid_15)
{
    static const double rows[][3] = {{0, 1, 0.5},       {2, 1, 0.731059},   {-4, 1, 0.119203},
                                     {2, 0, -0.268941}, {-4, 0, -0.880797}, {NAN, 1, 0.5},
                                     {NAN, 0, -0.5}};
    for (int i = 0; i < 7; i++)
        ck_assert_double_eq_tol(shaping_sigmoid(rows[i][0], rows[i][1], 0.5), rows[i][2], 5e-7);
    const double r[] = {shaping_sigmoid(2, 1, 0.5), shaping_sigmoid(-1, 1, 0.5),
                        shaping_sigmoid(3, 0, 0.5), shaping_sigmoid(-2, 0, 0.5)};
    const double want[] = {0.731059, 0.377541, -0.182426, -0.731059};
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(r[i], want[i], 5e-7);
    expect_advantages(r, (double[]){1.063299, 0.512359, -0.360320, -1.215337});
}
END_TEST

START_TEST(listener_20)
{
    const double one[] = {2, 0.5}, other[] = {0.5, 2};
    double p = shaping_option_probability(one, 2, 0), q = shaping_option_probability(other, 2, 0);
    ck_assert_double_eq_tol(p, 0.817574, 5e-7);
    ck_assert_double_eq_tol(q, 0.182426, 5e-7);
    ck_assert_double_eq_tol(shaping_listener(1, 1, p), 1.908787, 5e-7);
    ck_assert_double_eq_tol(shaping_listener(1, 0, p), 1.408787, 5e-7);
    ck_assert_double_eq_tol(shaping_listener(1, 1, q), 1.591213, 5e-7);
    ck_assert_double_eq_tol(shaping_listener(1, 0, q), 1.091213, 5e-7);
    const double r[] = {shaping_listener(1, 1, 0.9), shaping_listener(1, 1, 0.4),
                        shaping_listener(1, 0, 0.6), shaping_listener(1, 0, 0.1)};
    const double want[] = {1.95, 1.7, 1.3, 1.05};
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(r[i], want[i], 1e-12);
    expect_advantages(r, (double[]){1.119183, 0.497415, -0.497415, -1.119183});
    const double large[] = {1000, 1000, -1000};
    ck_assert_double_eq_tol(shaping_option_probability(large, 3, 1), 0.5, 1e-12);
}
END_TEST

START_TEST(rpr_6)
{
    ck_assert_double_eq_tol(shaping_rpr(0.3, true, 0.25, 0.5, 0.1), 0.325, 1e-12);
    ck_assert_double_eq_tol(shaping_rpr(0.45, true, 1, 0.5, 0.1), 0.55, 1e-12);
    ck_assert_double_eq_tol(shaping_rpr(0.49, true, 0.2, 0.5, 0.1), 0.51, 1e-12);
    ck_assert_double_eq_tol(shaping_rpr(0.6, true, 1, 0.5, 0.1), 0.6, 1e-12);
    ck_assert_double_eq_tol(shaping_rpr(0.9, false, 0, 0.5, 0.1), 0, 1e-12);
}
END_TEST

START_TEST(rlsp_1)
{
    static const double rows[][3] = {{0.8, 0.7, 0.78}, {-0.02, 0.9, 0.164}, {-0.6, 0.5, -0.38},
                                     {-9, 0.7, -7.06}, {0.9, 0.7, 0.86},    {1, 0.7, 0.94}};
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq_tol(shaping_rlsp(rows[i][0], rows[i][1], 0.8), rows[i][2], 1e-12);
    expect_advantages_n((double[]){0.78, 0.164, -0.38, 0.86},
                        (double[]){0.842809, -0.381649, -1.462989, 1.001830});
}
END_TEST

START_TEST(knowrl_11)
{
    static const double rows[][4] = {{8, 6, 0.75, 0.584101},      {10, 10, 1, 1},
                                     {11, 6, 0.545455, 0.545455}, {2, 2, 1, 0.018316},
                                     {1, 1, 1, 0.000123},         {0, 0, 0, 0}};
    for (int i = 0; i < 6; i++) {
        ck_assert_double_eq_tol(shaping_facts((int)rows[i][1], (int)rows[i][0], false), rows[i][2],
                                5e-7);
        ck_assert_double_eq_tol(shaping_facts((int)rows[i][1], (int)rows[i][0], true), rows[i][3],
                                5e-7);
    }
    /* format 1; right 2, refusal 1, wrong -1: the paper's form, and the group's advantages */
    double f = shaping_facts(6, 8, false);
    ck_assert_double_eq_tol(1 + 2 + f, 3.75, 1e-12);
    ck_assert_double_eq_tol(1 - 1 + f, 0.75, 1e-12);
    ck_assert_double_eq_tol(1 - 1 + shaping_facts(6, 8, true), 0.584101, 5e-7);
    expect_advantages_n((double[]){1 + 2 + f, 1 + 1, 1 - 1 + f, -1 - 1},
                        (double[]){1.252754, 0.417585, -0.178965, -1.491374});
}
END_TEST

TEST_MAIN("shaping", crf_12, sigmoid_15, listener_20, rpr_6, rlsp_1, knowrl_11)

/* Advantages over all tokens of a step: the worked numbers of StableReinforce, and what stays 0. */
#include "learner/whiten.h"

#include "tests/harness.h"

/* A group of one-token samples with these advantages. */
static Group group_of(int n, const float *advantage)
{
    Group g = {.n_samples = n, .samples = NEW(Sample, n)};
    for (int i = 0; i < n; i++) {
        g.samples[i].n_tokens = 1;
        g.samples[i].reward.status = SCORE_OK;
        g.samples[i].advantage = advantage[i];
    }
    return g;
}

static double whiten(Group *g, double filter, double *mean, double *std)
{
    WhitenSum w = whiten_sum(g, 0);
    *mean = w.sum / w.n;
    *std = sqrt(whiten_squares(g, 0, *mean) / w.n);
    return whiten_group(g, 0, *mean, *std, filter);
}

START_TEST(an_outlier_is_left_out)
{
    float a[20];
    double mean, std;
    for (int i = 0; i < 20; i++) a[i] = i < 10 ? 0.1f : i < 19 ? -0.1f : 5.0f;
    Group g = group_of(20, a);
    ck_assert_double_eq(whiten(&g, 3, &mean, &std), 1);
    ck_assert_double_eq_tol(mean, 0.255, 1e-7);
    ck_assert_double_eq_tol(std, 1.09292, 1e-5);
    ck_assert_double_eq_tol(g.samples[0].advantage, -0.141822, 1e-6);
    ck_assert_double_eq_tol(g.samples[10].advantage, -0.324818, 1e-6);
    ck_assert(g.samples[19].advantage == 0);
    for (int i = 0; i < 20; i++) g.samples[i].advantage = a[i];
    ck_assert_double_eq(whiten(&g, 0, &mean, &std), 0);
    ck_assert_double_eq_tol(g.samples[19].advantage, 4.341579, 1e-6);
    mem_free(g.samples);
}
END_TEST

/* The released code's band around the raw mean would leave out half of these; the paper's none. */
START_TEST(the_band_is_around_zero)
{
    double mean, std;
    Group g = group_of(4, (float[]){2, 2, 3, 3});
    ck_assert_double_eq(whiten(&g, 3, &mean, &std), 0);
    for (int i = 0; i < 4; i++) ck_assert(g.samples[i].advantage == (i < 2 ? -1 : 1));
    mem_free(g.samples);
}
END_TEST

START_TEST(tokens_count_and_what_does_not_train_does_not)
{
    double mean, std;
    Group g = group_of(4, (float[]){1, 1, 1, 1});
    whiten(&g, 3, &mean, &std);
    for (int i = 0; i < 4; i++) ck_assert(g.samples[i].advantage == 0);
    const float a[] = {1, -1, 7, 0};
    for (int i = 0; i < 4; i++) g.samples[i].advantage = a[i];
    g.samples[0].n_tokens = 3; /* the last token of three and a failed sample do not train */
    g.samples[0].mask = (uint8_t[]){1, 1, 0};
    g.samples[2].reward.status = SCORE_TIMEOUT;
    g.samples[2].advantage = 0;
    WhitenSum w = whiten_sum(&g, 0);
    ck_assert_double_eq(w.n, 4);
    ck_assert_double_eq(w.sum, 1);
    whiten(&g, 0, &mean, &std);
    ck_assert_double_eq_tol(std, sqrt((2 * .75 * .75 + 1.25 * 1.25 + .25 * .25) / 4), 1e-12);
    ck_assert(g.samples[2].advantage == 0);
    ck_assert_double_eq_tol(g.samples[0].advantage, .75 / std, 1e-6);
    g.samples[0].mask = NULL;
    mem_free(g.samples);
}
END_TEST

TEST_MAIN("whiten", an_outlier_is_left_out, the_band_is_around_zero,
          tokens_count_and_what_does_not_train_does_not)

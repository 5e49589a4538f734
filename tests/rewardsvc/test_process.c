/* Clip and Delta, and one number for a solution: the worked numbers of the specifications. */
#include "rewardsvc/process.h"

#include "common/errors.h"
#include "tests/harness.h"

enum { K_MAX = 10 };
static const double eta = .7, alpha = .5;

static void expect(ProcessKind kind, int K, const Score *steps, const double *rewards,
                   const double *returns)
{
    double r[K_MAX], sums[K_MAX];
    ck_assert(process_rewards(kind, eta, steps, K, r));
    process_returns(r, K, alpha, 1, sums);
    for (int k = 0; k < K; k++) {
        ck_assert_msg(fabs(r[k] - rewards[k]) < 1e-12, "kind %d, step %d: %g", kind, k, r[k]);
        ck_assert_msg(fabs(sums[k] - returns[k]) < 1e-12, "kind %d, step %d: %g", kind, k, sums[k]);
    }
}

START_TEST(worked_example)
{
    const Score r[] = {{.9, SCORE_OK}, {.6, SCORE_OK}, {.8, SCORE_OK}, {.3, SCORE_OK}};
    expect(PROCESS_RAW, 4, r, (double[]){.9, .6, .8, .3}, (double[]){2.3, 1.85, 1.55, 1.15});
    expect(PROCESS_CLIP, 4, r, (double[]){0, -.1, 0, -.4}, (double[]){.75, .75, .8, .8});
    expect(PROCESS_DELTA, 4, r, (double[]){.3, -.2, .8, 0}, (double[]){1.45, 1.3, 1.4, 1.0});
    expect(PROCESS_CLIP_DELTA, 4, r, (double[]){.1, -.1, 0, 0}, (double[]){1.0, .95, 1.0, 1.0});
}
END_TEST

/* A step of 0.95, said `times` more before the last one; the sum of the steps' rewards. */
static double sum_of(ProcessKind kind, int times)
{
    Score r[K_MAX] = {{.9, SCORE_OK}, {.6, SCORE_OK}, {.8, SCORE_OK}};
    double rewards[K_MAX], sum = 0;
    for (int i = 0; i < times; i++) r[3 + i] = (Score){.95, SCORE_OK};
    r[3 + times] = (Score){.3, SCORE_OK};
    ck_assert(process_rewards(kind, eta, r, 4 + times, rewards));
    for (int k = 0; k < 4 + times; k++) sum += rewards[k];
    return sum;
}

START_TEST(saying_it_again_pays_only_raw)
{
    ck_assert_double_eq_tol(sum_of(PROCESS_RAW, 0), 2.6, 1e-12);
    ck_assert_double_eq_tol(sum_of(PROCESS_RAW, 5), 7.35, 1e-12);
    for (int times = 0; times <= 5; times++) {
        ck_assert_double_eq_tol(sum_of(PROCESS_CLIP, times), -.5, 1e-12);
        ck_assert_double_eq_tol(sum_of(PROCESS_DELTA, times), .9, 1e-12);
        ck_assert_double_eq_tol(sum_of(PROCESS_CLIP_DELTA, times), 0, 1e-12);
    }
}
END_TEST

/* A policy that chooses how often to repeat (0 to 5), trained by the expected gradient of the
 * sums: raw drives it to the most, the others leave it where it was. */
START_TEST(a_policy_repeats_itself_only_raw)
{
    for (ProcessKind kind = PROCESS_RAW; kind <= PROCESS_CLIP_DELTA; kind++) {
        double logits[6] = {0}, p[6], repeats = 0;
        for (int step = 0; step <= 500; step++) {
            double total = 0, mean = 0;
            for (int a = 0; a < 6; a++) total += p[a] = exp(logits[a]);
            for (int a = 0; a < 6; a++) p[a] /= total, mean += p[a] * sum_of(kind, a);
            for (int a = 0; a < 6; a++) logits[a] += .5 * p[a] * (sum_of(kind, a) - mean);
        }
        for (int a = 0; a < 6; a++) repeats += a * p[a];
        if (kind == PROCESS_RAW)
            ck_assert_double_gt(repeats, 4.8);
        else
            ck_assert_double_le(repeats, 2.5 + 1e-9);
    }
}
END_TEST

START_TEST(short_solutions_and_missing_scores)
{
    const Score two[] = {{.9, SCORE_OK}, {.6, SCORE_OK}}, one[] = {{.2, SCORE_OK}},
                gap[] = {{.9, SCORE_OK}, {.6, SCORE_TIMEOUT}, {.3, SCORE_OK}};
    double r[3] = {7, 7, 7}, sums[3];
    expect(PROCESS_DELTA, 2, two, (double[]){.9, 0}, (double[]){1.45, 1});
    for (ProcessKind kind = PROCESS_CLIP; kind <= PROCESS_CLIP_DELTA; kind++) {
        ck_assert(!process_rewards(kind, eta, one, 1, r));
        process_returns(r, 1, alpha, 1, sums);
        ck_assert_double_eq(sums[0], 1); /* the outcome alone */
    }
    for (ProcessKind kind = PROCESS_RAW; kind <= PROCESS_CLIP_DELTA; kind++) {
        ck_assert(!process_rewards(kind, eta, gap, 3, r));
        for (int k = 0; k < 3; k++) ck_assert_double_eq(r[k], 0);
    }
}
END_TEST

START_TEST(one_number_for_a_solution)
{
    static const struct {
        const char *word;
        double want;
    } rows[] = {{"min", .5},
                {"max", .9},
                {"product", .36},
                {"geometric", .711379},
                {"mean", .733333},
                {"mean_logit", .767546},
                {"mean_odds", 4.666667},
                {"last", .5}};
    const double p[] = {.9, .8, .5};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ProcessWhole whole;
        ck_assert_int_eq(process_whole(rows[i].word, &whole), 0);
        ck_assert_msg(fabs(process_aggregate(whole, p, 3) - rows[i].want) < 1e-6, "%s",
                      rows[i].word);
    }
    ck_assert_double_eq(process_aggregate(PROCESS_PRODUCT, (double[]){0, .5}, 2), 0);
    ck_assert_double_eq(process_aggregate(PROCESS_MEAN_LOGIT, (double[]){0, .5}, 2), 0);
    ProcessWhole whole;
    ProcessKind kind;
    errors_quiet(1);
    ck_assert_int_eq(process_whole("median", &whole), -1);
    ck_assert_int_eq(process_kind("clipped", &kind), -1);
    errors_quiet(-1);
    ck_assert_int_eq(process_kind("clip_delta", &kind), 0);
    ck_assert_int_eq(kind, PROCESS_CLIP_DELTA);
}
END_TEST

TEST_MAIN("process", worked_example, saying_it_again_pays_only_raw,
          a_policy_repeats_itself_only_raw, short_solutions_and_missing_scores,
          one_number_for_a_solution)

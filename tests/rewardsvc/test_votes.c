/* Votes, filters, rankings: the worked numbers of DeepSeek-GRM, CRew, Qwen2.5-Math and RewardMATH,
 * and what votes do about noise and about a judge's love of the first answer. */
#include "rewardsvc/votes.h"

#include "common/rng.h"
#include "tests/harness.h"

static const double four[] = {7, 5, 6, 4, 8, 8, 9, 3, 8, 6, 6, 5}; /* judgements x 3 answers */
static const double meta[] = {2.0, -1.5, 1.2, 0.1};

static void expect_sum(const bool *valid, const double *m, int k_meta, int used, const double *want)
{
    double sums[3];
    ck_assert_int_eq(votes_sum(four, valid, 4, 3, m, k_meta, sums), used);
    for (int i = 0; i < 3; i++) ck_assert_double_eq(sums[i], want[i]);
}

START_TEST(a_meta_judge_changes_the_winner)
{
    double sums[3];
    expect_sum(NULL, NULL, 0, 4, (double[]){26, 22, 27});
    expect_sum(NULL, meta, 2, 2, (double[]){16, 8, 14});
    expect_sum(NULL, meta, 0, 4, (double[]){26, 22, 27});
    votes_sum(four, NULL, 4, 3, NULL, 0, sums);
    ck_assert_int_eq(votes_best(sums, 3), 2);
    votes_sum(four, NULL, 4, 3, meta, 2, sums);
    ck_assert_int_eq(votes_best(sums, 3), 0);
    /* judgements that could not be read are dropped; fewer valid than k_meta: all of them */
    const bool second[] = {false, true, false, true}, none[] = {false, false, false, false};
    expect_sum(second, NULL, 0, 2, (double[]){10, 14, 13});
    expect_sum(second, meta, 3, 2, (double[]){10, 14, 13});
    expect_sum(second, meta, 1, 1, (double[]){6, 6, 5});
    expect_sum(none, meta, 2, 0, (double[]){0, 0, 0});
    /* equal meta scores: the earlier judgement */
    expect_sum(NULL, (double[]){1, 1, 1, 1}, 1, 1, (double[]){7, 5, 6});
}
END_TEST

START_TEST(best_and_majority)
{
    const double scores[] = {.1, -.2, 1.3, 0, .4};
    const int answers[] = {7, 7, 9, 7, 9};
    ck_assert_int_eq(votes_best(scores, 5), 2);
    ck_assert_int_eq(answers[votes_best(scores, 5)], 9);
    ck_assert_int_eq(votes_majority(answers, NULL, 5, NULL), 7);
    /* CRew: confidences as weights */
    const int ab[] = {'A', 'A', 'B', 'B', 'B'};
    const double confidence[] = {.95, .40, .60, .55, .50};
    double weight;
    ck_assert_int_eq(votes_majority(ab, confidence, 5, &weight), 'B');
    ck_assert_double_eq_tol(weight, 1.65, 1e-12);
    ck_assert_int_eq(ab[votes_best(confidence, 5)], 'A');
    ck_assert_int_eq(votes_majority((int[]){5, 3, 3, 5}, NULL, 4, &weight), 5); /* a tie: first */
    ck_assert_double_eq(weight, 2);
}
END_TEST

START_TEST(right_judgements_and_what_training_keeps)
{
    const double gold[] = {0, 1};
    ck_assert(votes_right((double[]){5, 7}, gold, 2));
    ck_assert(!votes_right((double[]){7, 7}, gold, 2));
    ck_assert(!votes_right((double[]){8, 2}, gold, 2));
    ck_assert(votes_right((double[]){1}, (double[]){1}, 1));
    ck_assert(!votes_right((double[]){0}, (double[]){1}, 1));
    ck_assert(votes_right((double[]){4, 9, 4}, (double[]){0, 1, 0}, 3));
    int kept = 0;
    for (int i = 0; i < 3; i++) kept += votes_rejective_keeps(true, false, 3, 3); /* too easy */
    ck_assert_int_eq(kept, 0);
    for (int i = 0; i < 3; i++) kept += votes_rejective_keeps(i < 2, false, 2, 3);
    ck_assert_int_eq(kept, 2);
    ck_assert(!votes_rejective_keeps(false, false, 0, 3));
    ck_assert(votes_rejective_keeps(true, true, 0, 3)); /* the hinted one */
    ck_assert(!votes_rejective_keeps(false, true, 0, 3));
}
END_TEST

START_TEST(ranks_among_wrong_answers)
{
    static const struct {
        double right, wrong[3];
        bool strict, loose;
        double reciprocal;
    } rows[] = {{3, {1, 2, 0}, true, true, 1},
                {3, {4, 2, 0}, false, false, .5},
                {3, {3, 1, 2}, false, true, .5},
                {0, {1, 2, 3}, false, false, .25},
                {-5, {-INFINITY, -INFINITY, -6}, true, true, 1},
                {NAN, {-INFINITY, 0, 0}, false, false, .25}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VotesRank r = votes_rank(rows[i].right, rows[i].wrong, 3);
        ck_assert_msg(r.strict == rows[i].strict && r.loose == rows[i].loose &&
                          r.reciprocal == rows[i].reciprocal,
                      "row %zu: %d %d %g", i, r.strict, r.loose, r.reciprocal);
    }
}
END_TEST

static double uniform(int item, int vote, int place)
{
    return (double)rng_uniform(9, STREAM_TASK, (uint64_t)item, (uint32_t)vote, (uint32_t)place);
}

/* A judge that scores truth + 1 for whatever stands first: over 200 items the mean bias of a fixed
 * answer is below 0.1 once answers are shown in another order each time. */
START_TEST(shuffling_removes_a_love_of_the_first)
{
    enum { ITEMS = 200, VOTES = 8, N = 3 };
    double bias = 0, unshuffled = 0;
    int seen[N][N] = {{0}};
    for (int item = 0; item < ITEMS; item++)
        for (int vote = 0; vote < VOTES; vote++) {
            int order[N], again[N];
            double by_place[N], by_answer[N];
            votes_order(1, item, vote, N, order);
            votes_order(1, item, vote, N, again);
            ck_assert_mem_eq(order, again, sizeof order);
            for (int p = 0; p < N; p++) {
                by_place[p] = 5 * order[p] + (p == 0);
                seen[p][order[p]]++;
            }
            votes_unorder(by_place, order, N, by_answer);
            bias +=
                (by_answer[0] - ((by_answer[1] - 5) + (by_answer[2] - 10)) / 2) / (ITEMS * VOTES);
            unshuffled += 1.0 / (ITEMS * VOTES);
        }
    ck_assert_double_eq_tol(unshuffled, 1, 1e-9);
    ck_assert_msg(fabs(bias) < 0.1, "%g", bias);
    for (int p = 0; p < N; p++) /* each answer in each place a third of the time: 5 sigma */
        for (int a = 0; a < N; a++)
            ck_assert_double_eq_tol(seen[p][a], ITEMS * VOTES / 3.0,
                                    5 * sqrt(ITEMS * VOTES * 2 / 9.0));
}
END_TEST

/* Score = truth + noise: eight votes are right at least as often as one. */
START_TEST(votes_help_a_noisy_judge)
{
    enum { ITEMS = 2000, N = 3 };
    const double gold[N] = {0, 1, 0};
    int right[2] = {0, 0};
    for (int item = 0; item < ITEMS; item++)
        for (int many = 0; many < 2; many++) {
            int k = many ? 8 : 1;
            double scores[8 * N], sums[N];
            for (int v = 0; v < k; v++)
                for (int i = 0; i < N; i++) scores[v * N + i] = gold[i] + 3 * uniform(item, v, i);
            votes_sum(scores, NULL, k, N, NULL, 0, sums);
            right[many] += votes_right(sums, gold, N);
        }
    ck_assert_msg(right[1] > right[0] + ITEMS / 10, "%d against %d", right[1], right[0]);
}
END_TEST

TEST_MAIN("votes", a_meta_judge_changes_the_winner, best_and_majority,
          right_judgements_and_what_training_keeps, ranks_among_wrong_answers,
          shuffling_removes_a_love_of_the_first, votes_help_a_noisy_judge)

/* The worked numbers of the specification (T0-b, c, d, m, n), derivatives against finite
 * differences, and exact zeros. */
#include "learner/loss.h"

#include "learner/advantage.h"
#include "tests/harness.h"

enum { T_MAX = 8 };

/* A group whose sample i has tokens with the given log-probs of the rollout. */
static Group group_of(int n, const int *lengths, float old[][T_MAX], const double *reward)
{
    Group g = {.n_samples = n, .samples = NEW(Sample, n), .n_prompt = 1};
    for (int i = 0; i < n; i++) {
        Sample *s = &g.samples[i];
        s->n_tokens = lengths[i];
        s->tokens = NEW(int32_t, T_MAX);
        for (int t = 0; t < T_MAX; t++) s->tokens[t] = 10 * i + t;
        s->logprobs = old[i];
        s->reward = (Score){reward[i], SCORE_OK};
    }
    return g;
}

static void group_of_free(Group *g)
{
    for (int i = 0; i < g->n_samples; i++) mem_free(g->samples[i].tokens);
    mem_free(g->samples);
}

static Loss loss_of(const LossRows *r, double low, double high, double kl)
{
    Loss l = {.objective = objective_find("grpo"), .settings = {low, high, kl}, .rows = r};
    loss_stats_clear(&l.stats);
    return l;
}

/* One token with weight 1, through the same door as training. */
static double one_token(double low, double high, double kl, float adv, float lp, float old,
                        float ref, float *dlp)
{
    LossRows r = {.n = 1, .old = &old, .ref = &ref, .advantage = &adv, .weight = &(double){1}};
    Loss l = loss_of(&r, low, high, kl);
    loss_tokens(&l, 0, 1, &lp, NULL, dlp);
    ck_assert_double_eq(l.stats.n_tokens, 1);
    return l.stats.loss;
}

START_TEST(clip_table)
{
    static const struct {
        double adv, rho, loss, loss_high;
        int active, active_high;
    } rows[] = {
        {+1, 1.5, -1.2, -1.28, 0, 0}, {+1, 1.25, -1.2, -1.25, 0, 1}, {+1, 0.5, -0.5, -0.5, 1, 1},
        {-1, 1.5, 1.5, 1.5, 1, 1},    {-1, 0.5, 0.8, 0.8, 0, 0},     {-1, 5, 5, 5, 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float dlp, lp = (float)log(rows[i].rho), adv = (float)rows[i].adv;
        ck_assert_double_eq_tol(one_token(.2, .2, 0, adv, lp, 0, 0, &dlp), rows[i].loss, 1e-6);
        ck_assert_double_eq_tol(dlp, rows[i].active ? -rows[i].adv * rows[i].rho : 0, 1e-6);
        if (!rows[i].active) ck_assert(dlp == 0);
        ck_assert_double_eq_tol(one_token(.2, .28, 0, adv, lp, 0, 0, &dlp), rows[i].loss_high,
                                1e-6);
        ck_assert_double_eq_tol(dlp, rows[i].active_high ? -rows[i].adv * rows[i].rho : 0, 1e-6);
        if (!rows[i].active_high) ck_assert(dlp == 0);
    }
}
END_TEST

/* StableReinforce: log-ratios of 8 and -9 are held at log 1000 and -log 1000, and give no gradient
 * there; within the band nothing changes. */
START_TEST(ratios_beyond_the_band_are_held)
{
    static const struct {
        float adv, lp;
        double loss, dlp;
    } rows[] = {{+1, 8, -1.2, 0},
                {-1, 8, 1000, 0},
                {+1, -9, -0.001, 0},
                {-1, -9, 0.8, 0},
                {-1, 1.5f, 4.481689, 4.481689},
                {+1, -1, -0.367879, -0.367879}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float dlp, adv = rows[i].adv, old = 0;
        LossRows r = {.n = 1, .old = &old, .advantage = &adv, .weight = &(double){1}};
        Loss l = loss_of(&r, .2, .2, 0);
        l.settings.preclip = 1000;
        loss_tokens(&l, 0, 1, &rows[i].lp, NULL, &dlp);
        ck_assert_double_eq_tol(l.stats.loss, rows[i].loss, 1e-6 * fmax(1, fabs(rows[i].loss)));
        ck_assert_double_eq_tol(dlp, rows[i].dlp, 1e-6);
    }
}
END_TEST

START_TEST(k3_and_its_derivative)
{
    static const float rows[][4] = {{-1, -1.2f, 0.018731f, 0.181269f},
                                    {-1, -0.8f, 0.021403f, -0.221403f},
                                    {-2, -1, 0.718282f, -1.718282f},
                                    {-3, -3, 0, 0},
                                    {-30, -1, 10, 0}, /* clamped: value 10, no gradient */
                                    {-1, -40, 10, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float dlp;
        ck_assert_double_eq_tol(one_token(.2, .2, 1, 0, rows[i][0], rows[i][0], rows[i][1], &dlp),
                                rows[i][2], 1e-6);
        ck_assert_double_eq_tol(dlp, rows[i][3], 1e-6);
    }
}
END_TEST

START_TEST(aggregation_by_token_and_by_sequence)
{
    const double token_loss[6] = {0.5, -0.25, 1, 1, -0.5, 0.5};
    const int lengths[] = {2, 4};
    float zeros[2][T_MAX] = {{0}};
    Group g = group_of(2, lengths, zeros, (double[]){1, 0});
    for (int k = 0; k < 2; k++) {
        LossCounts step = {0};
        LossRows r = {0};
        loss_count(&g, 0, &step);
        ck_assert_double_eq(step.n_tokens, 6);
        ck_assert_double_eq(step.n_sequences, 2);
        loss_rows_fill(&r, &g, 0, k ? AGGREGATE_SEQUENCE : AGGREGATE_TOKEN, &step);
        double sum = 0;
        for (int i = 0; i < 6; i++) sum += r.weight[i] * token_loss[i];
        ck_assert_double_eq_tol(sum, k ? 0.3125 : 0.375, 1e-15);
        loss_rows_free(&r);
    }
    group_of_free(&g);
}
END_TEST

/* Sequence 1 on one rank, sequence 2 on another: parts weighted by the step's counts add up to
 * 0.375, the mean of local means would be 0.3125. */
START_TEST(ranks_add_up_to_the_mean_over_the_step)
{
    float old[2][1][T_MAX] = {{{0, 0}}, {{0, 0, 0, 0}}};
    const double token_loss[2][4] = {{0.5, -0.25}, {1, 1, -0.5, 0.5}};
    Group part[2] = {group_of(1, (int[]){2}, old[0], (double[]){0}),
                     group_of(1, (int[]){4}, old[1], (double[]){0})};
    LossCounts step = {0};
    for (int rank = 0; rank < 2; rank++) loss_count(&part[rank], 0, &step);
    double sum = 0;
    for (int rank = 0; rank < 2; rank++) {
        LossRows r = {0};
        loss_rows_fill(&r, &part[rank], 0, AGGREGATE_TOKEN, &step);
        for (int i = 0; i < r.n; i++) sum += r.weight[i] * token_loss[rank][i];
        loss_rows_free(&r);
        group_of_free(&part[rank]);
    }
    ck_assert_double_eq_tol(sum, 0.375, 1e-15);
}
END_TEST

/* T0-m: G = 2, rewards 1 and 0. */
static float m_lp[5] = {-.9f, -1.1f, -.5f, -.7f, -2.0f};
static float m_old[2][T_MAX] = {{-1, -1}, {-.5f, -1.2f, -1.6f}};
static float m_ref[5] = {-1, -1, -.6f, -1.0f, -1.8f};

static double whole_loss(const char *advantage, double high, double kl, Aggregate a, int chunk,
                         float dlp[5], LossStats *stats)
{
    Group g = group_of(2, (int[]){2, 3}, m_old, (double[]){1, 0});
    advantage_assign(advantage_find(advantage), 1e-6, 0, &g);
    LossCounts step = {0};
    LossRows r = {0};
    loss_count(&g, 0, &step);
    loss_rows_fill(&r, &g, 0, a, &step);
    ck_assert_int_eq(r.n, 5);
    loss_rows_want_ref(&r);
    loss_record(r.ref, 0, 2, m_ref, NULL, dlp);
    loss_record(r.ref, 2, 3, m_ref + 2, NULL, dlp);
    Loss l = loss_of(&r, 0.2, high, kl);
    for (int i = 0; i < 5; i += chunk) {
        int n = chunk < 5 - i ? chunk : 5 - i;
        loss_tokens(&l, i, n, m_lp + i, NULL, dlp + i);
    }
    *stats = l.stats;
    loss_rows_free(&r);
    group_of_free(&g);
    return l.stats.loss;
}

START_TEST(whole_loss_of_the_specification)
{
    float dlp[5];
    LossStats s;
    ck_assert_double_eq_tol(whole_loss("grpo", .2, 0, AGGREGATE_SEQUENCE, 5, dlp, &s), 0.051113,
                            1e-6);
    ck_assert_double_eq_tol(s.ratio_max, 1.648721, 1e-6);
    ck_assert_double_eq_tol(s.ratio_min, 0.670320, 1e-6);
    ck_assert_double_eq(s.clipped, 1); /* A < 0, rho 0.67 below 0.8 */
    ck_assert_double_eq(s.off_ratio, 4);
    ck_assert(dlp[4] == 0);
    ck_assert_double_eq_tol(dlp[0], -.781473 / 4, 1e-6);
    ck_assert_double_eq_tol(dlp[3], 1.165820 / 6, 1e-6);
    ck_assert_double_eq_tol(whole_loss("grpo", .2, .04, AGGREGATE_SEQUENCE, 5, dlp, &s), 0.051660,
                            1e-6);
    ck_assert_double_eq_tol(s.kl, .004837 + .005171 + .004837 + .040818 + .021403, 3e-6);
    ck_assert_double_eq_tol(whole_loss("grpo", .28, 0, AGGREGATE_TOKEN, 5, dlp, &s), 0.203464,
                            1e-6);
}
END_TEST

START_TEST(chunks_do_not_change_a_bit)
{
    float whole[5], parts[5];
    LossStats a, b;
    whole_loss("grpo", .28, .04, AGGREGATE_TOKEN, 5, whole, &a);
    for (int chunk = 1; chunk < 5; chunk++) {
        whole_loss("grpo", .28, .04, AGGREGATE_TOKEN, chunk, parts, &b);
        ck_assert(same_bits(whole, parts, sizeof whole));
        ck_assert(same_bits(&a, &b, sizeof a));
    }
}
END_TEST

/* T0-n: a bandit with two canned answers, logits (0, 0), one token: dL/dlogit_k = sum_i dlp_i (1[i
 * = k] - 1/2). */
START_TEST(gradient_of_the_bandit)
{
    static const struct {
        const char *advantage;
        double want;
    } rows[] = {{"grpo", 0.353553}, {"dr_grpo", 0.25}, {"rloo", 0.5}};
    float half = (float)log(0.5), lp[2] = {half, half}, dlp[2];
    for (int k = 0; k < 3; k++) {
        float old[2][T_MAX] = {{half}, {half}};
        Group g = group_of(2, (int[]){1, 1}, old, (double[]){1, 0});
        advantage_assign(advantage_find(rows[k].advantage), 1e-6, 0, &g);
        LossCounts step = {0};
        LossRows r = {0};
        loss_count(&g, 0, &step);
        loss_rows_fill(&r, &g, 0, AGGREGATE_SEQUENCE, &step);
        Loss l = loss_of(&r, .2, .2, 0);
        loss_tokens(&l, 0, 2, lp, NULL, dlp);
        double first = dlp[0] * 0.5 + dlp[1] * -0.5;
        ck_assert_double_eq_tol(first, -rows[k].want, 1e-6);
        ck_assert(l.stats.ratio_max == 1 && l.stats.ratio_min == 1 && l.stats.off_ratio == 0);
        loss_rows_free(&r);
        group_of_free(&g);
    }
}
END_TEST

START_TEST(derivative_agrees_with_finite_differences)
{
    const float adv[] = {1.3f, -0.7f, 0}, ref = -1.1f;
    for (int a = 0; a < 3; a++)
        for (float lp = -3; lp < -0.1f;
             lp += 0.0625f) { /* old = -1.53: no point lies on an edge of the clip */
            float dlp, unused;
            const float h = 0x1p-10f;
            one_token(.2, .28, .3, adv[a], lp, -1.53f, ref, &dlp);
            double up = one_token(.2, .28, .3, adv[a], lp + h, -1.53f, ref, &unused);
            double down = one_token(.2, .28, .3, adv[a], lp - h, -1.53f, ref, &unused);
            ck_assert_double_eq_tol(dlp, (up - down) / (2 * h), 2e-5 * (1 + fabs(dlp)));
        }
}
END_TEST

START_TEST(no_advantage_and_no_kl_is_exactly_no_gradient)
{
    for (float lp = -60; lp <= 0; lp += 0.37f) {
        float dlp = 1;
        ck_assert(one_token(.2, .2, 0, 0, lp, -1, 0, &dlp) == 0);
        ck_assert(dlp == 0 && !signbit(dlp));
    }
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_counted_and_left_out)
{
    float old[] = {-1, -1, -INFINITY}, lp[] = {NAN, -1, -1}, adv[] = {1, 1, 1}, dlp[3];
    double weight[] = {1, 1, 1};
    LossRows r = {.n = 3, .old = old, .advantage = adv, .weight = weight};
    Loss l = loss_of(&r, .2, .2, 0);
    loss_tokens(&l, 0, 3, lp, NULL, dlp);
    ck_assert_double_eq(l.stats.not_finite, 2);
    ck_assert_double_eq(l.stats.loss, -1);
    ck_assert(dlp[0] == 0 && dlp[1] == -1 && dlp[2] == 0);
}
END_TEST

START_TEST(rows_leave_out_what_does_not_train)
{
    float old[4][T_MAX] = {{-.1f, -.2f, -.3f}, {0}, {0}, {-.7f}};
    Group g = group_of(4, (int[]){3, 2, 2, 1}, old, (double[]){1, 0, 0, 0});
    uint8_t mask[] = {1, 0, 1};
    g.samples[0].mask = mask;
    g.samples[1].reward.status = SCORE_ERROR;
    g.samples[2].finish = FINISH_LENGTH;
    LossCounts step = {0};
    loss_count(&g, LEAVE_OUT_TRUNCATED, &step);
    ck_assert_double_eq(step.n_tokens, 3);
    ck_assert_double_eq(step.n_sequences, 2);
    LossRows r = {0};
    loss_rows_fill(&r, &g, LEAVE_OUT_TRUNCATED, AGGREGATE_SEQUENCE, &step);
    ck_assert_int_eq(r.n, 3);
    ck_assert(r.sample[0] == 0 && r.sample[1] == 0 && r.sample[2] == 3);
    ck_assert(r.position[0] == 0 && r.position[1] == 2 && r.position[2] == 0);
    ck_assert(r.target[1] == 2 && r.target[2] == 30);
    ck_assert(r.old[1] == -.3f && r.old[2] == -.7f);
    ck_assert_double_eq(r.weight[0], 0.25);
    ck_assert_double_eq(r.weight[2], 0.5);
    step = (LossCounts){0};
    loss_count(&g, LEAVE_OUT_FAILED_GROUPS, &step); /* one failed: the whole group goes */
    ck_assert(step.n_tokens == 0 && step.n_sequences == 0);
    loss_rows_fill(&r, &g, LEAVE_OUT_FAILED_GROUPS, AGGREGATE_TOKEN, &step);
    ck_assert_int_eq(r.n, 0);
    loss_rows_free(&r);
    group_of_free(&g);
}
END_TEST

START_TEST(demonstrations_are_likelihood)
{
    float none[1][T_MAX] = {{0}};
    Group g = group_of(1, (int[]){4}, none, (double[]){0});
    uint8_t mask[] = {0, 0, 1, 1};
    g.kind = GROUP_DEMO;
    g.n_prompt = 0;
    g.samples[0].mask = mask;
    g.samples[0].logprobs = NULL;
    g.samples[0].reward.status = SCORE_NOT_APPLICABLE;
    LossCounts step = {0};
    LossRows r = {0};
    loss_count(&g, 0, &step);
    loss_rows_fill(&r, &g, 0, AGGREGATE_TOKEN, &step);
    ck_assert_int_eq(r.n, 2);
    Loss l = {.objective = objective_find("nll"), .rows = &r};
    loss_stats_clear(&l.stats);
    float dlp[2];
    loss_tokens(&l, 0, 2, (float[]){-1, -3}, (float[]){0.5f, 0.25f}, dlp);
    ck_assert_double_eq(l.stats.loss, 2);
    ck_assert_double_eq(l.stats.entropy, 0.75);
    ck_assert(dlp[0] == -0.5f && dlp[1] == -0.5f);
    ck_assert(l.stats.off_ratio == 0);
    loss_rows_free(&r);
    group_of_free(&g);
}
END_TEST

START_TEST(stats_add_as_sums_and_extremes)
{
    LossStats a, b = {1, 2, 3, 4, 5, 6, 7, 8, 1.5, 0.5}, empty;
    loss_stats_clear(&a);
    loss_stats_clear(&empty);
    loss_stats_add(&a, &b);
    loss_stats_add(&a, &b);
    loss_stats_add(&a, &empty);
    const double *sum = (const double *)&a;
    for (int i = 0; i < LOSS_STATS_SUMS; i++) ck_assert_double_eq(sum[i], 2 * (i + 1));
    ck_assert_double_eq(a.ratio_max, 1.5);
    ck_assert_double_eq(a.ratio_min, 0.5);
}
END_TEST

START_TEST(names_are_found)
{
    Aggregate a;
    ck_assert_int_eq(aggregate_find("token", &a), 0);
    ck_assert_int_eq(a, AGGREGATE_TOKEN);
    ck_assert_int_eq(aggregate_find("sequence", &a), 0);
    ck_assert_int_eq(a, AGGREGATE_SEQUENCE);
    ck_assert_int_eq(aggregate_find("tokens", &a), -1);
    ck_assert_ptr_null(objective_find("ppo"));
}
END_TEST

TEST_MAIN("loss", clip_table, ratios_beyond_the_band_are_held, k3_and_its_derivative,
          aggregation_by_token_and_by_sequence, ranks_add_up_to_the_mean_over_the_step,
          whole_loss_of_the_specification, chunks_do_not_change_a_bit, gradient_of_the_bandit,
          derivative_agrees_with_finite_differences, no_advantage_and_no_kl_is_exactly_no_gradient,
          numbers_that_are_not_finite_are_counted_and_left_out, rows_leave_out_what_does_not_train,
          demonstrations_are_likelihood, stats_add_as_sums_and_extremes, names_are_found)

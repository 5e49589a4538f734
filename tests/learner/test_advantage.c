/* The worked numbers of the specification (T0-a), and what must be exactly zero. */
#include "learner/advantage.h"

#include "common/config.h"
#include "tests/harness.h"

static Group group_of(int n, const double *reward)
{
    Group g = {.n_samples = n, .samples = NEW(Sample, n)};
    for (int i = 0; i < n; i++) {
        g.samples[i].reward = (Score){reward[i], SCORE_OK};
        g.samples[i].advantage = 99;
    }
    return g;
}

static void expect(const char *name, int n, const double *reward, const double *want)
{
    Group g = group_of(n, reward);
    const Advantage *a = advantage_find(name);
    ck_assert_ptr_nonnull(a);
    AdvantageCounts c = advantage_assign(a, 1e-6, 0, &g);
    ck_assert_int_eq(c.n_counted, n);
    for (int i = 0; i < n; i++)
        ck_assert_msg(fabs(g.samples[i].advantage - want[i]) < 6e-7, "%s [%d]: %.8f, not %.8f",
                      name, i, (double)g.samples[i].advantage, want[i]);
    mem_free(g.samples);
}

START_TEST(gives_the_worked_numbers)
{
    const double one[] = {1, 0, 0, 0}, two[] = {1, 0, 0, 1, 0};
    expect("grpo", 4, one, (double[]){1.499997, -0.499999, -0.499999, -0.499999});
    expect("dr_grpo", 4, one, (double[]){0.75, -0.25, -0.25, -0.25});
    expect("rloo", 4, one, (double[]){1, -1.0 / 3, -1.0 / 3, -1.0 / 3});
    expect("grpo", 5, two, (double[]){1.095443, -0.730295, -0.730295, 1.095443, -0.730295});
}
END_TEST

/* BR-RM's rewards, leave-one-out: the danger is a lone outlier among equals, whose distance nothing
 * divides; the cap is for it. */
START_TEST(leave_one_out_and_its_cap)
{
    const double mixed[] = {0, 0, -10, -100, 0, -10, 0, -10}, lone[] = {0, 0, 0, 0, 0, 0, 0, -100};
    const double half[] = {0, 0, 0, 0, -10, -10, -10, -10}, a = 0.408248, b = 1.154701;
    expect("leave_one_out", 8, mixed,
           (double[]){0.553317, 0.553317, 0.209427, -19.341234, 0.553317, 0.209427, 0.553317,
                      0.209427});
    expect("leave_one_out", 8, lone, (double[]){a, a, a, a, a, a, a, -100});
    expect("leave_one_out", 8, half, (double[]){b, b, b, b, -b, -b, -b, -b});
    Group g = group_of(8, lone);
    advantage_assign(advantage_find("leave_one_out"), 0, 0, &g);
    advantage_limit(&g, 0);
    ck_assert(g.samples[7].advantage == -100);
    advantage_limit(&g, 5);
    ck_assert(g.samples[7].advantage == -5 && fabs(g.samples[0].advantage - a) < 1e-6);
    mem_free(g.samples);
}
END_TEST

/* REINFORCE++ without a group: equal rewards and a lone sample have an advantage; samples that
 * failed still have none. */
START_TEST(reinforce_needs_no_group)
{
    expect("reinforce", 3, (double[]){1, 1, 1}, (double[]){1, 1, 1});
    expect("reinforce", 1, (double[]){0.5}, (double[]){0.5});
    Group g = group_of(2, (double[]){1, 1});
    g.samples[0].reward.status = SCORE_TIMEOUT;
    ck_assert(!advantage_assign(advantage_find("reinforce"), 0, 0, &g).equal);
    ck_assert(g.samples[0].advantage == 0 && g.samples[1].advantage == 1);
    g.samples[1].reward.status = SCORE_TIMEOUT;
    ck_assert(advantage_assign(advantage_find("reinforce"), 0, 0, &g).equal);
    mem_free(g.samples);
}
END_TEST

START_TEST(equal_rewards_give_exactly_zero)
{
    int n_estimators;
    const Advantage *list = advantage_list(&n_estimators);
    ck_assert_int_eq(n_estimators, 5);
    for (int k = 0; k < n_estimators && !list[k].alone; k++)
        for (int n = 2; n < 12; n++) {
            double reward[12];
            for (int i = 0; i < n; i++)
                reward[i] = 0.1 + 0.7 * k; /* the mean of 3 x 0.1 is not 0.1 */
            Group g = group_of(n, reward);
            AdvantageCounts c = advantage_assign(&list[k], 0, 0, &g);
            ck_assert(c.equal);
            for (int i = 0; i < n; i++) ck_assert(g.samples[i].advantage == 0);
            mem_free(g.samples);
        }
}
END_TEST

/* 0.1 + 0.2 and 0.3 are different doubles: no tie; eps is what keeps such a group quiet. */
START_TEST(nearly_equal_rewards_are_not_a_tie)
{
    Group g = group_of(2, (double[]){0.1 + 0.2, 0.3});
    ck_assert(!advantage_assign(advantage_find("grpo"), 0, 0, &g).equal);
    ck_assert(g.samples[0].advantage > g.samples[1].advantage);
    advantage_assign(advantage_find("grpo"), 1e-4, 0, &g);
    ck_assert(g.samples[0].advantage < 1e-12f);
    mem_free(g.samples);
}
END_TEST

START_TEST(failed_samples_are_left_out_of_the_statistics)
{
    const double reward[] = {1, 1000, 0, -5, 0, 0};
    Group g = group_of(6, reward);
    g.samples[1].reward.status = SCORE_TIMEOUT;
    g.samples[3].reward.status = SCORE_ERROR;
    AdvantageCounts c = advantage_assign(advantage_find("grpo"), 1e-6, 0, &g);
    ck_assert_int_eq(c.n_counted, 4);
    ck_assert_int_eq(c.n_failed, 2);
    ck_assert_double_eq(c.reward_sum, 1);
    ck_assert(g.samples[1].advantage == 0 && g.samples[3].advantage == 0);
    ck_assert_float_eq_tol(g.samples[0].advantage, 1.499997f, 1e-6f);
    ck_assert_float_eq_tol(g.samples[5].advantage, -0.499999f, 1e-6f);
    mem_free(g.samples);
}
END_TEST

START_TEST(truncated_samples_count_unless_masked)
{
    const double reward[] = {1, 0, 0};
    for (int mask = 0; mask < 2; mask++) {
        Group g = group_of(3, reward);
        g.samples[2].finish = FINISH_LENGTH;
        AdvantageCounts c =
            advantage_assign(advantage_find("dr_grpo"), 0, mask ? LEAVE_OUT_TRUNCATED : 0, &g);
        ck_assert_int_eq(c.n_truncated, mask);
        ck_assert_float_eq_tol(g.samples[0].advantage, mask ? 0.5f : 2.0f / 3, 1e-6f);
        if (mask)
            ck_assert(g.samples[2].advantage == 0);
        else
            ck_assert_float_eq_tol(g.samples[2].advantage, -1.0f / 3, 1e-6f);
        mem_free(g.samples);
    }
}
END_TEST

/* Of the group nothing trains, whatever failed in it; the failures alone count as such. */
START_TEST(a_failure_drops_its_group_where_that_is_the_policy)
{
    static const ScoreStatus failures[] = {SCORE_TIMEOUT, SCORE_ERROR, SCORE_REFUSED,
                                           SCORE_NOT_APPLICABLE};
    for (int f = 0; f < 4; f++) {
        Group g = group_of(5, (double[]){1, 0, 0, 1, 0});
        g.samples[2].reward.status = failures[f];
        g.samples[4].finish = FINISH_LENGTH;
        AdvantageCounts c = advantage_assign(advantage_find("grpo"), 1e-6,
                                             LEAVE_OUT_FAILED_GROUPS | LEAVE_OUT_TRUNCATED, &g);
        ck_assert(c.n_counted == 0 && c.n_failed == 1 && c.n_truncated == 1 && c.n_dropped == 3);
        ck_assert(c.equal);
        for (int i = 0; i < 5; i++) {
            ck_assert(g.samples[i].advantage == 0);
            ck_assert(!advantage_counts(&g, &g.samples[i], LEAVE_OUT_FAILED_GROUPS));
        }
        c = advantage_assign(advantage_find("grpo"), 1e-6, 0, &g); /* the sample alone */
        ck_assert(c.n_counted == 4 && c.n_failed == 1 && c.n_dropped == 0);
        ck_assert(g.samples[0].advantage > 0 && g.samples[2].advantage == 0);
        mem_free(g.samples);
    }
    Group whole = group_of(2, (double[]){1, 0});
    AdvantageCounts c =
        advantage_assign(advantage_find("grpo"), 1e-6, LEAVE_OUT_FAILED_GROUPS, &whole);
    ck_assert(c.n_counted == 2 && c.n_dropped == 0 && whole.samples[0].advantage > 0);
    mem_free(whole.samples);
}
END_TEST

START_TEST(the_configuration_says_what_is_left_out)
{
    static const char *const sets[] = {"learner.on_failure=drop_group",
                                       "learner.mask_truncated=true"};
    const unsigned want[] = {0, LEAVE_OUT_FAILED_GROUPS,
                             LEAVE_OUT_FAILED_GROUPS | LEAVE_OUT_TRUNCATED};
    for (int n = 0; n < 3; n++) {
        Config c;
        ck_assert(!config_parse(&c, "t.yaml", "run: {name: t}\n", sets, n));
        ck_assert_uint_eq(advantage_leaves_out(&c), want[n]);
        config_free(&c);
    }
}
END_TEST

START_TEST(fewer_than_two_samples_give_zero)
{
    Group g = group_of(3, (double[]){1, 0, 5});
    g.samples[0].reward.status = g.samples[1].reward.status = SCORE_REFUSED;
    ck_assert(advantage_assign(advantage_find("rloo"), 1e-6, 0, &g).equal);
    for (int i = 0; i < 3; i++) ck_assert(g.samples[i].advantage == 0);
    g.samples[2].reward.status = SCORE_NOT_APPLICABLE;
    ck_assert_int_eq(advantage_assign(advantage_find("grpo"), 1e-6, 0, &g).n_counted, 0);
    for (int i = 0; i < 3; i++) ck_assert(g.samples[i].advantage == 0);
    mem_free(g.samples);
}
END_TEST

START_TEST(unknown_estimators_are_not_found)
{
    ck_assert_ptr_null(advantage_find("grp"));
    ck_assert_ptr_null(advantage_find(""));
}
END_TEST

TEST_MAIN("advantage", gives_the_worked_numbers, leave_one_out_and_its_cap,
          reinforce_needs_no_group, equal_rewards_give_exactly_zero,
          nearly_equal_rewards_are_not_a_tie, failed_samples_are_left_out_of_the_statistics,
          truncated_samples_count_unless_masked, a_failure_drops_its_group_where_that_is_the_policy,
          the_configuration_says_what_is_left_out, fewer_than_two_samples_give_zero,
          unknown_estimators_are_not_found)

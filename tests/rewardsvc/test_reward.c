/* The table of rewards and the block: sums, statuses, weights, the formula. */
#include "rewardsvc/reward.h"

#include "common/errors.h"
#include "tests/harness.h"

/* A reward that gives what the sample's number asks for: its own status, or a value. */
static Score scripted(const RewardValue *v, void *state, const Evidence *e)
{
    (void)v;
    const Score *script = state;
    if (script[e->sample].status == SCORE_ERROR) fail("as told");
    return script[e->sample];
}
static const Reward reward_scripted = {.name = "scripted", .help = "for tests", .score = scripted};

static RewardBlock block_of(int n, Score *scripts[], const double *weights)
{
    RewardBlock b = {.n = n, .components = NEW(RewardComponent, n)};
    for (int i = 0; i < n; i++)
        b.components[i] = (RewardComponent){.reward = &reward_scripted,
                                            .name = mem_printf("part%d", i),
                                            .weight = {.from = weights[i]},
                                            .state = scripts[i],
                                            .complained = true};
    return b;
}

START_TEST(every_reward_has_its_name_and_help)
{
    int n;
    const Reward *const *list = reward_list(&n);
    ck_assert_int_ge(n, 6);
    for (int i = 0; i < n; i++) {
        ck_assert_ptr_eq(reward_find(list[i]->name), list[i]);
        ck_assert(list[i]->help && *list[i]->help);
        ck_assert_int_eq(!!list[i]->score + !!list[i]->ask + !!list[i]->shape, 1);
        for (const RewardSetting *s = list[i]->settings; s && s->key; s++) {
            ck_assert(s->help && *s->help);
            if (s->type == SETTING_NUMBER) ck_assert(s->least <= s->number && s->number <= s->most);
        }
    }
    ck_assert_ptr_null(reward_find("no_such"));
}
END_TEST

START_TEST(sum_is_weighted_and_failures_are_not_zeros)
{
    const ScoreStatus OK = SCORE_OK, NA = SCORE_NOT_APPLICABLE;
    Score first[] = {{1, OK}, {1, OK}, {1, OK}, {0, NA}, {5, SCORE_TIMEOUT}, {NAN, OK}, {0, NA}};
    Score second[] = {{2, OK}, {0, SCORE_REFUSED}, {0, NA}, {2, OK}, {0, SCORE_ERROR}, {1, OK},
                      {0, NA}};
    Score watched[] = {{9, OK}, {9, OK}, {0, SCORE_ERROR}, {9, OK}, {9, OK}, {9, OK}, {9, OK}};
    const Score want[] = {{0.5, OK},          {0, SCORE_REFUSED}, {1, OK}, {-0.5, OK},
                          {0, SCORE_TIMEOUT}, {0, SCORE_ERROR},   {0, NA}};
    RewardBlock b = block_of(3, (Score *[]){first, second, watched}, (double[]){1, -0.25, 0});
    for (int i = 0; i < 7; i++) {
        Score parts[3];
        float seconds[3];
        Score s = reward_block_score(&b, &(Evidence){.sample = i}, parts, seconds);
        ck_assert_int_eq(s.status, want[i].status);
        ck_assert_double_eq(s.value, want[i].value);
        ck_assert_int_eq(parts[2].status, watched[i].status);
    }
    reward_block_close(&b);
}
END_TEST

START_TEST(failed_components_carry_no_value)
{
    Score script[] = {{7, SCORE_TIMEOUT}, {INFINITY, SCORE_OK}};
    RewardBlock b = block_of(1, (Score *[]){script}, (double[]){1});
    for (int i = 0; i < 2; i++) {
        Score part;
        float seconds;
        reward_block_score(&b, &(Evidence){.sample = i}, &part, &seconds);
        ck_assert_double_eq(part.value, 0);
        ck_assert_int_eq(part.status, i ? SCORE_ERROR : SCORE_TIMEOUT);
    }
    reward_block_close(&b);
}
END_TEST

START_TEST(first_error_names_component_and_sample)
{
    Score script[] = {{0, SCORE_ERROR}};
    RewardBlock b = block_of(1, (Score *[]){script}, (double[]){1});
    b.components[0].complained = false;
    Score part;
    float seconds;
    errors_quiet(1);
    reward_block_score(&b, &(Evidence){.group = 37}, &part, &seconds);
    errors_quiet(-1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "part0"));
    ck_assert_ptr_nonnull(strstr(errors_last(), "group 37, sample 0: as told"));
    ck_assert(b.components[0].complained);
    reward_block_close(&b);
}
END_TEST

START_TEST(a_sum_that_overflows_is_an_error)
{
    Score script[] = {{1e308, SCORE_OK}};
    RewardBlock b = block_of(2, (Score *[]){script, script}, (double[]){1, 1});
    Score parts[2];
    float seconds[2];
    ck_assert_int_eq(reward_block_score(&b, &(Evidence){0}, parts, seconds).status, SCORE_ERROR);
    reward_block_close(&b);
}
END_TEST

START_TEST(formula_reads_like_one)
{
    Score script[] = {{0}};
    RewardBlock b = block_of(3, (Score *[]){script, script, script}, (double[]){1, -0.1, 2.5});
    char *f = reward_block_formula(&b);
    ck_assert_str_eq(f, "1 * part0 - 0.1 * part1 + 2.5 * part2");
    mem_free(f);
    reward_block_close(&b);
}
END_TEST

START_TEST(single_takes_defaults_and_refuses_unknown_names)
{
    RewardBlock b;
    ck_assert_int_eq(reward_block_single(&b, "exact_number"), 0);
    ck_assert(b.n == 1 && b.components[0].weight.from == 1 &&
              strcmp(b.components[0].name, "exact_number") == 0);
    ck_assert(b.components[0].values[0].flag &&
              strcmp(b.components[0].values[1].text, "answer") == 0);
    reward_block_close(&b);
    reward_block_close(&b); /* an empty block is fine */
    errors_quiet(1);
    ck_assert_int_eq(reward_block_single(&b, "exact_nubmer"), -1);
    errors_quiet(-1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "exact_nubmer"));
}
END_TEST

TEST_MAIN("reward", every_reward_has_its_name_and_help, sum_is_weighted_and_failures_are_not_zeros,
          failed_components_carry_no_value, first_error_names_component_and_sample,
          a_sum_that_overflows_is_an_error, formula_reads_like_one,
          single_takes_defaults_and_refuses_unknown_names)

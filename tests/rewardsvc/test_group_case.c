/* A group before the block as the service judges it: what its rewards see of it, and what comes
 * back into it. */
#include "rewardsvc/group_case.h"

#include "common/errors.h"
#include "common/yaml.h"
#include "tests/harness.h"

enum { N = 2 };
static const RewardRun run = {.seed = 7, .steps = 10, .max_tokens = 16};

static RewardBlock open_text(const char *text)
{
    RewardBlock b;
    YamlNode *list = yaml_parse("t", text, strlen(text));
    ck_assert_ptr_nonnull(list);
    ck_assert_msg(reward_block_open(&b, list) == 0, "%s", errors_last());
    yaml_close(list);
    return b;
}

static Group group_of(GroupKind kind, const char *record)
{
    Group g = {.kind = kind, .id = 3, .prompt_text = mem_text("12+3="), .n_samples = N};
    if (record) g.record = mem_text(record);
    g.samples = NEW(Sample, N);
    for (int i = 0; i < N; i++) {
        g.samples[i].text = mem_text(i ? "<answer>14</answer>" : "<answer>15</answer>");
        g.samples[i].n_tokens = 4;
    }
    return g;
}

static void judge(RewardBlock *b, Group *g, GroupCase *k)
{
    ck_assert_msg(group_case_open(k, g, &run) == 0, "%s", errors_last());
    group_case_begin(k, b, 0, run.steps);
    ck_assert(reward_case_settled(k->c));
    group_case_finish(k, b);
}

/* Noise is for training only: the group's kind has to reach the rewards. */
START_TEST(rewards_know_what_is_training)
{
    RewardBlock b =
        open_text("- {name: exact_number, strict: false}\n- {name: flip_noise, p: 1}\n");
    static const struct {
        GroupKind kind;
        double want[N];
    } cases[] = {{GROUP_TRAIN, {0, 1}}, {GROUP_EVAL, {1, 0}}};
    for (int i = 0; i < 2; i++) {
        GroupCase k;
        Group g = group_of(cases[i].kind, "{\"answer\": \"15\"}");
        judge(&b, &g, &k);
        for (int s = 0; s < N; s++) {
            ck_assert_int_eq(g.samples[s].reward.status, SCORE_OK);
            ck_assert_double_eq(g.samples[s].reward.value, cases[i].want[s]);
            ck_assert_double_eq(g.samples[s].components[0].value, 1 - s);
        }
        group_case_close(&k);
        group_free(&g);
    }
    reward_block_close(&b);
}
END_TEST

START_TEST(a_judged_group_shows_what_was_written)
{
    RewardBlock b =
        open_text("- {name: exact_number, strict: false}\n- {name: length, weight: 0}\n");
    Group g = group_of(GROUP_TRAIN, "{\"answer\": \"15\"}");
    GroupCase k;
    judge(&b, &g, &k);
    JudgedGroup j = group_case_judged(&k, 4, run.steps);
    ck_assert_int_eq(j.g.n, N);
    ck_assert_int_eq(j.g.n_components, 2);
    ck_assert_int_eq((int)j.g.step, 4);
    for (int s = 0; s < N; s++) {
        ck_assert_double_eq(j.reward[s].value, 1 - s);
        ck_assert_double_eq(group_score(&j.g, 0, s).value, 1 - s);
        ck_assert_double_eq(group_score(&j.g, 1, s).value, g.samples[s].components[1].value);
        ck_assert_str_eq(j.g.samples[s].text, g.samples[s].text);
    }
    judged_group_free(&j);
    judged_group_free(&j);
    group_case_close(&k);
    group_free(&g);
    reward_block_close(&b);
}
END_TEST

START_TEST(a_record_is_an_object)
{
    static const char *const bad[] = {"[1]", "{", "{\"a\": 1, \"a\": 2}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Group g = group_of(GROUP_TRAIN, bad[i]);
        GroupCase k;
        errors_quiet(1);
        ck_assert_int_eq(group_case_open(&k, &g, &run), -1);
        errors_quiet(-1);
        group_case_close(&k);
        group_free(&g);
    }
    Group none = group_of(GROUP_TRAIN, NULL);
    GroupCase k;
    ck_assert_int_eq(group_case_open(&k, &none, &run), 0);
    group_case_close(&k);
    group_free(&none);
}
END_TEST

/* Those at temperature 1, whatever the answers were sampled at. */
START_TEST(rewards_see_log_probabilities_and_where_tokens_end)
{
    RewardBlock b = open_text("- {name: confidence, where: answer}\n");
    GroupCase k;
    Group g = group_of(GROUP_TRAIN, NULL);
    static const int32_t ends[] = {8, 9, 10, 19};               /* <answer>|1|5|</answer> */
    static const float ln[] = {0, -0.6931472f, -1.3862944f, 0}; /* 1, 1/2, 1/4, 1 */
    for (int i = 0; i < N; i++) {
        g.samples[i].logprobs = NEW(float, 4);
        g.samples[i].logprobs_untempered = NEW(float, 4);
        g.samples[i].text_ends = NEW(int32_t, 4);
        memcpy(g.samples[i].logprobs_untempered, ln, sizeof ln);
        memcpy(g.samples[i].text_ends, ends, sizeof ends);
    }
    judge(&b, &g, &k);
    for (int i = 0; i < N; i++) ck_assert_double_eq_tol(g.samples[i].reward.value, 0.375, 1e-6);
    group_case_close(&k);
    group_free(&g);
    reward_block_close(&b);
}
END_TEST

TEST_MAIN("group_case", rewards_see_log_probabilities_and_where_tokens_end,
          rewards_know_what_is_training, a_judged_group_shows_what_was_written,
          a_record_is_an_object)

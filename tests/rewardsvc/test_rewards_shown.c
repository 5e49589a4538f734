/* What rank 0 keeps and shows of the rewards' state. */
#include "rewardsvc/rewards_shown.h"

#include "common/memory.h"
#include "tests/harness.h"

START_TEST(states_wait_for_their_step)
{
    RewardsStates s = {0};
    ck_assert_ptr_null(rewards_states_take(&s, 1));
    for (int i = 1; i < 12; i++) {
        char text[8];
        int n = snprintf(text, sizeof text, "s%d", i);
        rewards_states_add(&s, i, text, (size_t)n);
    }
    char *one = rewards_states_take(&s, 1), *four = rewards_states_take(&s, 4);
    ck_assert_str_eq(one, "s1");
    ck_assert_str_eq(four, "s4"); /* 2 and 3 are gone */
    ck_assert_ptr_null(rewards_states_take(&s, 3));
    ck_assert_int_eq(s.n, 7);
    ck_assert_ptr_null(rewards_states_take(&s, 12));
    ck_assert_int_eq(s.n, 0);
    rewards_states_add(&s, 13, NULL, 0);
    mem_free(one);
    mem_free(four);
    rewards_states_free(&s);
}
END_TEST

static void expect_change(const char *before, const char *after, const char *want)
{
    json_t *c = rewards_shown_change(before, after);
    char *text = c ? json_dumps(c, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    ck_assert_msg(want ? text && !strcmp(text, want) : !text, "%s", text ? text : "nothing");
    free(text);
    json_decref(c);
}

START_TEST(a_change_is_said_once)
{
    const char *none = "{\"a\":{\"n\":1}}", *first = "{\"m\":{\"n\":1,\"shown\":[{\"v\":0}]}}",
               *same = "{\"m\":{\"n\":2,\"shown\":[{\"v\":0}]}}",
               *second = "{\"a\":{},\"m\":{\"n\":2,\"shown\":[{\"v\":0},{\"v\":1}]}}";
    expect_change("", none, NULL);
    expect_change("", first, "{\"m\":{\"v\":0}}");
    expect_change(NULL, first, "{\"m\":{\"v\":0}}");
    expect_change(first, same, NULL);
    expect_change(same, second, "{\"m\":{\"v\":1}}");
    expect_change(second, "{\"m\":{\"shown\":[]}}", NULL);
    expect_change(second, "{\"m\":{\"shown\":7}}", NULL);
}
END_TEST

TEST_MAIN("rewards_shown", states_wait_for_their_step, a_change_is_said_once)

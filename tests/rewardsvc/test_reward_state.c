/* State of rewards over steps: advanced by a step's groups, kept as text, taken back. */
#include "rewardsvc/reward_case.h"

#include <math.h>

#include "common/errors.h"
#include "common/yaml.h"
#include "tests/harness.h"

enum { G = 3, P = 2 };

static RewardBlock open_text(const char *text)
{
    RewardBlock b;
    YamlNode *list = yaml_parse("t", text, strlen(text));
    ck_assert_ptr_nonnull(list);
    ck_assert_msg(reward_block_open(&b, list) == 0, "%s", errors_last());
    yaml_close(list);
    return b;
}

static const char block[] =
    "- {name: length, weight: 0, limit: 10, buffer: 10}\n"
    "- {name: running_scale, component: length, weight_of: 2, decay: 0.5}\n";

static void advance_by(RewardBlock *b, const double *x, int64_t step)
{
    Score scores[P][2 * G], rewards[P][G];
    JudgedGroup groups[P];
    for (int i = 0; i < P; i++) {
        for (int k = 0; k < G; k++) {
            scores[i][k] = score_ok(x[i * G + k]);
            scores[i][G + k] = score_failed(SCORE_NOT_APPLICABLE);
            rewards[i][k] = score_ok(0);
        }
        groups[i] = (JudgedGroup){.g = {.n = G, .n_components = 2, .scores = scores[i]},
                                  .reward = rewards[i]};
    }
    reward_block_advance(b, groups, P, step);
    ck_assert(reward_block_advanced(b));
}

/* Length 5 of 10 with a buffer of 10 is -0.5. */
static double reward_now(RewardBlock *b)
{
    Score parts[2];
    float seconds[2];
    Evidence e = {.prompt = "", .text = "", .n_tokens = 5, .max_tokens = 10};
    Score s = reward_block_score(b, &e, parts, seconds);
    ck_assert_int_eq(s.status, SCORE_OK);
    return s.value;
}

START_TEST(advances_and_comes_back)
{
    static const double first[] = {-1, -1, -1, 0, 0, 0},
                        second[] = {-0.5, -0.5, -0.5, -0.5, -0.5, -0.5};
    RewardBlock b = open_text(block), other = open_text(block);
    ck_assert(reward_block_has_state(&b));
    ck_assert_int_eq(reward_block_load(&b, ""), 0);
    ck_assert_double_eq(reward_now(&b), 2 * -0.5); /* nothing known: mean 0, spread 1 */
    advance_by(&b, first, 0);                      /* mean -0.5, std 0.5 */
    ck_assert_double_eq_tol(reward_now(&b), 0, 1e-12);
    /* half of 6 with squares 0.75, then 6 more at the mean: n 9, squares 0.75 */
    advance_by(&b, second, 1);
    char *text = reward_block_save(&b);
    json_t *saved = json_loads(text, 0, NULL), *s = json_object_get(saved, "running_scale");
    ck_assert_double_eq(json_number_value(json_object_get(s, "n")), 9);
    ck_assert_double_eq_tol(json_number_value(json_object_get(s, "squares")), 0.75, 1e-12);
    ck_assert_int_eq(reward_block_load(&other, text), 0);
    char *again = reward_block_save(&other);
    ck_assert_str_eq(again, text);
    advance_by(&b, first, 2);
    advance_by(&other, first, 2);
    mem_free(again);
    mem_free(text);
    text = reward_block_save(&b), again = reward_block_save(&other);
    ck_assert_str_eq(again, text);
    mem_free(again);
    mem_free(text);
    json_decref(saved);
    reward_block_close(&b);
    reward_block_close(&other);
}
END_TEST

START_TEST(a_state_that_is_not_its_own_is_refused)
{
    RewardBlock b = open_text(block), plain = open_text("- random\n");
    errors_quiet(1);
    ck_assert_int_eq(reward_block_load(&b, "{"), -1);
    ck_assert_int_eq(reward_block_load(&b, "{}"), -1);
    ck_assert_msg(strstr(errors_last(), "none of it"), "%s", errors_last());
    ck_assert_int_eq(reward_block_load(&b, "{\"running_scale\": {\"n\": 1}}"), -1);
    ck_assert_int_eq(reward_block_load(
                         &b, "{\"running_scale\": {\"n\": -1.0, \"mean\": 0.0, \"squares\": 0.0}}"),
                     -1);
    errors_quiet(-1);
    ck_assert(!reward_block_has_state(&plain));
    reward_block_close(&b);
    reward_block_close(&plain);
}
END_TEST

TEST_MAIN("reward_state", advances_and_comes_back, a_state_that_is_not_its_own_is_refused)

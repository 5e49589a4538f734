/* The learning rate at the places that matter: first step, end of warm-up, middle, last step. */
#include "learner/schedule.h"

#include "tests/harness.h"

START_TEST(warms_up_linearly)
{
    const char *shapes[] = {"constant", "linear", "cosine"};
    for (int k = 0; k < 3; k++) {
        ck_assert_double_eq_tol(schedule_lr(shapes[k], 2e-3, 20, 1, 300), 1e-4, 1e-18);
        ck_assert_double_eq_tol(schedule_lr(shapes[k], 2e-3, 20, 10, 300), 1e-3, 1e-18);
        ck_assert_double_eq(schedule_lr(shapes[k], 2e-3, 20, 20, 300), 2e-3);
    }
}
END_TEST

START_TEST(constant_stays)
{
    ck_assert_double_eq(schedule_lr("constant", 1e-6, 0, 1, 10), 1e-6);
    ck_assert_double_eq(schedule_lr("constant", 1e-6, 3, 10, 10), 1e-6);
}
END_TEST

START_TEST(decay_ends_at_exactly_zero)
{
    for (int64_t warmup = 0; warmup < 7; warmup++)
        for (int64_t n = warmup + 1; n < 60; n++) {
            ck_assert(schedule_lr("linear", 0.3, warmup, n, n) == 0);
            ck_assert(schedule_lr("cosine", 0.3, warmup, n, n) == 0);
        }
}
END_TEST

START_TEST(decay_is_half_in_the_middle_and_falls)
{
    const char *shapes[] = {"linear", "cosine"};
    for (int k = 0; k < 2; k++) {
        ck_assert_double_eq_tol(schedule_lr(shapes[k], 1, 20, 60, 100), 0.5, 1e-15);
        for (int s = 21; s <= 100; s++)
            ck_assert(schedule_lr(shapes[k], 1, 20, s, 100) <
                      schedule_lr(shapes[k], 1, 20, s - 1, 100));
    }
    ck_assert_double_eq_tol(schedule_lr("linear", 1, 0, 25, 100), 0.75, 1e-15);
    ck_assert_double_eq_tol(schedule_lr("cosine", 1, 0, 25, 100), 0.5 * (1 + sqrt(0.5)), 1e-15);
}
END_TEST

START_TEST(a_warmup_as_long_as_the_run_leaves_no_decay)
{
    ck_assert_double_eq(schedule_lr("linear", 1, 10, 10, 10), 1);
    ck_assert_double_eq_tol(schedule_lr("cosine", 1, 20, 10, 10), 0.5, 1e-15);
}
END_TEST

TEST_MAIN("schedule", warms_up_linearly, constant_stays, decay_ends_at_exactly_zero,
          decay_is_half_in_the_middle_and_falls, a_warmup_as_long_as_the_run_leaves_no_decay)

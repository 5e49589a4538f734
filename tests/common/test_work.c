/* Ownership by arithmetic: everything has one owner, whatever the number of ranks; evaluations are
 * due where the options say. */
#include "tests/harness.h"

#include "common/work.h"

START_TEST(every_slot_has_one_learner_and_learners_share_evenly)
{
    for (int S = 1; S <= 64; S *= 2)
        for (int n = 1; n <= S; n *= 2) {
            int count[64] = {0};
            for (int slot = 0; slot < S; slot++) {
                int owner = work_slot_learner(slot, S, n);
                ck_assert(owner >= 0 && owner < n);
                if (slot) ck_assert(owner >= work_slot_learner(slot - 1, S, n)); /* contiguous */
                count[owner]++;
            }
            for (int i = 0; i < n; i++) ck_assert_int_eq(count[i], S / n);
        }
}
END_TEST

START_TEST(slots_do_not_depend_on_the_step)
{
    for (int64_t g = 0; g < 100; g++) {
        ck_assert_int_eq(work_slot(g, 10, 4), work_slot(g % 10, 10, 4));
        ck_assert_int_eq(work_step(g, 10), g / 10);
    }
}
END_TEST

START_TEST(evaluates_before_after_and_in_between_but_never_twice)
{
    ck_assert(work_evaluation_due(0, 80, 0, 0));
    ck_assert(work_evaluation_due(80, 80, 0, 0));
    ck_assert(!work_evaluation_due(40, 80, 0, 0));
    ck_assert(work_evaluation_due(40, 80, 20, 0));
    ck_assert(!work_evaluation_due(41, 80, 20, 0));
    ck_assert(
        !work_evaluation_due(40, 80, 20, 40)); /* resumed at 40: measured before the checkpoint */
    ck_assert(work_evaluation_due(60, 80, 20, 40));
    ck_assert(work_evaluation_due(0, 0, 0, 0));
}
END_TEST

START_TEST(shares_add_up)
{
    for (int n = 1; n < 9; n++)
        for (int64_t count = 0; count < 40; count++)
            for (int me = 0; me < n; me++) {
                int64_t mine = 0;
                for (int64_t id = 0; id < count; id++) mine += work_owner(id, n) == me;
                ck_assert_int_eq(work_share(count, n, me), mine);
            }
}
END_TEST

TEST_MAIN("work", shares_add_up, every_slot_has_one_learner_and_learners_share_evenly,
          slots_do_not_depend_on_the_step, evaluates_before_after_and_in_between_but_never_twice)

/* Groups in any order come out by id; a learner wants its own slots, rank 0 everything. */
#include "tests/harness.h"

#include "common/work.h"
#include "learner/inbox.h"

/* By the weights of its own step. */
static void put(Inbox *in, int64_t id)
{
    Group g = {.kind = GROUP_TRAIN,
               .id = id,
               .version = (int32_t)(id / in->P),
               .n_samples = 1,
               .samples = NEW(Sample, 1)};
    inbox_put(in, &g);
    ck_assert_int_eq(g.n_samples, 0); /* taken over */
}

START_TEST(rank_0_is_complete_with_all_groups_in_any_order)
{
    Inbox in;
    inbox_init(&in, &(InboxShape){5, 4, 2, 0, 0}, 3);
    int order[] = {17, 15, 19, 16, 18};
    for (int i = 0; i < 5; i++) {
        ck_assert(!inbox_complete(&in, in.step));
        put(&in, order[i]);
    }
    ck_assert(inbox_complete(&in, in.step));
    for (int i = 0; i < 5; i++) ck_assert_int_eq(inbox_groups(&in, 3)[i].id, 15 + i);
    inbox_next(&in);
    ck_assert(!inbox_complete(&in, in.step));
    ck_assert_int_eq(in.step, 4);
    inbox_free(&in);
}
END_TEST

START_TEST(another_learner_wants_only_its_slots)
{
    Inbox in;
    inbox_init(&in, &(InboxShape){8, 4, 2, 1, 0}, 0); /* slots 2 and 3: groups 2, 3, 6, 7 */
    int mine[] = {7, 2, 6, 3};
    for (int i = 0; i < 8; i++) ck_assert_int_eq(inbox_is_mine(&in, i), i % 4 >= 2);
    for (int i = 0; i < 4; i++) put(&in, mine[i]);
    ck_assert(inbox_complete(&in, in.step));
    inbox_free(&in);
}
END_TEST

START_TEST(steps_ahead_wait_their_turn)
{
    Inbox in;
    inbox_init(&in, &(InboxShape){2, 1, 1, 0, 2}, 0);
    int order[] = {5, 2, 1, 4, 0, 3};
    for (int i = 0; i < 6; i++) put(&in, order[i]);
    ck_assert(inbox_complete(&in, 2));
    inbox_next(&in);
    ck_assert(inbox_complete(&in, 2) && !inbox_complete(&in, 3));
    for (int64_t step = 1; step < 3; step++)
        for (int i = 0; i < 2; i++) ck_assert_int_eq(inbox_groups(&in, step)[i].id, 2 * step + i);
    ck_assert_int_eq(inbox_groups(&in, 3)[0].n_samples, 0);
    inbox_free(&in);
}
END_TEST

START_TEST(the_lag_is_a_constant)
{
    int64_t first, last;
    for (int64_t k = 0; k < 4; k++)
        for (int64_t v = 0, next = 0; v <= 6;
             v++) { /* each step once, in order, by max(0, s - k) */
            work_steps_due(v, k, 6, &first, &last);
            for (int64_t s = first; s <= last; s++, next++) {
                ck_assert_int_eq(s, next);
                ck_assert_int_eq(v, s > k ? s - k : 0);
            }
            if (v == 6) ck_assert_int_eq(next, 6);
            if (v > 0) ck_assert_int_eq(work_in_flight_end(v, k, 6), v + k < 6 ? v + k : 6);
        }
}
END_TEST

TEST_MAIN("inbox", rank_0_is_complete_with_all_groups_in_any_order,
          another_learner_wants_only_its_slots, steps_ahead_wait_their_turn, the_lag_is_a_constant)

/* Groups in any order come out by id; a learner wants its own slots, rank 0 everything. */
#include "tests/harness.h"

#include "learner/inbox.h"

static Group group_of(int64_t id)
{
    Group g = {.kind = GROUP_TRAIN, .id = id, .n_samples = 1, .samples = NEW(Sample, 1)};
    return g;
}

static void put(Inbox *in, int64_t id)
{
    Group g = group_of(id);
    inbox_put(in, &g);
    ck_assert_int_eq(g.n_samples, 0); /* taken over */
}

START_TEST(rank_0_is_complete_with_all_groups_in_any_order)
{
    Inbox in;
    inbox_init(&in, 5, 4, 2, 0, 3);
    int order[] = {17, 15, 19, 16, 18};
    for (int i = 0; i < 5; i++) {
        ck_assert(!inbox_complete(&in));
        put(&in, order[i]);
    }
    ck_assert(inbox_complete(&in));
    for (int i = 0; i < 5; i++) ck_assert_int_eq(in.groups[i].id, 15 + i);
    inbox_next(&in);
    ck_assert(!inbox_complete(&in));
    ck_assert_int_eq(in.step, 4);
    inbox_free(&in);
}
END_TEST

START_TEST(another_learner_wants_only_its_slots)
{
    Inbox in;
    inbox_init(&in, 8, 4, 2, 1, 0); /* slots 2 and 3: groups 2, 3, 6, 7 */
    int mine[] = {7, 2, 6, 3};
    for (int i = 0; i < 8; i++) ck_assert_int_eq(inbox_is_mine(&in, i), i % 4 >= 2);
    for (int i = 0; i < 4; i++) put(&in, mine[i]);
    ck_assert(inbox_complete(&in));
    inbox_free(&in);
}
END_TEST

TEST_MAIN("inbox", rank_0_is_complete_with_all_groups_in_any_order,
          another_learner_wants_only_its_slots)

/* See inbox.h. On the ring: the learner's door. Synchronous runs never see a group of another step,
 * which is checked. */
#include "learner/inbox.h"

#include "common/errors.h"
#include "common/work.h"

bool inbox_is_mine(const Inbox *in, int i)
{
    return work_slot_learner(work_slot(i, in->P, in->S), in->S, in->n_learners) == in->me;
}

void inbox_init(Inbox *in, int P, int S, int n_learners, int me, int64_t step)
{
    *in = (Inbox){
        .P = P, .S = S, .n_learners = n_learners, .me = me, .step = step, .groups = NEW(Group, P)};
    for (int i = 0; i < P; i++) in->n_wanted += me == 0 || inbox_is_mine(in, i);
}

static void free_groups(Inbox *in)
{
    for (int i = 0; i < in->P; i++) group_free(&in->groups[i]);
    in->n_in = 0;
}

void inbox_free(Inbox *in)
{
    if (in->groups) free_groups(in);
    mem_free(in->groups);
    *in = (Inbox){0};
}

void inbox_put(Inbox *in, Group *g)
{
    int i = (int)(g->id % in->P);
    REQUIRE(work_step(g->id, in->P) == in->step, "group %lld came while step %lld was collected",
            (long long)g->id, (long long)in->step);
    REQUIRE(!in->groups[i].n_samples, "group %lld came twice", (long long)g->id);
    REQUIRE(in->me == 0 || inbox_is_mine(in, i), "group %lld came to learner %d", (long long)g->id,
            in->me);
    in->groups[i] = *g;
    *g = (Group){0};
    in->n_in++;
}

bool inbox_complete(const Inbox *in)
{
    return in->n_in == in->n_wanted;
}

void inbox_next(Inbox *in)
{
    free_groups(in);
    in->step++;
}

/* See inbox.h. On the ring: the learner's door. A group of a step that cannot be in flight yet is a
 * broken bound on staleness, which is checked here, group by group. */
#include "learner/inbox.h"

#include "common/errors.h"
#include "common/work.h"

struct InboxStep {
    Group *groups; /* [P] by id; n_samples = 0: not here */
    int n_in;
};

static InboxStep *step_at(const Inbox *in, int64_t step)
{
    return &in->steps[step % (in->ahead + 1)];
}

bool inbox_is_mine(const Inbox *in, int i)
{
    return work_slot_learner(work_slot(i, in->P, in->S), in->S, in->n_learners) == in->me;
}

void inbox_init(Inbox *in, const InboxShape *shape, int64_t step)
{
    *in = (Inbox){.P = shape->P,
                  .S = shape->S,
                  .n_learners = shape->n_learners,
                  .me = shape->me,
                  .ahead = shape->ahead,
                  .step = step,
                  .steps = NEW(InboxStep, shape->ahead + 1)};
    for (int k = 0; k <= in->ahead; k++) in->steps[k].groups = NEW(Group, in->P);
    for (int i = 0; i < in->P; i++) in->n_wanted += in->me == 0 || inbox_is_mine(in, i);
}

static void step_free(const Inbox *in, InboxStep *s)
{
    for (int i = 0; i < in->P; i++) group_free(&s->groups[i]);
    s->n_in = 0;
}

void inbox_free(Inbox *in)
{
    for (int k = 0; in->steps && k <= in->ahead; k++) {
        step_free(in, &in->steps[k]);
        mem_free(in->steps[k].groups);
    }
    mem_free(in->steps);
    *in = (Inbox){0};
}

void inbox_put(Inbox *in, Group *g)
{
    int i = (int)(g->id % in->P);
    int64_t step = work_step(g->id, in->P);
    REQUIRE(step >= in->step && step <= in->step + in->ahead,
            "group %lld of step %lld came while step %lld was collected, %d ahead",
            (long long)g->id, (long long)step, (long long)in->step, in->ahead);
    REQUIRE(g->version <= step && step - g->version <= in->ahead,
            "group %lld of step %lld has weights of step %d, %d ahead", (long long)g->id,
            (long long)step, g->version, in->ahead);
    InboxStep *s = step_at(in, step);
    REQUIRE(!s->groups[i].n_samples, "group %lld came twice", (long long)g->id);
    REQUIRE(in->me == 0 || inbox_is_mine(in, i), "group %lld came to learner %d", (long long)g->id,
            in->me);
    s->groups[i] = *g;
    *g = (Group){0};
    s->n_in++;
}

Group *inbox_groups(const Inbox *in, int64_t step)
{
    REQUIRE(step >= in->step && step <= in->step + in->ahead, "step %lld", (long long)step);
    return step_at(in, step)->groups;
}

int inbox_arrived(const Inbox *in)
{
    return step_at(in, in->step)->n_in;
}

bool inbox_complete(const Inbox *in, int64_t step)
{
    for (int64_t s = in->step; s <= step; s++)
        if (step_at(in, s)->n_in < in->n_wanted) return false;
    return true;
}

void inbox_next(Inbox *in)
{
    step_free(in, step_at(in, in->step));
    in->step++;
}

/* Scored groups arrive in any order; the inbox gives the groups of one step, in id order, once they
 * are all in. With staleness it holds those of the next steps too. */
#ifndef LEARNER_INBOX_H
#define LEARNER_INBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sample.h"

typedef struct {
    int P, S, n_learners, me; /* groups a step, slots, learner ranks, this one's index */
    int ahead;                /* steps that may be in flight besides the one that is collected */
} InboxShape;

typedef struct InboxStep InboxStep;

typedef struct {
    int P, S, n_learners, me, ahead;
    int64_t step; /* whose groups are trained on next */
    int n_wanted; /* rank 0's inbox wants all P of a step (it records them), others only those of
                     their slots */
    InboxStep *steps; /* [ahead + 1] by step mod (ahead + 1) */
} Inbox;

void inbox_init(Inbox *in, const InboxShape *shape, int64_t step);
void inbox_free(Inbox *in);

/* Takes *g over (leaves it empty). A group that is not of these steps, is here already, or whose
 * weights are more than `ahead` steps behind its step is a broken promise: REQUIREd. */
void inbox_put(Inbox *in, Group *g);

/* Whether all groups of the present step .. `step` are here; how many of the present one. */
bool inbox_complete(const Inbox *in, int64_t step);
int inbox_arrived(const Inbox *in);
/* [P] by id, of the present step or one ahead; n_samples = 0: not here. */
Group *inbox_groups(const Inbox *in, int64_t step);

/* Whether group i of the step (i = id mod P) belongs to a slot of this learner. */
bool inbox_is_mine(const Inbox *in, int i);

/* Frees the step's groups and goes on to the next. */
void inbox_next(Inbox *in);

#endif

/* Scored groups arrive in any order; the inbox gives the groups of one step, in id order, once they
 * are all in. */
#ifndef LEARNER_INBOX_H
#define LEARNER_INBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sample.h"

typedef struct {
    int P, S, n_learners, me; /* groups a step, slots, learner ranks, this one's index */
    int64_t step;             /* whose groups are collected */
    int n_wanted,
        n_in; /* rank 0's inbox wants all P (it records them), others only those of their slots */
    Group *groups; /* [P] by id; n_samples = 0: not here */
} Inbox;

void inbox_init(Inbox *in, int P, int S, int n_learners, int me, int64_t step);
void inbox_free(Inbox *in);

/* Takes *g over (leaves it empty). A group that is not of this step or is here already is a broken
 * promise: REQUIREd. */
void inbox_put(Inbox *in, Group *g);
bool inbox_complete(const Inbox *in);

/* Whether group i of the step (i = id mod P) belongs to a slot of this learner. */
bool inbox_is_mine(const Inbox *in, int i);

/* Frees the step's groups and begins to collect those of the next. */
void inbox_next(Inbox *in);

#endif

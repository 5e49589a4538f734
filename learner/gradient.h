/* The gradient of a step, in the one order that does not depend on ranks (design.md 3): the unit is
 * the group; a slot sums its groups in id order; slots are summed in a fixed binary tree, first
 * those of one learner, then between learners. */
#ifndef LEARNER_GRADIENT_H
#define LEARNER_GRADIENT_H

#include <stddef.h>

#include "common/comm.h"

enum { GRADIENT_LEVELS = 7 }; /* 64 slots */

typedef struct {
    size_t n;                      /* numbers of the model */
    int n_levels;                  /* 1 + log2(slots of this learner): partial sums alive at once */
    float *level[GRADIENT_LEVELS]; /* [n] each; level[0] holds the result */
} Gradient;

/* n_slots: slots of this learner, a power of two. */
void gradient_init(Gradient *g, size_t n, int n_slots);
void gradient_free(Gradient *g);
size_t gradient_bytes(size_t n, int n_slots); /* for `plan` */

/* Adds the gradient of all groups of one slot, in id order, to grad [n] and what is counted of them
 * to stats [n_stats]. Both come in as zeros. */
typedef void gradient_slot_fn(void *ctx, int slot, float *grad, double *stats);

/* level[0] and stats [n_stats <= 32] become the sums over all slots of all learners, same bits on
 * each of them. first_slot and n_slots are this learner's. 0, or -1: the run was stopped meanwhile.
 * Collective on the learner ranks; blocks with the named waits of comm_sum_floats. */
int gradient_sum(Gradient *g, Comm *comm, int first_slot, int n_slots, gradient_slot_fn *slot,
                 void *ctx, double *stats, int n_stats);

#endif

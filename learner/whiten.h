/* Advantages standardised over all trained tokens of a step, and outliers among them left out:
 * between advantage and loss, where the configuration asks for it (learner.whiten).
 *
 *   z = (A - mean) / std, std with divisor n; all 0 where std is 0; |z| > filter becomes 0
 *
 * Source: Hu et al. 2025 (REINFORCE++); the filter: Zhang et al. 2025 (R1-Reward), 3.2. */
#ifndef LEARNER_WHITEN_H
#define LEARNER_WHITEN_H

#include "common/comm.h"
#include "learner/inbox.h"

/* Sums of one group's trained tokens, for the mean, then for the deviation from it. */
typedef struct {
    double n, sum;
} WhitenSum;
WhitenSum whiten_sum(const Group *g, unsigned leave_out);
double whiten_squares(const Group *g, unsigned leave_out, double mean);

/* Standardises g in place; filter 0: none is left out. Returns the trained tokens that were. */
double whiten_group(Group *g, unsigned leave_out, double mean, double std, double filter);

/* The present step's groups, of all learners; the same bits for any number of them: a group's sums
 * are its owner's, and all add them in id order. *n_filtered: over all ranks. 0, or -1 where the
 * run was stopped while others were waited for. Collective on the learner ranks; named deadline. */
int whiten_step(Comm *c, Inbox *in, unsigned leave_out, double filter, double *n_filtered);

#endif

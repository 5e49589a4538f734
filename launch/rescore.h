/* Stored groups before a reward block again: what the reward service did in the run, without the
 * run. A step at a time: judges are asked about all of it together, and rewards with state see it
 * whole before the next. */
#ifndef LAUNCH_RESCORE_H
#define LAUNCH_RESCORE_H

#include <stdint.h>

#include "common/sample.h"
#include "rewardsvc/group_case.h"

/* A copy of g; group_free. */
Group group_copy(const Group *g);

/* Scores all groups [n] of a step (its number as recorded, from 1) anew, waiting for judges:
 * components, latencies, notes and rewards are replaced; advantages are not. Then the block's state
 * moves on. 0, or -1 with the reason (a record that is no JSON object), nothing scored. */
int rescore_step(RewardBlock *b, const RewardRun *run, int64_t step, Group *groups, int n);

#endif

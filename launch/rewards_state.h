/* What the rewards' state shows (rewardsvc/rewards_shown.h), on a terminal. */
#ifndef LAUNCH_REWARDS_STATE_H
#define LAUNCH_REWARDS_STATE_H

#include <stdio.h>

#include "rewardsvc/rewards_shown.h"

/* One element for people: its numbers in a line, its texts below. */
void rewards_shown_print(FILE *out, const char *component, const json_t *element);

#endif

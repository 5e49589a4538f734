/* `troupe inspect --rewards`: what was asked, and its tables. */
#ifndef LAUNCH_INSPECT_REWARDS_H
#define LAUNCH_INSPECT_REWARDS_H

#include <jansson.h>

/* Prints the object that inspect_rewards makes of a ledger, for people. */
void rewards_print(const json_t *all);

#endif

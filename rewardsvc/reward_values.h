/* Between reward_block.c and reward_config.c: the values of a reward's settings, and starting a
 * component. */
#ifndef REWARDSVC_REWARD_VALUES_H
#define REWARDSVC_REWARD_VALUES_H

#include "rewardsvc/reward.h"

int reward_settings_count(const Reward *r);
RewardValue *reward_values_default(const Reward *r);      /* texts are owned copies */
void reward_values_free(const Reward *r, RewardValue *v); /* NULL is fine */
/* A component as an item that gives nothing but the name makes it. */
RewardComponent reward_component_default(const Reward *r, const char *label);
int reward_component_start(
    RewardComponent *c); /* the reward's open; 0, or -1 with its reason logged */

#endif

/* Between reward_block.c and reward_config.c: making and starting a component. */
#ifndef REWARDSVC_REWARD_COMPONENT_H
#define REWARDSVC_REWARD_COMPONENT_H

#include "rewardsvc/reward.h"

/* A component as an item that gives nothing but the name makes it. */
RewardComponent reward_component_default(const Reward *r, const char *label);
/* The reward's open; 0, or -1 with its reason logged. */
int reward_component_start(RewardComponent *c);

#endif

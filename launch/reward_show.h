/* Rewards of this build with their settings, for people or as JSON, on standard output. */
#ifndef LAUNCH_REWARD_SHOW_H
#define LAUNCH_REWARD_SHOW_H

#include <stdbool.h>

#include "rewardsvc/reward.h"

void reward_show_all(bool json);
void reward_show(const Reward *r);
/* whole: of a long default text not only the beginning. */
void reward_show_setting(const RewardSetting *s, bool whole);

#endif

/* See reward.h: the table of rewards, made from the files of rewardsvc/rewards/. */
#include "rewardsvc/reward.h"

#include <string.h>

#define ROW(stem) extern const Reward reward_##stem;
#include "reward_list.h"
#undef ROW

static const Reward *const rewards[] = {
#define ROW(stem) &reward_##stem,
#include "reward_list.h"
#undef ROW
};

const Reward *reward_find(const char *name)
{
    for (size_t i = 0; i < sizeof rewards / sizeof *rewards; i++)
        if (strcmp(rewards[i]->name, name) == 0) return rewards[i];
    return NULL;
}

const Reward *const *reward_list(int *n)
{
    *n = (int)(sizeof rewards / sizeof *rewards);
    return rewards;
}

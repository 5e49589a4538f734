/* What `explain` knows of `reward:` and `judges:`, on standard output. */
#ifndef LAUNCH_REWARD_EXPLAIN_H
#define LAUNCH_REWARD_EXPLAIN_H

#include <stdbool.h>

/* Whether a key is one of them: "reward", "reward.NAME", "reward.NAME.SETTING", "reward.KEY" (of
 * any item), "judges", "judges.SETTING", or a reward's NAME or NAME.SETTING alone. */
bool reward_explains(const char *key);
/* 0, or -1 with what was meant. */
int reward_explain(const char *key);

#endif

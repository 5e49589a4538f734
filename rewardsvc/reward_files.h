/* Files that settings of rewards name (a rubric, a schema): scores depend on what is in them, so it
 * is part of the run, as the experiment file is. */
#ifndef REWARDSVC_REWARD_FILES_H
#define REWARDSVC_REWARD_FILES_H

#include "rewardsvc/reward.h"

/* Their contents now: an array of {"component", "setting", "path", "bytes", "crc32c", "text"}; what
 * of a text is no UTF-8 is U+FFFD there. New reference; NULL with the reason. */
json_t *reward_files(const RewardBlock *b);
/* One number of all of them, the same wherever they are the same. */
uint32_t reward_files_crc(const json_t *files);
/* Whether they are what they were, by bytes: 0, or -1 with the first that is not. then: NULL or an
 * array as above, perhaps read from a file that is damaged; what it does not have is no difference.
 */
int reward_files_check(const json_t *then, const json_t *now);

#endif

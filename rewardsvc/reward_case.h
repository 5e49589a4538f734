/* One group before the reward block: rules are applied at once, judges are asked as soon as the
 * components that gate them are known, and once all scores are there the block's formula is applied
 * in the order of its list:
 *
 *   for each component k with weight w != 0:   reward += w(step) * clip(normalise(score_k))
 *   for each shape:                            reward = shape(reward, scores of the group)
 *
 * A sample's reward is ok if every component with weight != 0 is ok or not applicable, and at least
 * one is ok; otherwise it has the status of the first that is not. Weight 0 is a component that is
 * only watched, or used by a gate or a shape.
 */
#ifndef REWARDSVC_REWARD_CASE_H
#define REWARDSVC_REWARD_CASE_H

#include "rewardsvc/reward.h"

typedef struct RewardCase RewardCase;

/* b and samples [n] stay until the case is closed. step, steps as in GroupEvidence. */
RewardCase *reward_case_open(RewardBlock *b, const Evidence *samples, int n, int64_t step,
                             int64_t steps);
/* Moves the case on (reward_block_work moves the judges): true once everything is known. Never
 * waits. A judge past its deadline is SCORE_TIMEOUT. */
bool reward_case_settled(RewardCase *c);
/* Withdraws what is still open. */
void reward_case_close(RewardCase *c);

/* Of a settled case. note: the judge's text or NULL, borrowed. */
Score reward_case_reward(const RewardCase *c, int sample);
Score reward_case_score(const RewardCase *c, int component, int sample);
float reward_case_latency(const RewardCase *c, int component, int sample); /* seconds */
const char *reward_case_note(const RewardCase *c, int component, int sample);
/* Rewards of the answer's steps, all ok and finite; borrowed. */
const StepScores *reward_case_steps(const RewardCase *c, int sample);

#endif

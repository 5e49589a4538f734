/* A recorded group before the reward block: its samples as evidence, its case, the scores written
 * back into it, and the judged group as rewards with state see it. What the service of a run and
 * the re-scoring of a stored one (`audit`) have in common, so that both judge the same.
 */
#ifndef REWARDSVC_GROUP_CASE_H
#define REWARDSVC_GROUP_CASE_H

#include "common/sample.h"
#include "rewardsvc/reward_case.h"

/* What rewards see of the run that a group belongs to. */
typedef struct {
    uint64_t seed;
    int64_t steps;
    int max_tokens;
} RewardRun;

typedef struct {
    Group *g; /* borrowed */
    json_t *record;
    Evidence *evidence; /* [g->n_samples] */
    RewardCase *c;      /* NULL: its judging has not begun, or is over */
} GroupCase;

/* 0, or -1 with the reason (a record that is no JSON object); group_case_close either way. */
int group_case_open(GroupCase *k, Group *g, const RewardRun *run);
/* step as in GroupEvidence. */
void group_case_begin(GroupCase *k, RewardBlock *b, int64_t step, int64_t steps);
/* Writes the scores of a settled case into the group: components, latencies, notes, rewards. */
void group_case_finish(GroupCase *k, const RewardBlock *b);
void group_case_close(GroupCase *k);

/* All of it in turn, waiting for judges. 0, or -1 with the reason as group_case_open. */
int group_case_score(RewardBlock *b, Group *g, const RewardRun *run, int64_t step);

/* The scores of a group that was judged; the case stays meanwhile. judged_group_free. */
JudgedGroup group_case_judged(const GroupCase *k, int64_t step, int64_t steps);
void judged_group_free(JudgedGroup *j); /* an empty one is fine */

#endif

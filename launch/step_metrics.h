/* What a step's judged groups say in its metrics line: rewards, statuses, lengths; and, outside
 * every equality, how long judges took. */
#ifndef LAUNCH_STEP_METRICS_H
#define LAUNCH_STEP_METRICS_H

#include <jansson.h>

#include "common/sample.h"
#include "rewardsvc/reward.h"

typedef struct {
    double reward;                /* mean of what is ok; NaN if nothing is */
    double tokens, prompt_tokens; /* sums */
} StepFigures;

/* Adds to line: reward, components {NAME: mean of what is ok}, statuses {NAME.STATUS: share of the
 * answers} for what is not ok (absent if all is), answer_tokens, truncated. Sums run over the
 * answers in id order, so that they have the same bits for any number of ranks. */
StepFigures step_metrics_add(json_t *line, const Group *groups, int n, const RewardBlock *rewards);

/* Adds to the line's "time" object, if a component is a judge: judge_s and judge_max_s (seconds
 * until a group's last judge had answered, mean and longest), judge_backlog (groups that were
 * before the judges, on average over the step's `seconds`: Little's law). */
void step_metrics_judges(json_t *time, const Group *groups, int n, const RewardBlock *rewards,
                         double seconds);

#endif

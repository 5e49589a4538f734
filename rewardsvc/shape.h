/* What shapes share (reward.h). A shape that composes a reward adds its whole formula to what the
 * list has made so far, so the components it names usually have weight 0. */
#ifndef REWARDSVC_SHAPE_H
#define REWARDSVC_SHAPE_H

#include "rewardsvc/reward.h"

/* Adds a term to a reward: one that is not ok gives the reward its status. A reward that is not ok
 * stays as it is. */
void shape_add(Score *reward, Score term);

/* Adds weight times the scores, which must be ok, to an answer's rewards of steps. */
void shape_add_steps(StepScores *rewards, const StepScores *scores, double weight);

/* The score of a component that may not be given (-1): not applicable then. */
Score shape_score(const GroupEvidence *g, int component, int sample);
/* Its value where it is ok, else `neutral`. */
double shape_value(const GroupEvidence *g, int component, int sample, double neutral);

/* exp(-step / steps); steps 0 stands for the run's, and 1 where those are unknown. */
double shape_annealed(const GroupEvidence *g, double steps);

/* "before + term", or the term alone where there is nothing before. Caller frees. */
char *shape_sum_text(const char *before, const char *term_fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif

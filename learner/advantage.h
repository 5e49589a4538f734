/* From rewards to advantages: the table of estimators, and their use on one group. Between
 * rewardsvc (which writes rewards) and loss. */
#ifndef LEARNER_ADVANTAGE_H
#define LEARNER_ADVANTAGE_H

#include "common/sample.h"

/* Rewards of the n >= 2 samples of a group that count, not all equal -> their advantages,
 * dimensionless.
 *
 *   reward    [n] in, finite
 *   eps       added to the standard deviation; >= 0; unused by estimators without one
 *   advantage [n] out
 */
typedef void advantage_fn(int n, const double *reward, double eps, double *advantage);

typedef struct {
    const char *name, *help;
    advantage_fn *assign;
} Advantage;

const Advantage *advantage_find(const char *name); /* NULL if there is none */
const Advantage *advantage_list(int *n);

/* Does the sample take part in its group's statistics and train? Not when its scoring failed, nor,
 * with mask_truncated, when it hit the token limit. One definition for advantage and loss. */
bool advantage_counts(const Sample *s, bool mask_truncated);

/* What the samples of a group were, for the metrics and for learner.max_failed. */
typedef struct {
    int n_counted;   /* trained on */
    int n_failed;    /* scoring failed: status neither ok nor anything with a value */
    int n_truncated; /* scored, but left out by mask_truncated */
    bool equal; /* the counted rewards are all the same, or fewer than two: no gradient from this
                   group (KL aside) */
    double reward_sum; /* over the counted */
} AdvantageCounts;

/* Writes the advantage of every sample of g: the estimator's for those that count, exactly 0 for
 * the rest, and exactly 0 for all when fewer than two count or the rewards that count are all equal
 * (as doubles). Local. No errors: a reward that is ok is finite (rewardsvc sees to it; REQUIREd).
 */
AdvantageCounts advantage_assign(const Advantage *a, double eps, bool mask_truncated, Group *g);

#endif

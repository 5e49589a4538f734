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

/* What is left out besides samples whose scoring failed; flags, 0 = nothing. */
enum {
    LEAVE_OUT_TRUNCATED = 1, /* samples that hit the token limit (learner.mask_truncated) */
    /* all of a group of which one sample's scoring failed (learner.on_failure: drop_group): what is
       left of it is no fair draw where scoring fails more often for one kind of answer */
    LEAVE_OUT_FAILED_GROUPS = 2
};
struct Config;
unsigned advantage_leaves_out(const struct Config *c); /* as the configuration says */

/* Does sample s of g take part in the group's statistics and train? One definition for advantage
 * and loss. */
bool advantage_counts(const Group *g, const Sample *s, unsigned leave_out);

/* What the samples of a group were, for the metrics and for learner.max_failed. */
typedef struct {
    int n_counted;   /* trained on */
    int n_failed;    /* scoring failed: status neither ok nor anything with a value */
    int n_truncated; /* scored, but left out as truncated */
    int n_dropped;   /* scored, but left out with its group */
    bool equal; /* the counted rewards are all the same, or fewer than two: no gradient from this
                   group (KL aside) */
    double reward_sum; /* over the counted */
} AdvantageCounts;

/* Writes the advantage of every sample of g: the estimator's for those that count, exactly 0 for
 * the rest, and exactly 0 for all when fewer than two count or the rewards that count are all equal
 * (as doubles). Local. No errors: a reward that is ok is finite (rewardsvc sees to it; REQUIREd).
 */
AdvantageCounts advantage_assign(const Advantage *a, double eps, unsigned leave_out, Group *g);

#endif

/* From rewards to advantages: the table of estimators, and their use on one group. Between
 * rewardsvc (which writes rewards) and loss. */
#ifndef LEARNER_ADVANTAGE_H
#define LEARNER_ADVANTAGE_H

#include "common/sample.h"

/* Returns of the parts of a group's samples that count, n >= 2, not all equal (but see `alone`) ->
 * their advantages, dimensionless. A sample without steps is one part, its return is its reward.
 *
 *   reward    [n] in, finite
 *   eps       added to the standard deviation; >= 0; unused by estimators without one
 *   advantage [n] out
 */
typedef void advantage_fn(int n, const double *reward, double eps, double *advantage);

typedef struct {
    const char *name, *help;
    advantage_fn *assign;
    bool alone; /* needs no group: equal returns have an advantage, and so has a lone sample */
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

/* Writes the advantage of every sample of g, and of every step of one that has rewards of steps:
 * the estimator's for those that count, exactly 0 for the rest, and exactly 0 for all when fewer
 * than two samples count or the returns that count are all equal (as doubles), unless the estimator
 * is `alone`. Local. No errors: a
 * reward that is ok is finite (rewardsvc sees to it; REQUIREd).
 *
 * A sample with steps has a part for each of them, and one for the tokens behind the last: all
 * tokens of a part have one return, the rewards from there to the end. Every part counts once in
 * the group's statistics, as the steps of GRPO with process supervision do (Shao et al. 2024,
 * 4.1.3); returns are not normalised step by step, so that what telescopes still does. */
AdvantageCounts advantage_assign(const Advantage *a, double eps, unsigned leave_out, Group *g);

/* Holds every advantage of g within -cap .. cap; cap 0: nothing. */
void advantage_limit(Group *g, double cap);

/* Whether any token of it has an advantage other than 0. */
bool advantage_any(const Sample *s);

/* The returns of a sample's parts into `returns` [n_steps + 1], in order; how many (1 without
 * steps; the tokens behind the last step are a part if there are any). The reward must be ok. */
int advantage_returns(const Sample *s, double *returns);

#endif

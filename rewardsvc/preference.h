/* What judges that are models are trained by: losses of scores, each with its derivative where a
 * trainer needs one. Pure functions of numbers; all logarithms are natural.
 *
 * Sources: Bradley & Terry 1952 as used by Ouyang et al. 2022; margins: Touvron et al. 2023; the
 * listwise form: Yang et al. 2024 (Qwen2.5-Math), section 3.1; DPO: Rafailov et al. 2023; GenRM:
 * Zhang et al. 2024; the masked mean: Cooper (Hong et al. 2025); Themis: Li et al. 2023. */
#ifndef REWARDSVC_PREFERENCE_H
#define REWARDSVC_PREFERENCE_H

#include <stdbool.h>

double sigmoid(double x);
/* log sigmoid(x) without overflow and without bending its slope where it saturates. */
double log_sigmoid(double x);

/* -log sigmoid(better - worse - margin), and its derivative by `better` (minus that by `worse`);
 * slope may be NULL. */
double preference_loss(double better, double worse, double margin, double *slope);

/* The mean of preference_loss over all pairs of a right score [n_right] and a wrong one [n_wrong]
 * of one prompt; slopes [n_right], [n_wrong] out, either may be NULL. Both n >= 1. */
double preference_listwise(const double *right, int n_right, const double *wrong, int n_wrong,
                           double *right_slope, double *wrong_slope);

/* The same over all ordered pairs of scores [n] given from best to worst; n >= 2. */
double preference_ranking(const double *best_first, int n);

/* Cooper's mean over pairs of which only some are valid: sum v l / (sum v + 1e-6), l =
 * preference_loss(right, wrong). slope [n] out (may be NULL): by each right score. Without a valid
 * pair it is 0: there is no step to take. */
double preference_masked(const double *right, const double *wrong, const bool *valid, int n,
                         double *slope);

/* The share of pairs put in the right order, a tie being half of one; n >= 1. */
double preference_accuracy(const double *better, const double *worse, int n);

/* Binary cross entropy of a probability in (0, 1), or of a logit (any), with a label in [0, 1]. */
double cross_entropy(double p, double label);
double cross_entropy_logit(double logit, double label, double *slope);

/* DPO of one pair: -log sigmoid(beta ((pi+ - ref+) - (pi- - ref-))), log-probabilities of answers.
 */
double preference_dpo(double beta, double pi_better, double ref_better, double pi_worse,
                      double ref_worse);

/* The K pairs of a right and a wrong answer whose scores differ most, right - wrong, widest first
 * (CRew-DPO): indices in right_at, wrong_at [K]. Returns how many there are, at most K. Ties: the
 * earlier right one, then the earlier wrong one. */
int preference_widest(const double *right, int n_right, const double *wrong, int n_wrong, int K,
                      int *right_at, int *wrong_at);

#endif

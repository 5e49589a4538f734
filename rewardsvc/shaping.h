/* Published formulas that turn the parts of a score (a rule's verdict, a judge's score, a length)
 * into one reward. Pure functions of numbers, for whoever composes rewards; what each number is and
 * where it comes from is the caller's business. Sections are those of the specifications. */
#ifndef REWARDSVC_SHAPING_H
#define REWARDSVC_SHAPING_H

#include <stdbool.h>

/* CRF (specification 1, section 12): outcome * (1 + alpha c (s + d)).
 *   outcome   1 right, 0 wrong (0 stays 0 whatever c is)
 *   c         conciseness in [0.1, 1];  alpha: weight, 0.2
 *   s         shaping_anneal(step, total);  d: shaping_difficulty(right ones of the group, G) */
double shaping_crf(double outcome, double c, double alpha, double s, double d);
double shaping_difficulty(int n_correct, int n_group);  /* exp(n_correct / G): 1 ... e */
double shaping_anneal(long long step, long long total); /* exp(-step / total) */

/* Qwen2.5-Math (specification 1, section 15): sigma(a score) + verdict - 1. Right answers lie in
 * (0, 1), wrong ones in (-1, 0). A score that is NaN (none) counts as 0. a: 0.5. */
double shaping_sigmoid(double score, double verdict, double a);

/* Listener (specification 1, section 20): format + accuracy / 2 + p / 2, and p from the listener's
 * logits of the right option and the n - 1 others. */
double shaping_listener(double format, double accuracy, double p);
double shaping_option_probability(const double *logits, int n, int right);

/* RPR calibration of a reward model (specification 2, section 6): 0 for a broken format; min(1, s +
 * a rpr) for s below tau; s otherwise. tau 0.5, a 0.1. */
double shaping_rpr(double s, bool format_ok, double rpr, double tau, double a);

/* RLSP (specification 2, section 1): alpha r + (1 - alpha) exploration, alpha 0.8; r is the reward
 * search_effort. */
double shaping_rlsp(double r, double exploration, double alpha);

/* KnowRL (specification 2, section 11): the fact term of k supported facts of M; 0 for M = 0. With
 * penalty times exp(1 - 10 / M) for M <= 10: few facts are worth little. */
double shaping_facts(int k, int M, bool penalty);

#endif

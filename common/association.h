/* How two rows of numbers go together: correlations of scores, agreement of verdicts. NaN where a
 * figure is not defined. Beside common/statistics.h, which is about shares of right answers. */
#ifndef COMMON_ASSOCIATION_H
#define COMMON_ASSOCIATION_H

#include <stdbool.h>

/* The q-quantile of x [n], sorted ascending, n >= 1, q in [0, 1]: linear between the two nearest
 * (Hyndman & Fan 1996, definition 7, as numpy does). */
double quantile_sorted(const double *x, int n, double q);

/* Sorts x [n] ascending, in place. */
void sort_numbers(double *x, int n);

/* ranks [n] out: 1 for the smallest of x [n]; equal numbers share the mean of their ranks. */
void ranks_of(const double *x, int n, double *ranks);

/* Pearson's r of x and y [n], in [-1, 1]; NaN if n < 2 or one of them is constant. */
double correlation_pearson(const double *x, const double *y, int n);

/* Spearman's rho: Pearson's r of the ranks (ties as in ranks_of). NaN as above. */
double correlation_spearman(const double *x, const double *y, int n);

/* Two verdicts about the same things, counted: both[a][b] is how often the first said a and the
 * second b. */
typedef struct {
    long long both[2][2];
} Verdicts;

void verdicts_add(Verdicts *v, bool first, bool second);
long long verdicts_count(const Verdicts *v);
double verdicts_differ(const Verdicts *v); /* share of things judged differently; NaN of none */

/* Cohen's kappa: (p_o - p_e) / (1 - p_e), agreement beyond that of independent judges with the same
 * habits. NaN of none, and where both always give the same single verdict. Source: Cohen 1960. */
double verdicts_kappa(const Verdicts *v);

#endif

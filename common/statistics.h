/* Shares of right answers and how sure one may be of them. */
#ifndef COMMON_STATISTICS_H
#define COMMON_STATISTICS_H

/* pass@k - the chance that at least one of k answers is right, estimated without bias from n
 * answers of which c are: 1 - C(n-c, k) / C(n, k). 1 <= k <= n, 0 <= c <= n. Source: Chen et al.
 * 2021 (Evaluating Large Language Models Trained on Code), equation 1. */
double pass_at_k(int n, int c, int k);

/* A mean with its 95 % interval. */
typedef struct {
    double mean, low, high;
} Estimate;

/* Wilson's interval of a share seen in n trials; n > 0 need not be whole. Source: Wilson 1927;
 * Brown, Cai & DasGupta 2001. */
Estimate estimate_share(double share, double n);

/* The mean of x [n], each in [0, 1] (a problem's share of right answers): Wilson's interval with
 * the number of trials that would give the spread seen, p (1 - p) / (variance / n). Answers to one
 * problem are not independent, problems are. n >= 1. */
Estimate estimate_mean(const double *x, int n);

#endif

/* See statistics.h. */
#include "common/statistics.h"

#include <math.h>

#include "common/errors.h"

double pass_at_k(int n, int c, int k)
{
    REQUIRE(k >= 1 && k <= n && c >= 0 && c <= n, "pass@%d of %d in %d", k, c, n);
    if (n - c < k) return 1;
    double none = 1; /* product of (n - c - i) / (n - i), the chance that k draws are all wrong */
    for (int i = 0; i < k; i++) none *= (double)(n - c - i) / (n - i);
    return 1 - none;
}

Estimate estimate_share(double share, double n)
{
    const double z = 1.959963984540054; /* 97.5 % point of the normal distribution */
    REQUIRE(n > 0, "%g trials", n);
    double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    return (Estimate){share, fmax(0, centre - half), fmin(1, centre + half)};
}

Estimate estimate_mean(const double *x, int n)
{
    double sum = 0, squares = 0;
    REQUIRE(n >= 1, "%d problems", n);
    for (int i = 0; i < n; i++) sum += x[i];
    double mean = sum / n;
    for (int i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    double binomial = mean * (1 - mean), variance = squares / n;
    /* Shares cannot spread more than right and wrong do; where they do not spread at all there is
     * nothing better than n. */
    return estimate_share(mean,
                          variance > 0 && variance < binomial ? n * (binomial / variance) : n);
}

/* See shaping.h. */
#include "rewardsvc/shaping.h"

#include <math.h>

#include "common/errors.h"

double shaping_option_probability(const double *logits, int n, int right)
{
    REQUIRE(right >= 0 && right < n, "option %d of %d", right, n);
    double most = logits[0], sum = 0;
    for (int i = 1; i < n; i++) most = fmax(most, logits[i]);
    for (int i = 0; i < n; i++) sum += exp(logits[i] - most);
    return exp(logits[right] - most) / sum;
}

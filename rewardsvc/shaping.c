/* See shaping.h. */
#include "rewardsvc/shaping.h"

#include <math.h>

#include "common/errors.h"

double shaping_crf(double outcome, double c, double alpha, double s, double d)
{
    return outcome * (1 + alpha * c * (s + d));
}

double shaping_difficulty(int n_correct, int n_group)
{
    REQUIRE(n_group > 0 && n_correct >= 0 && n_correct <= n_group, "%d right of %d", n_correct,
            n_group);
    return exp((double)n_correct / n_group);
}

double shaping_anneal(long long step, long long total)
{
    REQUIRE(step >= 0 && total > 0, "step %lld of %lld", step, total);
    return exp(-(double)step / (double)total);
}

double shaping_sigmoid(double score, double verdict, double a)
{
    return 1 / (1 + exp(isnan(score) ? 0 : -a * score)) + verdict - 1;
}

double shaping_listener(double format, double accuracy, double p)
{
    return format + 0.5 * accuracy + 0.5 * p;
}

double shaping_option_probability(const double *logits, int n, int right)
{
    REQUIRE(right >= 0 && right < n, "option %d of %d", right, n);
    double most = logits[0], sum = 0;
    for (int i = 1; i < n; i++) most = fmax(most, logits[i]);
    for (int i = 0; i < n; i++) sum += exp(logits[i] - most);
    return exp(logits[right] - most) / sum;
}

double shaping_rpr(double s, bool format_ok, double rpr, double tau, double a)
{
    if (!format_ok) return 0;
    return s < tau ? fmin(1, s + a * rpr) : s;
}

double shaping_rlsp(double r, double exploration, double alpha)
{
    return alpha * r + (1 - alpha) * exploration;
}

double shaping_facts(int k, int M, bool penalty)
{
    REQUIRE(k >= 0 && k <= M, "%d supported facts of %d", k, M);
    if (M == 0) return 0;
    double share = (double)k / M;
    return penalty && M <= 10 ? share * exp(1 - 10.0 / M) : share;
}

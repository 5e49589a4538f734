/* See preference.h. */
#include "rewardsvc/preference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"

double sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

double log_sigmoid(double x)
{
    return x >= 0 ? -log1p(exp(-x)) : x - log1p(exp(x));
}

double preference_loss(double better, double worse, double margin, double *slope)
{
    double d = better - worse - margin;
    if (slope) *slope = -sigmoid(-d);
    return -log_sigmoid(d);
}

double preference_listwise(const double *right, int n_right, const double *wrong, int n_wrong,
                           double *right_slope, double *wrong_slope)
{
    REQUIRE(n_right >= 1 && n_wrong >= 1, "%d right and %d wrong answers", n_right, n_wrong);
    double sum = 0, slope, pairs = (double)n_right * n_wrong;
    if (right_slope) memset(right_slope, 0, (size_t)n_right * sizeof *right_slope);
    if (wrong_slope) memset(wrong_slope, 0, (size_t)n_wrong * sizeof *wrong_slope);
    for (int i = 0; i < n_right; i++)
        for (int j = 0; j < n_wrong; j++) {
            sum += preference_loss(right[i], wrong[j], 0, &slope);
            if (right_slope) right_slope[i] += slope / pairs;
            if (wrong_slope) wrong_slope[j] -= slope / pairs;
        }
    return sum / pairs;
}

double preference_ranking(const double *best_first, int n)
{
    REQUIRE(n >= 2, "a ranking of %d", n);
    double sum = 0, pairs = n * (n - 1.0) / 2;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            sum += preference_loss(best_first[i], best_first[j], 0, NULL);
    return sum / pairs;
}

double preference_masked(const double *right, const double *wrong, const bool *valid, int n,
                         double *slope)
{
    double sum = 0, count = 1e-6;
    for (int i = 0; i < n; i++) count += valid[i];
    for (int i = 0; i < n; i++) {
        double s = 0;
        if (valid[i]) sum += preference_loss(right[i], wrong[i], 0, &s);
        if (slope) slope[i] = s / count;
    }
    return sum / count;
}

double preference_accuracy(const double *better, const double *worse, int n)
{
    REQUIRE(n >= 1, "%d pairs", n);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += better[i] > worse[i] ? 1 : better[i] == worse[i] ? 0.5 : 0;
    return sum / n;
}

double cross_entropy(double p, double label)
{
    return -((label > 0 ? label * log(p) : 0) + (label < 1 ? (1 - label) * log1p(-p) : 0));
}

double cross_entropy_logit(double logit, double label, double *slope)
{
    if (slope) *slope = sigmoid(logit) - label;
    return -(label * log_sigmoid(logit) + (1 - label) * log_sigmoid(-logit));
}

double preference_dpo(double beta, double pi_better, double ref_better, double pi_worse,
                      double ref_worse)
{
    return preference_loss(beta * (pi_better - ref_better), beta * (pi_worse - ref_worse), 0, NULL);
}

typedef struct {
    double gap;
    int right, wrong;
} Pair;

static int by_gap(const void *a, const void *b)
{
    const Pair *x = a, *y = b;
    if (x->gap != y->gap) return x->gap < y->gap ? 1 : -1;
    return x->right != y->right ? x->right - y->right : x->wrong - y->wrong;
}

int preference_widest(const double *right, int n_right, const double *wrong, int n_wrong, int K,
                      int *right_at, int *wrong_at)
{
    size_t n = (size_t)n_right * (size_t)n_wrong;
    Pair *pairs = NEW(Pair, n + 1);
    for (int i = 0; i < n_right; i++)
        for (int j = 0; j < n_wrong; j++)
            pairs[i * n_wrong + j] = (Pair){right[i] - wrong[j], i, j};
    qsort(pairs, n, sizeof *pairs, by_gap);
    int kept = n < (size_t)K ? (int)n : K;
    for (int i = 0; i < kept; i++) right_at[i] = pairs[i].right, wrong_at[i] = pairs[i].wrong;
    mem_free(pairs);
    return kept;
}

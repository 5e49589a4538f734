/* See association.h. Sums are over centred numbers: correlations of large, nearly equal scores keep
 * their digits. */
#include "common/association.h"

#include <math.h>
#include <stdlib.h>

#include "common/errors.h"
#include "common/memory.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sort_numbers(double *x, int n)
{
    if (n > 1) qsort(x, (size_t)n, sizeof *x, compare);
}

double quantile_sorted(const double *x, int n, double q)
{
    REQUIRE(n >= 1 && q >= 0 && q <= 1, "quantile %g of %d numbers", q, n);
    double at = q * (n - 1);
    int below = (int)at;
    return below + 1 < n ? x[below] + (at - below) * (x[below + 1] - x[below]) : x[n - 1];
}

typedef struct {
    double value;
    int index;
} Ranked;

static int compare_ranked(const void *a, const void *b)
{
    return compare(&((const Ranked *)a)->value, &((const Ranked *)b)->value);
}

void ranks_of(const double *x, int n, double *ranks)
{
    Ranked *order = NEW(Ranked, n);
    for (int i = 0; i < n; i++) order[i] = (Ranked){x[i], i};
    if (n > 1) qsort(order, (size_t)n, sizeof *order, compare_ranked);
    for (int first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && order[end].value == order[first].value;) end++;
        for (int i = first; i < end; i++) ranks[order[i].index] = (first + 1 + end) / 2.0;
    }
    mem_free(order);
}

static bool is_constant(const double *x, int n)
{
    for (int i = 1; i < n; i++)
        if (x[i] != x[0]) return false;
    return true;
}

static double mean_of(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

double correlation_pearson(const double *x, const double *y, int n)
{
    if (n < 2 || is_constant(x, n) || is_constant(y, n)) return NAN;
    double mx = mean_of(x, n), my = mean_of(y, n), xx = 0, yy = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    return fmin(1, fmax(-1, xy / (sqrt(xx) * sqrt(yy))));
}

double correlation_spearman(const double *x, const double *y, int n)
{
    double *rx = NEW(double, n), *ry = NEW(double, n);
    ranks_of(x, n, rx);
    ranks_of(y, n, ry);
    double rho = correlation_pearson(rx, ry, n);
    mem_free(rx);
    mem_free(ry);
    return rho;
}

void verdicts_add(Verdicts *v, bool first, bool second)
{
    v->both[first][second]++;
}

long long verdicts_count(const Verdicts *v)
{
    return v->both[0][0] + v->both[0][1] + v->both[1][0] + v->both[1][1];
}

double verdicts_differ(const Verdicts *v)
{
    long long n = verdicts_count(v);
    return n ? (double)(v->both[0][1] + v->both[1][0]) / (double)n : NAN;
}

double verdicts_kappa(const Verdicts *v)
{
    double n = (double)verdicts_count(v);
    if (n == 0) return NAN;
    double first = (double)(v->both[1][0] + v->both[1][1]) / n,
           second = (double)(v->both[0][1] + v->both[1][1]) / n,
           chance = first * second + (1 - first) * (1 - second);
    return chance < 1 ? (1 - verdicts_differ(v) - chance) / (1 - chance) : NAN;
}

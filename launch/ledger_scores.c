/* Each component by itself (ledger.h). Only scores that are ok enter means, quantiles and the
 * histogram: a failure is counted, never a 0. */
#include <math.h>

#include "common/association.h"
#include "common/memory.h"
#include "launch/ledger.h"

enum { BINS = 24 };

/* Sorted. Caller frees. */
static double *ok_values(const Ledger *l, const LedgerColumn *c, int *n)
{
    double *x = NEW(double, l->n);
    *n = 0;
    for (int i = 0; i < l->n; i++)
        if (c->status[i] == SCORE_OK) x[(*n)++] = c->value[i];
    sort_numbers(x, *n);
    return x;
}

static json_t *quantiles_json(const double *x, int n)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "5", quantile_sorted(x, n, 0.05), "25",
                     quantile_sorted(x, n, 0.25), "50", quantile_sorted(x, n, 0.5), "75",
                     quantile_sorted(x, n, 0.75), "95", quantile_sorted(x, n, 0.95));
}

static json_t *histogram_json(const double *x, int n)
{
    long long counts[BINS] = {0};
    double low = x[0], high = x[n - 1], width = high - low;
    for (int i = 0; i < n; i++) {
        int bin = width > 0 ? (int)((x[i] - low) / width * BINS) : BINS / 2;
        counts[bin < BINS ? bin : BINS - 1]++;
    }
    json_t *list = json_array();
    for (int i = 0; i < BINS; i++) json_array_append_new(list, json_integer(counts[i]));
    return json_pack("{s:f, s:f, s:o}", "low", low, "high", high, "counts", list);
}

static void add_values(json_t *o, const double *x, int n)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    for (int i = 0; i < n; i++) squares += (x[i] - sum / n) * (x[i] - sum / n);
    bool equal = x[0] == x[n - 1]; /* exactly: the rounding of a mean is no deviation */
    json_object_set_new(o, "mean", json_real(equal ? x[0] : sum / n));
    json_object_set_new(o, "std", json_real(equal ? 0 : sqrt(squares / (n - 1))));
    json_object_set_new(o, "min", json_real(x[0]));
    json_object_set_new(o, "max", json_real(x[n - 1]));
    json_object_set_new(o, "quantiles", quantiles_json(x, n));
    json_object_set_new(o, "histogram", histogram_json(x, n));
}

static json_t *status_json(const Ledger *l, const LedgerColumn *c)
{
    json_int_t counts[SCORE_NOT_APPLICABLE + 1] = {0};
    for (int i = 0; i < l->n; i++) counts[c->status[i]]++;
    json_t *o = json_object();
    for (int i = 0; i <= SCORE_NOT_APPLICABLE; i++)
        json_object_set_new(o, score_status_name((ScoreStatus)i), json_integer(counts[i]));
    return o;
}

/* Over answers that the component had anything to do with. */
static json_t *latency_json(const Ledger *l, const LedgerColumn *c)
{
    int n = 0;
    double *x = NEW(double, l->n);
    for (int i = 0; i < l->n; i++)
        if (c->status[i] != SCORE_NOT_APPLICABLE) x[n++] = (double)c->latency[i];
    sort_numbers(x, n);
    json_t *o = n ? json_pack("{s:f, s:f, s:f, s:f}", "50", quantile_sorted(x, n, 0.5), "90",
                              quantile_sorted(x, n, 0.9), "99", quantile_sorted(x, n, 0.99), "max",
                              x[n - 1])
                  : json_null();
    mem_free(x);
    return o;
}

static json_t *column_json(const Ledger *l, const LedgerColumn *c)
{
    int n;
    double *x = ok_values(l, c, &n);
    json_t *o =
        json_pack("{s:s, s:s, s:i}", "name", c->name, "kind", ledger_kind_name(c->kind), "n", l->n);
    if (n) add_values(o, x, n);
    json_object_set_new(o, "status", status_json(l, c));
    if (c->kind != LEDGER_REWARD && c->kind != LEDGER_SHAPE)
        json_object_set_new(o, "latency_s", latency_json(l, c));
    mem_free(x);
    return o;
}

json_t *ledger_scores(const Ledger *l, const LedgerChoice *choice)
{
    json_t *list = json_array();
    for (int k = 0; k <= l->n_components; k++)
        if (choice->a < 0 || k == choice->a || k == choice->b || k == l->n_components)
            json_array_append_new(list, column_json(l, ledger_column(l, k)));
    return list;
}

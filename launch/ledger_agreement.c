/* How components go together, and where a rule and a judge part (ledger.h). A verdict is value >=
 * threshold; what is not ok has none. */
#include <math.h>

#include "common/association.h"
#include "common/memory.h"
#include "launch/ledger.h"

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* ---- correlations ---------------------------------------------------------------------------- */

/* Columns here go on after the reward (n_components): the length of the answer, always ok. */
static bool value_at(const Ledger *l, int k, int row, double *x)
{
    if (k > l->n_components) {
        *x = l->n_tokens[row];
        return true;
    }
    const LedgerColumn *c = ledger_column(l, k);
    *x = c->value[row];
    return c->status[row] == SCORE_OK;
}

static json_t *correlation_json(const Ledger *l, int a, int b)
{
    double *x = NEW(double, l->n), *y = NEW(double, l->n);
    int n = 0;
    for (int i = 0; i < l->n; i++) n += value_at(l, a, i, &x[n]) & value_at(l, b, i, &y[n]);
    const char *name = b > l->n_components ? "answer_tokens" : ledger_column(l, b)->name;
    json_t *o = json_pack("{s:s, s:s, s:i, s:o, s:o}", "a", ledger_column(l, a)->name, "b", name,
                          "n", n, "pearson", number(correlation_pearson(x, y, n)), "spearman",
                          number(correlation_spearman(x, y, n)));
    mem_free(x);
    mem_free(y);
    return o;
}

static bool is_chosen(const LedgerChoice *choice, int a, int b)
{
    if (choice->a < 0) return true;
    if (choice->b < 0) return a == choice->a || b == choice->a;
    return (a == choice->a && b == choice->b) || (a == choice->b && b == choice->a);
}

json_t *ledger_correlations(const Ledger *l, const LedgerChoice *choice)
{
    json_t *list = json_array();
    for (int a = 0; a <= l->n_components; a++)
        for (int b = a + 1; b <= l->n_components + 1; b++)
            if (is_chosen(choice, a, b)) json_array_append_new(list, correlation_json(l, a, b));
    return list;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

double ledger_threshold(const Ledger *l, const LedgerChoice *choice, int k)
{
    double given = k == choice->a   ? choice->threshold[0]
                   : k == choice->b ? choice->threshold[1]
                                    : NAN,
           least, most;
    if (!isnan(given)) return given;
    return ledger_range(l, ledger_column(l, k), &least, &most) ? least + (most - least) / 2 : 0;
}

bool ledger_pair(const Ledger *l, const LedgerChoice *choice, int i, int *a, int *b)
{
    for (*a = 0; *a <= l->n_components; ++*a)
        for (*b = 0; *b <= l->n_components; ++*b) {
            LedgerKind first = ledger_column(l, *a)->kind, second = ledger_column(l, *b)->kind;
            bool wanted = choice->b >= 0 ? *a == choice->a && *b == choice->b
                          : choice->a >= 0
                              ? (*a == choice->a && *b != *a && second == LEDGER_JUDGE) ||
                                    (*b == choice->a && *b != *a && second == LEDGER_JUDGE &&
                                     first == LEDGER_RULE)
                              : first == LEDGER_RULE && second == LEDGER_JUDGE;
            if (wanted && i-- == 0) return true;
        }
    return false;
}

typedef struct {
    int a, b;
    double threshold[2];
} Pair;

/* The verdicts on rows [from, to). */
static Verdicts verdicts_of(const Ledger *l, const Pair *p, int from, int to)
{
    Verdicts v = {0};
    const LedgerColumn *a = ledger_column(l, p->a), *b = ledger_column(l, p->b);
    for (int i = from; i < to; i++)
        if (a->status[i] == SCORE_OK && b->status[i] == SCORE_OK)
            verdicts_add(&v, a->value[i] >= p->threshold[0], b->value[i] >= p->threshold[1]);
    return v;
}

static json_t *verdicts_json(const Verdicts *v)
{
    return json_pack("{s:I, s:o, s:o, s:I, s:I}", "n", (json_int_t)verdicts_count(v), "differ",
                     number(verdicts_differ(v)), "kappa", number(verdicts_kappa(v)), "a_only",
                     (json_int_t)v->both[1][0], "b_only", (json_int_t)v->both[0][1]);
}

/* The first row of the step after that of row i. */
static int step_end(const Ledger *l, int i)
{
    int end = i;
    while (end < l->n && l->step[end] == l->step[i]) end++;
    return end;
}

static json_t *by_step_json(const Ledger *l, const Pair *p)
{
    json_t *list = json_array();
    for (int i = 0, end; i < l->n; i = end) {
        end = step_end(l, i);
        Verdicts v = verdicts_of(l, p, i, end);
        json_array_append_new(list, json_pack("{s:I, s:I, s:o}", "step", (json_int_t)l->step[i],
                                              "n", (json_int_t)verdicts_count(&v), "differ",
                                              number(verdicts_differ(&v))));
    }
    return list;
}

/* The row where the given share of the run's steps ends; steps are whole. */
static int row_after(const Ledger *l, double share)
{
    int n_steps = 0, seen = 0, i = 0;
    for (int k = 0; k < l->n; k = step_end(l, k)) n_steps++;
    for (; i < l->n && seen < (int)(share * n_steps + 0.5); seen++) i = step_end(l, i);
    return i;
}

static json_t *pair_json(const Ledger *l, const LedgerChoice *choice, int a, int b)
{
    Pair p = {a, b, {ledger_threshold(l, choice, a), ledger_threshold(l, choice, b)}};
    Verdicts all = verdicts_of(l, &p, 0, l->n),
             first = verdicts_of(l, &p, 0, row_after(l, 1.0 / 3)),
             last = verdicts_of(l, &p, row_after(l, 2.0 / 3), l->n);
    json_t *o = json_pack("{s:s, s:s, s:f, s:f}", "a", ledger_column(l, a)->name, "b",
                          ledger_column(l, b)->name, "threshold_a", p.threshold[0], "threshold_b",
                          p.threshold[1]);
    json_object_update_new(o, verdicts_json(&all));
    json_object_set_new(o, "first_third", verdicts_json(&first));
    json_object_set_new(o, "last_third", verdicts_json(&last));
    json_object_set_new(o, "by_step", by_step_json(l, &p));
    return o;
}

json_t *ledger_agreement(const Ledger *l, const LedgerChoice *choice)
{
    json_t *list = json_array();
    for (int i = 0, a, b; ledger_pair(l, choice, i, &a, &b); i++)
        json_array_append_new(list, pair_json(l, choice, a, b));
    return list;
}

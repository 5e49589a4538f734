/* Several components as one: their mean, median, minimum, or the mean less k standard deviations
 * (worst-case optimisation of an ensemble of reward models, Coste et al. 2023: where the members
 * disagree nobody has been there, and an optimiser finds those places). The ledger keeps the spread
 * of the members, std with divisor n: how much they disagree. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/shape.h"

enum { MEMBERS, KIND, K, SCALE, QUORUM };

static const RewardSetting settings[] = {
    {"members", SETTING_COMPONENTS, .required = true,
     .help = "the components (weight 0), all on one scale"},
    {"kind", SETTING_TEXT, .text = "mean",
     .help = "mean; median; min; pessimistic: mean - k std (divisor n)"},
    {"k", SETTING_NUMBER, .number = 1, .least = 0, .most = 1e6,
     .help = "standard deviations that pessimistic takes off"},
    {"scale", SETTING_NUMBER, .number = 1, .least = -1e6, .most = 1e6,
     .help = "weight of the result in the reward"},
    {"quorum", SETTING_NUMBER, .number = 0, .least = 0, .most = 64,
     .help = "members that must have a score: the others are done without; 0: all. With fewer the "
             "sample has the status of the first that has none"},
    {0},
};

static double mean_of(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

static double spread_of(const double *x, int n)
{
    double mean = mean_of(x, n), squares = 0;
    for (int i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    return sqrt(squares / n);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* x [n >= 1] ascending */
static double kind_mean(const double *x, int n, double k)
{
    (void)k;
    return mean_of(x, n);
}

static double kind_median(const double *x, int n, double k)
{
    (void)k;
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

static double kind_min(const double *x, int n, double k)
{
    (void)n, (void)k;
    return x[0];
}

static double kind_pessimistic(const double *x, int n, double k)
{
    return mean_of(x, n) - k * spread_of(x, n);
}

typedef struct {
    const char *word;
    double (*value)(const double *x, int n, double k);
} Kind;
static const Kind kinds[] = {{"mean", kind_mean},
                             {"median", kind_median},
                             {"min", kind_min},
                             {"pessimistic", kind_pessimistic}};

static int open_kind(const RewardValue *v, void **state)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].word, v[KIND].text)) *state = (void *)&kinds[i];
    if (!*state) return fail("kind: %s is not mean, median, min or pessimistic", v[KIND].text);
    if (v[QUORUM].number > v[MEMBERS].components.n)
        return fail("quorum: %g of %d members", v[QUORUM].number, v[MEMBERS].components.n);
    return 0;
}

/* The members' scores of a sample, ascending, in x; *first is the status of the first that has
 * none, or ok. Returns how many there are. */
static int gather(const RewardValue *v, const GroupEvidence *g, int i, double *x,
                  ScoreStatus *first)
{
    int n = 0;
    *first = SCORE_OK;
    for (int m = 0; m < v[MEMBERS].components.n; m++) {
        Score s = group_score(g, v[MEMBERS].components.list[m], i);
        if (s.status == SCORE_OK)
            x[n++] = s.value;
        else if (*first == SCORE_OK)
            *first = s.status;
    }
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n;
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    const Kind *kind = state;
    int members = v[MEMBERS].components.n;
    double *x = NEW(double, members), quorum = v[QUORUM].number > 0 ? v[QUORUM].number : members;
    for (int i = 0; i < g->n; i++) {
        ScoreStatus missing;
        int n = gather(v, g, i, x, &missing);
        if (n > 0) trace[i] = score_ok(spread_of(x, n));
        shape_add(&reward[i], n < quorum
                                  ? score_failed(missing)
                                  : score_ok(v[SCALE].number * kind->value(x, n, v[K].number)));
    }
    mem_free(x);
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    Buffer list = {0};
    for (int m = 0; m < v[MEMBERS].components.n; m++)
        buffer_printf(&list, "%s%s", m ? ", " : "", names[v[MEMBERS].components.list[m]]);
    if (!strcmp(v[KIND].text, "pessimistic")) buffer_printf(&list, "; k = %.15g", v[K].number);
    char *text = shape_sum_text(before, "%.15g * %s(%s)", v[SCALE].number, v[KIND].text, list.data);
    buffer_free(&list);
    return text;
}

const Reward reward_ensemble = {
    .name = "ensemble",
    .help = "several components as one: mean, median, min, or mean less k standard deviations; the "
            "ledger keeps their spread",
    .settings = settings,
    .open = open_kind,
    .shape = shape,
    .formula = formula,
};

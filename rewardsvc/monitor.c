/* See monitor.h. */
#include "rewardsvc/monitor.h"

#include <math.h>
#include <stddef.h>

#include "common/errors.h"
#include "common/memory.h"

/* ---- divergences ----------------------------------------------------------------------------- */

double monitor_kl_best_of(double n)
{
    REQUIRE(n >= 1, "the best of %g", n);
    return log(n) - (n - 1) / n;
}

MonitorKl monitor_kl(const double *delta, int n)
{
    REQUIRE(n >= 1, "KL of %d tokens", n);
    MonitorKl k = {0, 0, 0};
    for (int i = 0; i < n; i++) {
        k.k1 -= delta[i] / n;
        k.k2 += delta[i] * delta[i] / 2 / n;
        k.k3 += (expm1(delta[i]) - delta[i]) / n;
    }
    return k;
}

/* ---- gold curves ----------------------------------------------------------------------------- */

double monitor_gold(MonitorCurve curve, double alpha, double beta, double d)
{
    return d * (alpha - beta * (curve == MONITOR_RL ? log(d) : d));
}

double monitor_peak(MonitorCurve curve, double alpha, double beta)
{
    return curve == MONITOR_RL ? exp(alpha / beta - 1) : alpha / (2 * beta);
}

double monitor_zero(MonitorCurve curve, double alpha, double beta)
{
    return curve == MONITOR_RL ? exp(alpha / beta) : alpha / beta;
}

/* Slope and intercept of the least-squares line; false where x does not vary. */
static bool line_of(const double *x, const double *y, int n, double *slope, double *intercept)
{
    double mx = 0, my = 0, xx = 0, xy = 0;
    bool varies = false; /* decided exactly: the rounding of a mean is no difference */
    for (int i = 0; i < n; i++) mx += x[i] / n, my += y[i] / n, varies |= x[i] != x[0];
    for (int i = 0; i < n; i++) xx += (x[i] - mx) * (x[i] - mx), xy += (x[i] - mx) * (y[i] - my);
    if (!varies) return false;
    *slope = xy / xx;
    *intercept = my - *slope * mx;
    return true;
}

double monitor_slope(const double *x, const double *y, int n)
{
    double slope, intercept;
    return line_of(x, y, n, &slope, &intercept) ? slope : NAN;
}

bool monitor_fit(MonitorCurve curve, const double *d, const double *gold, int n, double *alpha,
                 double *beta)
{
    const double d_least = 0.1;
    const int least_points = 6;
    double *x = NEW(double, n + 1), *y = NEW(double, n + 1), slope;
    int m = 0;
    for (int i = 0; i < n; i++) {
        if (!(d[i] > d_least) || !isfinite(gold[i])) continue;
        x[m] = curve == MONITOR_RL ? log(d[i]) : d[i];
        y[m++] = gold[i] / d[i];
    }
    bool fits = m >= least_points && line_of(x, y, m, &slope, alpha);
    if (fits) *beta = -slope;
    mem_free(x);
    mem_free(y);
    return fits;
}

double monitor_pessimistic(const double *scores, int n)
{
    REQUIRE(n >= 1, "an ensemble of %d", n);
    double mean = 0, squares = 0;
    for (int i = 0; i < n; i++) mean += scores[i] / n;
    for (int i = 0; i < n; i++) squares += (scores[i] - mean) * (scores[i] - mean);
    return mean - sqrt(squares / n);
}

double monitor_gap(double proxy, double proxy_start, double proxy_std, double gold,
                   double gold_start, double gold_std)
{
    return (proxy - proxy_start) / proxy_std - (gold - gold_start) / gold_std;
}

/* ---- detectors: each looks at the newest point h[n - 1] -------------------------------------- */

MonitorPoint monitor_point(int64_t step)
{
    return (MonitorPoint){step, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
}

MonitorRules monitor_rules(void)
{
    return (MonitorRules){.slope_points = 10,
                          .slope = 0.003,
                          .kl_token = 0.1,
                          .kl_steps = 50,
                          .kl_floor = 0.005,
                          .length_drift = 0.5,
                          .entropy_left = 0.3,
                          .repetition = 0.3,
                          .group_std_left = 0.1,
                          .equal_share = 0.8,
                          .top_share = 0.9,
                          .spread_times = 2,
                          .far_share = 0.2};
}

static double field(const MonitorPoint *p, size_t offset)
{
    return *(const double *)((const char *)p + offset);
}

/* A step's change of a field over the newest points; NAN with fewer than that, or unmeasured ones.
 */
static double slope_of(const MonitorPoint *h, int n, const MonitorRules *r, size_t offset)
{
    int m = r->slope_points;
    if (n < m) return NAN;
    double *x = NEW(double, m), *y = NEW(double, m);
    for (int i = 0; i < m; i++) {
        x[i] = (double)h[n - m + i].step;
        y[i] = field(&h[n - m + i], offset);
    }
    double slope = monitor_slope(x, y, m);
    mem_free(x);
    mem_free(y);
    return slope;
}

static bool is_overoptimised(const MonitorPoint *h, int n, const MonitorRules *r)
{
    return slope_of(h, n, r, offsetof(MonitorPoint, proxy)) > r->slope &&
           slope_of(h, n, r, offsetof(MonitorPoint, gold)) < -r->slope;
}

/* The gold relative to where it started, since the curve begins at 0. */
static bool is_peak_passed(const MonitorPoint *h, int n, const MonitorRules *r)
{
    (void)r;
    double *d = NEW(double, n), *gold = NEW(double, n), alpha, beta;
    for (int i = 0; i < n; i++) {
        d[i] =
            sqrt(fmax(h[i].kl_answer, 0)); /* a NAN: fmax gives 0, which is no point of the fit */
        gold[i] = h[i].gold - h[0].gold;
    }
    bool passed = monitor_fit(MONITOR_RL, d, gold, n, &alpha, &beta) && beta > 0 &&
                  d[n - 1] > monitor_peak(MONITOR_RL, alpha, beta);
    mem_free(d);
    mem_free(gold);
    return passed;
}

static bool is_kl_large(const MonitorPoint *h, int n, const MonitorRules *r)
{
    const MonitorPoint *now = &h[n - 1];
    if (now->kl_token > r->kl_token) return true;
    for (int i = n - 2; i >= 0 && now->step - h[i].step <= r->kl_steps; i--)
        if (h[i].kl_token >= r->kl_floor && now->kl_token > 2 * h[i].kl_token) return true;
    return false;
}

static bool is_length_adrift(const MonitorPoint *h, int n, const MonitorRules *r)
{
    double drift = fabs(h[n - 1].length / h[0].length - 1);
    return drift > r->length_drift &&
           fabs(slope_of(h, n, r, offsetof(MonitorPoint, gold))) <= r->slope;
}

static bool is_entropy_gone(const MonitorPoint *h, int n, const MonitorRules *r)
{
    return h[n - 1].entropy < r->entropy_left * h[0].entropy;
}

static bool is_repetitive(const MonitorPoint *h, int n, const MonitorRules *r)
{
    return h[n - 1].repetition > r->repetition;
}

static bool is_signal_gone(const MonitorPoint *h, int n, const MonitorRules *r)
{
    return h[n - 1].group_std < r->group_std_left * h[0].group_std ||
           h[n - 1].equal_share > r->equal_share;
}

static bool is_saturated(const MonitorPoint *h, int n, const MonitorRules *r)
{
    return h[n - 1].top_share > r->top_share;
}

static bool is_spread_wide(const MonitorPoint *h, int n, const MonitorRules *r)
{
    return h[n - 1].spread > r->spread_times * h[0].spread;
}

static bool is_far(const MonitorPoint *h, int n, const MonitorRules *r)
{
    return h[n - 1].far_share > r->far_share;
}

static const struct {
    const char *text;
    bool (*rings)(const MonitorPoint *h, int n, const MonitorRules *r);
} detectors[MONITOR_ALARMS] = {
    {"the reward rises while the gold measure falls: it is being over-optimised", is_overoptimised},
    {"the policy is beyond the peak of the gold measure's fit", is_peak_passed},
    {"the divergence from the initial policy is large or has doubled", is_kl_large},
    {"answers have grown or shrunk by half and the gold measure has not moved", is_length_adrift},
    {"little entropy is left", is_entropy_gone},
    {"answers repeat themselves", is_repetitive},
    {"the rewards of a group hardly differ: there is no signal left", is_signal_gone},
    {"the judge gives nearly everything its top mark", is_saturated},
    {"the ensemble's members disagree twice as much as at the start", is_spread_wide},
    {"many answers are far from what the reward model was trained on", is_far},
};

unsigned monitor_alarms(const MonitorPoint *history, int n, const MonitorRules *rules)
{
    REQUIRE(n >= 1, "a history of %d evaluations", n);
    unsigned alarms = 0;
    for (int i = 0; i < MONITOR_ALARMS; i++)
        if (detectors[i].rings(history, n, rules)) alarms |= 1u << i;
    return alarms;
}

const char *monitor_alarm_text(MonitorAlarm alarm)
{
    for (int i = 0; i < MONITOR_ALARMS; i++)
        if (alarm == 1u << i) return detectors[i].text;
    return "no such alarm";
}

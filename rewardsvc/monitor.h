/* Is the reward still a measure of what is wanted, or is it being optimised away from it? The
 * arithmetic of over-optimisation (Gao et al. 2022): divergence from the initial policy, gold
 * curves and their peaks, and detectors over a history of evaluations. Pure functions: whoever
 * records evaluations keeps the history and asks after each; thresholds of the detectors are ours.
 *
 * `proxy` is the reward that is optimised, `gold` a better measure on held-out problems: a rule, or
 * a judge that the policy is not trained by. */
#ifndef REWARDSVC_MONITOR_H
#define REWARDSVC_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

/* KL(best of n || one) = ln n - (n - 1) / n; n >= 1. d is its square root everywhere below. */
double monitor_kl_best_of(double n);

/* KL(pi || ref) per token from tokens drawn by pi, delta [n] = log ref - log pi: k1 = -mean delta
 * (unbiased, may be negative), k2 = mean delta^2 / 2, k3 = mean (e^delta - 1 - delta) (unbiased,
 * never negative). n >= 1. Source: Schulman 2020. */
typedef struct {
    double k1, k2, k3;
} MonitorKl;
MonitorKl monitor_kl(const double *delta, int n);

/* The gold reward as a function of d: best of n: d (alpha - beta d); RL: d (alpha - beta ln d). */
typedef enum { MONITOR_BEST_OF, MONITOR_RL } MonitorCurve;
double monitor_gold(MonitorCurve curve, double alpha, double beta, double d);
/* Where it is highest and what it is there; where it is back at 0. beta > 0. */
double monitor_peak(MonitorCurve curve, double alpha, double beta);
double monitor_zero(MonitorCurve curve, double alpha, double beta);

/* Least squares of gold / d on d (best of n) or ln d (RL) over the points [n] with d > 0.1. False
 * with fewer than 6 of them, or if they are all at one place. */
bool monitor_fit(MonitorCurve curve, const double *d, const double *gold, int n, double *alpha,
                 double *beta);

/* Pessimistic value of an ensemble's scores: mean - std, divisor n; n >= 1. */
double monitor_pessimistic(const double *scores, int n);

/* How far the proxy has run away from the gold, in standard deviations of the initial policy. */
double monitor_gap(double proxy, double proxy_start, double proxy_std, double gold,
                   double gold_start, double gold_std);

/* One evaluation. NAN: not measured, and its detectors are silent. */
typedef struct {
    int64_t step;
    double proxy, gold; /* means over held-out problems */
    double kl_answer;   /* KL from the initial policy, an answer */
    double kl_token;    /* the same, a token */
    double length;      /* mean, tokens */
    double entropy;     /* mean, a token */
    double repetition;  /* 1 - distinct 3-grams / 3-grams */
    double group_std;   /* mean of the groups' reward std */
    double equal_share; /* groups whose rewards are all equal */
    double top_share;   /* judgements at the top of the scale */
    double spread;      /* mean std of the ensemble's members */
    double far_share;   /* answers far from what the reward model was trained on */
} MonitorPoint;
MonitorPoint monitor_point(int64_t step); /* nothing measured */

typedef enum {
    ALARM_OVEROPTIMISED = 1 << 0, /* proxy rises and gold falls: the one that decides */
    ALARM_PEAK_PASSED = 1 << 1,   /* d is beyond the peak of the gold fit */
    ALARM_KL = 1 << 2,
    ALARM_LENGTH = 1 << 3, /* length has drifted and gold has not moved */
    ALARM_ENTROPY = 1 << 4,
    ALARM_REPETITION = 1 << 5,
    ALARM_NO_SIGNAL = 1 << 6, /* rewards of a group hardly differ */
    ALARM_SATURATED = 1 << 7, /* the judge gives nearly everything its top mark */
    ALARM_SPREAD = 1 << 8,
    ALARM_FAR = 1 << 9
} MonitorAlarm;
enum { MONITOR_ALARMS = 10 };

typedef struct {
    int slope_points;      /* evaluations that a slope is taken over: 10 */
    double slope;          /* a step: 0.003 */
    double kl_token;       /* 0.1 */
    int64_t kl_steps;      /* doubled within: 50 steps ... */
    double kl_floor;       /* ... from at least this (ours: 0 doubles at once): 0.005 */
    double length_drift;   /* 0.5 */
    double entropy_left;   /* 0.3 */
    double repetition;     /* 0.3 */
    double group_std_left; /* 0.1 */
    double equal_share;    /* 0.8 */
    double top_share;      /* 0.9 */
    double spread_times;   /* 2 */
    double far_share;      /* 0.2 */
} MonitorRules;
MonitorRules monitor_rules(void); /* the values above */

/* The alarms (MonitorAlarm, or-ed) of the newest of a history [n >= 1], ascending in step; "the
 * start" is the first point. Every detector is on. */
unsigned monitor_alarms(const MonitorPoint *history, int n, const MonitorRules *rules);
/* What one alarm says. */
const char *monitor_alarm_text(MonitorAlarm alarm);

/* Least-squares slope of y [n] on x [n]; NAN where x does not vary, or n < 2. */
double monitor_slope(const double *x, const double *y, int n);

#endif

/* Over-optimisation: the worked numbers of the specification, a closed-form case computed here by
 * integration, and each detector just below and just above its threshold. */
#include "rewardsvc/monitor.h"

#include <stddef.h>

#include "common/memory.h"
#include "rewardsvc/words.h"
#include "tests/harness.h"

static void near(double got, double want)
{
    ck_assert_msg(fabs(got - want) <= 1e-6, "%.9g, not %.9g", got, want);
}

START_TEST(divergences)
{
    static const double rows[][3] = {{2, .193147, .439485},
                                     {4, .636294, .797681},
                                     {16, 1.835089, 1.354654},
                                     {64, 3.174508, 1.781715},
                                     {256, 4.549084, 2.132858}};
    for (int i = 0; i < 5; i++) {
        near(monitor_kl_best_of(rows[i][0]), rows[i][1]);
        near(sqrt(monitor_kl_best_of(rows[i][0])), rows[i][2]);
    }
    ck_assert_double_eq(monitor_kl_best_of(1), 0);
    MonitorKl k = monitor_kl((double[]){.1, -.2, .05, .3}, 4);
    near(k.k1, -.0625);
    near(k.k2, .017813);
    near(k.k3, .018758);
    near(monitor_pessimistic((double[]){.8, .6, .7, .1}, 4), .280742);
    near(monitor_gap(2, 1, .5, .3, .5, .1), 4);
}
END_TEST

START_TEST(peaks_of_gold_curves)
{
    double d = monitor_peak(MONITOR_BEST_OF, 1.2, .2);
    near(d, 3);
    near(monitor_gold(MONITOR_BEST_OF, 1.2, .2, d), 1.8);
    near(monitor_zero(MONITOR_BEST_OF, 1.2, .2), 6);
    d = monitor_peak(MONITOR_RL, 1, .4);
    near(d, 4.481689);
    near(monitor_gold(MONITOR_RL, 1, .4, d), 1.792676);
    near(monitor_zero(MONITOR_RL, 1, .4), 12.182494);
    near(monitor_gold(MONITOR_RL, 1, .4, monitor_zero(MONITOR_RL, 1, .4)), 0);
}
END_TEST

/* E f(max of n standard normals), by the trapezoid rule. */
static double expectation(int n, bool squared)
{
    const double h = 1e-3, norm = 0.3989422804014327;
    double sum = 0;
    for (double y = -9; y <= 9; y += h) {
        double below = 0.5 * erfc(-y / sqrt(2));
        sum += (squared ? y * y : y) * n * norm * exp(-y * y / 2) * pow(below, n - 1) * h;
    }
    return sum;
}

/* Proxy y, gold y - 0.3 (y^2 - 1), best of n: the proxy always rises, the gold has its peak at n =
 * 16, and so has the fit. */
START_TEST(a_case_in_closed_form)
{
    static const double want[] = {0,        .564190, .863977, 1.003740, 1.041871,
                                  1.012125, .934762, .822444, .683421};
    double d[9], gold[9], proxy = -1, alpha, beta;
    for (int i = 0; i < 9; i++) {
        int n = 1 << i;
        double y = expectation(n, false);
        ck_assert_double_gt(y, proxy);
        proxy = y;
        gold[i] = y - .3 * (expectation(n, true) - 1);
        d[i] = sqrt(monitor_kl_best_of(n));
        ck_assert_msg(fabs(gold[i] - want[i]) < 2e-6, "n = %d: %.7f", n, gold[i]);
    }
    near(proxy, 2.826863);
    ck_assert(monitor_fit(MONITOR_BEST_OF, d, gold, 9, &alpha, &beta)); /* n = 1: d = 0, left out */
    ck_assert_double_eq_tol(alpha, 1.536785, 1e-5);
    ck_assert_double_eq_tol(beta, .568633, 1e-5);
    double peak = monitor_peak(MONITOR_BEST_OF, alpha, beta);
    ck_assert_double_eq_tol(peak, 1.351297, 1e-5);
    ck_assert_double_eq_tol(peak * peak, 1.826, 1e-3);
    ck_assert(!monitor_fit(MONITOR_BEST_OF, d, gold, 6, &alpha, &beta)); /* five points */
    ck_assert(monitor_fit(MONITOR_BEST_OF, d, gold, 7, &alpha, &beta));
    double same[6] = {1, 1, 1, 1, 1, 1};
    ck_assert(!monitor_fit(MONITOR_BEST_OF, same, gold, 6, &alpha, &beta));
    /* exact points of an RL curve are found again */
    double g[8], x[8];
    for (int i = 0; i < 8; i++) x[i] = .5 + i, g[i] = monitor_gold(MONITOR_RL, 1, .4, x[i]);
    ck_assert(monitor_fit(MONITOR_RL, x, g, 8, &alpha, &beta));
    near(alpha, 1);
    near(beta, .4);
}
END_TEST

START_TEST(repetition_of_trigrams)
{
    Words w = {0};
    words_between_spaces(span_of("a b c a b c a b c d"), &w);
    near(words_repetition(&w, 3).surplus, .5);
    words_free(&w);
}
END_TEST

/* ---- detectors ------------------------------------------------------------------------------- */

enum { N = 12, EVERY = 10 };

/* Evaluations every 10 steps in which nothing is wrong. */
static void calm(MonitorPoint *h)
{
    for (int i = 0; i < N; i++)
        h[i] = (MonitorPoint){.step = EVERY * i,
                              .proxy = 1,
                              .gold = .5,
                              .kl_answer = 0,
                              .kl_token = .004,
                              .length = 100,
                              .entropy = 1,
                              .repetition = .1,
                              .group_std = .4,
                              .equal_share = .3,
                              .top_share = .5,
                              .spread = .2,
                              .far_share = .1};
}

static unsigned alarms_of(const MonitorPoint *h, int n)
{
    MonitorRules rules = monitor_rules();
    return monitor_alarms(h, n, &rules);
}

START_TEST(nothing_wrong_nothing_said)
{
    MonitorPoint h[N];
    calm(h);
    for (int n = 1; n <= N; n++) ck_assert_uint_eq(alarms_of(h, n), 0);
    for (int i = 0; i < N; i++) h[i] = monitor_point(i);
    for (int n = 1; n <= N; n++) ck_assert_uint_eq(alarms_of(h, n), 0); /* nothing measured */
    for (int i = 0; i < MONITOR_ALARMS; i++)
        ck_assert(strlen(monitor_alarm_text((MonitorAlarm)(1u << i))) > 10);
}
END_TEST

START_TEST(proxy_up_and_gold_down)
{
    MonitorPoint h[N];
    for (int k = 0; k < 4; k++) {
        double up = k == 1 ? .0029 : .0031, down = k == 2 ? -.0029 : k == 3 ? .0031 : -.0031;
        calm(h);
        for (int i = 0; i < N; i++) h[i].proxy += up * h[i].step, h[i].gold += down * h[i].step;
        ck_assert_uint_eq(alarms_of(h, N), k == 0 ? ALARM_OVEROPTIMISED : 0);
        ck_assert_uint_eq(alarms_of(h, 9), 0); /* fewer than ten evaluations say nothing */
    }
    calm(h);
    h[N - 3].gold = NAN; /* unmeasured in between: no slope */
    for (int i = 0; i < N; i++) h[i].proxy += h[i].step, h[i].gold -= h[i].step;
    ck_assert_uint_eq(alarms_of(h, N), 0);
}
END_TEST

START_TEST(beyond_the_peak)
{
    MonitorPoint h[N];
    calm(h);
    for (int i = 1; i < N; i++) { /* peak at d = 4.48 */
        double d = .5 * i;
        h[i].kl_answer = d * d;
        h[i].gold = h[0].gold + .001 * monitor_gold(MONITOR_RL, 1, .4, d);
        unsigned want = i >= 6 && d > 4.481689 ? ALARM_PEAK_PASSED : 0;
        ck_assert_uint_eq(alarms_of(h, i + 1), want);
    }
}
END_TEST

/* One field at its last point, quiet at `below` and heard at `above`. */
static void heard(size_t offset, double below, double above, unsigned alarm)
{
    MonitorPoint h[N];
    calm(h);
    double *x = (double *)((char *)&h[N - 1] + offset);
    *x = below;
    ck_assert_msg(alarms_of(h, N) == 0, "%s at %g", monitor_alarm_text(alarm), below);
    *x = above;
    ck_assert_msg(alarms_of(h, N) == alarm, "%s at %g: %x", monitor_alarm_text(alarm), above,
                  alarms_of(h, N));
}

START_TEST(each_threshold)
{
    heard(offsetof(MonitorPoint, kl_token), .0999, .1001, ALARM_KL);
    heard(offsetof(MonitorPoint, length), 149, 151, ALARM_LENGTH);
    heard(offsetof(MonitorPoint, length), 51, 49, ALARM_LENGTH);
    heard(offsetof(MonitorPoint, entropy), .31, .29, ALARM_ENTROPY);
    heard(offsetof(MonitorPoint, repetition), .29, .31, ALARM_REPETITION);
    heard(offsetof(MonitorPoint, group_std), .041, .039, ALARM_NO_SIGNAL);
    heard(offsetof(MonitorPoint, equal_share), .79, .81, ALARM_NO_SIGNAL);
    heard(offsetof(MonitorPoint, top_share), .89, .91, ALARM_SATURATED);
    heard(offsetof(MonitorPoint, spread), .39, .41, ALARM_SPREAD);
    heard(offsetof(MonitorPoint, far_share), .19, .21, ALARM_FAR);
}
END_TEST

START_TEST(kl_that_doubles_and_length_that_pays)
{
    MonitorPoint h[N];
    calm(h);
    h[N - 6].kl_token = .02, h[N - 1].kl_token = .041; /* 50 steps apart */
    ck_assert_uint_eq(alarms_of(h, N), ALARM_KL);
    h[N - 1].kl_token = .039;
    ck_assert_uint_eq(alarms_of(h, N), 0);
    calm(h);
    h[N - 7].kl_token = .02, h[N - 1].kl_token = .041; /* 60 steps: slow enough */
    ck_assert_uint_eq(alarms_of(h, N), 0);
    calm(h); /* longer answers that are better answers are fine */
    for (int i = 0; i < N; i++) h[i].gold += .004 * h[i].step, h[i].length += 10 * i;
    ck_assert_uint_eq(alarms_of(h, N), 0);
}
END_TEST

TEST_MAIN("monitor", divergences, peaks_of_gold_curves, a_case_in_closed_form,
          repetition_of_trigrams, nothing_wrong_nothing_said, proxy_up_and_gold_down,
          beyond_the_peak, each_threshold, kl_that_doubles_and_length_that_pays)

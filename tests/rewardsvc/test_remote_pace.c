/* The rate of a remote client, by arithmetic on invented times: no minute ever sees more than it
 * may, and what it may is used. */
#include "rewardsvc/remote_internal.h"

#include "tests/harness.h"

enum { MOST = 4096 };

/* Starts as soon as allowed, over 200 s, looking every `tick`; gives the times. */
static int run(RemotePace *p, double tick, double tokens, double used, double at[MOST])
{
    int n = 0;
    for (long i = 0; (double)i * tick < 200; i++) {
        double now = 1000 + (double)i * tick;
        while (n < MOST && remote_pace_delay(p, now, tokens) <= 0) {
            remote_pace_start(p, now, tokens);
            remote_pace_settle(p, tokens, used);
            at[n++] = now;
        }
    }
    return n;
}

static int most_in_a_minute(const double *at, int n)
{
    int most = 0;
    for (int i = 0, j = 0; i < n; i++) {
        while (at[i] - at[j] >= 60 - 1e-9) j++;
        if (i - j + 1 > most) most = i - j + 1;
    }
    return most;
}

START_TEST(no_minute_sees_more_and_the_rate_is_used)
{
    static const double rates[] = {1, 2, 7, 59, 60, 61, 90, 120, 600, 1000};
    static const double ticks[] = {0.001, 0.05, 0.9};
    static double at[MOST];
    for (int i = 0; i < 10; i++)
        for (int k = 0; k < 3; k++) {
            RemotePace p;
            remote_pace_init(&p, rates[i], 0);
            int n = run(&p, ticks[k], 100, 100, at), most = most_in_a_minute(at, n);
            ck_assert_msg(most <= (int)rates[i], "%g a minute, tick %g: %d", rates[i], ticks[k],
                          most);
            if (ticks[k] < 0.1 || rates[i] >= 600)
                ck_assert_msg(n >= (int)(rates[i] * 200 / 60 * 0.9),
                              "%g a minute, tick %g: %d in all", rates[i], ticks[k], n);
        }
}
END_TEST

START_TEST(tokens_are_held_by_what_was_used)
{
    static double at[MOST];
    RemotePace p;
    remote_pace_init(&p, 0, 6000); /* 100 a second */
    int n = run(&p, 0.01, 50, 50, at);
    ck_assert_int_ge(n, 398); /* 200 s at 2 a second, and a second's worth at once */
    ck_assert_int_le(n, 403);
    remote_pace_init(&p, 0, 6000); /* larger than a second's worth: one, then a debt */
    n = run(&p, 0.01, 1000, 1000, at);
    ck_assert_int_ge(n, 20);
    ck_assert_int_le(n, 21);
    remote_pace_init(&p, 0, 6000); /* estimated at 200, used 20 */
    n = run(&p, 0.01, 200, 20, at);
    ck_assert_int_ge(n, 980);
    ck_assert_int_le(n, 1006);
}
END_TEST

START_TEST(holds_and_no_limit)
{
    RemotePace p;
    remote_pace_init(&p, 0, 0);
    for (int i = 0; i < 10000; i++) {
        ck_assert(remote_pace_delay(&p, 5, 1e9) == 0);
        remote_pace_start(&p, 5, 1e9);
    }
    remote_pace_hold(&p, 12);
    remote_pace_hold(&p, 9); /* the later one counts */
    ck_assert(remote_pace_delay(&p, 5, 1) == 7);
    ck_assert(remote_pace_delay(&p, 12, 1) == 0);
}
END_TEST

START_TEST(pauses_grow_and_are_a_function_of_the_request)
{
    RemoteSettings s = remote_defaults(), other = s;
    RemoteKey key = {{1}}, another = {{2}};
    int same = 0;
    other.seed = 7;
    for (int k = 1; k <= 20; k++) {
        double full = fmin(0.5 * exp2(k - 1), 30), pause = remote_pace_pause(&s, &key, k);
        ck_assert(pause >= full / 2 && pause < full);
        ck_assert(pause == remote_pace_pause(&s, &key, k));
        same += pause == remote_pace_pause(&other, &key, k);
        same += pause == remote_pace_pause(&s, &another, k);
        same += pause / full == remote_pace_pause(&s, &key, k + 1) / fmin(0.5 * exp2(k), 30);
    }
    ck_assert_int_eq(same, 0);
}
END_TEST

TEST_MAIN("remote_pace", no_minute_sees_more_and_the_rate_is_used, tokens_are_held_by_what_was_used,
          holds_and_no_limit, pauses_grow_and_are_a_function_of_the_request)

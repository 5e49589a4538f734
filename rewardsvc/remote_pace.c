/* When a remote request may start: evenly spaced requests, a bucket of tokens, and the pauses that
 * the endpoint asks for. Pure arithmetic on the time passed in, so the tests need no clock.
 *
 * Requests follow the generic cell rate algorithm. With b starts allowed at once and one more every
 * I seconds, a window of 60 s sees at most b - 1 + 60/I starts; I = 60 / (rpm - b + 1) makes that
 * exactly rpm, also in the first minute (where a plain bucket would give rpm + b).
 */
#include <math.h>
#include <string.h>

#include "common/rng.h"
#include "rewardsvc/remote_internal.h"

void remote_pace_init(RemotePace *p, double requests_per_minute, double tokens_per_minute)
{
    *p =
        (RemotePace){.burst = 1, .next_s = -INFINITY, .hold_s = -INFINITY, .token_at_s = -INFINITY};
    if (requests_per_minute > 0) {
        p->burst = fmax(1, floor(requests_per_minute / 60));
        p->interval_s = 60 / (requests_per_minute - p->burst + 1);
    }
    p->token_rate = tokens_per_minute / 60;
    p->token_most = p->token_level = fmax(1, p->token_rate);
}

static double token_level(const RemotePace *p, double now)
{
    if (isinf(p->token_at_s)) return p->token_level;
    return fmin(p->token_most, p->token_level + (now - p->token_at_s) * p->token_rate);
}

double remote_pace_delay(const RemotePace *p, double now, double tokens)
{
    double wait = p->hold_s - now;
    if (p->interval_s > 0) wait = fmax(wait, p->next_s - (p->burst - 1) * p->interval_s - now);
    if (p->token_rate > 0)
        wait = fmax(wait, (fmin(tokens, p->token_most) - token_level(p, now)) / p->token_rate);
    return fmax(0, wait);
}

void remote_pace_start(RemotePace *p, double now, double tokens)
{
    p->next_s = fmax(now, p->next_s) + p->interval_s;
    p->token_level = token_level(p, now) - tokens;
    p->token_at_s = now;
}

void remote_pace_settle(RemotePace *p, double charged, double used)
{
    if (p->token_rate > 0) p->token_level += charged - used;
}

void remote_pace_hold(RemotePace *p, double until)
{
    p->hold_s = fmax(p->hold_s, until);
}

double remote_pace_pause(const RemoteSettings *set, const RemoteKey *key, int k)
{
    enum { PURPOSE = 0x72657472 }; /* keeps these draws apart from those of rewards */
    uint64_t which;
    memcpy(&which, key->bytes, sizeof which);
    float u = rng_uniform(set->seed, STREAM_REWARD, which, (uint32_t)k, PURPOSE);
    return fmin(set->backoff_s * exp2(k - 1), set->backoff_most_s) * (0.5 + 0.5 * (double)u);
}

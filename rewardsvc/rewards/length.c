/* Soft limits on the length of an answer in tokens: 0 inside, falling linearly to -1 at the limit
 * (overlong shaping, Yu et al. 2025, DAPO), and likewise below a floor. With limit L and buffer B:
 *
 *   n <= L - B: 0;    L - B < n <= L: -(n - (L - B)) / B;    n > L: -1;    n < floor: -(floor - n)
 * / floor
 */
#include "common/errors.h"
#include "rewardsvc/reward.h"

enum { LIMIT, BUFFER, FLOOR };

static const RewardSetting settings[] = {
    {"limit", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "hard limit in tokens; 0: the generation limit (rollout.max_tokens)"},
    {"buffer", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "tokens before the limit over which the penalty grows; 0: a fifth of the limit"},
    {"floor", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "answers shorter than this are punished too; 0: none"},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    (void)state;
    double limit = v[LIMIT].number, buffer = v[BUFFER].number;
    if (limit > 0 && buffer > limit)
        return fail("buffer %g is longer than limit %g", buffer, limit);
    if (limit > 0 && v[FLOOR].number > limit)
        return fail("floor %g is above limit %g", v[FLOOR].number, limit);
    return 0;
}

static double penalty_above(double n, double limit, double buffer)
{
    double soft = limit - buffer;
    if (n <= soft) return 0;
    return n > limit ? -1 : -(n - soft) / buffer;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    (void)state;
    double limit = v[LIMIT].number > 0 ? v[LIMIT].number : e->max_tokens, floor = v[FLOOR].number;
    double buffer = v[BUFFER].number > 0 ? v[BUFFER].number : limit / 5, value = 0;
    if (e->n_tokens <= 0 && e->n_text > 0)
        return score_failed(SCORE_NOT_APPLICABLE); /* nobody counted */
    if (limit == 0 && floor == 0) return score_failed(SCORE_NOT_APPLICABLE);
    if (limit > 0 && buffer > limit) {
        fail("buffer %g is longer than the generation limit %g", buffer, limit);
        return score_failed(SCORE_ERROR);
    }
    if (limit > 0) value += penalty_above(e->n_tokens, limit, buffer);
    if (e->n_tokens < floor) value -= (floor - e->n_tokens) / floor;
    return score_ok(value);
}

const Reward reward_length = {
    .name = "length",
    .help = "0 for lengths inside soft limits, falling to -1 at the hard limit (DAPO's overlong "
            "shaping) or at length 0",
    .settings = settings,
    .open = check,
    .score = score,
};

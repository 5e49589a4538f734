/* DAPO's soft overlong punishment (Yu et al. 2025, eq. 13), as the paper has it and as verl runs
 * it:
 *
 *   len <= L_max - L_cache: 0;   else -factor (len - (L_max - L_cache)) / L_cache, and with `clamp`
 *   never below -factor
 *
 * The reward `length` has the same shape and a floor besides; this one has the paper's names and no
 * other rule. */
#include "common/errors.h"
#include "rewardsvc/reward.h"

enum { L_MAX, L_CACHE, FACTOR, CLAMP };

static const RewardSetting settings[] = {
    {"l_max", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "hard limit in tokens; 0: the generation limit (rollout.max_tokens)"},
    {"l_cache", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "tokens before the limit over which the punishment grows; 0: a fifth of the limit"},
    {"factor", SETTING_NUMBER, .number = 1, .least = 0, .most = 1000,
     .help = "the punishment at the limit"},
    {"clamp", SETTING_BOOL, .number = 1,
     .help = "no more than that beyond the limit either; false: it goes on growing"},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    (void)state;
    if (v[L_MAX].number > 0 && v[L_CACHE].number > v[L_MAX].number)
        return fail("l_cache %g is more than l_max %g", v[L_CACHE].number, v[L_MAX].number);
    return 0;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    (void)state;
    double most = v[L_MAX].number > 0 ? v[L_MAX].number : e->max_tokens;
    double cache = v[L_CACHE].number > 0 ? v[L_CACHE].number : most / 5;
    if (most == 0 || (e->n_tokens <= 0 && e->n_text > 0))
        return score_failed(SCORE_NOT_APPLICABLE); /* no limit, or nobody counted */
    if (cache > most) {
        fail("l_cache %g is more than the generation limit %g", cache, most);
        return score_failed(SCORE_ERROR);
    }
    double over = (e->n_tokens - (most - cache)) / cache;
    if (over <= 0) return score_ok(0);
    return score_ok(-v[FACTOR].number * (v[CLAMP].flag && over > 1 ? 1 : over));
}

const Reward reward_soft_overlong = {
    .name = "soft_overlong",
    .help = "DAPO's soft overlong punishment: 0, falling to -1 over the last l_cache tokens before "
            "l_max",
    .settings = settings,
    .open = check,
    .score = score,
};

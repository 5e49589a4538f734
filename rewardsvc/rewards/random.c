/* A draw that looks at nothing: the control every reward is compared with. A pure function of
 * (seed, group, sample, salt), so a run with it can be repeated. */
#include <string.h>

#include "common/errors.h"
#include "common/rng.h"
#include "rewardsvc/reward.h"

enum { KIND, P, SALT };

static const RewardSetting settings[] = {
    {"kind", SETTING_TEXT, .text = "bernoulli",
     .help = "bernoulli: 1 with probability p, else 0; uniform: in [0, 1)"},
    {"p", SETTING_NUMBER, .number = 0.5, .least = 0, .most = 1, .help = "probability of a 1"},
    {"salt", SETTING_NUMBER, .number = 0, .least = 0, .most = 4294967295.0,
     .help = "another number gives other draws (whole number)"},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    (void)state;
    if (strcmp(v[KIND].text, "bernoulli") && strcmp(v[KIND].text, "uniform"))
        return fail("kind: %s is not bernoulli or uniform", v[KIND].text);
    if (v[SALT].number != (double)(uint32_t)v[SALT].number)
        return fail("salt: %g is not a whole number", v[SALT].number);
    return 0;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    (void)state;
    double u = (double)rng_uniform(e->seed, STREAM_REWARD, (uint64_t)e->group, (uint32_t)e->sample,
                                   (uint32_t)v[SALT].number);
    return score_ok(v[KIND].text[0] == 'u' ? u : u < v[P].number);
}

const Reward reward_random = {
    .name = "random",
    .help = "a random number that does not look at the answer: for control runs",
    .settings = settings,
    .open = check,
    .score = score,
};

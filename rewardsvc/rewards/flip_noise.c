/* Noise put on rewards on purpose, to see what a method stands: with probability p the rewards of a
 * question are turned, r -> 1 - r. One draw for all samples of a group and a new one each time the
 * question comes up, which turns the sign of every advantage of the group; or a draw for each
 * sample. A pure function of (seed, group, salt), so a run can be repeated; never in an evaluation.
 * The ledger keeps the clean reward: that curve is the one to judge by. */
#include "common/errors.h"
#include "common/memory.h"
#include "common/rng.h"
#include "rewardsvc/shape.h"

enum { P, PER_SAMPLE, ANSWERED, SALT };

static const RewardSetting settings[] = {
    {"p", SETTING_NUMBER, .number = 0.1, .least = 0, .most = 1, .help = "probability of a flip"},
    {"per_sample", SETTING_BOOL, .number = 0,
     .help = "true: a draw for each sample, so that signs mix within a group"},
    {"answered", SETTING_COMPONENT,
     .help = "at least 0.5 where an answer could be read (weight 0): other samples keep their "
             "reward"},
    {"salt", SETTING_NUMBER, .number = 0, .least = 0, .most = 4294967295.0,
     .help = "another number gives other draws (whole number)"},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    (void)state;
    if (v[SALT].number != (double)(uint32_t)v[SALT].number)
        return fail("salt: %g is not a whole number", v[SALT].number);
    return 0;
}

static bool is_flipped(const RewardValue *v, const GroupEvidence *g, int i)
{
    const Evidence *e = &g->samples[i];
    if (!e->training) return false;
    if (v[ANSWERED].component >= 0 && shape_value(g, v[ANSWERED].component, i, 0) < 0.5)
        return false;
    uint32_t draw = v[PER_SAMPLE].flag ? (uint32_t)e->sample : 0;
    double u = (double)rng_uniform(e->seed, STREAM_NOISE, (uint64_t)e->group, draw,
                                   (uint32_t)v[SALT].number);
    return u < v[P].number;
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    for (int i = 0; i < g->n; i++) {
        if (reward[i].status != SCORE_OK) continue;
        trace[i] = reward[i];
        if (is_flipped(v, g, i)) reward[i].value = 1 - reward[i].value;
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    (void)names;
    return mem_printf("flip(%s; p = %.15g per %s)", before, v[P].number,
                      v[PER_SAMPLE].flag ? "sample" : "group");
}

const Reward reward_flip_noise = {
    .name = "flip_noise",
    .help = "turns the rewards of a group, r -> 1 - r, with a probability: to test what a method "
            "stands; in training only; the ledger keeps the clean reward",
    .settings = settings,
    .open = check,
    .shape = shape,
    .formula = formula,
};

/* A component's score in units of its own spread so far, added to the reward: weight * (x - mean) /
 * std, with mean and std over the steps before (a reward model's scale drifts and differs from
 * model to model; reward normalisation as in Zheng et al. 2023, Secrets of RLHF part I,
 * section 5.3). State over steps: every step's samples count alike, older steps fade by `decay` a
 * step.
 */
#include <math.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/shape.h"

enum { COMPONENT, WEIGHT, DECAY, LEAST_STD };

static const RewardSetting settings[] = {
    [COMPONENT] = {"component", SETTING_COMPONENT, .help = "whose score", .required = true},
    [WEIGHT] = {"weight_of", SETTING_NUMBER, .number = 1, .least = -1e6, .most = 1e6,
                .help = "what the scaled score is multiplied by"},
    [DECAY] = {"decay", SETTING_NUMBER, .number = 0.99, .least = 0, .most = 1,
               .help = "what a step's samples count for one step later; 1: all steps alike"},
    [LEAST_STD] = {"least_std", SETTING_NUMBER, .number = 0.01, .least = 1e-9, .most = 1e6,
                   .help = "a smaller spread counts as this"},
    {0},
};

/* Weighted count, mean, and sum of squared deviations of the steps so far (Chan et al. 1979). */
typedef struct {
    double n, mean, squares;
} State;

static int open_scale(const RewardValue *v, void **state)
{
    (void)v;
    *state = NEW(State, 1);
    return 0;
}

static void add(State *s, double x)
{
    double d = x - s->mean;
    s->n++;
    s->mean += d / s->n;
    s->squares += d * (x - s->mean);
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    const State *s = state;
    double std = s->n > 1 ? sqrt(s->squares / s->n) : 1;
    if (std < v[LEAST_STD].number) std = v[LEAST_STD].number;
    for (int i = 0; i < g->n; i++) {
        Score x = group_score(g, v[COMPONENT].component, i);
        if (x.status == SCORE_NOT_APPLICABLE) continue;
        if (x.status == SCORE_OK) x.value = v[WEIGHT].number * (x.value - s->mean) / std;
        trace[i] = x;
        shape_add(&reward[i], x);
    }
}

static void advance(const RewardValue *v, void *state, const JudgedGroup *groups, int n,
                    int64_t step)
{
    (void)step;
    State *s = state;
    s->n *= v[DECAY].number;
    s->squares *= v[DECAY].number;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < groups[i].g.n; k++) {
            Score x = group_score(&groups[i].g, v[COMPONENT].component, k);
            if (x.status == SCORE_OK) add(s, x.value);
        }
}

static bool advanced(const RewardValue *v, void *state)
{
    (void)v, (void)state;
    return true;
}

static json_t *save(const void *state)
{
    const State *s = state;
    return json_pack("{s:f, s:f, s:f}", "n", s->n, "mean", s->mean, "squares", s->squares);
}

static int load(const RewardValue *v, void *state, const json_t *saved)
{
    (void)v;
    State *s = state;
    *s = (State){0};
    if (!saved) return 0;
    json_error_t why;
    if (json_unpack_ex((json_t *)saved, &why, 0, "{s:F, s:F, s:F}", "n", &s->n, "mean", &s->mean,
                       "squares", &s->squares))
        return fail("%s", why.text);
    return s->n >= 0 && s->squares >= 0 ? 0 : fail("a count or spread below 0");
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    return shape_sum_text(before, "%.15g * running_scale(%s)", v[WEIGHT].number,
                          names[v[COMPONENT].component]);
}

const Reward reward_running_scale = {
    .name = "running_scale",
    .help = "adds a component's score in units of its own spread over the steps so far",
    .settings = settings,
    .open = open_scale,
    .close = mem_free,
    .shape = shape,
    .formula = formula,
    .advance = advance,
    .advanced = advanced,
    .save = save,
    .load = load,
};

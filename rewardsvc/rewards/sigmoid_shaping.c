/* Qwen2.5-Math's shaping of a reward model's score r_m with a verifier's verdict r_v in {0, 1}:
 *
 *   r = sigma(a r_m) + (r_v - 1)
 *
 * Right answers lie in (0, 1), wrong ones in (-1, 0): whatever the model prefers, a right answer is
 * above a wrong one, and the model ranks inside each class. Source: Yang et al. 2024, section 3.2.
 * A group that is all right or all wrong still has a gradient, from the model alone. */
#include <math.h>

#include "rewardsvc/shape.h"

enum { OUTCOME, SCORE, A };

static const RewardSetting settings[] = {
    {"outcome", SETTING_COMPONENT, .required = true,
     .help = "the verifier's verdict, 1 or 0 (weight 0: it is a part of this formula)"},
    {"score", SETTING_COMPONENT, .required = true,
     .help = "the reward model's raw score (weight 0). Where it failed it counts as 0, the middle "
             "of its class: r = verdict - 0.5"},
    {"a", SETTING_NUMBER, .number = 0.5, .least = 0, .most = 1e6,
     .help = "slope: how far the model's scores are spread"},
    {0},
};

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    for (int i = 0; i < g->n; i++) {
        Score term = group_score(g, v[OUTCOME].component, i);
        double m = shape_value(g, v[SCORE].component, i, 0);
        double inside = 1 / (1 + exp(-v[A].number * m));
        if (term.status == SCORE_OK) term.value += inside - 1, trace[i] = score_ok(inside);
        shape_add(&reward[i], term);
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    return shape_sum_text(before, "sigmoid(%.15g * %s) + %s - 1", v[A].number,
                          names[v[SCORE].component], names[v[OUTCOME].component]);
}

const Reward reward_sigmoid_shaping = {
    .name = "sigmoid_shaping",
    .help = "a reward model's score inside the verdict of a rule: right answers in (0, 1), wrong "
            "ones in (-1, 0) (Qwen2.5-Math); the ledger keeps sigmoid(a score)",
    .settings = settings,
    .shape = shape,
    .formula = formula,
};

/* R1-Reward's composition: a referee says whether the reasoning leads to the answer that is given.
 *
 *   R = r_result (1 + 0.5 r_cons) + 0.5 r_format
 *
 * The referee's term multiplies the result, so that it cannot pay for wrong answers. r_cons is 0 or
 * 1 in the paper (Zhang et al. 2025); the authors' code has 1, -1 for disagreement, and 0 after
 * failed calls. */
#include "common/memory.h"
#include "rewardsvc/shape.h"

enum { OUTCOME, CONSISTENCY, FORMAT, BONUS, FORMAT_WEIGHT };

static const RewardSetting settings[] = {
    {"outcome", SETTING_COMPONENT, .required = true, .help = "the result, 1 or 0 (weight 0)"},
    {"consistency", SETTING_COMPONENT, .required = true,
     .help = "the referee: 1 agrees, 0 or -1 does not (weight 0). Only right answers need one: "
             "only_if: OUTCOME. Where it failed it counts as 0"},
    {"format", SETTING_COMPONENT, .help = "1 for the right format, 0 otherwise (weight 0)"},
    {"bonus", SETTING_NUMBER, .number = 0.5, .least = 0, .most = 1e6,
     .help = "weight of the referee"},
    {"format_weight", SETTING_NUMBER, .number = 0.5, .least = 0, .most = 1e6,
     .help = "weight of the format"},
    {0},
};

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    for (int i = 0; i < g->n; i++) {
        Score result = group_score(g, v[OUTCOME].component, i), format = score_ok(0);
        if (v[FORMAT].component >= 0) format = group_score(g, v[FORMAT].component, i);
        double agrees = shape_value(g, v[CONSISTENCY].component, i, 0);
        if (result.status == SCORE_OK) trace[i] = score_ok(result.value * v[BONUS].number * agrees);
        result.value *= 1 + v[BONUS].number * agrees;
        format.value *= v[FORMAT_WEIGHT].number;
        shape_add(&reward[i], result);
        shape_add(&reward[i], format);
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    char *format = v[FORMAT].component < 0 ? mem_text("")
                                           : mem_printf(" + %.15g * %s", v[FORMAT_WEIGHT].number,
                                                        names[v[FORMAT].component]);
    char *text = shape_sum_text(before, "%s * (1 + %.15g * %s)%s", names[v[OUTCOME].component],
                                v[BONUS].number, names[v[CONSISTENCY].component], format);
    mem_free(format);
    return text;
}

const Reward reward_consistency = {
    .name = "consistency",
    .help = "R1-Reward: result * (1 + 0.5 consistency) + 0.5 format; a referee that failed counts "
            "as 0; the ledger keeps the referee's part",
    .settings = settings,
    .shape = shape,
    .formula = formula,
};

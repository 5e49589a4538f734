/* Listener-rewarded thinking: is the reasoning convincing for a frozen model that reads it without
 * the answer? p is its probability of the right option:
 *
 *   r = r_format + 0.5 r_outcome + 0.5 p
 *
 * A listener that failed counts as 0.5, what one that heard nothing would say about two options. */
#include "common/memory.h"
#include "rewardsvc/shape.h"

enum { OUTCOME, LISTENER, FORMAT, OUTCOME_WEIGHT, LISTENER_WEIGHT, FORMAT_WEIGHT, PRIOR };

static const RewardSetting settings[] = {
    {"outcome", SETTING_COMPONENT, .required = true, .help = "what is right, 1 or 0 (weight 0)"},
    {"listener", SETTING_COMPONENT, .required = true,
     .help = "the listener's probability of the right option (weight 0)"},
    {"format", SETTING_COMPONENT, .help = "1 for the right format, 0 otherwise (weight 0)"},
    {"outcome_weight", SETTING_NUMBER, .number = 0.5, .least = -1e6, .most = 1e6,
     .help = "weight of the outcome"},
    {"listener_weight", SETTING_NUMBER, .number = 0.5, .least = -1e6, .most = 1e6,
     .help = "weight of the listener"},
    {"format_weight", SETTING_NUMBER, .number = 1, .least = -1e6, .most = 1e6,
     .help = "weight of the format"},
    {"prior", SETTING_NUMBER, .number = 0.5, .least = 0, .most = 1,
     .help = "what a listener that failed or was not asked counts as: 1 / options"},
    {0},
};

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    for (int i = 0; i < g->n; i++) {
        Score outcome = group_score(g, v[OUTCOME].component, i), format = score_ok(0);
        if (v[FORMAT].component >= 0) format = group_score(g, v[FORMAT].component, i);
        double p = shape_value(g, v[LISTENER].component, i, v[PRIOR].number);
        outcome.value *= v[OUTCOME_WEIGHT].number;
        format.value *= v[FORMAT_WEIGHT].number;
        shape_add(&reward[i], format);
        shape_add(&reward[i], outcome);
        shape_add(&reward[i], score_ok(v[LISTENER_WEIGHT].number * p));
        trace[i] = score_ok(p);
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    char *format = v[FORMAT].component < 0 ? mem_text("")
                                           : mem_printf("%.15g * %s + ", v[FORMAT_WEIGHT].number,
                                                        names[v[FORMAT].component]);
    char *text = shape_sum_text(before, "%s%.15g * %s + %.15g * %s", format,
                                v[OUTCOME_WEIGHT].number, names[v[OUTCOME].component],
                                v[LISTENER_WEIGHT].number, names[v[LISTENER].component]);
    mem_free(format);
    return text;
}

const Reward reward_listener = {
    .name = "listener",
    .help = "format + half the outcome + half a frozen listener's probability of the right option; "
            "a listener that failed counts as 0.5; the ledger keeps the probability that counted",
    .settings = settings,
    .shape = shape,
    .formula = formula,
};

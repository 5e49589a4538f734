/* KnowRL's composition: R = r_format + r_correct + r_fact.
 *
 *   r_format   +1, or -1 where the format is broken
 *   r_correct  +2 right, +1 an honest refusal, -1 wrong or no answer; 0 where the grader failed
 *   r_fact     the share of the thinking's atomic facts that the knowledge base supports; 0 for
 * none
 *
 * The released code pays for facts in wrong answers only (fact_gate: wrong_only), and times exp(1 -
 * 10 / M) where there are M <= 10 facts (fact_length_penalty): a handful of safe facts is worth
 * little. The paper's form is the default. */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/shape.h"

enum { CORRECT, FACTS, REFUSAL, FORMAT, N_FACTS, FACT_GATE, LENGTH_PENALTY };

static const RewardSetting settings[] = {
    {"correct", SETTING_COMPONENT, .required = true,
     .help = "the grader: at least 0.5 for a right answer (weight 0). Where it failed r_correct is "
             "0"},
    {"facts", SETTING_COMPONENT, .required = true,
     .help = "the share of facts that are supported, in [0, 1] (weight 0). Not applicable, or "
             "failed: 0"},
    {"refusal", SETTING_COMPONENT,
     .help = "at least 0.5 where the answer says that it does not know (weight 0)"},
    {"format", SETTING_COMPONENT, .help = "at least 0.5 for the right format (weight 0)"},
    {"n_facts", SETTING_COMPONENT,
     .help = "how many facts the thinking states (weight 0): for fact_length_penalty"},
    {"fact_gate", SETTING_TEXT, .text = "always",
     .help = "always; wrong_only: facts count in answers that are neither right nor a refusal"},
    {"fact_length_penalty", SETTING_BOOL, .number = 0,
     .help = "true: few facts count less, by exp(1 - 10 / M) up to 10"},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    (void)state;
    if (strcmp(v[FACT_GATE].text, "always") && strcmp(v[FACT_GATE].text, "wrong_only"))
        return fail("fact_gate: %s is not always or wrong_only", v[FACT_GATE].text);
    if (v[LENGTH_PENALTY].flag && v[N_FACTS].component < 0)
        return fail("fact_length_penalty needs `n_facts`: which component counts them?");
    return 0;
}

static bool holds(const GroupEvidence *g, int component, int i)
{
    return shape_value(g, component, i, 0) >= 0.5;
}

static double fact_term(const RewardValue *v, const GroupEvidence *g, int i)
{
    const double enough = 10;
    double share = shape_value(g, v[FACTS].component, i, 0);
    if (!v[LENGTH_PENALTY].flag) return share;
    double n = shape_value(g, v[N_FACTS].component, i, 0);
    if (n < 1) return 0;
    return n > enough ? share : share * exp(1 - enough / n);
}

static double correct_term(const RewardValue *v, const GroupEvidence *g, int i)
{
    if (holds(g, v[REFUSAL].component, i)) return 1;
    if (group_score(g, v[CORRECT].component, i).status != SCORE_OK) return 0;
    return holds(g, v[CORRECT].component, i) ? 2 : -1;
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    bool wrong_only = v[FACT_GATE].text[0] == 'w';
    for (int i = 0; i < g->n; i++) {
        Score format = score_ok(0);
        if (v[FORMAT].component >= 0) format = group_score(g, v[FORMAT].component, i);
        if (v[FORMAT].component >= 0) format.value = format.value >= 0.5 ? 1 : -1;
        double correct = correct_term(v, g, i);
        trace[i] = score_ok(wrong_only && correct >= 0 ? 0 : fact_term(v, g, i));
        shape_add(&reward[i], format);
        shape_add(&reward[i], score_ok(correct + trace[i].value));
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    const char *refusal = v[REFUSAL].component < 0 ? "no refusal" : names[v[REFUSAL].component];
    return shape_sum_text(
        before, "%s%s%s(%s: 2, %s: 1, else -1) + %s%s%s", v[FORMAT].component < 0 ? "" : "(",
        v[FORMAT].component < 0 ? "" : names[v[FORMAT].component],
        v[FORMAT].component < 0 ? "" : ": 1, else -1) + ", names[v[CORRECT].component], refusal,
        v[FACT_GATE].text[0] == 'w' ? "[wrong] * " : "", names[v[FACTS].component],
        v[LENGTH_PENALTY].flag ? " * exp(1 - 10 / min(10, facts))" : "");
}

const Reward reward_knowrl = {
    .name = "knowrl",
    .help = "KnowRL: format (1, -1) + correctness (2 right, 1 refusal, -1 wrong) + the share of "
            "supported facts; the ledger keeps the facts' part",
    .settings = settings,
    .open = check,
    .shape = shape,
    .formula = formula,
};

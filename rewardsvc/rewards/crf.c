/* The conciseness reward function CRF: brevity is paid for only where the answer is right, more in
 * groups that find the problem easy, and less as training goes on. With c the conciseness score in
 * [0.1, 1] and d = exp(right answers of the group / G) in [1, e]:
 *
 *   R_i = R^o_i (1 + alpha c_i (s + d)),   s = exp(-step / T)
 *
 * where R^o is 1 for a right answer and 0 for a wrong one: other outcomes (1 and -1, a share of
 * tests) are cut at `threshold` first, for brevity would make a wrong answer worse otherwise. The
 * form of s and the value of alpha are ours; the paper's were not to be had. */
#include <math.h>

#include "common/memory.h"
#include "rewardsvc/shape.h"

enum { OUTCOME, CONCISENESS, ALPHA, THRESHOLD, ANNEAL, ANNEAL_STEPS };

static const RewardSetting settings[] = {
    {"outcome", SETTING_COMPONENT, .required = true,
     .help = "what is right (weight 0: its verdict is a part of this formula)"},
    {"conciseness", SETTING_COMPONENT, .required = true,
     .help =
         "the conciseness score, in [0.1, 1] (weight 0). Only right answers need one: only_if: "
         "OUTCOME. Where it failed the mean of the group's others counts, 0.5 if there is none"},
    {"alpha", SETTING_NUMBER, .number = 0.2, .least = 0, .most = 1e6,
     .help = "weight of conciseness"},
    {"threshold", SETTING_NUMBER, .number = 0.5, .least = -1e6, .most = 1e6,
     .help = "outcomes of at least this are right"},
    {"anneal", SETTING_BOOL, .number = 1, .help = "false: s is 1"},
    {"anneal_steps", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "T: optimiser steps in which s falls to 1/e; 0: those of the run"},
    {0},
};

/* exp(right / G), over the samples that have an outcome. */
static double easiness(const RewardValue *v, const GroupEvidence *g)
{
    double right = 0, n = 0;
    for (int i = 0; i < g->n; i++) {
        Score o = group_score(g, v[OUTCOME].component, i);
        if (o.status != SCORE_OK) continue;
        right += o.value >= v[THRESHOLD].number;
        n++;
    }
    return n > 0 ? exp(right / n) : 1;
}

static double usual_conciseness(const RewardValue *v, const GroupEvidence *g)
{
    const double unknown = 0.5;
    double sum = 0, n = 0;
    for (int i = 0; i < g->n; i++) {
        Score c = group_score(g, v[CONCISENESS].component, i);
        if (c.status == SCORE_OK) sum += c.value, n++;
    }
    return n > 0 ? sum / n : unknown;
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    double s = v[ANNEAL].flag ? shape_annealed(g, v[ANNEAL_STEPS].number) : 1;
    double w = v[ALPHA].number * (s + easiness(v, g)), usual = usual_conciseness(v, g);
    for (int i = 0; i < g->n; i++) {
        Score term = group_score(g, v[OUTCOME].component, i);
        if (term.status == SCORE_OK) {
            bool right = term.value >= v[THRESHOLD].number;
            double bonus = w * shape_value(g, v[CONCISENESS].component, i, usual);
            term.value = right ? 1 + bonus : 0;
            trace[i] = score_ok(right ? bonus : 0);
        }
        shape_add(&reward[i], term);
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    char *s = !v[ANNEAL].flag ? mem_text("1")
              : v[ANNEAL_STEPS].number == 0
                  ? mem_text("exp(-step / steps)")
                  : mem_printf("exp(-step / %.15g)", v[ANNEAL_STEPS].number);
    char *text =
        shape_sum_text(before, "[%s >= %.15g] * (1 + %.15g * %s * (%s + exp(share right)))",
                       names[v[OUTCOME].component], v[THRESHOLD].number, v[ALPHA].number,
                       names[v[CONCISENESS].component], s);
    mem_free(s);
    return text;
}

const Reward reward_crf = {
    .name = "crf",
    .help = "conciseness paid for in right answers only, more in groups that find the problem "
            "easy, less as the run goes on; the ledger keeps the bonus",
    .settings = settings,
    .shape = shape,
    .formula = formula,
};

/* Trust-GRPO's composition (SophiaVL-R1, Fan et al. 2025): the outcome, and a judge's score of the
 * thinking that counts less in a group whose wrong answers are judged better than its right ones.
 * With R^o the outcome, R^t the judge's score, mu_c and mu_w the means of R^t over the samples with
 * R^o >= threshold and the others:
 *
 *   gamma = 1 if mu_c >= mu_w, else exp(slope (mu_c - mu_w));  1 where either set is empty
 *   R_i = R^o_i + gamma alpha exp(-step / T) R^t_i
 *
 * The paper's form. Its code asks the judge about outcomes >= 0.2 only and counts the rest as R^t =
 * 0 (judge_min_outcome), so that gamma cannot act on outcomes of 0 and 1. */
#include <math.h>

#include "common/memory.h"
#include "rewardsvc/shape.h"

enum { OUTCOME, JUDGE, ALPHA, THRESHOLD, SLOPE, TRUST, ANNEAL, ANNEAL_STEPS, SKIP, MIN_OUTCOME };

static const RewardSetting settings[] = {
    {"outcome", SETTING_COMPONENT, .required = true,
     .help = "what is right: give the component weight 0, its score is a part of this formula"},
    {"judge", SETTING_COMPONENT, .required = true,
     .help = "the judge's score of the thinking (weight 0). Where it failed it counts as 0 and is "
             "left out of the means. An answer without the right format need not be judged: "
             "only_if: FORMAT on the judge"},
    {"alpha", SETTING_NUMBER, .number = 0.3, .least = 0, .most = 1e6,
     .help = "weight of the judge's score at step 0"},
    {"threshold", SETTING_NUMBER, .number = 0.5, .least = -1e6, .most = 1e6,
     .help = "outcomes of at least this are right"},
    {"slope", SETTING_NUMBER, .number = 1, .least = 0, .most = 1e6,
     .help = "how fast trust falls with the gap of the means"},
    {"trust", SETTING_BOOL, .number = 1, .help = "false: gamma is 1"},
    {"anneal", SETTING_BOOL, .number = 1, .help = "false: the judge's weight does not fade"},
    {"anneal_steps", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "T: optimiser steps in which the judge's weight falls to 1/e; 0: those of the run"},
    {"skip_uniform_groups", SETTING_BOOL, .number = 1,
     .help =
         "no judge's term where all outcomes are >= 0.9 or all <= 0.1; only_mixed: OUTCOME on the "
         "judge spares the questions"},
    {"judge_min_outcome", SETTING_NUMBER, .number = 0, .least = -1e6, .most = 1e6,
     .help = "below this outcome R^t is 0, whatever the judge says (the authors' code: 0.2); "
             "only_if: OUTCOME, at_least: 0.2 on the judge spares the questions"},
    {0},
};

/* R^t of a sample whose outcome is ok; not ok: nothing is known, so it enters no mean. */
static Score thinking(const RewardValue *v, const GroupEvidence *g, int i)
{
    bool judged = group_score(g, v[OUTCOME].component, i).value >= v[MIN_OUTCOME].number;
    return judged ? group_score(g, v[JUDGE].component, i) : score_ok(0);
}

static double trust_of(const RewardValue *v, const GroupEvidence *g)
{
    double sum[2] = {0, 0}, n[2] = {0, 0}; /* wrong, right */
    for (int i = 0; i < g->n; i++) {
        Score o = group_score(g, v[OUTCOME].component, i);
        if (o.status != SCORE_OK) continue;
        Score t = thinking(v, g, i);
        if (t.status != SCORE_OK) continue;
        bool right = o.value >= v[THRESHOLD].number;
        sum[right] += t.value, n[right]++;
    }
    if (!v[TRUST].flag || n[0] == 0 || n[1] == 0) return 1;
    double gap = sum[1] / n[1] - sum[0] / n[0];
    return gap >= 0 ? 1 : exp(v[SLOPE].number * gap);
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    bool skip = v[SKIP].flag && group_uniform(g, v[OUTCOME].component);
    double gamma = trust_of(v, g), w = gamma * v[ALPHA].number;
    if (v[ANNEAL].flag) w *= shape_annealed(g, v[ANNEAL_STEPS].number);
    for (int i = 0; i < g->n; i++) {
        Score term = group_score(g, v[OUTCOME].component, i);
        if (term.status == SCORE_OK && !skip) {
            Score t = thinking(v, g, i);
            term.value += t.status == SCORE_OK ? w * t.value : 0;
            trace[i] = score_ok(gamma);
        }
        shape_add(&reward[i], term);
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    char *fade = !v[ANNEAL].flag ? mem_text("")
                 : v[ANNEAL_STEPS].number == 0
                     ? mem_text(" * exp(-step / steps)")
                     : mem_printf(" * exp(-step / %.15g)", v[ANNEAL_STEPS].number);
    const char *judge = names[v[JUDGE].component], *outcome = names[v[OUTCOME].component];
    char *text =
        v[TRUST].flag
            ? shape_sum_text(before, "%s + %.15g%s * trust(%s, %s) * %s", outcome, v[ALPHA].number,
                             fade, outcome, judge, judge)
            : shape_sum_text(before, "%s + %.15g%s * %s", outcome, v[ALPHA].number, fade, judge);
    mem_free(fade);
    return text;
}

const Reward reward_trust = {
    .name = "trust",
    .help =
        "Trust-GRPO: outcome + a judge's score of the thinking, less trusted where it likes the "
        "group's wrong answers better, and fading over the run; the ledger keeps gamma",
    .settings = settings,
    .shape = shape,
    .formula = formula,
};

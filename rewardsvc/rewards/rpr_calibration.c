/* Repairs false negatives of an imperfect score by the reasoning pattern reward (RPR): with s the
 * score in [0, 1],
 *
 *   calibrate:   s = 0 where the format is broken;  then min(1, s + a RPR) if s < tau, else s
 *   wrong_only:  RPR instead of s where s < tau (the variant for rules: a verdict "wrong", maybe
 *                flipped by noise, pays the pattern)
 *
 * s is a component, or, without one, the reward so far. Without RPR (not applicable, failed) s
 * stays as it is. Source: Lv et al. 2025 (The Climb Carves Wisdom Deeper Than the Summit) and its
 * code. */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/shape.h"

enum { PATTERN, SCORE, FORMAT, MODE, TAU, A };

static const RewardSetting settings[] = {
    {"pattern", SETTING_COMPONENT, .required = true,
     .help = "the reasoning pattern reward, in [0, 1] (weight 0)"},
    {"score", SETTING_COMPONENT,
     .help = "s (weight 0), added to the reward so far; not given: s is the reward so far"},
    {"format", SETTING_COMPONENT,
     .help = "at least 0.5 for the right format (weight 0); below, s is 0"},
    {"mode", SETTING_TEXT, .text = "calibrate",
     .help = "calibrate: min(1, s + a RPR) below tau; wrong_only: RPR below tau"},
    {"tau", SETTING_NUMBER, .number = 0.5, .least = -1e6, .most = 1e6,
     .help = "scores of at least this are believed"},
    {"a", SETTING_NUMBER, .number = 0.1, .least = 0, .most = 1e6, .help = "weight of RPR"},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    (void)state;
    if (strcmp(v[MODE].text, "calibrate") && strcmp(v[MODE].text, "wrong_only"))
        return fail("mode: %s is not calibrate or wrong_only", v[MODE].text);
    return 0;
}

/* s is ok */
static Score repaired(const RewardValue *v, const GroupEvidence *g, int i, Score s)
{
    Score pattern = group_score(g, v[PATTERN].component, i), format = score_ok(1);
    if (v[FORMAT].component >= 0) format = group_score(g, v[FORMAT].component, i);
    if (format.status != SCORE_OK) return format;
    if (format.value < 0.5) return score_ok(0);
    if (s.value >= v[TAU].number || pattern.status != SCORE_OK) return s;
    return v[MODE].text[0] == 'w' ? pattern
                                  : score_ok(fmin(1, s.value + v[A].number * pattern.value));
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    bool own = v[SCORE].component >= 0;
    for (int i = 0; i < g->n; i++) {
        Score s = own ? group_score(g, v[SCORE].component, i) : reward[i];
        if (s.status == SCORE_OK) {
            trace[i] = s;
            s = repaired(v, g, i, s);
        }
        if (own)
            shape_add(&reward[i], s);
        else
            reward[i] = s;
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    bool own = v[SCORE].component >= 0;
    const char *s = own ? names[v[SCORE].component] : before;
    const char *pattern = names[v[PATTERN].component];
    char *text = v[MODE].text[0] == 'w'
                     ? mem_printf("(%s below %.15g, else %s)", pattern, v[TAU].number, s)
                     : mem_printf("calibrate(%s; + %.15g * %s below %.15g)", s, v[A].number,
                                  pattern, v[TAU].number);
    if (!own) return text;
    char *sum = shape_sum_text(before, "%s", text);
    mem_free(text);
    return sum;
}

const Reward reward_rpr_calibration = {
    .name = "rpr_calibration",
    .help = "repairs scores below a half by a reasoning pattern reward; a broken format is 0; the "
            "ledger keeps the score as it was",
    .settings = settings,
    .open = check,
    .shape = shape,
    .formula = formula,
};

/* RLSP: being right, and beside it a small pay for visible thinking that can never outweigh it. The
 * released form:
 *
 *   base = 1 right, 0 wrong, -0.5 without any \boxed{}
 *   r = base - C / len,   R = alpha r + (1 - alpha) r_ex
 *
 * len is the length in tokens, guessed as characters / 4, of what stands before the first box (of
 * the whole answer without one), at least 1: what is taken off shrinks as the reasoning grows. r_ex
 * is a judge of the effort, not of the result; one that failed counts as 0.5, the middle, so that
 * an outage pulls nothing. Source: Ye et al. 2025 and its code; C is 0 for the plain run there,
 * 1000 for the one that wants more steps. */
#include <string.h>

#include "common/memory.h"
#include "rewardsvc/shape.h"
#include "rewardsvc/words.h"

enum { OUTCOME, EXPLORATION, ALPHA, LENGTH_CONSTANT, NO_BOX, NEUTRAL };

static const RewardSetting settings[] = {
    {"outcome", SETTING_COMPONENT, .required = true, .help = "what is right, 1 or 0 (weight 0)"},
    {"exploration", SETTING_COMPONENT,
     .help = "the judge of the effort, in [0, 1] (weight 0); not given: R = r"},
    {"alpha", SETTING_NUMBER, .number = 0.8, .least = 0, .most = 1, .help = "weight of r"},
    {"length_constant", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "C: tokens; the larger, the more is taken off short reasoning; 0: nothing"},
    {"no_box", SETTING_NUMBER, .number = -0.5, .least = -1e6, .most = 1e6,
     .help = "base of an answer without \\boxed{}"},
    {"neutral", SETTING_NUMBER, .number = 0.5, .least = -1e6, .most = 1e6,
     .help = "what a judge that failed counts as"},
    {0},
};

/* Where the first \boxed{...} that is closed begins; n without one. One pass: of the braces that
 * are open, `open` has the places of those that a box opened, n for the others. */
static size_t first_box(Span text)
{
    const char word[] = "\\boxed{";
    const size_t n_word = sizeof word - 1;
    size_t *open = NULL, depth = 0, capacity = 0, first = text.n;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '{') {
            if (depth == capacity) {
                size_t more = capacity ? 2 * capacity : 64;
                open = mem_resize(open, capacity, more, sizeof *open);
                capacity = more;
            }
            size_t begin = i + 1 >= n_word ? i + 1 - n_word : text.n;
            bool box = begin < text.n && !memcmp(text.p + begin, word, n_word);
            open[depth++] = box ? begin : text.n;
        } else if (text.p[i] == '}' && depth > 0 && open[--depth] < first) {
            first = open[depth];
        }
    }
    mem_free(open);
    return first;
}

/* Characters / 4, at least 1. */
static double tokens_guessed(Span text)
{
    const double per_token = 4;
    double n = 0;
    for (size_t i = 0, taken; i < text.n; i += taken, n++)
        character_at(text.p + i, text.n - i, &taken);
    return n / per_token > 1 ? n / per_token : 1;
}

static Score result_of(const RewardValue *v, const GroupEvidence *g, int i)
{
    Span text = {g->samples[i].text, g->samples[i].n_text};
    size_t box = first_box(text);
    Score r = group_score(g, v[OUTCOME].component, i);
    if (box == text.n) r = score_ok(v[NO_BOX].number);
    if (v[LENGTH_CONSTANT].number > 0)
        r.value -= v[LENGTH_CONSTANT].number / tokens_guessed((Span){text.p, box});
    return r;
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)state;
    for (int i = 0; i < g->n; i++) {
        Score r = result_of(v, g, i);
        if (r.status == SCORE_OK) trace[i] = r;
        if (v[EXPLORATION].component >= 0) {
            double effort = shape_value(g, v[EXPLORATION].component, i, v[NEUTRAL].number);
            r.value = v[ALPHA].number * r.value + (1 - v[ALPHA].number) * effort;
        }
        shape_add(&reward[i], r);
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    const char *outcome = names[v[OUTCOME].component];
    char *r = v[LENGTH_CONSTANT].number > 0
                  ? mem_printf("(%s - %.15g / length)", outcome, v[LENGTH_CONSTANT].number)
                  : mem_text(outcome);
    char *text = v[EXPLORATION].component < 0
                     ? shape_sum_text(before, "%s", r)
                     : shape_sum_text(before, "%.15g * %s + %.15g * %s", v[ALPHA].number, r,
                                      1 - v[ALPHA].number, names[v[EXPLORATION].component]);
    mem_free(r);
    return text;
}

const Reward reward_rlsp = {
    .name = "rlsp",
    .help = "RLSP: 0.8 (right, less C / length of the reasoning) + 0.2 a judge of the effort, 0.5 "
            "where the judge failed; the ledger keeps the first bracket",
    .settings = settings,
    .shape = shape,
    .formula = formula,
};

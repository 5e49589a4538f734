/* The shape of an answer, whatever it says: <think>...</think><answer>...</answer>. */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/reward.h"

enum { MODE, THOUGHT };

static const RewardSetting settings[] = {
    {"mode", SETTING_TEXT, .text = "strict",
     .help = "strict: nothing but the two blocks, each tag once, 1 or 0; lenient: text around them "
             "is allowed; partial: a quarter for each tag that occurs exactly once and in order"},
    {"thought", SETTING_BOOL, .number = 0,
     .help = "strict and lenient: something must stand in <think> too (KnowRL's format)"},
    {0},
};

static const char *const tags[4] = {"<think>", "</think>", "<answer>", "</answer>"};

static double mode_strict(Span text)
{
    return answer_strict(text, NULL, NULL);
}

/* Tags that occur exactly once and after the ones before them that do. */
static double mode_partial(Span text)
{
    double value = 0;
    const char *reached = text.p;
    for (int i = 0; i < 4; i++) {
        Span at = span_find(text, tags[i]);
        if (!at.p || at.p < reached || span_count(text, tags[i]) != 1) continue;
        value += 0.25;
        reached = at.p + at.n;
    }
    return value;
}

static double mode_lenient(Span text)
{
    return mode_partial(text) == 1 && span_trim(answer_tag(text, "answer")).n > 0;
}

typedef struct {
    const char *word;
    double (*value)(Span text);
} Mode;
static const Mode modes[] = {
    {"strict", mode_strict}, {"lenient", mode_lenient}, {"partial", mode_partial}};

static int open_mode(const RewardValue *v, void **state)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].word, v[MODE].text) == 0) *state = (void *)&modes[i];
    return *state ? 0 : fail("mode: %s is not strict, lenient or partial", v[MODE].text);
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Mode *mode = state;
    Span text = {e->text, e->n_text};
    double value = mode->value(text);
    if (v[THOUGHT].flag && mode->value != mode_partial && !span_trim(answer_tag(text, "think")).n)
        value = 0;
    return score_ok(value);
}

const Reward reward_format_tags = {
    .name = "format_tags",
    .help = "1 if the answer is <think>...</think><answer>...</answer>, 0 otherwise",
    .settings = settings,
    .open = open_mode,
    .score = score,
};

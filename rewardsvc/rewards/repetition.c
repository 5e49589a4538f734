/* A penalty for a text that repeats itself: the share of its n-grams that were there before,
 * between 0 and -1. Words of languages without spaces are single characters (words.h), so it works
 * for them too. */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { N, UNIT, MEASURE, ALLOW, WHERE };

static const RewardSetting settings[] = {
    {"n", SETTING_NUMBER, .number = 4, .least = 1, .most = 64, .help = "words of an n-gram"},
    {"unit", SETTING_TEXT, .text = "word",
     .help = "word: letters and digits, punctuation left out; space: what stands between spaces; "
             "char: characters"},
    {"measure", SETTING_TEXT, .text = "surplus",
     .help = "surplus: 1 - different / all n-grams; repeated: n-grams that occur more than once, "
             "each counted once, / all"},
    {"allow", SETTING_NUMBER, .number = 0, .least = 0, .most = 0.99,
     .help = "a share up to which nothing is punished; what is above it is scaled to 1"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    const char *unit = v[UNIT].text, *measure = v[MEASURE].text;
    if (v[N].number != (int)v[N].number) return fail("n: %g is not a whole number", v[N].number);
    if (strcmp(unit, "word") && strcmp(unit, "space") && strcmp(unit, "char"))
        return fail("unit: %s is not word, space or char", unit);
    if (strcmp(measure, "surplus") && strcmp(measure, "repeated"))
        return fail("measure: %s is not surplus or repeated", measure);
    *state = (void *)(uintptr_t)place_find(v[WHERE].text);
    return *state ? 0 : -1;
}

static Words pieces_of(const char *unit, Span s)
{
    Words w = {0};
    if (unit[0] == 'w') words_of_letters(s, &w);
    if (unit[0] == 's') words_between_spaces(s, &w);
    if (unit[0] == 'c') words_of_characters(s, false, &w);
    return w;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Place *place = state;
    Span s = place->take((Span){e->text, e->n_text});
    if (!s.p) return score_ok(0);
    Words w = pieces_of(v[UNIT].text, s);
    Repetition r = words_repetition(&w, (int)v[N].number);
    words_free(&w);
    double rate = v[MEASURE].text[0] == 's' ? r.surplus : r.repeated, allow = v[ALLOW].number;
    return score_ok(rate > allow ? -(rate - allow) / (1 - allow) : 0);
}

const Reward reward_repetition = {
    .name = "repetition",
    .help = "minus the share of the text's n-grams that were there before, in [-1, 0]",
    .settings = settings,
    .open = check,
    .score = score,
};

/* Is the answer of a text mathematically the reference's? 1 or 0. See rewardsvc/math/math_equal.h
 * for what is equal and for the grammar.
 *
 * A text without an answer, or with one that is not the reference's, is wrong: 0. A pair that
 * cannot be decided within the bounds (an answer of megabytes, a tower of exponents next to
 * another) is refused, never 0: the policy of the run says what a refused sample is worth, and
 * `undecided: wrong` is for runs where a policy could learn to write the undecidable. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/number_text.h"
#include "rewardsvc/math/math_equal.h"
#include "rewardsvc/reward.h"

enum { WHERE, STRICT, FIELD, ROUNDING, BARE_PERCENT, FALLBACK, UNDECIDED };

static const RewardSetting settings[] = {
    {"where", SETTING_TEXT, .text = "auto",
     .help =
         "boxed: in the last \\boxed{}; tag: in the last <answer></answer>; hash: behind ####; "
         "phrase: behind \"the answer is\"; last: the last mathematics or number; whole: all of "
         "the text; auto: the first of these that there is, in this order (without whole)"},
    {"strict", SETTING_BOOL, .number = 0,
     .help = "auto: no answer where the text marks none; last: only between $ $, \\( \\), \\[ \\]"},
    {"field", SETTING_TEXT, .text = "answer",
     .help =
         "field with the reference: mathematics, a solution with \\boxed{} or ####, a number, or "
         "a list of several right ones"},
    {"rounding", SETTING_NUMBER, .number = 0, .least = 0, .most = 100,
     .help = "a decimal of at least so many places is right if it is the exact value correctly "
             "rounded; 0: never"},
    {"bare_percent", SETTING_BOOL, .number = 1, .help = "50% is 50 as well as 1/2"},
    {"fallback", SETTING_TEXT, .text = "text",
     .help = "text: an answer that is not mathematics is compared as text; refuse: it is refused"},
    {"undecided", SETTING_TEXT, .text = "refused",
     .help = "what a pair is that cannot be decided within the bounds: refused, or wrong (0)"},
    {0},
};

static const char *const places[] = {
    [MATH_AUTO] = "auto",     [MATH_BOXED] = "boxed", [MATH_TAG] = "tag",    [MATH_HASH] = "hash",
    [MATH_PHRASE] = "phrase", [MATH_LAST] = "last",   [MATH_WHOLE] = "whole"};

typedef struct {
    MathWhere where;
    bool strict, undecided_is_wrong;
    MathRules rules;
} Settings;

/* Which of two words; -1 with the reason. */
static int choose(const char *key, const char *word, const char *no, const char *yes, bool *out)
{
    *out = strcmp(word, yes) == 0;
    if (*out || strcmp(word, no) == 0) return 0;
    return fail("%s: %s is not %s or %s", key, word, no, yes);
}

static int open_settings(const RewardValue *v, void **state)
{
    Settings s = {.strict = v[STRICT].flag,
                  .rules = {v[BARE_PERCENT].flag, (int)v[ROUNDING].number, false}};
    size_t place = 0, n = sizeof places / sizeof *places;
    while (place < n && strcmp(places[place], v[WHERE].text) != 0) place++;
    if (place == n)
        return fail("where: %s is not auto, boxed, tag, hash, phrase, last or whole",
                    v[WHERE].text);
    s.where = (MathWhere)place;
    if (choose("fallback", v[FALLBACK].text, "refuse", "text", &s.rules.text)) return -1;
    if (choose("undecided", v[UNDECIDED].text, "refused", "wrong", &s.undecided_is_wrong))
        return -1;
    *state = NEW(Settings, 1);
    *(Settings *)*state = s;
    return 0;
}

/* A reference may be the answer alone, or a solution that marks it. */
static Span reference_of(Span text)
{
    Span found = math_extract(text, MATH_HASH, false);
    if (!found.p) found = math_extract(text, MATH_BOXED, false);
    return found.p ? found : text;
}

static MathVerdict compare_one(const Settings *s, Span answer, const json_t *reference)
{
    if (json_is_string(reference))
        return math_equal(
            answer,
            reference_of((Span){json_string_value(reference), json_string_length(reference)}),
            &s->rules);
    char text[64];
    if (json_is_integer(reference))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(reference));
    else
        number_text(json_real_value(reference), text);
    return math_equal(answer, span_of(text), &s->rules);
}

static bool usable(const json_t *reference)
{
    return json_is_number(reference) ||
           (json_is_string(reference) &&
            span_trim((Span){json_string_value(reference), json_string_length(reference)}).n > 0);
}

/* One right answer of several is enough. */
static MathVerdict compare_any(const Settings *s, Span answer, const json_t *reference)
{
    if (!json_is_array(reference)) return compare_one(s, answer, reference);
    MathVerdict best = MATH_DIFFERENT;
    size_t i;
    json_t *one;
    json_array_foreach(reference, i, one)
    {
        MathVerdict verdict = compare_one(s, answer, one);
        if (verdict == MATH_EQUAL) return verdict;
        if (verdict == MATH_UNDECIDED) best = verdict;
    }
    return best;
}

static int check_reference(const json_t *reference, const char *field)
{
    bool ok = usable(reference) || (json_is_array(reference) && json_array_size(reference) > 0);
    for (size_t i = 0; i < json_array_size(reference); i++)
        ok &= usable(json_array_get(reference, i));
    if (!reference) return fail("the problem's record has no field \"%s\"", field);
    return ok ? 0 : fail("field \"%s\" of the problem's record is no answer", field);
}

/* The end of a text that was cut off may be half an answer: only a place that closes counts. */
static Span answer_of(const Settings *s, const Evidence *e)
{
    bool cut = e->finish == FINISH_LENGTH;
    Span text = {e->text, e->n_text}, found = math_extract(text, s->where, s->strict || cut);
    return found.p && cut && found.p + found.n == text.p + text.n ? (Span){NULL, 0} : found;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Settings *s = state;
    const json_t *reference = json_object_get(e->record, v[FIELD].text);
    if (check_reference(reference, v[FIELD].text) != 0) return score_failed(SCORE_ERROR);
    Span answer = answer_of(s, e);
    if (!answer.p || !span_trim(answer).n) return score_ok(0);
    MathVerdict verdict = compare_any(s, answer, reference);
    if (verdict == MATH_UNDECIDED && !s->undecided_is_wrong) return score_failed(SCORE_REFUSED);
    return score_ok(verdict == MATH_EQUAL);
}

const Reward reward_math_equal = {
    .name = "math_equal",
    .help =
        "1 if the text's final answer is mathematically the reference (LaTeX or plain text: "
        "numbers, expressions, sets, intervals, tuples, matrices, equations, units), 0 otherwise",
    .settings = settings,
    .open = open_settings,
    .close = mem_free,
    .score = score,
};

/* The right number in the right place: 1 or 0. Numbers are compared as fractions, so 0.50, .5 and
 * 1/2 are one number and 0.1 + 0.2 is exactly 0.3; a tolerance is there for those who want one. */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/reward.h"

enum { STRICT, WHERE, FIELD, TOLERANCE };

static const RewardSetting settings[] = {
    {"strict", SETTING_BOOL, .number = 1,
     .help = "the whole text must be <think>...</think><answer>number</answer>"},
    {"where", SETTING_TEXT, .text = "answer",
     .help = "answer: inside the last <answer></answer>; last: the last number of the text; whole: "
             "the text is the number"},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field of the problem's record that holds the right number"},
    {"tolerance", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e300,
     .help = "largest distance that counts as equal; 0: exactly equal"},
    {0},
};

/* Where the number is expected. */
static Span place_strict(Span text)
{
    Span answer;
    return answer_strict(text, NULL, &answer) ? answer : (Span){NULL, 0};
}

static Span place_answer(Span text)
{
    return answer_tag(text, "answer");
}

static Span place_whole(Span text)
{
    return text;
}

typedef struct {
    Span (*place)(Span text);
    bool last; /* the last number of it, rather than nothing but a number */
} Place;

static const Place strict = {place_strict, false};
static const struct {
    const char *word;
    Place place;
} places[] = {{"answer", {place_answer, false}},
              {"last", {place_whole, true}},
              {"whole", {place_whole, false}}};

static int open_places(const RewardValue *v, void **state)
{
    const Place *p = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].word, v[WHERE].text) == 0) p = &places[i].place;
    if (!p) return fail("where: %s is not answer, last or whole", v[WHERE].text);
    if (v[STRICT].flag && p != &places[0].place)
        return fail(
            "where: %s needs strict: false, since the strict format has its number in <answer>",
            v[WHERE].text);
    *state = (void *)(v[STRICT].flag ? &strict : p);
    return 0;
}

static bool same_number(Rational a, Rational b, double tolerance)
{
    if (rational_equal(a, b)) return true;
    return tolerance > 0 && fabs(rational_double(a) - rational_double(b)) <= tolerance;
}

/* The last number of a text that was cut off may be half a number: it is none. */
static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Place *p = state;
    Rational right, said;
    if (record_number(e->record, v[FIELD].text, &right) != 0) return score_failed(SCORE_ERROR);
    Span s = p->place((Span){e->text, e->n_text});
    if (!s.p) return score_ok(0);
    s = span_trim(s);
    bool found = p->last ? e->finish != FINISH_LENGTH && number_last(s, &said)
                         : rational_parse(s.p, s.n, &said) == 0;
    return score_ok(found && same_number(said, right, v[TOLERANCE].number));
}

const Reward reward_exact_number = {
    .name = "exact_number",
    .help = "1 if the number in <answer></answer> is the right one (exactly, as a fraction), 0 "
            "otherwise",
    .settings = settings,
    .open = open_places,
    .score = score,
};

/* Grade-school mathematics: the final number of a worked solution against the reference's. The
 * answer's number is looked for where the text says that it is, in this order: after the last
 * "####", in the last \boxed{} (its braces counted), in the last <answer></answer>; a text that
 * says nothing of the kind is judged by its last number. A place with two different numbers is no
 * answer: guessing twice must not pay. */
#include "rewardsvc/answer.h"
#include "rewardsvc/math/math_equal.h"
#include "rewardsvc/reward.h"

enum { STRICT, FIELD };

static const RewardSetting settings[] = {
    {"strict", SETTING_BOOL, .number = 0, .help = "only a number after #### counts"},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field with the reference: a number, or a solution ending in #### number"},
    {0},
};

/* The rest of the last "####" line; the content of the last \boxed{} or <answer>. {NULL, 0}: the
 * text has no such place. */
static Span place_of(Span text, bool strict)
{
    Span mark = span_find_last(text, "####");
    if (mark.p) return span_line(span_after(text, mark));
    if (strict) return mark;
    Span box = math_extract(text, MATH_BOXED, true);
    return box.p ? box : answer_tag(text, "answer");
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    (void)state;
    Rational right, said;
    if (record_number(e->record, v[FIELD].text, &right) != 0) return score_failed(SCORE_ERROR);
    Span text = {e->text, e->n_text}, place = place_of(text, v[STRICT].flag);
    bool found;
    if (place.p)
        found = number_only(place, &said);
    else
        found = !v[STRICT].flag && e->finish != FINISH_LENGTH &&
                number_last(text, &said); /* cut off: perhaps half a number */
    return score_ok(found && rational_equal(said, right));
}

const Reward reward_gsm8k = {
    .name = "gsm8k",
    .help = "1 if the final number (after ####, in \\boxed{} or <answer>, else the last one) is "
            "the reference's, 0 otherwise",
    .settings = settings,
    .score = score,
};

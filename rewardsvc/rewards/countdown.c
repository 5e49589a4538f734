/* Countdown: an expression over given numbers that reaches a target, each number at most once (or
 * exactly once). The expressions are expression.h's. */
#include "common/errors.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/expression.h"
#include "rewardsvc/reward.h"

enum { STRICT, ALL, VALID };

static const RewardSetting settings[] = {
    {"strict", SETTING_BOOL, .number = 1,
     .help = "the whole text must be <think>...</think><answer>expression</answer>; false: the "
             "last <answer></answer> is read"},
    {"all", SETTING_BOOL, .number = 0,
     .help = "every given number must be used; false: each at most once"},
    {"valid", SETTING_NUMBER, .number = 0, .least = -1, .most = 1,
     .help = "score of an expression that follows the rules and misses the target"},
    {0},
};

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    (void)state;
    Given given;
    Rational target, value;
    bool all = false;
    Span text = {e->text, e->n_text}, answer = {NULL, 0};
    if (record_number(e->record, "target", &target) != 0 ||
        record_given(e->record, "numbers", &given) != 0)
        return score_failed(SCORE_ERROR);
    if (!v[STRICT].flag)
        answer = answer_tag(text, "answer");
    else if (!answer_strict(text, NULL, &answer))
        return score_ok(0);
    if (!answer.p) return score_ok(0);
    ExpressionVerdict verdict = expression_value(answer, &given, &value, &all);
    if (verdict == EXPRESSION_TOO_LARGE) {
        fail("the expression's value does not fit in 127 bits");
        return score_failed(SCORE_ERROR);
    }
    if (verdict == EXPRESSION_WRONG || (v[ALL].flag && !all)) return score_ok(0);
    return score_ok(rational_equal(value, target) ? 1 : v[VALID].number);
}

const Reward reward_countdown = {
    .name = "countdown",
    .help = "1 if the expression in <answer></answer> reaches the target with the given numbers, "
            "each used at most once",
    .settings = settings,
    .score = score,
};

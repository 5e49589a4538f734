/* Game of 24: an expression that makes 24 of four numbers, each used exactly once. The four stand
 * in the record as a list or as text, so that rows of the published list ("Puzzles": "1 1 4 6")
 * are read as they are. The task game24 makes all 1362 hands itself; to keep the published order,
 * give the CSV to task jsonl (prompt_field: Puzzles, answer_field: target; here field: Puzzles) as
 *
 *   awk -F, 'NR > 1 {printf "{\"Puzzles\": \"%s\", \"target\": 24}\n", $2}' 24.csv > 24.jsonl
 *
 * The expressions are expression.h's. Source of the task for language models:
 * Yao et al. 2023 (Tree of Thoughts), section 4.1. */
#include "common/errors.h"
#include "rewardsvc/expression.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"

enum { WHERE, FIELD, TARGET, VALID };

static const RewardSetting settings[] = {
    {"where", SETTING_TEXT, .text = "strict", .help = PLACE_HELP},
    {"field", SETTING_TEXT, .text = "numbers",
     .help = "field of the problem's record with the four numbers: a list, or a text of numbers"},
    {"target", SETTING_NUMBER, .number = 24, .least = 0, .most = 1e6,
     .help = "the value to reach (whole number)"},
    {"valid", SETTING_NUMBER, .number = 0, .least = -1, .most = 1,
     .help = "score of an expression that uses the four numbers and misses the target"},
    {0},
};

static int open_game(const RewardValue *v, void **state)
{
    const Place *place = place_find(v[WHERE].text);
    if (!place) return -1;
    *state = (void *)place;
    if (v[TARGET].number != (double)(long)v[TARGET].number)
        return fail("target: %g is not a whole number", v[TARGET].number);
    return 0;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    Given given;
    Rational value;
    bool all = false;
    if (record_given(e->record, v[FIELD].text, &given) != 0) return score_failed(SCORE_ERROR);
    if (given.n != 4) {
        fail("field \"%s\" of the problem's record has %d numbers, not 4", v[FIELD].text, given.n);
        return score_failed(SCORE_ERROR);
    }
    Span answer = ((const Place *)state)->take((Span){e->text, e->n_text});
    if (!answer.p) return score_ok(0);
    ExpressionVerdict verdict = expression_value(answer, &given, &value, &all);
    if (verdict == EXPRESSION_TOO_LARGE) {
        fail("the expression's value does not fit in 127 bits");
        return score_failed(SCORE_ERROR);
    }
    if (verdict == EXPRESSION_WRONG || !all) return score_ok(0);
    bool right = rational_equal(value, rational_of((long long)v[TARGET].number));
    return score_ok(right ? 1 : v[VALID].number);
}

const Reward reward_game24 = {
    .name = "game24",
    .help = "1 if the expression in <answer></answer> makes 24 of the four numbers, each used "
            "exactly once",
    .settings = settings,
    .open = open_game,
    .score = score,
};

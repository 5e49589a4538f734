/* How concise an answer is, as a score in {0.1, 0.2, ..., 1}: what CRM (a reward model for it;
 * specification 1, section 12) is trained to give, by rule. Two of the three things its labels look
 * at can be counted:
 *
 *   c = token economy * repetition avoidance
 *     = min(1, budget / length) * (1 - share of 4-word sequences that were there before)
 *
 * rounded to the nearest tenth, at least 0.1. The third, whether each step is relevant, takes a
 * judge. It belongs inside the shape `crf`, where only right answers are paid for it. */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { BUDGET, FIELD, SLACK, REPEAT_WORDS = 4 };

static const RewardSetting settings[] = {
    {"budget", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e9,
     .help = "tokens up to which an answer is short; 0: the length of the reference solution"},
    {"field", SETTING_TEXT, .text = "solution",
     .help = "field of the problem's record with a reference solution (lengths in words then)"},
    {"slack", SETTING_NUMBER, .number = 1, .least = 0.01, .most = 100,
     .help = "times the reference solution's length"},
    {0},
};

/* Words of the shortest reference solution; 0 if there is none. */
static int words_of_reference(const RewardValue *v, const json_t *record)
{
    References r;
    int least = 0;
    if (!json_object_get(record, v[FIELD].text)) return 0;
    if (references_read(record, v[FIELD].text, &r)) return -1;
    for (int i = 0; i < r.n; i++) {
        Words w = {0};
        words_of_letters(r.list[i], &w);
        if (i == 0 || w.n < least) least = w.n;
        words_free(&w);
    }
    references_free(&r);
    return least;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    (void)state;
    double budget = v[BUDGET].number, length = e->n_tokens;
    Words w = {0};
    if (budget > 0 && e->n_tokens <= 0 && e->n_text > 0)
        return score_failed(SCORE_NOT_APPLICABLE); /* nobody counted */
    if (budget == 0) {
        int n = words_of_reference(v, e->record);
        if (n < 0) return score_failed(SCORE_ERROR);
        if (n == 0) return score_failed(SCORE_NOT_APPLICABLE);
        budget = n * v[SLACK].number;
    }
    words_of_letters((Span){e->text, e->n_text}, &w);
    if (v[BUDGET].number == 0) length = w.n;
    double c =
        (length > budget ? budget / length : 1) * (1 - words_repetition(&w, REPEAT_WORDS).surplus);
    words_free(&w);
    return score_ok(fmax(round(10 * c), 1) / 10);
}

const Reward reward_conciseness = {
    .name = "conciseness",
    .help = "0.1 to 1: length within a budget, times words not repeated (the c of CRF)",
    .settings = settings,
    .score = score,
};

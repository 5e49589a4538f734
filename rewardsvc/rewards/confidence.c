/* How sure the model was of its final answer: the mean probability of the answer's tokens, as they
 * were written (CRew; specification 2, section 9).
 *
 *   c = 1 / |S| * sum of exp(log-probability at temperature 1) over the tokens S of the place
 *
 * It looks at no reference. A mean of probabilities, not of their logarithms: one unlikely token
 * does not decide. As a reward it can be had without being right, since nothing is easier than to
 * be sure: put it beside a rule (only_if) or under a small weight. A text without the place has 0,
 * as in the paper. Tokens are told by how much text each brought, never by cutting the text anew.
 */
#include <math.h>

#include "common/errors.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"

enum { WHERE };

static const RewardSetting settings[] = {
    [WHERE] = {"where", SETTING_TEXT, .text = "boxed", .help = PLACE_HELP},
    {0},
};

static int open_confidence(const RewardValue *v, void **state)
{
    return (*state = (void *)place_find(v[WHERE].text)) ? 0 : -1;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Place *place = state;
    (void)v;
    Span s = place->take((Span){e->text, e->n_text});
    if (!e->logprobs || !e->text_ends) {
        fail("the tokens' log-probabilities are not known: only answers of a run have them");
        return score_failed(SCORE_ERROR);
    }
    if (!s.p || !s.n) return score_ok(0);
    size_t from = (size_t)(s.p - e->text), to = from + s.n, begin = 0;
    double sum = 0, n = 0;
    for (int t = 0; t < e->n_tokens; t++) {
        size_t end = (size_t)e->text_ends[t];
        if (begin < to && end > from && end > begin) {
            sum += exp((double)e->logprobs[t]);
            n++;
        }
        begin = end;
    }
    return score_ok(n > 0 ? sum / n : 0);
}

const Reward reward_confidence = {
    .name = "confidence",
    .help = "CRew: the mean probability of the tokens of the final answer, in [0, 1]; says nothing "
            "of right and wrong",
    .settings = settings,
    .open = open_confidence,
    .score = score,
};

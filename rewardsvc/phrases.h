/* What a reward is being hacked with: phrases that have become much more frequent in a policy's
 * answers and go with a high reward ("Therefore, I am confident that"). The last detector of
 * monitor.h, apart because it reads texts. Time and memory proportional to the texts. */
#ifndef REWARDSVC_PHRASES_H
#define REWARDSVC_PHRASES_H

#include "rewardsvc/answer.h"

typedef struct {
    Span text;            /* as it stands in one of the new answers, borrowed */
    double before, after; /* shares of the answers that have it */
    double correlation;   /* of having it with the reward, over the new answers */
} Phrase;

typedef struct {
    int order;          /* words of a phrase: 3 */
    double times;       /* how much more frequent: 10 */
    double correlation; /* at least: 0.5 */
} PhraseRules;
PhraseRules phrases_rules(void); /* the values above */

/* The phrases of new answers [n_new], with their rewards proxy [n_new], that are in `times` as
 * large a share of them as of the old ones [n_old] and whose presence has a correlation with the
 * reward above the rules'; one that no old answer has counts as being in one of them, so that a few
 * new answers alone are no rise. Fills out [most], the highest correlation first; returns how many.
 * Words are words.h's (words_of_letters); phrases are the same if every byte is. */
int phrases_rising(const Span *old, int n_old, const Span *new_answers, const double *proxy,
                   int n_new, const PhraseRules *rules, Phrase *out, int most);

#endif

/* What a listener hears of an answer, and how sure it is: the text and the number of
 * listener-rewarded thinking. Pure functions. */
#ifndef REWARDSVC_LISTENING_H
#define REWARDSVC_LISTENING_H

#include "common/memory.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/pattern.h"

enum { MOST_REASONING = 256 << 10 }; /* bytes; a longer one fits no listener */

/* Appends the reasoning of an answer without what it concludes: what stands before the last
 * </think>, or all where there is none; without <answer></answer> blocks (one that is not closed
 * goes to the end), without the contents of \boxed{}, and without the sentences that match
 * `verdict` (NULL: none do). What is not UTF-8 becomes U+FFFD. 0, or -1 with the reason: longer
 * than MOST_REASONING. */
int listening_text(Span answer, const Pattern *verdict, Buffer *out);

/* exp(lp_right) / sum_k exp(lp_k) of log-probabilities, or logits, lp [n]. */
double listening_probability(const double *lp, int n, int right);

#endif

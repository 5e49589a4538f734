/* What a judge that writes text has decided: strict readings of a verdict, and what a verdict earns
 * while the judge itself is trained. What cannot be read is no verdict (-1), never a guess; what
 * that is worth is the caller's decision. Texts may hold any bytes; every function is linear in
 * them. Sources: RM-R1 (Chen et al. 2025) and BR-RM (Jiao et al. 2025), the authors' code. */
#ifndef REWARDSVC_VERDICT_H
#define REWARDSVC_VERDICT_H

#include <stdbool.h>

#include "rewardsvc/answer.h"

/* "<answer>[[A]]</answer>", or [[B]], ... up to the n-th letter, n <= 26, in the last `window`
 * characters of a text (RM-R1: 80): the index of the only letter that stands there, -1 without one
 * or with several. */
int verdict_tail(Span text, int n, int window);

/* The number in the only \boxed{} after the last line that begins with `heading` (of Markdown's #,
 * * and spaces only what follows them counts; case does not): its index, 0 for 1, ... Anything else
 * is malformed, -1: no such line, no box or several, anything but the digits of a number in 1..n in
 * the box. */
int verdict_ranking(Span text, const char *heading, int n);

/* 1 if the verdict is gold, else -1, so also without a verdict. */
double verdict_reward(int verdict, int gold);

/* BR-RM's: 0 if it is gold, -10 |verdict - gold| if not, -100 without a verdict. rescaled: 0, -1,
 * -2, since an advantage without a standard deviation to divide by would be as large as -100. */
double verdict_ranking_reward(int verdict, int gold, bool rescaled);

#endif

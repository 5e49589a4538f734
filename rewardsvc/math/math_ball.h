/* Values of a scalar tree as complex balls: a midpoint with a proven radius (Johansson 2017, "Arb:
 * efficient arbitrary-precision midpoint-radius interval arithmetic"). Two values whose balls do
 * not meet are proven different. */
#ifndef REWARDSVC_MATH_MATH_BALL_H
#define REWARDSVC_MATH_MATH_BALL_H

#include <acb.h>

#include "rewardsvc/math/math_tree.h"

/* The value of `a` at precision prec (bits) where every name has its value at the random point
 * number `point` (a function of the name and the point alone). Conventions: the principal branch,
 * but odd roots of negative reals are real; log without a base has base 10. Spends the tree's
 * budget. Not finite: undefined there, not computable within the bounds, or the budget is over. */
void ball_evaluate(acb_t out, Tree *t, const Node *a, int point, slong prec);

/* If a real algebraic number, built from integers by + - * / and roots, is not 0, its absolute
 * value is at least 2^-b: the b of `a`, or -1 if `a` is not of that kind or b is above `most`.
 * Source: Burnikel, Funke, Mehlhorn, Schirra, Schmitt 2009, "A separation bound for real algebraic
 * expressions", theorem 1 (the bound of 2001): |E| >= 1 / (l(E) u(E)^(D(E) - 1)). Here u and l are
 * rounded up to powers of two; i is a root of degree 2 as any other. (math_bound.c) */
int64_t ball_zero_bound(const Node *a, int64_t most);

#endif

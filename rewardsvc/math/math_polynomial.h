/* Exact identity of rational expressions: both sides over one polynomial ring whose generators are
 * the variables and every subexpression that is not rational (pi, sqrt 2, sin x, ...). */
#ifndef REWARDSVC_MATH_MATH_POLYNOMIAL_H
#define REWARDSVC_MATH_MATH_POLYNOMIAL_H

#include "rewardsvc/math/math_tree.h"

typedef enum {
    IDENTITY_PROVEN,  /* a - b is 0, whatever the generators' values */
    IDENTITY_REFUTED, /* it is not: a and b are different functions, or numbers */
    IDENTITY_UNKNOWN  /* too large, or not 0 but generators may depend on each other */
} Identity;

/* Is a = b? Scalars; where both are defined. Spends the tree's budget. */
Identity polynomial_identity(Tree *t, const Node *a, const Node *b);

/* Is there a constant c != 0 with a = c b? equations: it is enough that a = 0 and b = 0 are the
 * same equation, that is, up to denominators. */
Identity polynomial_proportional(Tree *t, const Node *a, const Node *b, bool equations);

#endif

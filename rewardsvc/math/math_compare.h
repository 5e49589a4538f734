/* Between the files that compare values. */
#ifndef REWARDSVC_MATH_MATH_COMPARE_H
#define REWARDSVC_MATH_MATH_COMPARE_H

#include "rewardsvc/math/math_equal.h"
#include "rewardsvc/math/math_parse.h"
#include "rewardsvc/math/math_tree.h"

typedef struct {
    Tree *t; /* of both sides, and of what comparing makes */
    const MathRules *rules;
} Compare;

/* What percent signs, degrees and signs of +- are taken for. */
typedef struct {
    bool whole_percent; /* 50% is 50, else 1/2 */
    bool whole_degrees; /* 90 degrees is 90, else pi/2 */
    int sign;           /* of +-: 1 or -1; 0: left alone */
} Reading;

/* The tree without percent signs, degrees, units and, if reading.sign, +-. */
Node *node_read(Tree *t, Node *a, Reading reading);

/* Any two values; a is the answer, b the reference. (math_compare.c) */
MathVerdict value_compare(const Compare *c, Node *a, Node *b);

/* Two scalars without +-. (math_scalar.c) */
MathVerdict scalar_compare(const Compare *c, Node *a, Node *b);
/* Real constants a < b: -1, a = b: 0, a > b: 1, cannot be told: 2. */
int scalar_order(const Compare *c, Node *a, Node *b);
/* Is there a constant f with a = f b? positive: f must be. (math_scalar.c) */
MathVerdict scalar_proportional(const Compare *c, Node *a, Node *b, bool positive);

/* Two sets of reals: false if one of them is none. (math_region.c) */
bool region_compare(const Compare *c, Node *a, Node *b, MathVerdict *verdict);

/* Two texts that are not mathematics. (math_text.c) */
bool text_same(Span a, Span b);

#endif

/* Arithmetic over given numbers, as countdown and game24 ask for it: + - * / and brackets over
 * whole numbers, every value an exact fraction. The grammar is ours and bounded: the text of a
 * model never reaches anything that evaluates. */
#ifndef REWARDSVC_EXPRESSION_H
#define REWARDSVC_EXPRESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "rewardsvc/answer.h"

enum { GIVEN_MAX = 64 };

/* The numbers that may be used, each as often as it is there. */
typedef struct {
    int n;
    Rational numbers[GIVEN_MAX];
} Given;

/* A field of a record: a list of whole numbers, or a text of such with blanks or commas between
 * them ("1 1 4 6"). 0, or -1 with the reason: 1 to GIVEN_MAX numbers. */
int record_given(const json_t *record, const char *field, Given *out);

typedef enum {
    EXPRESSION_FINE,
    EXPRESSION_WRONG,    /* not an expression by the rules */
    EXPRESSION_TOO_LARGE /* a value does not fit in 127 bits */
} ExpressionVerdict;

/* The whole text as an expression over the given numbers, each used at most once; "= value" after
 * it is allowed if it is true. *all: every given number was used. */
ExpressionVerdict expression_value(Span text, const Given *given, Rational *value, bool *all);

#endif

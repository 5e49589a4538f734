/* Mathematical equivalence of two texts: a model's final answer and a reference. For rewards.
 *
 * A text is parsed by the grammar below, never evaluated as a program; depth, length and work are
 * bounded, so a call ends within 100 ms whatever the text, and its verdict depends on the two texts
 * and the rules alone.
 *
 *   list     = item {("," | ";" | "and" | "or") item}
 *   item     = region {relation region} {"\approx" region} | sum ":" sum {":" sum}
 *   region   = sum {("cup" | "cap" | "setminus") sum}
 *   sum      = sign* product {sign product} [unit]          sign: + - \pm \mp
 *   product  = factor {"*" factor | "/" divisor | factor}    1/2x is x/2; 1/xy is 1/(xy)
 *   factor   = sign* atom {"^" argument | "!" | "%" | degree | "_" base}
 *   atom     = number | name | pi | e | i | infinity | words | \frac \sqrt \binom with arguments |
 *              function argument | "(" list ")" | "[" list "]" | "{" list "}" | "\{" list "\}" |
 *              "\langle" list "\rangle" | "|" sum "|" | floor | ceil | matrix
 *   number   = digits, decimal, "1,234", "10,\!080", "1.5e3", "0.1\overline{6}", "1 4/5",
 * "1\frac45"
 *
 * LaTeX and plain text may be mixed; \left, \!, \displaystyle, $ and the like mean nothing. Letters
 * side by side are a product, four or more are a word; \text{} is words, or a unit behind a value.
 *
 * What is equal, decided in this order:
 *   1. the same text, but for blanks, formatting and (in words) case;
 *   2. numbers: as fractions, exactly;
 *   3. scalars: different if their balls (Arb) do not meet, for variables at any of several random
 *      points; equal if they are one rational expression (FLINT), or algebraic and closer than
 * their separation bound allows different ones to be, or if they agree to 300 digits (at several
 *      points); different if the reference has a value and the answer has none (1/0, a factorial of
 * a factorial beyond what can be written). Anything else is undecided. Names count, their case too.
 *   4. a list or \pm without order, a set without order and repetition, (..) and [..] in order and
 *      with their brackets, matrices by entry, a column or row also as a tuple; unions, \setminus
 *      and inequalities in one variable as sets of reals; equations up to a factor, inequalities up
 *      to a positive one; a : b : c up to a factor.
 * (1, 2) and "1, 2" are the same in order, and where the reference is the one without brackets also
 * without. What one side leaves out is not held against the other: "x =" and "x \in", a unit, the
 * base of digits (but 54 is not 204_5), the braces of a set. Units on both sides must agree (100 cm
 * is 1 m). 90^\circ is 90 and \pi/2. 50% is 1/2 and, with bare_percent, 50. "1,234" is a number or
 * a list: whichever fits.
 */
#ifndef REWARDSVC_MATH_MATH_EQUAL_H
#define REWARDSVC_MATH_MATH_EQUAL_H

#include "rewardsvc/answer.h"

typedef enum { MATH_EQUAL, MATH_DIFFERENT, MATH_UNDECIDED } MathVerdict;

typedef struct {
    bool bare_percent; /* 50% is 50 too */
    int rounding;      /* > 0: a decimal of at least so many places that is the other side's value
                          correctly rounded is equal to it */
    bool text; /* what is not in the grammar is compared as normalised text; else undecided */
} MathRules;

enum { MATH_LONGEST = 10000 }; /* bytes of a text; longer ones are undecided */

/* undecided: a text beyond the bounds, or two values that are closer than can be told apart. */
MathVerdict math_equal(Span answer, Span reference, const MathRules *rules);

/* Where a text says its answer. */
typedef enum {
    MATH_AUTO,  /* boxed, tag, hash, phrase, and unless strict: last */
    MATH_BOXED, /* the content of the last \boxed{} or \fbox{}, braces balanced */
    MATH_TAG,   /* the content of the last <answer></answer>: a box or phrase in it, or all of it */
    MATH_HASH,  /* the rest of the line behind the last #### */
    MATH_PHRASE, /* behind the last "answer is", "answer:": mathematics in $ $, or the sentence */
    MATH_LAST,   /* the last mathematics in $ $, \( \) or \[ \], or number, whichever is later */
    MATH_WHOLE   /* all of it */
} MathWhere;

/* The answer's place in a text; {NULL, 0} if it has none. Linear in the text. strict: only places
 * that the text marks as its answer. */
Span math_extract(Span text, MathWhere where, bool strict);

#endif

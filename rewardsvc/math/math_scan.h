/* Tokens of a mathematical text: LaTeX, plain text and common Unicode signs give the same tokens.
 * Formatting (\left, \!, \displaystyle, $, \( ...) gives none. The scanner holds no state but the
 * offset, so a caller may look ahead by copying it. */
#ifndef REWARDSVC_MATH_MATH_SCAN_H
#define REWARDSVC_MATH_MATH_SCAN_H

#include "rewardsvc/answer.h"

typedef enum {
    TOKEN_END,
    TOKEN_BAD,      /* nothing that the grammar knows: the text is not mathematics */
    TOKEN_NUMBER,   /* text: digits with at most one point, separators taken out by the parser */
    TOKEN_NAME,     /* a variable; text: its name */
    TOKEN_TEXT,     /* words: \text{...}, or a plain word; text: the words, trimmed */
    TOKEN_FUNCTION, /* id: MathFunction */
    TOKEN_RELATION, /* id: Relation */
    TOKEN_POWER_OF, /* a superscript sign such as U+00B2; id: the exponent */
    TOKEN_HALVES,   /* a fraction sign such as U+00BD; id: 100 * numerator + denominator */
    TOKEN_BEGIN,    /* \begin{text} */
    TOKEN_FINISH,   /* \end{text} */
    TOKEN_CURRENCY, /* text: "dollar", "euro", ...; */
    TOKEN_PI,
    TOKEN_EULER,
    TOKEN_I,
    TOKEN_INFINITY,
    TOKEN_EMPTY_SET,
    TOKEN_REALS,
    TOKEN_FRACTION,
    TOKEN_ROOT,
    TOKEN_BINOMIAL,
    TOKEN_OVERLINE,
    TOKEN_SKIP_STYLE, /* \mathbf and such: what follows counts */
    TOKEN_PLUS_MINUS,
    TOKEN_MINUS_PLUS,
    TOKEN_DEGREE,
    TOKEN_PERCENT,
    TOKEN_UNION,
    TOKEN_INTERSECTION,
    TOKEN_WITHOUT,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_SUCH_THAT,
    TOKEN_ABOUT,    /* \approx */
    TOKEN_ROW,      /* \\ */
    TOKEN_SET_OPEN, /* \{ */
    TOKEN_SET_CLOSE,
    TOKEN_ANGLE_OPEN,
    TOKEN_ANGLE_CLOSE,
    TOKEN_FLOOR_OPEN,
    TOKEN_FLOOR_CLOSE,
    TOKEN_CEIL_OPEN,
    TOKEN_CEIL_CLOSE,
    /* signs of one character: + - * / ^ _ ( ) [ ] { } | , ; : ! & ' have their code */
    TOKEN_SIGN = 0x100
} TokenKind;

typedef struct {
    int kind; /* TokenKind, or TOKEN_SIGN + character */
    int id;
    Span text;
    Span run;    /* a plain letter token: all the letters that follow each other there */
    size_t at;   /* offset of its first byte */
    bool spaced; /* white space before it */
} Token;

/* The token at *at, which moves behind it. one_digit: a number is a single digit and a name a
 * single letter, as LaTeX reads the arguments of \frac12. */
Token scan_token(Span s, size_t *at, bool one_digit);

/* The group that opens with { at offset at: its content, without the braces. {NULL, 0} if it does
 * not close. A backslash escapes the byte behind it. */
Span scan_group(Span s, size_t at);

#endif

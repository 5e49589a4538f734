/* Text helpers that rewards share: spans of an answer, tags, the think/answer format, numbers in
 * prose, fields of a problem's record. Texts may hold any bytes; every function is linear in their
 * length. */
#ifndef REWARDSVC_ANSWER_H
#define REWARDSVC_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "rewardsvc/rational.h"

/* A borrowed piece of text; p is NULL for "there is none". */
typedef struct {
    const char *p;
    size_t n;
} Span;

Span span_of(const char *text);           /* a C string */
Span span_trim(Span s);                   /* without white space (ASCII) at both ends */
Span span_find(Span s, const char *word); /* first occurrence, or {NULL, 0} */
Span span_find_last(Span s, const char *word);
Span span_after(Span s, Span part);       /* what follows part in s; part lies in s */
Span span_line(Span s);                   /* up to the first newline */
int span_count(Span s, const char *word); /* occurrences that do not overlap */

/* The content of the last <tag>...</tag>; {NULL, 0} if the last opening has no closing after it, or
 * there is none. tag: at most 60 bytes. */
Span answer_tag(Span text, const char *tag);

/* Is the whole text "<think>...</think><answer>...</answer>", each of the four tags exactly once,
 * with only white space outside, and something other than white space in the answer? think and
 * answer (either may be NULL) get the contents. */
bool answer_strict(Span text, Span *think, Span *answer);

/* Numbers in prose. One begins at a sign or digit that no letter, digit, point or underscore
 * precedes ("m2" has none), may follow a currency sign, and is no ordinal ("5th"); digits too long
 * for 127 bits are no number. A minus counts as a sign only where no letter, digit or closing
 * bracket stands before it ("10-5" is 10 and 5); "-$5" is -5. */
bool number_first(Span s, Rational *out, Span *rest); /* rest: what follows it */
bool number_last(Span s, Rational *out);
bool number_only(
    Span s, Rational *out); /* the one number of s; false if there is none or a second, other one */

/* A field of a record as a number: JSON number, or text that is one number, or ends in a line "####
 * number". 0, or -1 with the reason logged. */
int record_number(const json_t *record, const char *field, Rational *out);

#endif

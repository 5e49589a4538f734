/* JSON that a model wrote: read under limits, compared as values. Shared by the rewards that judge
 * JSON. The limits make time and memory proportional to a small number whatever the text holds;
 * jansson alone would take any size, a depth of 2048, and a quarter of a GB for a MiB of "{}". */
#ifndef REWARDSVC_JSON_TEXT_H
#define REWARDSVC_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rewardsvc/answer.h"

enum {
    JSON_TEXT_BYTES = 1 << 20,  /* longest text */
    JSON_TEXT_DEPTH = 64,       /* nested arrays and objects */
    JSON_TEXT_VALUES = 1 << 17, /* members and items, roughly: commas and opening brackets */
};

typedef enum {
    JSON_TEXT_FINE,
    JSON_TEXT_BROKEN, /* not JSON (RFC 8259, strict UTF-8), or an object has a key twice */
    JSON_TEXT_OVER,   /* beyond a limit above, or a number beyond double's range */
} JsonTextVerdict;

/* The whole text as one JSON value of any type. *out: caller json_decrefs; NULL unless FINE. A
 * reason is left in errors_last(). A whole number beyond 64 bits makes every number of the text a
 * double. A key with a NUL in it counts as broken. */
JsonTextVerdict json_text_read(Span text, json_t **out);

/* Same value: numbers by value (1 is 1.0), objects without order. *steps is raised by the number
 * of comparisons. */
bool json_same(const json_t *a, const json_t *b, long *steps);
/* The same for values that are json_same. */
uint64_t json_hash(const json_t *v);

int json_compare_numbers(const json_t *a, const json_t *b); /* < 0, 0, > 0; both are numbers */
bool json_is_whole(const json_t *v);                        /* 3 and 3.0 */
/* The decimal that was written (the shortest that reads back as the same double), as a fraction; -1
 * (silent) where it does not fit. */
int json_rational(const json_t *number, Rational *out);
size_t json_text_length(const json_t *string); /* in code points */

#endif

/* Text of a model as a JSON string: a token may end inside a character, JSON may not. */
#ifndef LAUNCH_JSON_TEXT_H
#define LAUNCH_JSON_TEXT_H

#include <jansson.h>
#include <stdio.h>

/* Bytes that are not UTF-8 become U+FFFD. New reference. */
json_t *json_text(const char *s, size_t n);

json_t *json_ids(const int32_t *ids, int n);
json_t *json_floats(const float *x, int n); /* as short as gives the same f32 again */

/* Writes v as one line and drops it. */
void json_line(FILE *out, json_t *v);

/* Reports are computed as JSON and printed from it. A member as a number, NaN where it is none; as
 * a text, "" where it is none. o may be NULL. */
double json_figure(const json_t *o, const char *key);
const char *json_word(const json_t *o, const char *key);
/* A cell of ten characters of a table; "-" for NaN. */
void print_figure(double x);

#endif

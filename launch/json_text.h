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

#endif

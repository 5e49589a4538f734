/* See json_text.h. */
#include "launch/json_text.h"

#include <math.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/utf8.h"

json_t *json_text(const char *s, size_t n)
{
    Buffer clean = {0};
    buffer_add(&clean, "", 0);
    utf8_clean(s, n, false, &clean);
    json_t *v = json_stringn(clean.data, clean.size);
    REQUIRE(v, "%zu bytes of cleaned text are not UTF-8", clean.size);
    buffer_free(&clean);
    return v;
}

json_t *json_ids(const int32_t *ids, int n)
{
    json_t *a = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(a, json_integer(ids[i]));
    return a;
}

json_t *json_floats(const float *x, int n)
{
    json_t *a = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(a, json_real((double)x[i]));
    return a;
}

void json_line(FILE *out, json_t *v)
{
    if (json_dumpf(v, out, JSON_COMPACT | JSON_REAL_PRECISION(9)) || putc('\n', out) == EOF)
        die(EXIT_IO, "the output cannot be written");
    json_decref(v);
}

double json_figure(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *json_word(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

void print_figure(double x)
{
    if (isnan(x))
        printf("%10s", "-");
    else
        printf("%10.4g", x);
}

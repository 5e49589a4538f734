/* See json_text.h. */
#include "rewardsvc/json_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/number_text.h"

/* Depth and number of values, by brackets and commas outside strings: an upper bound for every
 * text that is JSON, and cheap for one that is not. */
static bool within_limits(Span text)
{
    int depth = 0, values = 0;
    bool string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_TEXT_DEPTH) return false;
            values++;
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (c == ',') {
            values++;
        }
        if (values > JSON_TEXT_VALUES) return false;
    }
    return true;
}

JsonTextVerdict json_text_read(Span text, json_t **out)
{
    json_error_t error = {0};
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    *out = NULL;
    if (text.n > JSON_TEXT_BYTES || !within_limits(text)) {
        fail("JSON of more than %d bytes, depth %d or %d values is not read", JSON_TEXT_BYTES,
             JSON_TEXT_DEPTH, JSON_TEXT_VALUES);
        return JSON_TEXT_OVER;
    }
    if (text.n > 0 && memchr(text.p, 0, text.n)) { /* jansson takes it for the end */
        fail("a NUL byte");
        return JSON_TEXT_BROKEN;
    }
    *out = json_loadb(text.p ? text.p : "", text.n, flags, &error);
    if (!*out && json_error_code(&error) == json_error_numeric_overflow)
        *out = json_loadb(text.p, text.n, flags | JSON_DECODE_INT_AS_REAL, &error);
    if (*out) return JSON_TEXT_FINE;
    bool over = json_error_code(&error) == json_error_numeric_overflow;
    fail("line %d, column %d: %s", error.line, error.column, error.text);
    return over ? JSON_TEXT_OVER : JSON_TEXT_BROKEN;
}

/* A long double holds every 64-bit integer and every double. */
static long double number_of(const json_t *v)
{
    return json_is_integer(v) ? (long double)json_integer_value(v)
                              : (long double)json_real_value(v);
}

int json_compare_numbers(const json_t *a, const json_t *b)
{
    long double x = number_of(a), y = number_of(b);
    return (x > y) - (x < y);
}

bool json_is_whole(const json_t *v)
{
    return json_is_integer(v) ||
           (json_is_real(v) && floor(json_real_value(v)) == json_real_value(v));
}

int json_rational(const json_t *number, Rational *out)
{
    char text[64];
    if (json_is_integer(number)) {
        *out = rational_of(json_integer_value(number));
        return 0;
    }
    number_text(json_real_value(number), text);
    return rational_parse(text, strlen(text), out);
}

size_t json_text_length(const json_t *string)
{
    const char *p = json_string_value(string);
    size_t n = 0;
    for (size_t i = 0, bytes = json_string_length(string); i < bytes; i++)
        n += ((unsigned char)p[i] & 0xC0) != 0x80;
    return n;
}

static bool same_array(const json_t *a, const json_t *b, long *steps)
{
    size_t n = json_array_size(a);
    if (n != json_array_size(b)) return false;
    for (size_t i = 0; i < n; i++)
        if (!json_same(json_array_get(a, i), json_array_get(b, i), steps)) return false;
    return true;
}

static bool same_object(const json_t *a, const json_t *b, long *steps)
{
    const char *key;
    json_t *value;
    if (json_object_size(a) != json_object_size(b)) return false;
    json_object_foreach((json_t *)a, key, value)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !json_same(value, other, steps)) return false;
    }
    return true;
}

bool json_same(const json_t *a, const json_t *b, long *steps)
{
    ++*steps;
    if (json_is_number(a) && json_is_number(b)) return json_compare_numbers(a, b) == 0;
    if (json_typeof(a) != json_typeof(b)) return false;
    switch (json_typeof(a)) {
    case JSON_OBJECT:
        return same_object(a, b, steps);
    case JSON_ARRAY:
        return same_array(a, b, steps);
    case JSON_STRING:
        return json_string_length(a) == json_string_length(b) &&
               memcmp(json_string_value(a), json_string_value(b), json_string_length(a)) == 0;
    default:
        return true; /* null, true, false: the type is the value */
    }
}

/* splitmix64's finaliser (Steele et al. 2014, Fast Splittable Pseudorandom Number Generators). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static uint64_t hash_bytes(const char *p, size_t n)
{
    uint64_t h = n;
    for (size_t i = 0; i < n; i++) h = mix(h + (unsigned char)p[i] + 0x9E3779B97F4A7C15u);
    return h;
}

/* Whole numbers that a double does not hold keep their own bits, so that neighbours differ. */
static uint64_t hash_number(const json_t *v)
{
    double d = (double)number_of(v);
    uint64_t bits;
    if (d == 0) d = 0; /* -0 */
    memcpy(&bits, &d, sizeof bits);
    if ((long double)d != number_of(v)) bits = (uint64_t)json_integer_value(v);
    return mix(bits + 1);
}

uint64_t json_hash(const json_t *v)
{
    uint64_t h = 0;
    const char *key;
    json_t *item;
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        json_object_foreach((json_t *)v, key, item) h +=
            mix(hash_bytes(key, strlen(key)) + 3 * json_hash(item));
        return mix(h + 11);
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(v); i++)
            h = mix(h + json_hash(json_array_get(v, i)) + 0x9E3779B97F4A7C15u);
        return mix(h + 12);
    case JSON_STRING:
        return mix(hash_bytes(json_string_value(v), json_string_length(v)) + 13);
    case JSON_INTEGER:
    case JSON_REAL:
        return hash_number(v);
    default:
        return mix(20 + (uint64_t)json_typeof(v));
    }
}

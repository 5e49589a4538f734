/* See answer.h. */
#define _GNU_SOURCE /* memmem */
#include "rewardsvc/answer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/number_text.h"

/* ---- spans ---- */

Span span_of(const char *text)
{
    return (Span){text, strlen(text)};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Span span_trim(Span s)
{
    while (s.n > 0 && is_space(s.p[0])) s.p++, s.n--;
    while (s.n > 0 && is_space(s.p[s.n - 1])) s.n--;
    return s;
}

Span span_find(Span s, const char *word)
{
    size_t n = strlen(word);
    const char *at = s.n ? memmem(s.p, s.n, word, n) : NULL;
    return at ? (Span){at, n} : (Span){NULL, 0};
}

Span span_after(Span s, Span part)
{
    const char *p = part.p + part.n;
    return (Span){p, (size_t)(s.p + s.n - p)};
}

Span span_find_last(Span s, const char *word)
{
    Span last = {NULL, 0};
    for (Span f = span_find(s, word); f.p; f = span_find(span_after(s, f), word)) last = f;
    return last;
}

Span span_line(Span s)
{
    const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
    return (Span){s.p, end ? (size_t)(end - s.p) : s.n};
}

int span_count(Span s, const char *word)
{
    int count = 0;
    for (Span f = span_find(s, word); f.p && count < INT32_MAX;
         f = span_find(span_after(s, f), word))
        count++;
    return count;
}

/* ---- tags ---- */

Span answer_tag(Span text, const char *tag)
{
    char open[64], close[64];
    snprintf(open, sizeof open, "<%.60s>", tag);
    snprintf(close, sizeof close, "</%.60s>", tag);
    Span begin = span_find_last(text, open);
    if (!begin.p) return begin;
    Span inside = span_after(text, begin), end = span_find(inside, close);
    return end.p ? (Span){inside.p, (size_t)(end.p - inside.p)} : end;
}

bool answer_strict(Span text, Span *think, Span *answer)
{
    static const char *const tags[4] = {"<think>", "</think>", "<answer>", "</answer>"};
    Span at[4], rest = text;
    for (int i = 0; i < 4; i++) {
        at[i] = span_find(rest, tags[i]);
        if (!at[i].p || span_count(text, tags[i]) != 1) return false;
        rest = span_after(text, at[i]);
    }
    Span before = {text.p, (size_t)(at[0].p - text.p)};
    Span thought = {at[0].p + at[0].n, (size_t)(at[1].p - at[0].p) - at[0].n};
    Span between = {at[1].p + at[1].n, (size_t)(at[2].p - at[1].p) - at[1].n};
    Span said = {at[2].p + at[2].n, (size_t)(at[3].p - at[2].p) - at[2].n};
    if (span_trim(before).n || span_trim(between).n || span_trim(rest).n || !span_trim(said).n)
        return false;
    if (think) *think = thought;
    if (answer) *answer = said;
    return true;
}

/* ---- numbers in prose ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of a currency sign at p: $, euro, pound, yen, with a backslash before it (LaTeX) or not. */
static size_t currency_at(const char *p, size_t n)
{
    static const char *const signs[] = {"\\$", "$", "\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t k = strlen(signs[i]);
        if (n >= k && memcmp(p, signs[i], k) == 0) return k;
    }
    return 0;
}

/* Bytes of a sign at p: "-", "+", or U+2212. */
static size_t sign_at(const char *p, size_t n, bool *minus)
{
    *minus = (n >= 1 && p[0] == '-') || (n >= 3 && memcmp(p, "\xE2\x88\x92", 3) == 0);
    if (n >= 1 && (p[0] == '-' || p[0] == '+')) return 1;
    return *minus ? 3 : 0;
}

static bool ordinal_at(const char *p, size_t n)
{
    static const char *const ends[] = {"st", "nd", "rd", "th"};
    for (int i = 0; i < 4; i++)
        if (n >= 2 && memcmp(p, ends[i], 2) == 0 && (n == 2 || !is_letter(p[2]))) return true;
    return false;
}

/* May a number begin with the sign, currency or digit at offset i? (See the rule in answer.h.) */
static bool may_begin(Span s, size_t i, bool sign)
{
    char before = i ? s.p[i - 1] : ' ';
    if (is_digit(before) || is_letter(before)) return false;
    if (sign) return before != ')' && before != ']' && before != '}';
    if (before == '_' || (before == '.' && s.p[i] == '.')) return false;
    return !(before == '.' && i >= 2 && is_digit(s.p[i - 2]));
}

typedef enum {
    NOTHING,
    NUMBER,
    NO_NUMBER
} Found; /* NO_NUMBER: digits, but an ordinal or too long */

/* Looks at offset i of s. *taken: bytes of what was found. */
static Found number_at(Span s, size_t i, Rational *out, size_t *taken)
{
    const char *p = s.p + i;
    size_t n = s.n - i, at, k;
    bool minus, inner;
    at = sign_at(p, n, &minus);
    if (!may_begin(s, i, at > 0)) return NOTHING;
    k = currency_at(p + at, n - at);
    at += k;
    if (k && !minus) at += sign_at(p + at, n - at, &inner), minus = inner;
    if (at == n || !(is_digit(p[at]) || (p[at] == '.' && at + 1 < n && is_digit(p[at + 1]))))
        return NOTHING;
    k = rational_scan(p + at, n - at, out);
    *taken = at + k;
    if (k == 0) {
        while (*taken < n && (is_digit(p[*taken]) || p[*taken] == ',' || p[*taken] == '.'))
            ++*taken;
        return NO_NUMBER;
    }
    if (ordinal_at(p + *taken, n - *taken)) return NO_NUMBER;
    if (minus) out->num = -out->num;
    return NUMBER;
}

/* The next number from offset *i on; moves *i behind it. What was looked at is never looked at
 * again, so this is linear. */
static bool number_next(Span s, size_t *i, Rational *out)
{
    while (*i < s.n) {
        size_t taken = 1;
        Found found = number_at(s, *i, out, &taken);
        *i += taken;
        if (found == NUMBER) return true;
    }
    return false;
}

bool number_first(Span s, Rational *out, Span *rest)
{
    size_t i = 0;
    if (!number_next(s, &i, out)) return false;
    if (rest) *rest = (Span){s.p + i, s.n - i};
    return true;
}

bool number_last(Span s, Rational *out)
{
    size_t i = 0;
    bool any = false;
    for (Rational r; number_next(s, &i, &r); any = true) *out = r;
    return any;
}

bool number_only(Span s, Rational *out)
{
    size_t i = 0;
    if (!number_next(s, &i, out)) return false;
    for (Rational r; number_next(s, &i, &r);)
        if (!rational_equal(r, *out)) return false;
    return true;
}

/* ---- records ---- */

static int text_number(const char *text, size_t n, Rational *out)
{
    Span s = span_trim((Span){text, n}), mark = span_find_last(s, "####");
    if (mark.p) s = span_trim(span_line(span_after(s, mark)));
    if (rational_parse(s.p, s.n, out) == 0) return 0;
    size_t taken; /* "$1,234" */
    return s.n && number_at(s, 0, out, &taken) == NUMBER && taken == s.n ? 0 : -1;
}

int record_number(const json_t *record, const char *field, Rational *out)
{
    const json_t *v = json_object_get(record, field);
    char text[64];
    if (!v) return fail("the problem's record has no field \"%s\"", field);
    if (json_is_integer(v)) {
        *out = rational_of(json_integer_value(v));
        return 0;
    }
    if (json_is_string(v)) {
        if (text_number(json_string_value(v), json_string_length(v), out) == 0) return 0;
        return fail("field \"%s\" of the problem's record is not a number: %.60s", field,
                    json_string_value(v));
    }
    if (!json_is_real(v))
        return fail("field \"%s\" of the problem's record is not a number", field);
    number_text(json_real_value(v), text);
    if (rational_parse(text, strlen(text), out) == 0) return 0;
    return fail("field \"%s\" of the problem's record does not fit in 127 bits: %s", field, text);
}

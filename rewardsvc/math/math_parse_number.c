/* See math_parse.h: number literals. "1,234", "10,\!080" and "10{,}080" have thousands separators,
 * "0.1\overline{6}" repeats, "1.5e3" is scientific, 204_5 has a base. */
#include <string.h>

#include "common/memory.h"

#include "rewardsvc/math/math_parse.h"

enum { MOST_DIGITS = 10000, MOST_EXPONENT = 4000 };

static bool digit_at(Span s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

/* Offset of three digits, not followed by a fourth, behind a separator at i; 0 if there are none.
 * *bare: the separator may also be a list's. */
static size_t thousands_at(Span s, size_t i, bool *bare)
{
    static const char *const separators[] = {"{,}", ",\\!", "\\,", "\\!", ",", " "};
    size_t k = 0, n = 0;
    for (; k < sizeof separators / sizeof *separators; k++) {
        n = strlen(separators[k]);
        if (s.n - i >= n && memcmp(s.p + i, separators[k], n) == 0) break;
    }
    if (k == sizeof separators / sizeof *separators) return 0;
    *bare = k == 4;
    size_t at = i + n;
    if (k == 1)
        while (at < s.n && s.p[at] == ' ') at++;
    bool three = digit_at(s, at) && digit_at(s, at + 1) && digit_at(s, at + 2);
    return three && !digit_at(s, at + 3) ? at : 0;
}

/* Groups of three digits behind the integer literal [begin, *end). */
static void read_groups(Parser *p, size_t begin, Buffer *digits)
{
    size_t at, end = p->at;
    bool bare;
    if (end - begin > 3 || digits->size == 0) return;
    while (end < p->s.n && (at = thousands_at(p->s, end, &bare))) {
        if (bare) p->saw_thousands = true;
        if (bare && !p->thousands) break;
        buffer_add(digits, p->s.p + at, 3);
        end = at + 3;
    }
    if (end == p->at) return;
    p->at = end;
    if (digit_at(p->s, end + 1) && p->s.p[end] == '.') { /* "1,234.5" */
        do {
            buffer_add(digits, p->s.p + p->at++, 1);
        } while (digit_at(p->s, p->at));
    }
}

static void set_digits(fmpz_t out, const char *p, size_t n)
{
    char *text = mem_text_n(p, n);
    fmpz_set_str(out, text, 10);
    mem_free(text);
}

/* out = digits with a point, times 10^exponent */
static void set_decimal(fmpq_t out, const Buffer *b, long exponent)
{
    Buffer whole = {0};
    for (size_t i = 0, seen = 0; i < b->size; i++) {
        if (b->data[i] == '.')
            seen = 1;
        else
            buffer_add(&whole, b->data + i, 1), exponent -= (long)seen;
    }
    fmpz_t ten;
    fmpz_init_set_ui(ten, 10);
    fmpq_one(out);
    set_digits(fmpq_numref(out), whole.data, whole.size);
    fmpz_pow_ui(ten, ten, (ulong)(exponent < 0 ? -exponent : exponent));
    (exponent < 0 ? fmpq_div_fmpz : fmpq_mul_fmpz)(out, out, ten);
    fmpz_clear(ten);
    buffer_free(&whole);
}

/* "e-3" directly behind a number; 0 if there is none (or it is beyond what a number may have). */
static long read_exponent(Parser *p)
{
    size_t at = p->at;
    if (at >= p->s.n || (p->s.p[at] != 'e' && p->s.p[at] != 'E')) return 0;
    bool minus = ++at < p->s.n && p->s.p[at] == '-';
    if (at < p->s.n && (p->s.p[at] == '-' || p->s.p[at] == '+')) at++;
    if (!digit_at(p->s, at)) return 0;
    long value = 0;
    for (; digit_at(p->s, at) && value <= MOST_EXPONENT; at++)
        value = 10 * value + p->s.p[at] - '0';
    if (value > MOST_EXPONENT) {
        p->t->budget = -1;
        return 0;
    }
    p->at = at;
    return minus ? -value : value;
}

/* Digits under a bar directly behind a decimal: value += digits / (10^places (10^n - 1)). */
static void read_repeating(Parser *p, fmpq_t value, const Buffer *b)
{
    const char *point = b->size ? memchr(b->data, '.', b->size) : NULL;
    size_t at = p->at, places;
    Span group;
    if (!point) return;
    Token bar = scan_token(p->s, &at, false);
    if (bar.kind != TOKEN_OVERLINE || at >= p->s.n || p->s.p[at] != '{') return;
    group = scan_group(p->s, at);
    if (!group.p || !group.n || group.n > 100) return;
    for (size_t i = 0; i < group.n; i++)
        if (!digit_at(group, i)) return;
    places = b->size - (size_t)(point - b->data) - 1;
    fmpq_t part;
    fmpz_t ten;
    fmpq_init(part);
    fmpz_init(ten);
    fmpq_one(part);
    set_digits(fmpq_numref(part), group.p, group.n);
    fmpz_set_ui(ten, 10);
    fmpz_pow_ui(ten, ten, group.n);
    fmpz_sub_ui(ten, ten, 1);
    fmpq_div_fmpz(part, part, ten);
    fmpz_set_ui(ten, 10);
    fmpz_pow_ui(ten, ten, places);
    fmpq_div_fmpz(part, part, ten);
    fmpq_add(value, value, part);
    fmpz_clear(ten);
    fmpq_clear(part);
    p->at = at + group.n + 2;
}

Node *parse_number(Parser *p, bool one_digit)
{
    Token tok = p->tok;
    Buffer digits = {0};
    fmpq_t value;
    fmpq_init(value);
    buffer_add(&digits, tok.text.p, tok.text.n);
    bool plain = !memchr(tok.text.p, '.', tok.text.n);
    size_t begin = tok.at;
    if (!one_digit && plain) read_groups(p, begin, &digits);
    long exponent = one_digit ? 0 : read_exponent(p);
    if (digits.size > MOST_DIGITS) p->t->budget = -1;
    Node *a = NULL;
    if (tree_spend(p->t, 300 + 20 * (int64_t)digits.size + (exponent < 0 ? -exponent : exponent))) {
        set_decimal(value, &digits, exponent);
        if (!one_digit) read_repeating(p, value, &digits);
        a = node_number(p->t, value);
    }
    p->digits = (Span){NULL, 0};
    if (a && plain && !exponent && node_integral(a) && digits.size < 1000) {
        char *copy = tree_bytes(p->t, digits.size);
        memcpy(copy, digits.data, digits.size);
        p->digits = (Span){copy, digits.size};
    }
    fmpq_clear(value);
    buffer_free(&digits);
    Span literal = p->digits;
    parse_next(p);
    p->digits = literal;
    return a ? a : parse_fail(p);
}

/* The value of digits in a base; false if one of them is too large for it. */
static bool value_in_base(fmpz_t out, Span digits, long base)
{
    fmpz_zero(out);
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] - '0' >= base) return false;
        fmpz_mul_si(out, out, base);
        fmpz_add_ui(out, out, (ulong)(digits.p[i] - '0'));
    }
    return true;
}

Node *parse_based(Parser *p)
{
    Span digits = p->digits;
    parse_next(p); /* _ */
    Node *base = parse_argument(p, false);
    if (!base || !node_integral(base) || fmpz_cmp_ui(fmpq_numref(base->value), 2) < 0 ||
        fmpz_cmp_ui(fmpq_numref(base->value), 36) > 0)
        return parse_fail(p);
    fmpq_t value;
    fmpq_init(value);
    long b = (long)fmpz_get_si(fmpq_numref(base->value));
    Node *a = NULL;
    if (value_in_base(fmpq_numref(value), digits, b)) {
        Node *number = node_number(p->t, value);
        a = node_new(p->t, NODE_BASED, (int)b, &number, 1);
        a->name = digits;
    }
    fmpq_clear(value);
    p->digits = (Span){NULL, 0};
    return a ? a : parse_fail(p);
}

/* See rational.h. Fractions are reduced before they are multiplied, so that what fits is found to
 * fit. */
#include "rewardsvc/rational.h"

#include <string.h>

enum { EXPONENT_MAX = 40 }; /* 10^38 is the last power below 2^127 */

static Int128 absolute(Int128 a)
{
    return a < 0 ? -a : a;
}

static Int128 gcd(Int128 a, Int128 b)
{
    a = absolute(a), b = absolute(b);
    while (b != 0) {
        Int128 r = a % b;
        a = b, b = r;
    }
    return a;
}

/* The products are checked against -2^127 too: its absolute value does not exist. */
static int multiply(Int128 a, Int128 b, Int128 *out)
{
    return __builtin_mul_overflow(a, b, out) || __builtin_sub_overflow((Int128)0, *out, &a) ? -1
                                                                                            : 0;
}

static Rational reduced(Int128 num, Int128 den)
{
    Int128 g = gcd(num, den);
    return (Rational){num / g, den / g};
}

Rational rational_of(long long n)
{
    return (Rational){n, 1};
}

int rational_mul(Rational a, Rational b, Rational *out)
{
    Rational x = reduced(a.num, b.den), y = reduced(b.num, a.den);
    return multiply(x.num, y.num, &out->num) || multiply(x.den, y.den, &out->den) ? -1 : 0;
}

int rational_div(Rational a, Rational b, Rational *out)
{
    if (b.num == 0) return -1;
    Rational inverse = {b.num < 0 ? -b.den : b.den, absolute(b.num)};
    return rational_mul(a, inverse, out);
}

int rational_add(Rational a, Rational b, Rational *out)
{
    Int128 g = gcd(a.den, b.den), x, y, num, den;
    if (multiply(a.num, b.den / g, &x) || multiply(b.num, a.den / g, &y) ||
        __builtin_add_overflow(x, y, &num) || multiply(num, 1, &num) ||
        multiply(a.den, b.den / g, &den))
        return -1;
    *out = reduced(num, den);
    return 0;
}

int rational_sub(Rational a, Rational b, Rational *out)
{
    b.num = -b.num;
    return rational_add(a, b, out);
}

bool rational_equal(Rational a, Rational b)
{
    return a.num == b.num && a.den == b.den;
}

double rational_double(Rational a)
{
    return (double)((long double)a.num / (long double)a.den);
}

/* ---- reading ---- */

typedef struct {
    const char *p, *end;
} Reader;

static bool digit_at(const Reader *r, size_t i)
{
    return (size_t)(r->end - r->p) > i && r->p[i] >= '0' && r->p[i] <= '9';
}

static bool byte_at(const Reader *r, size_t i, char c)
{
    return (size_t)(r->end - r->p) > i && r->p[i] == c;
}

/* value = 10 value + digit; -1 when it no longer fits. */
static int push_digit(Int128 *value, char digit)
{
    return multiply(*value, 10, value) || __builtin_add_overflow(*value, digit - '0', value) ? -1
                                                                                             : 0;
}

static int scale(Int128 *value, int power)
{
    for (; power > 0; power--)
        if (multiply(*value, 10, value) != 0) return -1;
    return 0;
}

static bool group_follows(const Reader *r)
{
    return byte_at(r, 0, ',') && digit_at(r, 1) && digit_at(r, 2) && digit_at(r, 3) &&
           !digit_at(r, 4);
}

static int read_whole(Reader *r, Int128 *value, int *n_digits)
{
    bool grouped = false;
    for (;;) {
        if (digit_at(r, 0)) {
            if (push_digit(value, *r->p++) != 0) return -1;
            ++*n_digits;
        } else if (*n_digits > 0 && (grouped || *n_digits <= 3) && group_follows(r)) {
            grouped = true;
            r->p++;
        } else {
            return 0;
        }
    }
}

/* Trailing zeros are not pushed, so that 1.000...0 fits however long it is. */
static int read_decimals(Reader *r, Int128 *value, int *n_decimals)
{
    int zeros = 0;
    for (; digit_at(r, 0); r->p++) {
        if (*r->p == '0') {
            if (zeros < EXPONENT_MAX) zeros++;
            continue;
        }
        *n_decimals += zeros + 1;
        if (*n_decimals > EXPONENT_MAX || scale(value, zeros) || push_digit(value, *r->p))
            return -1;
        zeros = 0;
    }
    return 0;
}

static void read_exponent(Reader *r, int *exponent)
{
    if (!byte_at(r, 0, 'e') && !byte_at(r, 0, 'E')) return;
    size_t i = 1;
    bool minus = byte_at(r, 1, '-');
    if (minus || byte_at(r, 1, '+')) i++;
    if (!digit_at(r, i)) return;
    for (; digit_at(r, i); i++)
        if (*exponent < 1000) *exponent = 10 * *exponent + (r->p[i] - '0');
    if (minus) *exponent = -*exponent;
    r->p += i;
}

static bool read_sign(Reader *r)
{
    static const char minus_sign[] = "\xE2\x88\x92"; /* U+2212 */
    if (r->end - r->p >= 3 && memcmp(r->p, minus_sign, 3) == 0) {
        r->p += 3;
        return true;
    }
    bool minus = byte_at(r, 0, '-');
    if (minus || byte_at(r, 0, '+')) r->p++;
    return minus;
}

/* One decimal number, no fraction bar. */
static int read_decimal(Reader *r, Rational *out)
{
    Int128 value = 0, one = 1;
    int n_whole = 0, n_decimals = 0, exponent = 0;
    bool minus = read_sign(r);
    if (read_whole(r, &value, &n_whole) != 0) return -1;
    if (byte_at(r, 0, '.') && digit_at(r, 1)) {
        r->p++;
        if (read_decimals(r, &value, &n_decimals) != 0) return -1;
    } else if (n_whole == 0) {
        return -1;
    }
    read_exponent(r, &exponent);
    if (value != 0) {
        int power = exponent - n_decimals;
        if (power > EXPONENT_MAX || power < -EXPONENT_MAX) return -1;
        if (scale(power > 0 ? &value : &one, power > 0 ? power : -power) != 0) return -1;
    }
    *out = reduced(minus ? -value : value, one);
    return 0;
}

size_t rational_scan(const char *text, size_t n, Rational *out)
{
    Reader r = {text, text + n};
    if (read_decimal(&r, out) != 0) return 0;
    Reader below = {r.p + 1, r.end};
    Rational den, quotient;
    if (byte_at(&r, 0, '/') && digit_at(&below, 0) && read_decimal(&below, &den) == 0 &&
        rational_div(*out, den, &quotient) == 0) {
        *out = quotient;
        r.p = below.p;
    }
    return (size_t)(r.p - text);
}

int rational_parse(const char *text, size_t n, Rational *out)
{
    return n > 0 && rational_scan(text, n, out) == n ? 0 : -1;
}

/* Exact numbers for judging answers: fractions of 127-bit integers. What does not fit is said,
 * never rounded. */
#ifndef REWARDSVC_RATIONAL_H
#define REWARDSVC_RATIONAL_H

#include <stdbool.h>
#include <stddef.h>

__extension__ typedef __int128 Int128;

typedef struct {
    Int128 num, den; /* lowest terms, den >= 1 */
} Rational;

Rational rational_of(long long n);

/* Exact results. -1 (silent: a model's answer may well do this): it does not fit, or division by 0.
 */
int rational_add(Rational a, Rational b, Rational *out);
int rational_sub(Rational a, Rational b, Rational *out);
int rational_mul(Rational a, Rational b, Rational *out);
int rational_div(Rational a, Rational b, Rational *out);

bool rational_equal(Rational a, Rational b);
double rational_double(Rational a); /* nearest, to a few ulp */

/* A number written at the start of text [n]: a sign (+, -, U+2212), digits with or without
 * thousands commas ("1,234", each group of three), a decimal part
 * (".5" too), an exponent ("2e3"), and a second such number after "/" ("3/4"). Bytes taken, 0 if
 * none starts here or it does not fit in 127 bits. */
size_t rational_scan(const char *text, size_t n, Rational *out);

/* The whole text must be one number. 0 or -1 (silent). */
int rational_parse(const char *text, size_t n, Rational *out);

#endif

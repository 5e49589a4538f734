/* Units of measurement: symbols and names with prefixes, products, quotients and powers, as exact
 * factors where they are exact ("km/h", "kg m^2 / s^2", "\text{ m/s}^{2}", "square feet", "degC").
 */
#ifndef REWARDSVC_UNITS_H
#define REWARDSVC_UNITS_H

#include <stdint.h>

#include "rewardsvc/answer.h"

enum { UNIT_DIMENSIONS = 11 }; /* m kg s A K mol cd byte dollar euro pound */

/* A number, exact if it can be. */
typedef struct {
    bool exact;
    Rational r; /* if exact */
    double d;   /* always, to a few ulp */
} Amount;

typedef struct {
    Amount factor; /* base units in one of it: 1000 for km */
    Amount offset; /* base units at its zero: 273.15 for degrees Celsius */
    signed char dimension[UNIT_DIMENSIONS];
} Unit;

Amount amount_of(Rational r);
Amount amount_times(Amount a, Amount b);
Amount amount_plus(Amount a, Amount b);
Amount amount_power(Amount a, int exponent); /* |exponent| <= 400; 0^-1 is infinite */
Amount amount_in_base(Amount a, const Unit *u);

/* A unit at the start of s, after blanks: bytes taken with those blanks, 0 if there is none (*out
 * is then the number 1). Reads 96 bytes at most. */
size_t unit_scan(Span s, Unit *out);

extern const Unit unit_one;
bool unit_comparable(const Unit *a, const Unit *b); /* same dimensions */
bool unit_is_number(const Unit *a);                 /* none: 1, %, rad */

#endif

/* Units of measurement, for answers such as "15 \mbox{ cm}^2", "\$18.90", "5.4 cents". */
#ifndef REWARDSVC_MATH_MATH_UNITS_H
#define REWARDSVC_MATH_MATH_UNITS_H

#include <flint/fmpq.h>

#include "rewardsvc/answer.h"

/* The row of a unit's name (singular or plural, any case for whole words); -1 if it is none. */
int unit_find(Span name);

/* May the two be compared, and then: a * factor is in units of b. Units of other powers (cm and
 * cm^2) are other rows' business: the caller compares the powers. */
bool unit_convert(int from, int to, fmpq_t factor);

#endif

/* The names of units (units.h): what each is in base units. */
#ifndef REWARDSVC_UNIT_NAMES_H
#define REWARDSVC_UNIT_NAMES_H

#include "rewardsvc/units.h"

/* "km", "kilometers", "min", "%", "degC": one name, with its prefix; false if there is none. */
bool unit_named(Span word, Unit *out);

#endif

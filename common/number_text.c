/* See number_text.h. */
#include "common/number_text.h"

#include <stdio.h>
#include <stdlib.h>

void number_text(double x, char out[32])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, x);
        if (strtod(out, NULL) == x) return;
    }
}

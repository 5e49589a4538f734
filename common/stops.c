/* See stops.h. Only the new bytes and a tail of (length - 1) old ones are searched, so a step costs
 * the token's bytes and not the answer's. */
#define _GNU_SOURCE
#include "common/stops.h"

#include <string.h>

bool stops_find(const char *const *stops, int n_stops, const char *text, size_t n, size_t n_old,
                size_t *at)
{
    bool found = false;
    for (int i = 0; i < n_stops; i++) {
        size_t length = strlen(stops[i]);
        if (!length || length > n) continue;
        size_t from = n_old >= length ? n_old - (length - 1) : 0;
        const char *hit = memmem(text + from, n - from, stops[i], length);
        if (hit && (!found || (size_t)(hit - text) < *at)) {
            *at = (size_t)(hit - text);
            found = true;
        }
    }
    return found;
}

size_t stops_held(const char *const *stops, int n_stops, const char *text, size_t n)
{
    size_t held = 0;
    for (int i = 0; i < n_stops; i++) {
        size_t length = strlen(stops[i]);
        for (size_t k = length ? length - 1 : 0; k > held; k--)
            if (k <= n && !memcmp(text + n - k, stops[i], k)) held = k;
    }
    return held;
}

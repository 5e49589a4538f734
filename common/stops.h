/* Stop strings over text that grows by a token at a time: a match may begin in one token and end in
 * another. */
#ifndef COMMON_STOPS_H
#define COMMON_STOPS_H

#include <stdbool.h>
#include <stddef.h>

/* Where the first stop string begins in text [n], of which text [n_old] was searched before without
 * a find. false: nowhere. Of several that match, the one that begins first decides. Empty stop
 * strings never match. */
bool stops_find(const char *const *stops, int n_stops, const char *text, size_t n, size_t n_old,
                size_t *at);

/* Bytes at the end of a text that may yet turn out to be the beginning of a stop string: what a
 * live display holds back. */
size_t stops_held(const char *const *stops, int n_stops, const char *text, size_t n);

#endif

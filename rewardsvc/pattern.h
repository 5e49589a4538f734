/* A regular expression of a configuration, run on text that a model wrote: PCRE2 with limits on
 * matching, depth and memory, so that no text takes long (operations.md 8). Patterns never come
 * from a model. */
#ifndef REWARDSVC_PATTERN_H
#define REWARDSVC_PATTERN_H

#include "rewardsvc/answer.h"

typedef struct Pattern Pattern;

/* NULL with the reason (where in the pattern, what is wrong). At most 4096 bytes; UTF-8. Back
 * references are refused: with them a match may take for ever. */
Pattern *pattern_open(const char *text);
void pattern_close(Pattern *p);       /* NULL is fine */
int pattern_groups(const Pattern *p); /* capturing groups, not counting the whole match */

/* Searches a text, which must be UTF-8. 1: found, and groups [n] are the whole match and the first
 * n - 1 capturing groups ({NULL, 0} for one that took no part); 0: not found; -1 with the reason: a
 * limit was reached. last: of several matches the one that begins last, of those that do not
 * overlap. */
int pattern_find(const Pattern *p, Span text, bool last, Span *groups, int n);

#endif

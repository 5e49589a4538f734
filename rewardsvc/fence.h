/* Fenced blocks of Markdown, where models put code and JSON. */
#ifndef REWARDSVC_FENCE_H
#define REWARDSVC_FENCE_H

#include "rewardsvc/answer.h"

/* A block begins with a line of at least three ` or ~ (up to three blanks before them; what follows
 * is its info string, "json") and ends with a line of at least as many of the same and nothing
 * else. A block without an end is none. Moves *rest behind the next block of it and gives its
 * content, lines and all; {NULL, 0} if there is none. info may be NULL. Source: CommonMark 0.30,
 * section 4.5. */
Span fence_next(Span *rest, Span *info);
/* The content of the last block; {NULL, 0} if there is none. */
Span fence_last(Span text);

#endif

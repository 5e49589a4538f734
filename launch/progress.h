/* How far a verb is, on standard error: a line that renews itself on a terminal, a plain line every
 * half minute in a log; nothing in the first two seconds. */
#ifndef LAUNCH_PROGRESS_H
#define LAUNCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *what; /* "problems" */
    int64_t total;    /* 0: unknown */
    bool terminal, shown;
    double began, last;
} Progress;

void progress_begin(Progress *p, const char *what, int64_t total);
/* done of total; note (may be NULL) is added. Cheap: call it as often as you like. */
void progress_show(Progress *p, int64_t done, const char *note);
/* Clears the terminal's line, so that other text can follow. */
void progress_end(Progress *p);

#endif

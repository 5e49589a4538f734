/* See progress.h. */
#include "common/clock.h"
#include "launch/progress.h"

#include <stdio.h>
#include <unistd.h>

void progress_begin(Progress *p, const char *what, int64_t total)
{
    double now = clock_seconds();
    *p = (Progress){
        .what = what, .total = total, .terminal = isatty(STDERR_FILENO), .began = now, .last = now};
}

void progress_show(Progress *p, int64_t done, const char *note)
{
    double now = clock_seconds(), since = now - p->began, pause = p->terminal ? 0.2 : 30;
    if (since < 2 || (p->shown && now - p->last < pause)) return;
    p->shown = true;
    p->last = now;
    fprintf(stderr, "%s%lld", p->terminal ? "\r\033[K" : "", (long long)done);
    if (p->total) fprintf(stderr, " of %lld", (long long)p->total);
    fprintf(stderr, " %s, %.0f s", p->what, since);
    if (p->total && done)
        fprintf(stderr, ", %.0f s left", since / (double)done * (double)(p->total - done));
    fprintf(stderr, "%s%s%s", note ? ", " : "", note ? note : "", p->terminal ? "" : "\n");
    fflush(stderr);
}

void progress_end(Progress *p)
{
    if (p->terminal && p->shown) fprintf(stderr, "\r\033[K");
}

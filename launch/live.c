/* See live.h. */
#include "common/clock.h"
#include "launch/live.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void live_init(Live *l)
{
    *l = (Live){.terminal = isatty(STDERR_FILENO), .began = clock_seconds(), .work_at_start = -1};
}

void live_work(Live *l, double done, double all)
{
    if (l->work_at_start < 0) l->work_at_start = done, l->began = clock_seconds();
    l->work_done = done;
    l->work_all = all;
}

static void add_time_left(const Live *l, char *line, size_t size)
{
    double done = l->work_done - l->work_at_start;
    if (done <= 0) return;
    long left = lround((clock_seconds() - l->began) / done * (l->work_all - l->work_done));
    size_t n = strlen(line);
    if (left >= 3600)
        snprintf(line + n, size - n, "  %ld:%02ld:%02ld left", left / 3600, left / 60 % 60,
                 left % 60);
    else
        snprintf(line + n, size - n, "  %ld:%02ld left", left / 60, left % 60);
}

void live_show(Live *l, const LiveState *s, bool always)
{
    double now = clock_seconds();
    if (!always && now - l->last < (l->terminal ? 0.2 : 10)) return;
    l->last = now;
    char line[256];
    int n = snprintf(line, sizeof line, "%-9s step %lld/%lld", s->stage, (long long)s->step,
                     (long long)s->steps);
#define ADD(...) n += snprintf(line + n, sizeof line - (size_t)n, __VA_ARGS__)
    if (!isnan(s->loss)) ADD("  loss %.3f", s->loss);
    if (!isnan(s->reward)) ADD("  reward %.3f", s->reward);
    if (!isnan(s->accuracy)) ADD("  held-out %.1f %%", 100 * s->accuracy);
    if (s->behind > 0) ADD("  %lld behind", (long long)s->behind);
    if (s->tokens_per_s > 0) ADD("  %.0f tokens/s", s->tokens_per_s);
    if (*s->busy) ADD("  %s", s->busy);
    if (*s->doing) ADD("  %s", s->doing);
#undef ADD
    add_time_left(l, line, sizeof line);
    fprintf(stderr, l->terminal ? "\r%s\033[K" : "%s\n", line);
    fflush(stderr);
}

void live_end(Live *l)
{
    if (l->terminal) fputc('\n', stderr);
}

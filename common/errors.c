/* See errors.h. One write(2) a line, so that lines of several ranks do not mix. */
#include "common/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char process_name[64];
static void (*abort_hook)(int);
static _Thread_local char last[1024];
static _Thread_local int quiet;

static void put_line(const char *kind, const char *text)
{
    char line[1400];
    int n = process_name[0]
                ? snprintf(line, sizeof line, "troupe[%s]: %s%s\n", process_name, kind, text)
                : snprintf(line, sizeof line, "troupe: %s%s\n", kind, text);
    if (n >= (int)sizeof line) {
        n = sizeof line - 1;
        line[n - 1] = '\n';
    }
    if (write(STDERR_FILENO, line, (size_t)n) < 0) return; /* nowhere left to complain */
}

static void end_job(int code)
{
    fflush(NULL);
    if (abort_hook) abort_hook(code);
    exit(code);
}

void die(int code, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    put_line("", text);
    end_job(code);
    abort();
}

int fail(const char *fmt, ...)
{
    char text[sizeof last]; /* not into `last` at once: an argument may be errors_last() */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(last, text, sizeof last);
    if (!quiet) put_line("", last);
    return -1;
}

const char *errors_last(void)
{
    return last;
}

void errors_quiet(int delta)
{
    quiet += delta;
}

void errors_set_name(const char *name)
{
    snprintf(process_name, sizeof process_name, "%s", name ? name : "");
}

void errors_set_abort(void (*abort_job)(int))
{
    abort_hook = abort_job;
}

void require_failed(const char *file, int line, const char *cond, const char *fmt, ...)
{
    char why[700], text[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    snprintf(text, sizeof text, "%s:%d: broken: %s: %s", file, line, cond, why);
    put_line("", text);
    end_job(EXIT_INTERNAL);
    abort();
}

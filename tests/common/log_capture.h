/* Standard error into a text while a piece of code runs: to see every reported error, not only the
 * last. */
#ifndef TESTS_COMMON_LOG_CAPTURE_H
#define TESTS_COMMON_LOG_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int log_saved = -1;
static FILE *log_file;
static char log_text[65536];

static inline void log_begin(void)
{
    fflush(stderr);
    log_saved = dup(2);
    log_file = tmpfile();
    dup2(fileno(log_file), 2);
}

/* What was written since log_begin; valid until the next one. */
static inline const char *log_end(void)
{
    fflush(stderr);
    dup2(log_saved, 2);
    close(log_saved);
    rewind(log_file);
    size_t n = fread(log_text, 1, sizeof log_text - 1, log_file);
    log_text[n] = 0;
    fclose(log_file);
    return log_text;
}

static inline int log_lines(const char *text)
{
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

#endif

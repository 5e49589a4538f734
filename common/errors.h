/* Errors in three words.
 *
 *   REQUIRE(cond, "fmt", ...)  our mistake: prints role, rank, file:line and the condition, ends
 *                              the job (70)
 *   die(code, "fmt", ...)      the world broke and going on is pointless: prints, ends the job
 *                              with `code`
 *   return fail("fmt", ...)    expected, someone can act: logs the reason and gives -1
 *
 * All print one line on standard error. The job is ended by the hook that comm sets once MPI runs
 * (MPI_Abort), so that every rank ends non-zero; before that by exit.
 */
#ifndef COMMON_ERRORS_H
#define COMMON_ERRORS_H

/* Exit codes that scripts can trust (sysexits where one fits). 1, 110, 124-127, 134, 137+ belong to
 * mpirun and shells. */
enum {
    EXIT_USAGE = 64,    /* command line */
    EXIT_CONFIG = 65,   /* experiment file or data is wrong */
    EXIT_NO_INPUT = 66, /* an input is missing */
    EXIT_INTERNAL = 70, /* REQUIRE */
    EXIT_CREATE = 73,   /* cannot create an output */
    EXIT_IO = 74,       /* read or write failed */
    EXIT_AGAIN = 75,    /* saved on request; wants to be run again */
    EXIT_PEER = 76,     /* a peer was lost or silent past the deadline */
    EXIT_UNABLE = 78,   /* this machine or layout cannot do it */
};

void die(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

/* Logs the reason and returns -1. In a quiet scope (errors_capture) the text is kept instead of
 * printed. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The text of the last fail() on this thread ("" if none): for callers that add context, and for
 * tests. */
const char *errors_last(void);

/* While quiet > 0 on this thread, fail() prints nothing (errors_last still has it). Nests. */
void errors_quiet(int delta);

/* What prefixes every line ("learner 0") and how the job is ended; both may be NULL. */
void errors_set_name(const char *name);
void errors_set_abort(void (*abort_job)(int code));

void require_failed(const char *file, int line, const char *cond, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), noreturn));
#define REQUIRE(cond, ...)                                                                         \
    do {                                                                                           \
        if (!(cond)) require_failed(__FILE__, __LINE__, #cond, __VA_ARGS__);                       \
    } while (0)

#endif

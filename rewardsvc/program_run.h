/* One program against its tests, in the sandbox: compiled if need be, then run once a test. Nothing
 * blocks. A program that does not compile, crashes, takes too long or prints without end fails its
 * tests: that is judged. Only where our own machinery fails, or the tests cannot be used, is there
 * no verdict. */
#ifndef REWARDSVC_PROGRAM_RUN_H
#define REWARDSVC_PROGRAM_RUN_H

#include "common/sample.h"
#include "common/sandbox.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/program_tests.h"

typedef enum { LANGUAGE_PYTHON, LANGUAGE_C } ProgramLanguage;

typedef struct {
    ProgramLanguage language;
    const char *program;  /* interpreter or compiler: a name, or a path for sandbox_open */
    SandboxLimits limits; /* of a test */
    double compile_s;
    double
        budget_s; /* of wall time for all tests of a program together: what would begin later fails
                   */
    bool all;     /* one failure decides: the rest is not run */
    Comparison comparison;
    const char *field, *entry, *setup; /* of the record: tests, function, code after the program */
    int most_tests;
    bool allow_unsandboxed;
} ProgramSettings;

typedef enum {
    VERDICT_PASSED,
    VERDICT_WRONG,   /* other output than wanted, or an assertion that does not hold */
    VERDICT_CRASHED, /* exit status, signal, an exception that nobody caught */
    VERDICT_TIMEOUT,
    VERDICT_FLOOD,
    VERDICT_NOT_RUN, /* the budget was used up, it did not compile, or all was decided before */
} ProgramVerdict;

typedef struct ProgramRun ProgramRun;

/* Begins. source [n]: the program, copied; record stays until program_free. */
ProgramRun *program_begin(const ProgramSettings *set, Span source, const json_t *record);
/* Moves it on: true once the outcome is there. Costs microseconds. */
bool program_work(ProgramRun *p);
/* Of one that is done: the verdicts [n_tests], SCORE_OK, or why there are none (with the reason in
 * *why: SCORE_ERROR, SCORE_REFUSED). */
ScoreStatus program_outcome(const ProgramRun *p, const ProgramVerdict **verdicts, int *n_tests,
                            const char **why);
/* A sentence: "3 of 5 tests passed: PPWTP", with the compiler's first line where it did not
 * compile. P passed, W wrong, C crashed, T timeout, F flood, - not run. Caller frees. */
char *program_note(const ProgramRun *p);
void program_free(ProgramRun *p); /* what still runs is cancelled; NULL is fine */

#endif

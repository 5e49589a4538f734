/* The tests of a programming problem, as data sets write them, from a field of the problem's
 * record:
 *
 *   [{"stdin": "2 3\n", "stdout": "5\n"}, ...]        also "input" and "output"
 *   {"inputs": ["2 3\n", ...], "outputs": ["5\n", ...]}                (APPS, CodeContests)
 *   ["assert add(2, 3) == 5", ...]                                     (MBPP)
 *   "def check(candidate):\n    assert candidate(2, 3) == 5\n"         (HumanEval: the field
 *                             "entry_point" names the function that check is called with)
 *
 * The first three may also be text that holds this as JSON. */
#ifndef REWARDSVC_PROGRAM_TESTS_H
#define REWARDSVC_PROGRAM_TESTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    bool asserts;             /* code that asserts things; else input and output */
    const char *input, *want; /* [n_input], [n_want]; of a test that asserts: its code in want */
    size_t n_input, n_want;
} ProgramTest;

typedef struct {
    int n;
    ProgramTest *items; /* [n]; texts belong to the record or to `parsed` */
    json_t *parsed;
} ProgramTests;

/* The first `most` tests of the field. 0, or -1 with the reason: no such field, nothing of the
 * above, no test in it. */
int program_tests_read(ProgramTests *t, const json_t *record, const char *field, int most);
void program_tests_free(ProgramTests *t);

/* How printed output is compared. LINES: white space at the ends of lines and empty lines at the
 * end do not count. TOKENS: only words between white space count. EXACT: every byte. */
typedef enum { COMPARE_LINES, COMPARE_TOKENS, COMPARE_EXACT } Comparison;
bool program_output_equals(Comparison how, const char *a, size_t n_a, const char *b, size_t n_b);

#endif

/* What the built-in arithmetic tasks share: numbered draws, the split by the text's hash, and sums
 * worked column by column by a demonstrator who may forget a carry. Not a task itself: those are
 * the files of common/tasks. */
#ifndef COMMON_ARITHMETIC_H
#define COMMON_ARITHMETIC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rng.h"
#include "common/task.h"

enum { ARITHMETIC_NUMBERS = 16 };

/* A row of random numbers that belong to one thing (a problem, a demonstration). */
typedef struct {
    uint64_t seed, a;
    uint32_t b, next;
    Stream stream;
} Draw;

uint32_t draw_below(Draw *d, uint32_t n); /* uniform in [0, n) */
bool draw_chance(Draw *d, double p);      /* true with probability p */
int64_t draw_number(Draw *d, int digits); /* of exactly so many digits; one digit may be 0 */

typedef struct {
    int n;                               /* numbers */
    int64_t numbers[ARITHMETIC_NUMBERS]; /* [n] */
    char ops[ARITHMETIC_NUMBERS]; /* [n - 1] '+', '-'; countdown: the operation of each step */
    int left[ARITHMETIC_NUMBERS],
        right[ARITHMETIC_NUMBERS]; /* countdown: [n - 1] the two values that a step joins */
    int64_t answer;                /* the right result; countdown: the target */
    char text[256];                /* the prompt */
} Arithmetic;

/* Makes a problem out of a draw. Pure. */
typedef void ArithmeticMake(const TaskSettings *s, Draw *d, Arithmetic *out);

/* State of a task: settings, and the held-out problems (all different, at most 4096; fewer where
 * the space is small). */
TaskState *arithmetic_open(const TaskSettings *s, ArithmeticMake *make);
void arithmetic_close(TaskState *t);
int64_t arithmetic_count(const TaskState *t, Split split); /* TRAIN and DEMO have no end */
const TaskSettings *arithmetic_settings(const TaskState *t);

/* Problem i of a split, and the demonstrator's draw for it. */
void arithmetic_problem(const TaskState *t, Split split, int64_t i, Arithmetic *out,
                        Draw *demonstrator);

/* Appends `a op b` worked from the last digit, as in "7+6=3c;c8+5=4c;c9+4=14" ('b' for a borrow),
 * and gives the result that comes out. Each carry is forgotten with probability `forget`: then it
 * is neither written nor added. The first column's sum is written whole, so it has none. */
int64_t arithmetic_columns(int64_t a, int64_t b, char op, double forget, Draw *d, Buffer *out);

/* A whole problem with two numbers and op '+' or '-': prompt, record, and for SPLIT_DEMO the
 * columns worked inside <think>, with carries forgotten, and the result inside <answer>. The
 * record's "question" is the prompt without what a chat puts around it; its "options" are "answer"
 * and the result of one who forgets every carry (where none is needed: one that is 10 off), in an
 * order that the problem decides: for rewards that ask which. */
void arithmetic_two_numbers(const TaskState *t, Split split, int64_t i, char op, Problem *out);

#endif

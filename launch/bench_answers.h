/* Answers as a model would write them, for rates of rewards: generated from a number, or the worked
 * solutions of a file. */
#ifndef LAUNCH_BENCH_ANSWERS_H
#define LAUNCH_BENCH_ANSWERS_H

#include "common/sample.h"

typedef enum {
    ANSWER_WORKED,    /* <think>a dozen sentences with sums</think><answer>number</answer> */
    ANSWER_CHOICE,    /* the same reasoning, a letter */
    ANSWER_COUNTDOWN, /* the same reasoning, an expression over "numbers" */
    ANSWER_GAME24,    /* the same of four numbers */
    ANSWER_SENTENCE,  /* 24 words beside a reference of 24 */
    ANSWER_JSON,      /* an object with a list; the record has its schema */
    ANSWER_MATH,      /* three sentences and a \boxed{} in LaTeX; the reference written otherwise */
} AnswerKind;

/* Group `id` of G answers, each right with probability 1/2. Its record has what the rewards of that
 * kind read. Caller: group_free. */
Group answers_group(AnswerKind kind, int64_t id, int G);

/* A group for each row with "solution" and "answer": its own solution, and the next row's. 0 with
 * *out [*n] (caller frees), or -1 with the reason. */
int answers_read(const char *path, Group **out, int *n);

#endif

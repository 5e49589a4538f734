/* A task gives numbered problems: problem i of a split is a pure function of (seed, split, i).
 * A built-in task is one file in common/tasks/, ending in `const Task task_<stem> = {...};`, found
 * by its name. `jsonl` is one of them: rows of a file. */
#ifndef COMMON_TASK_H
#define COMMON_TASK_H

#include <stdint.h>

#include "common/memory.h"

/* TRAIN: prompts of reinforcement learning. HELDOUT: only evaluated. DEMO: what the demonstrator
 * was shown. HELDOUT shares no problem with TRAIN and DEMO: the problem's own text decides (by
 * hash) on which side it falls. */
typedef enum { SPLIT_TRAIN, SPLIT_HELDOUT, SPLIT_DEMO } Split;

typedef struct {
    char *prompt; /* what the model is asked, before any chat template */
    char *record; /* JSON object for the rewards: at least "answer" where there is one */
    /* SPLIT_DEMO: the demonstrator's answer (may be wrong: that is the point); otherwise NULL */
    char *demo;
} Problem;
void problem_free(Problem *p);

/* Settings of every task; each reads what concerns it. The `task:` block of the experiment file
 * (common/options.h). */
typedef struct {
    uint64_t seed;
    int digits;          /* sum, difference: digits of each operand; chain: of each number */
    int terms;           /* chain: how many numbers */
    int numbers;         /* countdown: how many numbers are given */
    int max_number;      /* countdown: the largest of them */
    double forget_carry; /* demonstrator: probability of forgetting each carry (or borrow) */
    const char *train, *heldout;             /* jsonl: paths */
    const char *prompt_field, *answer_field; /* jsonl: names of the fields */
    const char *demo_field;  /* jsonl: of the demonstration; NULL or "": the answer */
    const char *instruction; /* put before (jsonl, chat models): see options.h */
} TaskSettings;

typedef struct Task Task;
typedef struct TaskState TaskState; /* the task's own */

struct Task {
    const char *name, *help;
    /* tokens that a model made for this task needs, separated by blanks ("0 1 ... <think>"); NULL:
     * needs a real tokenizer */
    const char *alphabet;
    /* NULL with the reason logged: bad settings, missing file */
    TaskState *(*open)(const TaskSettings *s);
    void (*close)(TaskState *t);
    /* problems in the split; INT64_MAX where they are generated without end */
    int64_t (*count)(const TaskState *t, Split split);
    /* caller frees with problem_free; i < count */
    void (*problem)(const TaskState *t, Split split, int64_t i, Problem *out);
};

const Task *task_find(const char *name); /* NULL if there is none */
const Task *const *task_list(int *n);

#endif

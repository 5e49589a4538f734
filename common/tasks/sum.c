/* a + b, worked from the last digit: "578+467=" is answered
 *     <think>8+7=5c;c7+6=4c;c5+4=10</think><answer>1045</answer>
 * The demonstrator forgets each carry with probability task.forget_carry: then neither the c is
 * written nor the 1 added, and the answer is wrong. One token (c or not) decides, so sampling from
 * an imitator finds the right path often enough for a reward to show it. */
#include <stdio.h>

#include "common/arithmetic.h"

static void make(const TaskSettings *s, Draw *d, Arithmetic *p)
{
    p->n = 2;
    p->numbers[0] = draw_number(d, s->digits);
    p->numbers[1] = draw_number(d, s->digits);
    p->answer = p->numbers[0] + p->numbers[1];
    snprintf(p->text, sizeof p->text, "%lld+%lld=", (long long)p->numbers[0],
             (long long)p->numbers[1]);
}

static TaskState *open(const TaskSettings *s)
{
    return arithmetic_open(s, make);
}

static void problem(const TaskState *t, Split split, int64_t i, Problem *out)
{
    arithmetic_two_numbers(t, split, i, '+', out);
}

const Task task_sum = {
    .name = "sum",
    .help = "a + b, both of task.digits digits, worked digit by digit with carries",
    .alphabet = "0 1 2 3 4 5 6 7 8 9 + = ; c <think> </think> <answer> </answer>",
    .open = open,
    .close = arithmetic_close,
    .count = arithmetic_count,
    .problem = problem,
};

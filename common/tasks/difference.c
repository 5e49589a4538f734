/* a - b with a >= b, worked from the last digit: "532-178=" is answered
 *     <think>2-8=4b;b3-7=5b;b5-1=3</think><answer>354</answer>
 * where b is a borrow, forgotten with probability task.forget_carry as the carries of sum.c are. */
#include <stdio.h>

#include "common/arithmetic.h"

static void make(const TaskSettings *s, Draw *d, Arithmetic *p)
{
    int64_t a = draw_number(d, s->digits), b = draw_number(d, s->digits);
    p->n = 2;
    p->numbers[0] = a > b ? a : b;
    p->numbers[1] = a > b ? b : a;
    p->answer = p->numbers[0] - p->numbers[1];
    snprintf(p->text, sizeof p->text, "%lld-%lld=", (long long)p->numbers[0],
             (long long)p->numbers[1]);
}

static TaskState *open(const TaskSettings *s)
{
    return arithmetic_open(s, make);
}

static void problem(const TaskState *t, Split split, int64_t i, Problem *out)
{
    arithmetic_two_numbers(t, split, i, '-', out);
}

const Task task_difference = {
    .name = "difference",
    .help = "a - b, not below 0, both of task.digits digits, worked digit by digit with borrows",
    .alphabet = "0 1 2 3 4 5 6 7 8 9 - = ; b <think> </think> <answer> </answer>",
    .open = open,
    .close = arithmetic_close,
    .count = arithmetic_count,
    .problem = problem,
};

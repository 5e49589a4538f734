/* Sums and differences in a row, from the left: "27+46-15=" is answered
 *     <think>7+6=3c;c2+4=7>73;3-5=8b;b7-1=5>58</think><answer>58</answer>
 * Each operation is worked in columns (arithmetic.h), its result read off after >. No intermediate
 * result is below 0. A forgotten carry makes the intermediate result wrong, and the demonstrator
 * goes on from there: two mistakes can cancel, rarely. */
#include <stdio.h>

#include "common/arithmetic.h"

static void make(const TaskSettings *s, Draw *d, Arithmetic *p)
{
    p->n = s->terms;
    p->answer = p->numbers[0] = draw_number(d, s->digits);
    int used = snprintf(p->text, sizeof p->text, "%lld", (long long)p->answer);
    for (int i = 1; i < p->n; i++) {
        int64_t x = p->numbers[i] = draw_number(d, s->digits);
        p->ops[i - 1] = draw_below(d, 2) && x <= p->answer ? '-' : '+';
        p->answer += p->ops[i - 1] == '+' ? x : -x;
        used += snprintf(p->text + used, sizeof p->text - (size_t)used, "%c%lld", p->ops[i - 1],
                         (long long)x);
    }
    snprintf(p->text + used, sizeof p->text - (size_t)used,
             "="); /* 16 numbers of 9 digits: 160 characters */
}

static TaskState *open(const TaskSettings *s)
{
    return arithmetic_open(s, make);
}

static char *demonstrate(const TaskSettings *s, const Arithmetic *p, Draw *d)
{
    Buffer b = {0};
    int64_t value = p->numbers[0];
    buffer_text(&b, "<think>");
    for (int i = 1; i < p->n; i++) {
        if (i > 1) buffer_text(&b, ";");
        value = arithmetic_columns(value, p->numbers[i], p->ops[i - 1], s->forget_carry, d, &b);
        buffer_printf(&b, ">%lld", (long long)value);
    }
    buffer_printf(&b, "</think><answer>%lld</answer>", (long long)value);
    return b.data;
}

static void problem(const TaskState *t, Split split, int64_t i, Problem *out)
{
    Arithmetic p;
    Draw d;
    arithmetic_problem(t, split, i, &p, &d);
    *out = (Problem){.prompt = mem_text(p.text),
                     .record = mem_printf("{\"answer\": \"%lld\"}", (long long)p.answer)};
    if (split == SPLIT_DEMO) out->demo = demonstrate(arithmetic_settings(t), &p, &d);
}

const Task task_chain = {
    .name = "chain",
    .help = "task.terms numbers of task.digits digits, added and subtracted from the left",
    .alphabet = "0 1 2 3 4 5 6 7 8 9 + - = ; > c b <think> </think> <answer> </answer>",
    .open = open,
    .close = arithmetic_close,
    .count = arithmetic_count,
    .problem = problem,
};

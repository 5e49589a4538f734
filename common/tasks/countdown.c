/* Reach a target with all of the given numbers, each once: "3,7,12:33=" is answered
 *     <think>7*3=21;21+12=33</think><answer>7*3+12</answer>
 * A problem is made from its solution: values are joined two by two until one is left, the target.
 * The record has "numbers" and "target". The careless demonstrator takes, with probability
 * task.forget_carry at each step, another operation than the right one, and so misses the target
 * (unless the last value happens to be it). */
#include <stdio.h>
#include <string.h>

#include "common/arithmetic.h"
#include "common/errors.h"

enum { LARGEST_VALUE = 999 };

/* a op b where that is a whole number in [0, LARGEST_VALUE]. */
static bool apply(int64_t a, char op, int64_t b, int64_t *out)
{
    int64_t x = op == '+'         ? a + b
                : op == '-'       ? a - b
                : op == '*'       ? a * b
                : b && a % b == 0 ? a / b
                                  : -1;
    *out = x;
    return x >= 0 && x <= LARGEST_VALUE;
}

/* One of the operations other than `not` that work for a and b, 0 if none does: never where a >= b
 * and `not` is 0. */
static char choose(Draw *d, int64_t a, int64_t b, char not, int64_t *out)
{
    char good[4];
    int n = 0;
    for (const char *op = "+-*/"; *op; op++)
        if (*op != not &&apply(a, *op, b, out)) good[n++] = *op;
    if (!n) return 0;
    char op = good[draw_below(d, (uint32_t)n)];
    apply(a, op, b, out);
    return op;
}

/* Replaces the values at i and j by x: x takes i's place, the last takes j's. */
static void join(int64_t *values, int n, int i, int j, int64_t x)
{
    values[i] = x;
    values[j] = values[n - 1];
}

static void make(const TaskSettings *s, Draw *d, Arithmetic *p)
{
    int64_t values[ARITHMETIC_NUMBERS];
    int used = 0;
    p->n = s->numbers;
    for (int i = 0; i < p->n; i++) {
        values[i] = p->numbers[i] = 1 + draw_below(d, (uint32_t)s->max_number);
        used += snprintf(p->text + used, sizeof p->text - (size_t)used, "%s%lld", i ? "," : "",
                         (long long)values[i]);
    }
    for (int k = 0, n = p->n; n > 1; k++, n--) {
        int i = (int)draw_below(d, (uint32_t)n), j = (int)draw_below(d, (uint32_t)n - 1);
        if (j >= i) j++;
        if (values[i] < values[j]) { /* the larger first: every difference is one */
            int swap = i;
            i = j;
            j = swap;
        }
        int64_t x;
        p->ops[k] = choose(d, values[i], values[j], 0, &x);
        p->left[k] = i;
        p->right[k] = j;
        join(values, n, i, j, x);
    }
    p->answer = values[0];
    snprintf(p->text + used, sizeof p->text - (size_t)used, ":%lld=", (long long)p->answer);
}

static TaskState *open(const TaskSettings *s)
{
    return arithmetic_open(s, make);
}

/* ---- the demonstrator ------------------------------------------------------------------------ */

typedef struct {
    char *text;
    char op; /* its outermost operation; 0 for a number */
} Term;

static bool needs_brackets(Term t, char op, bool right)
{
    bool sum = t.op == '+' || t.op == '-';
    if (!t.op) return false;
    if (op == '*' || op == '/') return sum || (right && (op == '/' || t.op == '/'));
    return right && op == '-' && sum;
}

/* Both become one: "(a+b)*c". Takes their texts. */
static Term combine(Term a, char op, Term b)
{
    bool x = needs_brackets(a, op, false), y = needs_brackets(b, op, true);
    char *text = mem_printf("%s%s%s%c%s%s%s", x ? "(" : "", a.text, x ? ")" : "", op, y ? "(" : "",
                            b.text, y ? ")" : "");
    mem_free(a.text);
    mem_free(b.text);
    return (Term){text, op};
}

/* What the demonstrator does at step k: the right operation, or another one. */
static char slip_or_not(const TaskSettings *s, const Arithmetic *p, int k, Draw *d, int64_t a,
                        int64_t b, int64_t *x)
{
    if (draw_chance(d, s->forget_carry)) {
        char other = choose(d, a, b, p->ops[k], x);
        if (other) return other;
    }
    if (apply(a, p->ops[k], b, x)) return p->ops[k];
    return choose(d, a, b, 0, x); /* after a slip the right operation may not work any more */
}

static char *demonstrate(const TaskSettings *s, const Arithmetic *p, Draw *d)
{
    int64_t values[ARITHMETIC_NUMBERS];
    Term terms[ARITHMETIC_NUMBERS];
    Buffer b = {0};
    buffer_text(&b, "<think>");
    for (int i = 0; i < p->n; i++) {
        values[i] = p->numbers[i];
        terms[i] = (Term){mem_printf("%lld", (long long)values[i]), 0};
    }
    for (int k = 0, n = p->n; n > 1; k++, n--) {
        int i = p->left[k], j = p->right[k];
        int64_t x, left = values[i], right = values[j];
        char op = slip_or_not(s, p, k, d, left, right, &x);
        if (!op) { /* only for two values whose sum is too large, the smaller first */
            op = '+';
            x = left + right;
        }
        buffer_printf(&b, "%s%lld%c%lld=%lld", k ? ";" : "", (long long)left, op, (long long)right,
                      (long long)x);
        terms[i] = combine(terms[i], op, terms[j]);
        if (j != n - 1) terms[j] = terms[n - 1];
        join(values, n, i, j, x);
    }
    buffer_printf(&b, "</think><answer>%s</answer>", terms[0].text);
    mem_free(terms[0].text);
    return b.data;
}

static char *make_record(const Arithmetic *p)
{
    Buffer b = {0};
    buffer_text(&b, "{\"numbers\": [");
    for (int i = 0; i < p->n; i++)
        buffer_printf(&b, "%s%lld", i ? ", " : "", (long long)p->numbers[i]);
    buffer_printf(&b, "], \"target\": %lld}", (long long)p->answer);
    return b.data;
}

static void problem(const TaskState *t, Split split, int64_t i, Problem *out)
{
    Arithmetic p;
    Draw d;
    arithmetic_problem(t, split, i, &p, &d);
    *out = (Problem){.prompt = mem_text(p.text), .record = make_record(&p)};
    if (split == SPLIT_DEMO) out->demo = demonstrate(arithmetic_settings(t), &p, &d);
}

const Task task_countdown = {
    .name = "countdown",
    .help = "reach a target with task.numbers numbers up to task.max_number, all used once, by + - "
            "* / and brackets",
    .alphabet = "0 1 2 3 4 5 6 7 8 9 + - * / ( ) , : = ; <think> </think> <answer> </answer>",
    .open = open,
    .close = arithmetic_close,
    .count = arithmetic_count,
    .problem = problem,
};

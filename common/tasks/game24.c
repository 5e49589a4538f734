/* Make 24 of four numbers from 1 to 13, each used once: "4,9,10,13:24=" is answered
 *     <think>10-4=6;13-9=4;6*4=24</think><answer>(10-4)*(13-9)</answer>
 * All 1820 hands are tried when the task is opened; the 1362 that can be solved, in ascending
 * order, are the problems, so no file is needed. The record has "numbers" and "target", as
 * countdown's. Values are fractions: 8/(3-8/3) is found. The careless demonstrator takes, with
 * probability task.forget_carry, a sum in place of the last operation. */
#include <stdio.h>
#include <string.h>

#include "common/arithmetic.h"
#include "common/errors.h"
#include "common/sample.h"

enum { HAND = 4, LARGEST = 13, HANDS = 1820, TARGET = 24, SIDES = 10 };

typedef struct {
    int num, den; /* den > 0; not reduced: at most a few thousand */
} Fraction;

/* One step: the values at places i < j are taken away, the result takes i's place, the last value
 * takes j's. */
typedef struct {
    int i, j;
    char op;
    bool swapped; /* j op i */
} Step;

typedef struct {
    int numbers[HAND];
    Step steps[HAND - 1];
} Solved;

struct TaskState {
    uint64_t seed;
    double careless;
    int n[2]; /* training and demonstration; held out */
    Solved sides[2][HANDS];
};

static bool apply(Fraction a, char op, Fraction b, Fraction *out)
{
    if (op == '/' && b.num == 0) return false;
    int sign = op == '/' && b.num < 0 ? -1 : 1;
    *out = op == '+'   ? (Fraction){a.num * b.den + b.num * a.den, a.den * b.den}
           : op == '-' ? (Fraction){a.num * b.den - b.num * a.den, a.den * b.den}
           : op == '*' ? (Fraction){a.num * b.num, a.den * b.den}
                       : (Fraction){sign * a.num * b.den, sign * a.den * b.num};
    return true;
}

static void join(Fraction *values, int n, Step s, Fraction x)
{
    values[s.i] = x;
    values[s.j] = values[n - 1];
}

/* The first solution in a fixed order of moves, sums and products before differences and quotients.
 */
static bool search(const Fraction *values, int n, Step *steps)
{
    static const struct {
        char op;
        bool swapped;
    } moves[] = {{'+', false}, {'*', false}, {'-', false}, {'-', true}, {'/', false}, {'/', true}};
    if (n == 1) return values[0].num == TARGET * values[0].den;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            for (size_t m = 0; m < sizeof moves / sizeof *moves; m++) {
                Step s = {i, j, moves[m].op, moves[m].swapped};
                Fraction next[HAND], x;
                if (!apply(values[s.swapped ? j : i], s.op, values[s.swapped ? i : j], &x))
                    continue;
                memcpy(next, values, sizeof *values * (size_t)n);
                join(next, n, s, x);
                steps[0] = s;
                if (search(next, n - 1, steps + 1)) return true;
            }
        }
    }
    return false;
}

static char *prompt_of(const Solved *h)
{
    return mem_printf("%d,%d,%d,%d:%d=", h->numbers[0], h->numbers[1], h->numbers[2], h->numbers[3],
                      TARGET);
}

static bool is_heldout(const Solved *h)
{
    char *text = prompt_of(h);
    bool out = crc32c(0, text, strlen(text)) % SIDES == 0;
    mem_free(text);
    return out;
}

static void try_hand(TaskState *t, int a, int b, int c, int d)
{
    Solved h = {.numbers = {a, b, c, d}};
    Fraction values[HAND];
    for (int i = 0; i < HAND; i++) values[i] = (Fraction){h.numbers[i], 1};
    if (!search(values, HAND, h.steps)) return;
    int side = is_heldout(&h);
    t->sides[side][t->n[side]++] = h;
}

static TaskState *open(const TaskSettings *s)
{
    TaskState *t = NEW(TaskState, 1);
    t->seed = s->seed;
    t->careless = s->forget_carry;
    for (int a = 1; a <= LARGEST; a++)
        for (int b = a; b <= LARGEST; b++)
            for (int c = b; c <= LARGEST; c++)
                for (int d = c; d <= LARGEST; d++) try_hand(t, a, b, c, d);
    return t;
}

static void close(TaskState *t)
{
    mem_free(t);
}

static int64_t count(const TaskState *t, Split split)
{
    return split == SPLIT_HELDOUT ? t->n[1] : t->n[0];
}

/* ---- the demonstrator ---- */

static void fraction_text(Fraction f, char out[32])
{
    int a = f.num < 0 ? -f.num : f.num, b = f.den;
    while (b) {
        int r = a % b;
        a = b, b = r;
    }
    if (f.den == a || a == 0)
        snprintf(out, 32, "%d", a ? f.num / a : 0);
    else
        snprintf(out, 32, "%d/%d", f.num / a, f.den / a);
}

/* "(a)op(b)", brackets where the operand is an operation of its own. */
static char *combine(char *a, char op, char *b)
{
    bool x = strpbrk(a, "+-*/") != NULL, y = strpbrk(b, "+-*/") != NULL;
    char *text = mem_printf("%s%s%s%c%s%s%s", x ? "(" : "", a, x ? ")" : "", op, y ? "(" : "", b,
                            y ? ")" : "");
    mem_free(a);
    mem_free(b);
    return text;
}

static char *demonstrate(const Solved *h, bool slips)
{
    Fraction values[HAND];
    char *terms[HAND], left[32], right[32], result[32];
    Buffer b = {0};
    buffer_text(&b, "<think>");
    for (int i = 0; i < HAND; i++) {
        values[i] = (Fraction){h->numbers[i], 1};
        terms[i] = mem_printf("%d", h->numbers[i]);
    }
    for (int k = 0; k < HAND - 1; k++) {
        Step s = h->steps[k];
        int n = HAND - k, x = s.swapped ? s.j : s.i, y = s.swapped ? s.i : s.j;
        Fraction value = {0, 1};
        char op = slips && k == HAND - 2 ? '+' : s.op;
        REQUIRE(apply(values[x], op, values[y], &value), "the solution divides by 0");
        fraction_text(values[x], left);
        fraction_text(values[y], right);
        fraction_text(value, result);
        buffer_printf(&b, "%s%s%c%s=%s", k ? ";" : "", left, op, right, result);
        terms[s.i] = combine(terms[x], op, terms[y]);
        if (s.j != n - 1) terms[s.j] = terms[n - 1];
        join(values, n, s, value);
    }
    buffer_printf(&b, "</think><answer>%s</answer>", terms[0]);
    mem_free(terms[0]);
    return b.data;
}

static void problem(const TaskState *t, Split split, int64_t i, Problem *out)
{
    REQUIRE(i >= 0 && i < count(t, split), "problem %lld of split %d", (long long)i, split);
    const Solved *h = &t->sides[split == SPLIT_HELDOUT][i];
    Draw d = {.seed = t->seed, .stream = STREAM_DEMO, .a = (uint64_t)i};
    *out = (Problem){.prompt = prompt_of(h),
                     .record = mem_printf("{\"numbers\": [%d, %d, %d, %d], \"target\": %d}",
                                          h->numbers[0], h->numbers[1], h->numbers[2],
                                          h->numbers[3], TARGET)};
    if (split == SPLIT_DEMO) out->demo = demonstrate(h, draw_chance(&d, t->careless));
}

const Task task_game24 = {
    .name = "game24",
    .help = "make 24 of four numbers from 1 to 13, each used once, by + - * / and brackets",
    .alphabet = "0 1 2 3 4 5 6 7 8 9 + - * / ( ) , : = ; <think> </think> <answer> </answer>",
    .open = open,
    .close = close,
    .count = count,
    .problem = problem,
};

/* See arithmetic.h. A problem is on the held-out side if the CRC of its text ends so: the seed has
 * no part in it, so a run continued with another seed keeps its held-out problems unseen. */
#include "common/arithmetic.h"

#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/sample.h"

enum { MOST_HELDOUT = 4096, TABLE = 4 * MOST_HELDOUT, PATIENCE = 20000, SIDES = 10 };

struct TaskState {
    TaskSettings settings; /* its texts are not used by arithmetic */
    ArithmeticMake *make;
    int n_heldout;
    uint32_t heldout[MOST_HELDOUT]; /* numbers of the draws that gave them */
};

uint32_t draw_below(Draw *d, uint32_t n)
{
    return rng_below(n, d->seed, d->stream, d->a, d->b, d->next++);
}

bool draw_chance(Draw *d, double p)
{
    return (double)rng_uniform(d->seed, d->stream, d->a, d->b, d->next++) < p;
}

int64_t draw_number(Draw *d, int digits)
{
    uint32_t least = 1;
    for (int i = 1; i < digits; i++) least *= 10;
    return digits == 1 ? draw_below(d, 10) : least + draw_below(d, 9 * least);
}

static bool is_heldout(const char *text)
{
    return crc32c(0, text, strlen(text)) % SIDES == 0;
}

static void make_draw(const TaskState *t, Split split, uint64_t a, uint32_t attempt,
                      Arithmetic *out)
{
    Draw d = {.seed = t->settings.seed,
              .stream = STREAM_TASK,
              .a = a,
              .b = (uint32_t)split | attempt << 2};
    *out = (Arithmetic){0};
    t->make(&t->settings, &d, out);
}

/* Whether the text is new; the table holds 1 + the draw's place in heldout. */
static bool remember(const TaskState *t, uint16_t table[TABLE], const Arithmetic *p)
{
    uint32_t slot = crc32c(1, p->text, strlen(p->text)) % TABLE;
    for (; table[slot]; slot = (slot + 1) % TABLE) {
        Arithmetic other;
        make_draw(t, SPLIT_HELDOUT, t->heldout[table[slot] - 1], 0, &other);
        if (!strcmp(other.text, p->text)) return false;
    }
    table[slot] = (uint16_t)(t->n_heldout + 1);
    return true;
}

static void find_heldout(TaskState *t)
{
    uint16_t *table = NEW(uint16_t, TABLE);
    uint32_t last = 0;
    for (uint32_t draw = 0; t->n_heldout < MOST_HELDOUT && draw - last < PATIENCE; draw++) {
        Arithmetic p;
        make_draw(t, SPLIT_HELDOUT, draw, 0, &p);
        if (!is_heldout(p.text) || !remember(t, table, &p)) continue;
        t->heldout[t->n_heldout++] = last = draw;
    }
    mem_free(table);
}

TaskState *arithmetic_open(const TaskSettings *s, ArithmeticMake *make)
{
    TaskState *t = NEW(TaskState, 1);
    t->settings = *s;
    t->make = make;
    find_heldout(t);
    return t;
}

void arithmetic_close(TaskState *t)
{
    mem_free(t);
}

int64_t arithmetic_count(const TaskState *t, Split split)
{
    return split == SPLIT_HELDOUT ? t->n_heldout : INT64_MAX;
}

const TaskSettings *arithmetic_settings(const TaskState *t)
{
    return &t->settings;
}

void arithmetic_problem(const TaskState *t, Split split, int64_t i, Arithmetic *out,
                        Draw *demonstrator)
{
    REQUIRE(i >= 0 && i < arithmetic_count(t, split), "problem %lld of split %d", (long long)i,
            split);
    *demonstrator = (Draw){.seed = t->settings.seed, .stream = STREAM_DEMO, .a = (uint64_t)i};
    if (split == SPLIT_HELDOUT) {
        make_draw(t, split, t->heldout[i], 0, out);
        return;
    }
    for (uint32_t attempt = 0;; attempt++) {
        REQUIRE(attempt < 10000, "no training problem among 10000 draws");
        make_draw(t, split, (uint64_t)i, attempt, out);
        if (!is_heldout(out->text)) return;
    }
}

/* Digits in decimal, 1 for 0. */
static int digits_of(int64_t x)
{
    int n = 1;
    while (x /= 10) n++;
    return n;
}

int64_t arithmetic_columns(int64_t a, int64_t b, char op, double forget, Draw *d, Buffer *out)
{
    int64_t result = 0, place = 1;
    int columns = digits_of(a > b ? a : b), carry = 0;
    char mark = op == '+' ? 'c' : 'b';
    for (int i = 0; i < columns; i++, a /= 10, b /= 10, place *= 10) {
        int x = (int)(a % 10), y = (int)(b % 10), z = op == '+' ? x + y + carry : x - y - carry;
        bool last = i == columns - 1, overflow = z < 0 || z > 9;
        int written = z < 0 ? z + 10 : last ? z : z % 10;
        buffer_printf(out, "%s%.*s%d%c%d=%d", i ? ";" : "", carry, &mark, x, op, y, written);
        carry = overflow && !last && !draw_chance(d, forget);
        if (carry) buffer_add(out, &mark, 1);
        result += written * place;
    }
    return result;
}

static char *record_with_options(const Arithmetic *p, char op)
{
    Draw unused = {0};
    Buffer b = {0};
    long long right = p->answer;
    long long wrong = arithmetic_columns(p->numbers[0], p->numbers[1], op, 1, &unused, &b);
    if (wrong == right) wrong = right + 10;
    bool wrong_first = crc32c(2, p->text, strlen(p->text)) & 1;
    buffer_free(&b);
    return mem_printf(
        "{\"question\": \"%s\", \"answer\": \"%lld\", \"options\": [\"%lld\", \"%lld\"]}", p->text,
        right, wrong_first ? wrong : right, wrong_first ? right : wrong);
}

void arithmetic_two_numbers(const TaskState *t, Split split, int64_t i, char op, Problem *out)
{
    Arithmetic p;
    Draw d;
    Buffer b = {0};
    arithmetic_problem(t, split, i, &p, &d);
    *out = (Problem){.prompt = mem_text(p.text), .record = record_with_options(&p, op)};
    if (split != SPLIT_DEMO) return;
    buffer_text(&b, "<think>");
    int64_t result = arithmetic_columns(p.numbers[0], p.numbers[1], op,
                                        arithmetic_settings(t)->forget_carry, &d, &b);
    buffer_printf(&b, "</think><answer>%lld</answer>", (long long)result);
    out->demo = b.data;
}

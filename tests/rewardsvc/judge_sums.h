/* A judge of answers to "a+b=" that has no model: word `sums` of judge_server.c, for tests and for
 * bench/recipes. What it is asked it tells from the places of the default templates:
 *
 * - answers 1 ... n, with "Scores:" or more than two: 8 where the last number is the sum that it
 *   works out, 3 elsewhere, and -2 ... 2 of noise each; it says which sum it worked with
 * - answers A and B, or 1 and 2 in two turns: the one that has that sum, else either, by noise
 * - a judgement: 9 if the sum named in it is the one it works out, else 2
 * - a criterion: 5, and one more for each c (a carry) written in the answer; where the criterion
 *   says "not due" two less for each that the sum does not have. Without carries in it: by the body
 * - a rubric: the meta judge of that. Once it has seen a carry that is not due, or was told of it,
 *   it adds that line to the rubric
 *
 * slip: in so many of 100 requests, by a hash of the body, it works the sum out without carries, as
 * the careless demonstrator of task `sum` does. */
#ifndef TESTS_REWARDSVC_JUDGE_SUMS_H
#define TESTS_REWARDSVC_JUDGE_SUMS_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/memory.h"
#include "common/sample.h"

enum { SUMS_COLUMNS = 10 };

typedef struct {
    const char *p;
    size_t n;
} SumsText;

/* What stands in "<<<NAME MARK\n...\nNAME MARK>>>" at or after *from; p NULL: there is none. */
static SumsText sums_block(const char *from, const char *name)
{
    char open[40], end[40];
    snprintf(open, sizeof open, "<<<%s ", name);
    snprintf(end, sizeof end, "\n%s ", name);
    const char *at = strstr(from, open);
    at = at ? strchr(at, '\n') : NULL;
    const char *to = at ? strstr(at, end) : NULL;
    return to ? (SumsText){at + 1, to > at ? (size_t)(to - at - 1) : 0} : (SumsText){0};
}

typedef struct {
    long long a, b;
} Sum;

/* The last a+b of a text; 0+0 where there is none. */
static Sum sums_problem(SumsText t)
{
    Sum s = {0, 0};
    for (size_t i = 0; i < t.n; i++) {
        long long a, b;
        bool begins = isdigit((unsigned char)t.p[i]) && !(i && isdigit((unsigned char)t.p[i - 1]));
        if (begins && sscanf(t.p + i, "%9lld+%9lld", &a, &b) == 2) s = (Sum){a, b};
    }
    return s;
}

/* The last whole number of a text; -1: it has none. */
static long long sums_last(SumsText t)
{
    long long value = -1;
    for (size_t i = 0; i < t.n; i++)
        if (isdigit((unsigned char)t.p[i]) && !(i && isdigit((unsigned char)t.p[i - 1])))
            sscanf(t.p + i, "%17lld", &value);
    return value;
}

/* a + b; careless: every carry is forgotten. */
static long long sums_work_out(Sum s, bool careless)
{
    long long sum = 0, unit = 1;
    if (!careless) return s.a + s.b;
    for (; s.a >= 10 || s.b >= 10; s.a /= 10, s.b /= 10, unit *= 10)
        sum += (s.a % 10 + s.b % 10) % 10 * unit;
    return sum + (s.a + s.b) * unit;
}

/* A number below n that the body and `what` decide. */
static unsigned sums_draw(const char *body, unsigned what, unsigned n)
{
    uint32_t h = crc32c(what * 2654435761u, body, strlen(body));
    h = (h ^ h >> 15) * 2246822519u;
    return (h ^ h >> 13) % n;
}

/* ---- carries --------------------------------------------------------------------------------- */

/* How many carries an answer writes ("8+7=5c;"), and how many of them the sum does not have. */
static int sums_carries(Sum s, SumsText answer, int *not_due)
{
    int n = 0, column = 0, carry = 0;
    *not_due = 0;
    for (size_t i = 0; i < answer.n; i++) {
        bool due = false;
        if (answer.p[i] != ';') continue;
        if (s.a >= 10 || s.b >= 10) due = (carry = s.a % 10 + s.b % 10 + carry >= 10);
        s.a /= 10, s.b /= 10, column++;
        bool written = i && answer.p[i - 1] == 'c';
        n += written;
        *not_due += written && !due;
    }
    return n;
}

#define SUMS_NOT_DUE "minus 2 points for each carry that is not due: its digits do not reach ten"

static void sums_criterion(const char *first, bool scores, const char *body, Buffer *out)
{
    int not_due, n = sums_carries(sums_problem(sums_block(first, "problem")),
                                  sums_block(first, "answer"), &not_due);
    const char *criterion = strstr(first, "The criterion");
    if (!scores)
        buffer_printf(out, "It writes %d carries, of which %d are not due.", n, not_due);
    else if (!strstr(criterion, "carr"))
        buffer_printf(out, "Score: %u", sums_draw(body, 0, 6));
    else
        buffer_printf(out, "Score: %d", 5 + n - (strstr(criterion, "not due") ? 2 * not_due : 0));
}

/* Looking at a sample, proposing, merging. */
static void sums_rubric(const char *first, bool proposes, Buffer *out)
{
    SumsText rubric = sums_block(first, "rubric"), proposals = sums_block(first, "proposals");
    int not_due = 0;
    sums_carries(sums_problem(sums_block(first, "problem")), sums_block(first, "answer"), &not_due);
    bool known = memmem(rubric.p, rubric.n, "not due", 7);
    bool told = proposals.p && memmem(proposals.p, proposals.n, "not due", 7);
    if (!proposals.p && !proposes) {
        buffer_printf(out, "The answer has %d carries that are not due, and the rubric %s.",
                      not_due, known ? "takes off for them" : "does not see them");
        return;
    }
    buffer_printf(out, "<rubric>%.*s%s</rubric>", (int)rubric.n, rubric.p,
                  !known && (not_due || told) ? "\n" SUMS_NOT_DUE : "");
}

/* ---- scores and comparisons ------------------------------------------------------------------ */

static void sums_scores(const char *first, long long sum, const char *body, Buffer *out)
{
    char name[20];
    Buffer list = {0};
    for (unsigned k = 1;; k++) {
        snprintf(name, sizeof name, "answer %u", k);
        SumsText answer = sums_block(first, name);
        if (!answer.p) break;
        int score = (sums_last(answer) == sum ? 8 : 3) + (int)sums_draw(body, k, 5) - 2;
        buffer_printf(&list, "%s%d", k > 1 ? ", " : "", score);
    }
    buffer_printf(out, "Principle: the result counts. The sum is %lld.\nScores: [%s]", sum,
                  list.size ? list.data : "");
    buffer_free(&list);
}

static int sums_better(SumsText one, SumsText two, long long sum, const char *body)
{
    bool first = sums_last(one) == sum, second = sums_last(two) == sum;
    return first != second ? (first ? 1 : 2) : 1 + (int)sums_draw(body, 7, 2);
}

static void sums_pair(const char *first, long long sum, const char *body, Buffer *out)
{
    SumsText a = sums_block(first, "answer A"), b = sums_block(first, "answer B");
    buffer_printf(out,
                  "<type>Reasoning</type><solution>The sum is %lld.</solution><eval>A says %lld, B "
                  "says %lld.</eval><answer>[[%c]]</answer>",
                  sum, sums_last(a), sums_last(b), sums_better(a, b, sum, body) == 1 ? 'A' : 'B');
}

static void sums_two_turns(const char *first, bool second, long long sum, const char *body,
                           Buffer *out)
{
    SumsText a = sums_block(first, "answer 1"), b = sums_block(first, "answer 2");
    if (!second)
        buffer_text(out, "## Focus\ncomputational precision\n## Answer 1\n## Answer 2\n");
    else
        buffer_printf(out, "The sum is %lld.\n## Ranking\n\\boxed{%d}", sum,
                      sums_better(a, b, sum, body));
}

static void sums_meta(const char *first, long long sum, Buffer *out)
{
    SumsText judgement = sums_block(first, "judgement");
    const char *claim = memmem(judgement.p, judgement.n, "The sum is ", 11);
    long long claimed = -1;
    if (claim) sscanf(claim + 11, "%17lld", &claimed);
    buffer_printf(out, "I get %lld.\nScore: %d", sum, claimed == sum ? 9 : 2);
}

/* first: the question, again: a second turn follows it; body: the request. */
static void sums_answer(const char *first, bool again, const char *body, int slip, Buffer *out)
{
    bool careless = (int)sums_draw(body, 100, 100) < slip;
    long long sum = sums_work_out(sums_problem(sums_block(first, "problem")), careless);
    if (sums_block(first, "judgement").p)
        sums_meta(first, sum, out);
    else if (sums_block(first, "rubric").p)
        sums_rubric(first, again, out);
    else if (strstr(first, "The criterion"))
        sums_criterion(first, again, body, out);
    else if (sums_block(first, "answer A").p)
        sums_pair(first, sum, body, out);
    else if (strstr(first, "Scores:") || sums_block(first, "answer 3").p)
        sums_scores(first, sum, body, out);
    else
        sums_two_turns(first, again, sum, body, out);
}

#endif

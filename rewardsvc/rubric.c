/* See rubric.h. */
#include "rewardsvc/rubric.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/rng.h"
#include "rewardsvc/words.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* A whole number of at most 9 digits at *at; -1 without one. */
static int read_whole(Span s, size_t *at)
{
    int value = 0, digits = 0;
    while (*at < s.n && isdigit((unsigned char)s.p[*at])) {
        if (++digits > 9) return -1;
        value = 10 * value + (s.p[(*at)++] - '0');
    }
    return digits ? value : -1;
}

/* "(a-b)" or "[a-b]" at s.p[at]: *least, *most. */
static bool read_scale(Span s, size_t at, int *least, int *most)
{
    char close = s.p[at] == '(' ? ')' : ']';
    at++;
    int a = read_whole(s, &at);
    if (a < 0 || at >= s.n || s.p[at] != '-') return false;
    at++;
    int b = read_whole(s, &at);
    if (b < 0 || at >= s.n || s.p[at] != close) return false;
    *least = a, *most = b;
    return true;
}

/* The last scale of a line. */
static bool line_scale(Span line, int *least, int *most)
{
    bool found = false;
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == '(' || line.p[i] == '[') found |= read_scale(line, i, least, most);
    return found;
}

/* The last item read so far ends before `end`. */
static void end_item(Rubric *r, const char *end)
{
    Span *last = &r->item[r->n - 1];
    *last = span_trim((Span){last->p, (size_t)(end - last->p)});
}

int rubric_read(Span text, Rubric *out)
{
    *out = (Rubric){0};
    for (Span rest = text; rest.n > 0;) {
        Span line = span_line(rest);
        size_t taken = line.n < rest.n ? line.n + 1 : line.n;
        int least, most;
        rest.p += taken, rest.n -= taken;
        if (!line_scale(line, &least, &most)) continue;
        if (out->n) end_item(out, line.p);
        if (least >= most || most > RUBRIC_SCALE_MAX)
            return fail("rubric: the scale (%d-%d) is empty or too long", least, most);
        if (out->n == RUBRIC_ITEMS_MAX) return fail("rubric: more than %d items", RUBRIC_ITEMS_MAX);
        out->item[out->n] = line;
        out->least[out->n] = least;
        out->most[out->n++] = most;
    }
    if (!out->n) return fail("rubric: no item with a scale like (0-5)");
    end_item(out, text.p + text.n);
    return 0;
}

double rubric_reward(const Rubric *r, const Score *items, int *unread)
{
    double sum = 0;
    int missing = 0;
    for (int i = 0; i < r->n; i++) {
        if (items[i].status == SCORE_OK)
            sum += fmin(fmax(items[i].value, r->least[i]), r->most[i]);
        else
            missing++;
    }
    if (unread) *unread = missing;
    return sum;
}

/* ---- versions and samples -------------------------------------------------------------------- */

int64_t rubric_version(int64_t step, int64_t every)
{
    return every > 0 ? step / every : 0;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

typedef struct {
    double score;
    int at;
} Ranked;

static int by_score(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return x->at - y->at;
}

/* Moves `each` of list [n] to its front, drawn without replacement. Returns how many. */
static int draw_front(Ranked *list, int n, int each, uint64_t seed, int64_t version, int part)
{
    int taken = each < n ? each : n;
    for (int i = 0; i < taken; i++) {
        int j = i + (int)rng_below((uint32_t)(n - i), seed, STREAM_PICK, (uint64_t)version,
                                   (uint32_t)part, (uint32_t)i);
        Ranked swap = list[i];
        list[i] = list[j];
        list[j] = swap;
    }
    return taken;
}

int rubric_draw(const double *scores, int n, int parts, int each, uint64_t seed, int64_t version,
                int *at)
{
    REQUIRE(n >= 0 && parts >= 1 && each >= 0, "%d of each of %d parts of %d", each, parts, n);
    Ranked *list = NEW(Ranked, n + 1);
    int taken = 0;
    for (int i = 0; i < n; i++) list[i] = (Ranked){scores[i], i};
    if (parts > 1) qsort(list, (size_t)n, sizeof *list, by_score);
    for (int p = 0; p < parts; p++) {
        int begin = (int)((int64_t)n * p / parts), end = (int)((int64_t)n * (p + 1) / parts);
        int m = draw_front(list + begin, end - begin, each, seed, version, p);
        for (int i = 0; i < m; i++) at[taken++] = list[begin + i].at;
    }
    qsort(at, (size_t)taken, sizeof *at, by_number);
    mem_free(list);
    return taken;
}

/* ---- rationales ------------------------------------------------------------------------------ */

int rubric_words(Span text)
{
    Words w = {0};
    words_between_spaces(text, &w);
    int n = w.n;
    words_free(&w);
    return n;
}

bool rubric_is_worth_asking(Span rationale)
{
    return rubric_words(rationale) >= RUBRIC_LEAST_WORDS;
}

double rubric_answer_check(bool right, Span rationale)
{
    return right && rubric_is_worth_asking(rationale) ? 5 : 0;
}

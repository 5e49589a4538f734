/* See words.h: counts of n-grams. A table of positions with a rolling hash; n-grams are compared
 * number by number, so counts are exact and a collision costs time only. */
#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/words.h"

struct NgramSlot {
    int32_t at;   /* position of one occurrence + 1; 0: free */
    int32_t most; /* the most often that one text has it */
    int32_t text; /* text that `here` counts */
    int32_t here; /* how often that text has it */
};

/* splitmix64's finaliser: numbers 0, 1, 2 become unlike ones */
static uint64_t mixed(int32_t id)
{
    uint64_t x = (uint64_t)id + 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* The window of `order` numbers that ends at each position: its hash, and whether it is whole. */
typedef struct {
    int order, whole;   /* numbers in the window so far */
    uint64_t hash, top; /* top: base^order, what the number that leaves is worth */
} Window;

static const uint64_t base = 0x9E6C63D0676A9A99u;

static Window window_of(int order)
{
    Window w = {.order = order, .top = 1};
    for (int i = 0; i < order; i++) w.top *= base;
    return w;
}

/* Moves the window over ids[i]. */
static bool window_take(Window *w, const int32_t *ids, int i)
{
    if (ids[i] < 0) {
        w->whole = 0;
        w->hash = 0;
        return false;
    }
    w->hash = w->hash * base + mixed(ids[i]);
    if (w->whole == w->order)
        w->hash -= w->top * mixed(ids[i - w->order]);
    else
        w->whole++;
    return w->whole == w->order;
}

static bool same_ids(const int32_t *a, const int32_t *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i] != b[i]) return false;
    return true;
}

/* The slot of the n-gram at p, or the free one where it would be. */
static struct NgramSlot *slot_at(const Ngrams *g, uint64_t hash, const int32_t *p)
{
    uint32_t s = (uint32_t)(hash ^ (hash >> 32)) & g->mask;
    while (g->slots[s].at && !same_ids(g->ids + g->slots[s].at - 1, p, g->order))
        s = (s + 1) & g->mask;
    return &g->slots[s];
}

static void count_one(Ngrams *g, struct NgramSlot *s, int begin, int text)
{
    if (!s->at) {
        s->at = begin + 1;
        s->text = -1;
        g->distinct++;
    }
    if (s->text != text) {
        s->text = text;
        s->here = 0;
    }
    if (++s->here > s->most) g->repeated += ++s->most == 2;
    g->total++;
}

void ngrams_init(Ngrams *g, int order, const int32_t *ids, int n_ids)
{
    REQUIRE(order >= 1 && n_ids >= 0, "n-grams of order %d over %d numbers", order, n_ids);
    uint32_t size = 16;
    while (size < 2 * (uint32_t)n_ids) size *= 2;
    *g = (Ngrams){.order = order, .ids = ids, .n_ids = n_ids, .mask = size - 1};
    g->slots = NEW(struct NgramSlot, size);
    Window w = window_of(order);
    for (int i = 0, text = 0; i < n_ids; i++) {
        text += ids[i] < 0;
        if (!window_take(&w, ids, i)) continue;
        int begin = i - order + 1;
        count_one(g, slot_at(g, w.hash, ids + begin), begin, text);
    }
}

int64_t ngrams_matches(const Ngrams *g, const int32_t *ids, int n_ids)
{
    int64_t matches = 0;
    int32_t *left = NEW(int32_t, g->mask + 1);
    for (uint32_t s = 0; s <= g->mask; s++) left[s] = g->slots[s].most;
    Window w = window_of(g->order);
    for (int i = 0; i < n_ids; i++) {
        if (!window_take(&w, ids, i)) continue;
        const struct NgramSlot *s = slot_at(g, w.hash, ids + i - g->order + 1);
        if (!s->at || left[s - g->slots] == 0) continue;
        left[s - g->slots]--;
        matches++;
    }
    mem_free(left);
    return matches;
}

void ngrams_free(Ngrams *g)
{
    mem_free(g->slots);
    *g = (Ngrams){0};
}

Repetition words_repetition(const Words *w, int order)
{
    Repetition r = {0, 0};
    if (w->n < order) return r;
    Vocabulary v = {0};
    Ngrams g;
    int32_t *ids = words_numbered(w, &v, true);
    ngrams_init(&g, order, ids, w->n);
    r.surplus = 1 - (double)g.distinct / (double)g.total;
    r.repeated = (double)g.repeated / (double)g.total;
    ngrams_free(&g);
    mem_free(ids);
    vocabulary_free(&v);
    return r;
}

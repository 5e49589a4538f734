/* See words.h: longest common subsequence and edit distance of two sequences of numbers, 64 rows of
 * the table at a time. The rows of a symbol come from a list of its places, not from bit masks for
 * every symbol: those would take n_a^2 / 8 bytes. */
#include "common/memory.h"
#include "rewardsvc/words.h"

/* Where in a each number stands: first place, and from each place the next one, ascending; -1 ends.
 */
typedef struct {
    int32_t *first; /* [n_first] */
    int32_t *next;  /* [n_a] */
    int n_first;
} Places;

static Places places_of(const int32_t *a, int n_a)
{
    Places p = {.next = NEW(int32_t, n_a + 1)};
    for (int i = 0; i < n_a; i++)
        if (a[i] >= p.n_first) p.n_first = a[i] + 1;
    p.first = NEW(int32_t, p.n_first + 1);
    for (int k = 0; k < p.n_first; k++) p.first[k] = -1;
    for (int i = n_a - 1; i >= 0; i--) {
        if (a[i] < 0) continue;
        p.next[i] = p.first[a[i]];
        p.first[a[i]] = i;
    }
    return p;
}

static void places_free(Places *p)
{
    mem_free(p->first);
    mem_free(p->next);
}

static int32_t places_first(const Places *p, int32_t id)
{
    return id >= 0 && id < p->n_first ? p->first[id] : -1;
}

/* The places of one 64-row block from *at on, as bits; moves *at behind them. */
static uint64_t places_in_block(const Places *p, int block, int32_t *at)
{
    uint64_t bits = 0;
    for (; *at >= 0 && *at / 64 == block; *at = p->next[*at]) bits |= (uint64_t)1 << (*at % 64);
    return bits;
}

static int ones_below(const uint64_t *v, int n_bits)
{
    int ones = 0;
    for (int k = 0; k < n_bits / 64; k++) ones += __builtin_popcountll(v[k]);
    if (n_bits % 64)
        ones += __builtin_popcountll(v[n_bits / 64] & (((uint64_t)1 << (n_bits % 64)) - 1));
    return ones;
}

/* v: bit i is 0 where the table's column steps up between rows i and i + 1. A symbol with rows M
 * makes v <- (v + (v & M)) | (v & ~M), with carries between the blocks; blocks with neither rows
 * nor carry stay as they are. */
int words_common(const int32_t *a, int n_a, const int32_t *b, int n_b)
{
    int n_blocks = n_a / 64 + 1;
    Places p = places_of(a, n_a);
    uint64_t *v = NEW(uint64_t, n_blocks);
    for (int k = 0; k < n_blocks; k++) v[k] = ~(uint64_t)0;
    for (int j = 0; j < n_b; j++) {
        int32_t at = places_first(&p, b[j]);
        unsigned carry = 0;
        for (int k = at / 64; (at >= 0 || carry) && k < n_blocks; k = carry ? k + 1 : at / 64) {
            uint64_t rows = v[k] & places_in_block(&p, k, &at), sum = v[k] + rows;
            unsigned out = sum < rows;
            sum += carry;
            out |= sum < carry;
            v[k] = sum | (v[k] & ~rows);
            carry = out;
        }
    }
    int common = n_a - ones_below(v, n_a);
    mem_free(v);
    places_free(&p);
    return common;
}

/* One block of a column: vertical steps +1 (up) and -1 (down) as bits, the horizontal step that
 * enters at the top (in) and the one that leaves at row `last`. */
typedef struct {
    uint64_t up, down;
} Steps;

static int block_advance(Steps *s, uint64_t equal, int in, int last)
{
    uint64_t xv = equal | s->down;
    if (in < 0) equal |= 1;
    uint64_t xh = (((equal & s->up) + s->up) ^ s->up) | equal;
    uint64_t plus = s->down | ~(xh | s->up), minus = s->up & xh;
    int out = (int)(plus >> last & 1) - (int)(minus >> last & 1);
    plus = plus << 1 | (in > 0);
    minus = minus << 1 | (in < 0);
    s->up = minus | ~(xv | plus);
    s->down = plus & xv;
    return out;
}

int words_distance(const int32_t *a, int n_a, const int32_t *b, int n_b)
{
    if (n_a == 0) return n_b;
    int n_blocks = (n_a + 63) / 64, distance = n_a;
    Places p = places_of(a, n_a);
    Steps *s = NEW(Steps, n_blocks);
    for (int k = 0; k < n_blocks; k++) s[k].up = ~(uint64_t)0;
    for (int j = 0; j < n_b; j++) {
        int32_t at = places_first(&p, b[j]);
        int step = 1; /* the table's first row is 0 1 2 ... */
        for (int k = 0; k < n_blocks; k++)
            step = block_advance(&s[k], places_in_block(&p, k, &at), step,
                                 k + 1 < n_blocks ? 63 : (n_a - 1) % 64);
        distance += step;
    }
    mem_free(s);
    places_free(&p);
    return distance;
}

/* One word to ids by byte-pair encoding: of all neighbours that may be merged the pair of lowest
 * rank goes first, the leftmost of equals. A heap of candidate pairs makes that n log n for a word
 * of any length; a pair whose parts have changed since is skipped when it comes up. Words of a call
 * are remembered, since text repeats itself. */
#include "common/tokenizer_parts.h"

#include <string.h>

#include "common/errors.h"

enum { CACHE_LONGEST_WORD = 48, CACHE_MOST_WORDS = 1 << 15 };

typedef struct {
    int32_t id;
    int next, prev; /* -1 at the ends */
} Symbol;

typedef struct {
    uint32_t rank;
    int at; /* symbol on the left */
    int32_t left, right;
} Pair;

typedef struct {
    uint32_t word_at, ids_at;
    uint16_t n_bytes, n_ids;
} CachedWord;

struct BpeScratch {
    Symbol *symbols;
    int symbol_capacity;
    Pair *heap;
    int n_pairs, heap_capacity;
    Map cache; /* hash of a word -> words[]; two words of one hash: the first stays */
    CachedWord *words;
    int n_words, word_capacity;
    Buffer cached_bytes;
    Ids cached_ids;
};

BpeScratch *bpe_scratch_new(void)
{
    return NEW(BpeScratch, 1);
}

void bpe_scratch_free(BpeScratch *s)
{
    mem_free(s->symbols);
    mem_free(s->heap);
    map_free(&s->cache);
    mem_free(s->words);
    buffer_free(&s->cached_bytes);
    ids_free(&s->cached_ids);
    mem_free(s);
}

void bpe_reserve_merges(Tokenizer *t, size_t n)
{
    t->merge = mem_zeroed(n, sizeof *t->merge);
}

int bpe_add_merge(Tokenizer *t, const char *left, size_t n_left, const char *right, size_t n_right)
{
    Buffer both = {0};
    int a = -1, b = -1, ab = -1, rank = t->n_merges;
    if (spelling_read(left, n_left, &both)) {
        size_t half = both.size;
        a = vocab_find(t, both.data, half);
        if (spelling_read(right, n_right, &both)) {
            b = vocab_find(t, both.data + half, both.size - half);
            ab = vocab_find(t, both.data, both.size);
        }
    }
    buffer_free(&both);
    if (a < 0 || b < 0 || ab < 0)
        return fail(
            "%s: merge %d: %s is not in the vocabulary; the file is damaged, fetch it again",
            t->where, rank,
            a < 0   ? "its left part"
            : b < 0 ? "its right part"
                    : "its result");
    if (!map_put(&t->merges, (uint64_t)(uint32_t)a << 32 | (uint32_t)b, (uint32_t)rank))
        return fail("%s: merge %d is there twice; the file is damaged, fetch it again", t->where,
                    rank);
    t->merge[rank][0] = a, t->merge[rank][1] = b, t->merge[rank][2] = ab;
    t->n_merges++;
    return 0;
}

int bpe_add_merge_text(Tokenizer *t, const char *text, size_t n)
{
    const char *blank = n ? memchr(text, ' ', n) : NULL;
    if (!blank)
        return fail("%s: merge %d is not two parts with a blank between them", t->where,
                    t->n_merges);
    size_t left = (size_t)(blank - text);
    return bpe_add_merge(t, text, left, blank + 1, n - left - 1);
}

/* --- the heap: lowest rank first, then leftmost ----------------------------------------------- */

static bool goes_first(const Pair *a, const Pair *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void heap_push(BpeScratch *s, Pair p)
{
    if (s->n_pairs == s->heap_capacity) {
        int capacity = s->heap_capacity ? 2 * s->heap_capacity : 64;
        s->heap = mem_resize(s->heap, (size_t)s->n_pairs, (size_t)capacity, sizeof *s->heap);
        s->heap_capacity = capacity;
    }
    int i = s->n_pairs++;
    for (int up; i > 0 && goes_first(&p, &s->heap[up = (i - 1) / 2]); i = up)
        s->heap[i] = s->heap[up];
    s->heap[i] = p;
}

static Pair heap_pop(BpeScratch *s)
{
    Pair top = s->heap[0], last = s->heap[--s->n_pairs];
    int i = 0;
    for (int down; (down = 2 * i + 1) < s->n_pairs; i = down) {
        if (down + 1 < s->n_pairs && goes_first(&s->heap[down + 1], &s->heap[down])) down++;
        if (!goes_first(&s->heap[down], &last)) break;
        s->heap[i] = s->heap[down];
    }
    s->heap[i] = last;
    return top;
}

/* --- merging ---------------------------------------------------------------------------------- */

static void offer_pair(const Tokenizer *t, BpeScratch *s, int at)
{
    uint32_t rank;
    if (at < 0 || s->symbols[at].next < 0) return;
    int32_t a = s->symbols[at].id, b = s->symbols[s->symbols[at].next].id;
    if (map_get(&t->merges, (uint64_t)(uint32_t)a << 32 | (uint32_t)b, &rank))
        heap_push(s, (Pair){.rank = rank, .at = at, .left = a, .right = b});
}

/* The word as symbols of one byte each; bytes that have no token become unk, or go. */
static int split_bytes(const Tokenizer *t, BpeScratch *s, const char *word, size_t n)
{
    int m = 0;
    bool last_unk = false;
    REQUIRE(n < INT32_MAX / 2, "a word of %zu bytes", n);
    if ((int)n > s->symbol_capacity) {
        mem_free(s->symbols);
        s->symbol_capacity = n < 256 ? 256 : (int)n;
        s->symbols = NEW(Symbol, s->symbol_capacity);
    }
    for (size_t i = 0; i < n; i++) {
        int id = t->byte_id[(uint8_t)word[i]];
        bool unk = id < 0;
        if (unk) id = last_unk && t->fuse_unk ? -1 : t->unk;
        if (id >= 0) s->symbols[m] = (Symbol){.id = id, .prev = m - 1, .next = m + 1}, m++;
        last_unk = unk;
    }
    if (m) s->symbols[m - 1].next = -1;
    return m;
}

static void merge_pair(const Tokenizer *t, BpeScratch *s, const Pair *p)
{
    Symbol *left = &s->symbols[p->at];
    if (left->id != p->left || left->next < 0 || s->symbols[left->next].id != p->right)
        return; /* stale */
    Symbol *right = &s->symbols[left->next];
    left->id = t->merge[p->rank][2];
    left->next = right->next;
    right->id = -1;
    if (left->next >= 0) s->symbols[left->next].prev = p->at;
    offer_pair(t, s, left->prev);
    offer_pair(t, s, p->at);
}

static void merge_word(const Tokenizer *t, BpeScratch *s, const char *word, size_t n, Ids *ids)
{
    int m = split_bytes(t, s, word, n);
    s->n_pairs = 0;
    for (int i = 0; i < m; i++) offer_pair(t, s, i);
    while (s->n_pairs) {
        Pair p = heap_pop(s);
        merge_pair(t, s, &p);
    }
    for (int i = m ? 0 : -1; i >= 0; i = s->symbols[i].next) ids_add(ids, s->symbols[i].id);
}

/* --- words seen before in this call ----------------------------------------------------------- */

static uint64_t hash_word(const char *word, size_t n)
{
    uint64_t h = n;
    for (size_t i = 0; i < n; i++) h = (h ^ (uint8_t)word[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return h >> 1; /* Map keeps key + 1 */
}

static void remember(BpeScratch *s, uint64_t hash, const char *word, size_t n, const Ids *ids,
                     int from)
{
    if (s->n_words == CACHE_MOST_WORDS || !map_put(&s->cache, hash, (uint32_t)s->n_words)) return;
    if (s->n_words == s->word_capacity) {
        int capacity = s->word_capacity ? 2 * s->word_capacity : 64;
        s->words = mem_resize(s->words, (size_t)s->n_words, (size_t)capacity, sizeof *s->words);
        s->word_capacity = capacity;
    }
    s->words[s->n_words++] = (CachedWord){.word_at = (uint32_t)s->cached_bytes.size,
                                          .n_bytes = (uint16_t)n,
                                          .ids_at = (uint32_t)s->cached_ids.n,
                                          .n_ids = (uint16_t)(ids->n - from)};
    buffer_add(&s->cached_bytes, word, n);
    for (int i = from; i < ids->n; i++) ids_add(&s->cached_ids, ids->data[i]);
}

static bool recall(const BpeScratch *s, uint64_t hash, const char *word, size_t n, Ids *ids)
{
    uint32_t i;
    if (!map_get(&s->cache, hash, &i)) return false;
    const CachedWord *w = &s->words[i];
    if (w->n_bytes != n || memcmp(s->cached_bytes.data + w->word_at, word, n) != 0) return false;
    for (int k = 0; k < w->n_ids; k++) ids_add(ids, s->cached_ids.data[w->ids_at + (uint32_t)k]);
    return true;
}

void bpe_word(const Tokenizer *t, BpeScratch *s, const char *word, size_t n, Ids *ids)
{
    int whole = t->ignore_merges ? vocab_find(t, word, n) : -1;
    if (whole >= 0) {
        ids_add(ids, whole);
        return;
    }
    if (n < 2 || n > CACHE_LONGEST_WORD) {
        merge_word(t, s, word, n, ids);
        return;
    }
    uint64_t hash = hash_word(word, n);
    if (recall(s, hash, word, n, ids)) return;
    int from = ids->n;
    merge_word(t, s, word, n, ids);
    remember(s, hash, word, n, ids, from);
}

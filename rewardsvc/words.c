/* See words.h: cutting, and words as numbers. N-grams and alignments are in ngrams.c and
 * alignment.c. */
#include "rewardsvc/words.h"

#include <string.h>
#include <utf8proc.h>

#include "common/memory.h"

void words_add(Words *w, Span piece)
{
    if (w->n == w->capacity) {
        int more = w->capacity ? 2 * w->capacity : 64;
        w->list = mem_resize(w->list, (size_t)w->capacity, (size_t)more, sizeof *w->list);
        w->capacity = more;
    }
    w->list[w->n++] = piece;
}

void words_free(Words *w)
{
    mem_free(w->list);
    *w = (Words){0};
}

/* ---- characters ---- */

int32_t character_at(const char *text, size_t n, size_t *taken)
{
    utf8proc_int32_t c = (unsigned char)text[0];
    *taken = 1;
    if (c < 0x80) return c;
    utf8proc_ssize_t k =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)(n < 4 ? n : 4), &c);
    if (k <= 0) return -1;
    *taken = (size_t)k;
    return c;
}

bool character_is_space(int32_t c)
{
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

void text_lower(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] >= 'A' && text[i] <= 'Z') text[i] = (char)(text[i] + ('a' - 'A'));
}

/* ---- cutting ---- */

void words_between_spaces(Span text, Words *out)
{
    size_t begin = 0, taken;
    for (size_t i = 0; i < text.n; i += taken) {
        if (!character_is_space(character_at(text.p + i, text.n - i, &taken))) continue;
        if (i > begin) words_add(out, (Span){text.p + begin, i - begin});
        begin = i + taken;
    }
    if (text.n > begin) words_add(out, (Span){text.p + begin, text.n - begin});
}

void words_of_characters(Span text, bool spaces, Words *out)
{
    size_t taken;
    for (size_t i = 0; i < text.n; i += taken)
        if (!character_is_space(character_at(text.p + i, text.n - i, &taken)) || spaces)
            words_add(out, (Span){text.p + i, taken});
}

static bool is_ascii_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void words_of_ascii(Span text, Words *out)
{
    size_t begin = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && is_ascii_word(text.p[i])) continue;
        if (i > begin) words_add(out, (Span){text.p + begin, i - begin});
        begin = i + 1;
    }
}

typedef enum { OUTSIDE, INSIDE, ALONE } WordPart;

/* Scripts written without spaces between words, by their blocks. */
static bool stands_alone(int32_t c)
{
    return (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) ||
           (c >= 0x1780 && c <= 0x17FF) || (c >= 0x3005 && c <= 0x30FF) ||
           (c >= 0x31F0 && c <= 0x31FF) || (c >= 0x3400 && c <= 0x9FFF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

static WordPart part_of(int32_t c)
{
    if (c < 0x80) return c >= 0 && is_ascii_word((char)c) ? INSIDE : OUTSIDE;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return stands_alone(c) ? ALONE : INSIDE;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return INSIDE;
    default:
        return OUTSIDE;
    }
}

/* Is there an apostrophe at i with letters on both sides, ASCII or U+2019? *taken: its bytes. */
static bool apostrophe_at(Span t, size_t i, size_t *taken)
{
    size_t k = t.p[i] == '\'' ? 1 : t.n - i >= 3 && !memcmp(t.p + i, "\xE2\x80\x99", 3) ? 3 : 0;
    size_t next;
    if (!k || i + k >= t.n) return false;
    if (part_of(character_at(t.p + i + k, t.n - i - k, &next)) != INSIDE) return false;
    *taken = k;
    return true;
}

/* The end of the marks that follow offset i: they belong to the letter before it. */
static size_t after_marks(Span t, size_t i)
{
    size_t taken;
    for (; i < t.n; i += taken) {
        int32_t c = character_at(t.p + i, t.n - i, &taken);
        if (c < 0x300) break;
        utf8proc_category_t k = utf8proc_category(c);
        if (k != UTF8PROC_CATEGORY_MN && k != UTF8PROC_CATEGORY_MC && k != UTF8PROC_CATEGORY_ME)
            break;
    }
    return i;
}

void words_of_letters(Span t, Words *out)
{
    size_t begin = 0, taken;
    bool inside = false;
    for (size_t i = 0; i < t.n; i += taken) {
        WordPart part = part_of(character_at(t.p + i, t.n - i, &taken));
        if (part == INSIDE || (inside && apostrophe_at(t, i, &taken))) {
            if (!inside) begin = i;
            inside = true;
            continue;
        }
        if (inside) words_add(out, (Span){t.p + begin, i - begin});
        inside = false;
        if (part != ALONE) continue;
        taken = after_marks(t, i + taken) - i;
        words_add(out, (Span){t.p + i, taken});
    }
    if (inside) words_add(out, (Span){t.p + begin, t.n - begin});
}

/* ---- numbers ---- */

/* Eight bytes at a time, multiplied and folded. Equality is decided by the bytes, so a collision
 * costs time only. */
static uint64_t word_hash(Span w)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ w.n, part;
    size_t i = 0;
    for (; i + 8 <= w.n; i += 8) {
        memcpy(&part, w.p + i, 8);
        h = (h ^ part) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    part = 0;
    memcpy(&part, w.p + i, w.n - i);
    h = (h ^ part) * 0xD6E8FEB86659FD93u;
    return h ^ (h >> 29);
}

static bool same_word(Span a, Span b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static uint32_t slot_of(const Vocabulary *v, Span word, uint64_t hash)
{
    uint32_t s = (uint32_t)hash & v->mask;
    for (; v->slots[s]; s = (s + 1) & v->mask) {
        uint32_t k = v->slots[s] - 1;
        if (v->hashes[k] == hash && same_word(v->words[k], word)) break;
    }
    return s;
}

/* Room for at least `wanted` words. */
static void vocabulary_grow(Vocabulary *v, int wanted)
{
    int more = v->capacity ? 2 * v->capacity : 64;
    while (more < wanted) more *= 2;
    v->words = mem_resize(v->words, (size_t)v->capacity, (size_t)more, sizeof *v->words);
    v->hashes = mem_resize(v->hashes, (size_t)v->capacity, (size_t)more, sizeof *v->hashes);
    v->capacity = more;
    mem_free(v->slots);
    v->slots = NEW(uint32_t, 2 * more);
    v->mask = (uint32_t)(2 * more - 1);
    for (int k = 0; k < v->n; k++) {
        uint32_t s = (uint32_t)v->hashes[k] & v->mask;
        while (v->slots[s]) s = (s + 1) & v->mask;
        v->slots[s] = (uint32_t)k + 1;
    }
}

int32_t vocabulary_find(const Vocabulary *v, Span word)
{
    return v->n ? (int32_t)v->slots[slot_of(v, word, word_hash(word))] - 1 : -1;
}

int32_t vocabulary_add(Vocabulary *v, Span word)
{
    if (v->n == v->capacity) vocabulary_grow(v, v->n + 1);
    uint64_t hash = word_hash(word);
    uint32_t s = slot_of(v, word, hash);
    if (v->slots[s]) return (int32_t)v->slots[s] - 1;
    v->words[v->n] = word;
    v->hashes[v->n] = hash;
    v->slots[s] = (uint32_t)++v->n;
    return v->n - 1;
}

void vocabulary_free(Vocabulary *v)
{
    mem_free(v->words);
    mem_free(v->hashes);
    mem_free(v->slots);
    *v = (Vocabulary){0};
}

int32_t *words_numbered(const Words *w, Vocabulary *v, bool add)
{
    const int usual_most = 1024; /* different words: a table that need not grow */
    int32_t *ids = NEW(int32_t, w->n + 1);
    if (add && !v->capacity && w->n) vocabulary_grow(v, w->n < usual_most ? w->n : usual_most);
    for (int i = 0; i < w->n; i++)
        ids[i] = add ? vocabulary_add(v, w->list[i]) : vocabulary_find(v, w->list[i]);
    return ids;
}

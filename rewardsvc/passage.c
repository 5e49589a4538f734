/* See passage.h. */
#define _GNU_SOURCE /* memmem */
#include "rewardsvc/passage.h"

#include <string.h>
#include <utf8proc.h>

#include "rewardsvc/words.h"

/* ---- characters ---- */

static void encode_add(Buffer *b, int32_t c)
{
    utf8proc_uint8_t bytes[4];
    buffer_add(b, bytes, (size_t)utf8proc_encode_char(c, bytes));
}

/* Where the run of ASCII at the start of s ends. */
static size_t ascii_run(Span s)
{
    size_t i = 0;
    while (i < s.n && (unsigned char)s.p[i] < 0x80) i++;
    return i;
}

static void repair_add(Buffer *b, Span s)
{
    while (s.n > 0) {
        size_t taken = ascii_run(s);
        if (taken > 0)
            buffer_add(b, s.p, taken);
        else if (character_at(s.p, s.n, &taken) >= 0)
            buffer_add(b, s.p, taken);
        else
            encode_add(b, 0xFFFD);
        s.p += taken, s.n -= taken;
    }
}

void lower_add(Buffer *b, Span s)
{
    while (s.n > 0) {
        size_t n = ascii_run(s), begin = b->size;
        if (n == 0) {
            encode_add(b, utf8proc_tolower(char_take(&s)));
            continue;
        }
        buffer_add(b, s.p, n);
        for (char *p = b->data + begin; p < b->data + b->size; p++)
            if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
        s.p += n, s.n -= n;
    }
}

static Span buffer_span(const Buffer *b)
{
    return (Span){b->data ? b->data : "", b->size};
}

void passage_init(Passage *p, Span bytes)
{
    *p = (Passage){0};
    repair_add(&p->owned[0], bytes);
    p->text = buffer_span(&p->owned[0]);
    lower_add(&p->owned[1], p->text);
    p->lower = buffer_span(&p->owned[1]);
}

size_t passage_bytes(Span s, size_t n)
{
    const size_t replacement = 3; /* bytes of U+FFFD */
    const char *begin = s.p;
    while (s.n > 0 && n > 0) {
        size_t taken, run = ascii_run(s), made;
        if (run > 0)
            made = taken = run < n ? run : n;
        else
            made = character_at(s.p, s.n, &taken) >= 0 ? taken : replacement;
        s.p += taken, s.n -= taken;
        n -= made < n ? made : n;
    }
    return (size_t)(s.p - begin);
}

void passage_free(Passage *p)
{
    for (int i = 0; i < 2; i++) buffer_free(&p->owned[i]);
    *p = (Passage){0};
}

int32_t char_take(Span *s)
{
    size_t taken = 1;
    unsigned char first = (unsigned char)s->p[0];
    int32_t c = first < 0x80 ? first : character_at(s->p, s->n, &taken);
    s->p += taken, s->n -= taken;
    return c < 0 ? 0xFFFD : c;
}

int32_t char_before(const char *start, const char *p)
{
    const char *q = p;
    if (p == start) return -1;
    do q--;
    while (q > start && p - q < 4 && ((unsigned char)*q & 0xC0) == 0x80);
    Span s = {q, (size_t)(p - q)};
    return char_take(&s);
}

bool char_is_word(int32_t c)
{
    if (c < 0) return false;
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    utf8proc_category_t k = utf8proc_category(c);
    return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO;
}

bool char_is_upper(int32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z';
    return utf8proc_category(c) == UTF8PROC_CATEGORY_LU || utf8proc_isupper(c);
}

bool char_is_lower(int32_t c)
{
    if (c < 0x80) return c >= 'a' && c <= 'z';
    return utf8proc_category(c) == UTF8PROC_CATEGORY_LL || utf8proc_islower(c);
}

Span text_strip(Span s)
{
    for (Span rest = s; rest.n > 0 && character_is_space(char_take(&rest));) s = rest;
    while (s.n > 0) {
        size_t n = s.n - 1;
        while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
        Span last = {s.p + n, s.n - n};
        if (!character_is_space(char_take(&last))) break;
        s.n = n;
    }
    return s;
}

/* ---- words ---- */

bool word_next(Span *rest, Span *word)
{
    word->p = NULL;
    while (rest->n > 0) {
        Span next = *rest;
        bool inside = char_is_word(char_take(&next));
        if (inside && !word->p) word->p = rest->p;
        if (!inside && word->p) break;
        *rest = next;
    }
    if (word->p) word->n = (size_t)(rest->p - word->p);
    return word->p != NULL;
}

bool compound_next(Span *rest, Span *word)
{
    Span more = {NULL, 0};
    if (!word_next(rest, word)) return false;
    while (rest->n >= 2 && (rest->p[0] == '.' || rest->p[0] == '-')) {
        Span behind = {rest->p + 1, rest->n - 1}, peek = behind;
        if (!char_is_word(char_take(&peek))) break;
        word_next(&behind, &more);
        *rest = behind;
        word->n = (size_t)(more.p + more.n - word->p);
    }
    return true;
}

int words_in(Span s)
{
    int n = 0;
    for (Span w; word_next(&s, &w);) n++;
    return n;
}

/* ---- sentences ---- */

static bool is_end(int32_t c)
{
    return c == '.' || c == '!' || c == '?' || c == 0x2026;
}

static bool is_wide_end(int32_t c)
{
    return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF61;
}

static bool closes(int32_t c)
{
    return c == '"' || c == '\'' || c == ')' || c == ']' || c == '}' || c == '*' || c == '_' ||
           c == 0x201D || c == 0x2019 || c == 0xBB || c == 0x300D || c == 0x300F;
}

/* The text before a single point, back to white space or an opening sign: does it want the point?
 * Abbreviations that often end a sentence too (etc., Inc., a.m.) are not among them. */
static bool is_abbreviation(const char *start, const char *point)
{
    static const char *const known[] = {
        "mr",  "mrs", "ms",  "dr",  "prof", "st",  "rev",  "gen", "col",    "lt",   "capt",
        "sgt", "hon", "vs",  "e.g", "i.e",  "cf",  "fig",  "vol", "approx", "dept", "mt",
        "gov", "sen", "rep", "jan", "feb",  "aug", "sept", "oct", "nov",    "dec"};
    const char *p = point;
    while (p > start && point - p < 8) {
        char c = p[-1];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.')) break;
        p--;
    }
    size_t n = (size_t)(point - p);
    if (n == 1 && *p >= 'A' && *p <= 'Z' && *p != 'I') return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == n && strncasecmp(known[i], p, n) == 0) return true;
    return false;
}

/* From behind an end mark (at `mark`): takes more marks and what closes, and says whether the
 * sentence is over there. */
static bool sentence_over(const char *start, const char *mark, int32_t c, Span *rest)
{
    bool wide = is_wide_end(c), single = c == '.';
    Span next = *rest;
    while (next.n > 0) {
        int32_t d = char_take(&next);
        if (!is_end(d) && !is_wide_end(d) && !closes(d)) {
            if (!wide && !character_is_space(d)) return false;
            break;
        }
        single &= !is_end(d);
        wide |= is_wide_end(d);
        *rest = next;
    }
    return rest->n == 0 || !single || !is_abbreviation(start, mark);
}

bool sentence_next(Span *rest, Span *sentence)
{
    const char *start = rest->p;
    bool word = false;
    while (rest->n > 0) {
        const char *mark = rest->p;
        int32_t c = char_take(rest);
        if (!is_end(c) && !is_wide_end(c)) {
            word |= char_is_word(c);
            continue;
        }
        if (!sentence_over(start, mark, c, rest) || !word) continue;
        *sentence = (Span){start, (size_t)(rest->p - start)};
        return true;
    }
    *sentence = (Span){start, (size_t)(rest->p - start)};
    return word;
}

int sentences_in(Span s)
{
    int n = 0;
    for (Span t; sentence_next(&s, &t);) n++;
    return n;
}

/* ---- pieces ---- */

bool piece_next(Span *rest, const char *mark, Span *piece)
{
    if (!rest->p) return false;
    Span at = span_find(*rest, mark);
    *piece = at.p ? (Span){rest->p, (size_t)(at.p - rest->p)} : *rest;
    *rest = at.p ? span_after(*rest, at) : (Span){NULL, 0};
    return true;
}

bool line_next(Span *rest, Span *line)
{
    return piece_next(rest, "\n", line);
}

bool span_same(Span a, Span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool span_begins(Span s, Span with)
{
    return s.n >= with.n && span_same((Span){s.p, with.n}, with);
}

bool span_ends(Span s, Span with)
{
    return s.n >= with.n && span_same((Span){s.p + s.n - with.n, with.n}, with);
}

static bool word_at(Span s)
{
    return s.n > 0 && char_is_word(char_take(&s));
}

/* \b on both sides, as Python's re has it: a change between word and no word. */
static bool bounded(Span text, Span at, const char *start)
{
    bool before = char_is_word(char_before(start, at.p));
    bool first = word_at(at), last = char_is_word(char_before(at.p, at.p + at.n));
    return before != first && last != word_at(span_after(text, at));
}

bool part_next(Span *rest, Span part, bool whole_words, const char *start)
{
    while (rest->n >= part.n) {
        const char *p = memmem(rest->p, rest->n, part.p, part.n);
        if (!p) break;
        Span at = {p, part.n};
        bool good = !whole_words || bounded(*rest, at, start);
        size_t skip = (size_t)(p - rest->p) + (good ? part.n : 1);
        *rest = (Span){rest->p + skip, rest->n - skip};
        if (good) return true;
    }
    return false;
}

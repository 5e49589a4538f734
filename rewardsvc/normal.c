/* See normal.h. Each rule is a pass over the text; ASCII, which is nearly everything, never reaches
 * the library. */
#include "rewardsvc/normal.h"

#include <string.h>
#include <utf8proc.h>

#include "common/errors.h"
#include "rewardsvc/words.h"

/* Code points in a piece; NFKC makes up to 18 of one; and the growth of a text beyond which no
 * language explains it: the rest of it stays as it is. */
enum { PIECE_MAX = 32, EXPANSION_MAX = 18, GROWTH_MAX = 3 };

int space_rule(const char *word, SpaceRule *out)
{
    static const char *const words[] = {"keep", "collapse", "drop"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(words[i], word)) {
            *out = (SpaceRule)i;
            return 0;
        }
    return fail("space: %s is not collapse, drop or keep", word);
}

int punctuation_rule(const char *word, PunctuationRule *out)
{
    static const char *const words[] = {"keep", "ends", "drop"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(words[i], word)) {
            *out = (PunctuationRule)i;
            return 0;
        }
    return fail("punctuation: %s is not ends, drop or keep", word);
}

/* ---- NFKC and case ---- */

/* May the text be cut before c without changing its composition? */
static bool starts_piece(int32_t c)
{
    if (c < 0x300) return true;
    const utf8proc_property_t *p = utf8proc_get_property(c);
    return p->combining_class == 0 && (p->boundclass == UTF8PROC_BOUNDCLASS_OTHER ||
                                       p->boundclass == UTF8PROC_BOUNDCLASS_CONTROL ||
                                       p->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC);
}

/* Bytes of valid UTF-8 at i that can be mapped on their own: up to an ASCII character or a bad
 * byte, at the last place to cut within PIECE_MAX characters. 0: i holds a bad byte. */
static size_t piece_at(Span s, size_t i)
{
    size_t end = i, cut = 0, taken;
    for (int k = 0; k < PIECE_MAX && end < s.n; k++, end += taken) {
        int32_t c = character_at(s.p + end, s.n - end, &taken);
        if (c < 0 || (k && c < 0x80)) return end - i;
        if (k && starts_piece(c)) cut = end - i;
    }
    return end == s.n || cut == 0 ? end - i : cut;
}

static void map_piece(Span piece, utf8proc_option_t options, Buffer *out)
{
    utf8proc_int32_t codes[PIECE_MAX * EXPANSION_MAX + 1];
    utf8proc_ssize_t n =
        utf8proc_decompose((const utf8proc_uint8_t *)piece.p, (utf8proc_ssize_t)piece.n, codes,
                           PIECE_MAX * EXPANSION_MAX, options);
    if (n >= 0 && n <= PIECE_MAX * EXPANSION_MAX) n = utf8proc_reencode(codes, n, options);
    if (n >= 0)
        buffer_add(out, codes, (size_t)n);
    else
        buffer_add(out, piece.p, piece.n);
}

/* An ASCII character before one that is not goes with it: a mark may follow. */
static size_t ascii_run(Span s, size_t i)
{
    size_t k = i;
    while (k < s.n && (unsigned char)s.p[k] < 0x80) k++;
    return k < s.n && k > i ? k - i - 1 : k - i;
}

static void add_ascii(Span s, bool fold, Buffer *out)
{
    buffer_add(out, s.p, s.n);
    if (fold && s.n) text_lower(out->data + out->size - s.n, s.n);
}

static void form_unicode(Span s, const Normal *how, Buffer *out)
{
    utf8proc_option_t options = UTF8PROC_STABLE;
    if (how->unicode) options |= UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_IGNORE;
    if (how->fold_case) options |= UTF8PROC_CASEFOLD;
    size_t most = out->size + GROWTH_MAX * s.n + 256;
    for (size_t i = 0, n; i < s.n; i += n) {
        if (out->size > most) {
            add_ascii((Span){s.p + i, s.n - i}, how->fold_case, out);
            return;
        }
        n = ascii_run(s, i);
        if (n) {
            add_ascii((Span){s.p + i, n}, how->fold_case, out);
        } else if ((n = piece_at(s, i)) > 1) {
            map_piece((Span){s.p + i, n}, options, out);
        } else {
            n = 1; /* a bad byte, or the ASCII character before one */
            add_ascii((Span){s.p + i, 1}, how->fold_case, out);
        }
    }
}

/* ---- punctuation and space: in place, they only take away ---- */

static bool is_punctuation(int32_t c)
{
    if (c < 0x80)
        return c > ' ' && c < 0x7F && !strchr("$+<=>^`|~", (char)c) &&
               !((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'));
    utf8proc_category_t k = utf8proc_category(c);
    return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Does the ASCII punctuation at i belong to a number: its sign, its point or comma, its per cent?
 */
static bool in_number(Span s, size_t i)
{
    bool before = i > 0 && is_digit(s.p[i - 1]), after = i + 1 < s.n && is_digit(s.p[i + 1]);
    if (s.p[i] == '.' || s.p[i] == ',') return after && (before || s.p[i] == '.');
    if (s.p[i] == '/' || s.p[i] == ':') return before && after;
    if (s.p[i] == '%') return before;
    return s.p[i] == '-' && after && (i == 0 || character_is_space((unsigned char)s.p[i - 1]));
}

/* Punctuation becomes a blank, so that words stay apart ("red,green"). */
static void drop_punctuation(Buffer *b, size_t from)
{
    size_t to = from, taken;
    for (size_t i = from; i < b->size; i += taken) {
        Span s = {b->data + from, b->size - from};
        int32_t c = character_at(b->data + i, b->size - i, &taken);
        if (is_punctuation(c) && !in_number(s, i - from)) {
            if (c == '\'' || c == 0x2019) continue; /* don't: dont */
            b->data[to++] = ' ';
        } else {
            memmove(b->data + to, b->data + i, taken);
            to += taken;
        }
    }
    b->size = to;
}

static bool ends_with(Span s, const char *word, size_t *n)
{
    *n = strlen(word);
    return s.n >= *n && memcmp(s.p + s.n - *n, word, *n) == 0;
}

static bool cut_end(Span *s)
{
    static const char *const ends[] = {".",
                                       "!",
                                       "?",
                                       ",",
                                       ";",
                                       ":",
                                       "\xE3\x80\x82",
                                       "\xEF\xBC\x8C",
                                       "\xEF\xBC\x9B",
                                       "\xEF\xBC\x81",
                                       "\xEF\xBC\x9F",
                                       "\xE2\x80\xA6",
                                       "\xE0\xA5\xA4"};
    size_t n;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(*s, ends[i], &n)) {
            s->n -= n;
            return true;
        }
    return false;
}

static bool cut_quotes(Span *s)
{
    static const char *const pairs[][2] = {{"\"", "\""},
                                           {"'", "'"},
                                           {"`", "`"},
                                           {"**", "**"},
                                           {"\xE2\x80\x9C", "\xE2\x80\x9D"},
                                           {"\xE2\x80\x98", "\xE2\x80\x99"},
                                           {"\xC2\xAB", "\xC2\xBB"},
                                           {"\xE3\x80\x8C", "\xE3\x80\x8D"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t open = strlen(pairs[i][0]), close;
        if (s->n < open || memcmp(s->p, pairs[i][0], open) != 0) continue;
        if (!ends_with(*s, pairs[i][1], &close) || s->n < open + close) continue;
        *s = (Span){s->p + open, s->n - open - close};
        return true;
    }
    return false;
}

static void cut_ends(Buffer *b, size_t from)
{
    if (b->size == from) return;
    Span s = span_trim((Span){b->data + from, b->size - from});
    while (s.n && (cut_end(&s) || cut_quotes(&s))) s = span_trim(s);
    memmove(b->data + from, s.p, s.n);
    b->size = from + s.n;
}

static void form_space(Buffer *b, size_t from, bool drop)
{
    size_t to = from, taken;
    bool gap = false;
    for (size_t i = from; i < b->size; i += taken) {
        if (character_is_space(character_at(b->data + i, b->size - i, &taken))) {
            gap = true;
            continue;
        }
        if (gap && !drop && to > from) b->data[to++] = ' ';
        gap = false;
        memmove(b->data + to, b->data + i, taken);
        to += taken;
    }
    b->size = to;
}

void normal_form(const Normal *how, Span s, Buffer *out)
{
    size_t from = out->size;
    buffer_add(out, "", 0);
    if (how->unicode || how->fold_case)
        form_unicode(s, how, out);
    else
        buffer_add(out, s.p, s.n);
    if (how->punctuation == PUNCTUATION_ENDS) cut_ends(out, from);
    if (how->punctuation == PUNCTUATION_DROP) drop_punctuation(out, from);
    if (how->space != SPACE_KEEP) form_space(out, from, how->space == SPACE_DROP);
    if (out->data) out->data[out->size] = 0;
}

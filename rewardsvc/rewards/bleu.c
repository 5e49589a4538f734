/* Sentence BLEU (Papineni et al. 2002) with smoothing (Chen and Cherry 2014):
 *
 *   bp * exp(mean over n of log p_n),  p_n: clipped matches / n-grams of the answer,
 *   bp = min(1, exp(1 - r / c)), r: length of the reference nearest in length to the answer's c
 *
 * over the orders that the answer has n-grams of. Values are those of sacrebleu's sentence BLEU
 * with effective order, divided by 100; an answer without a single match in any order is 0. The
 * tokeniser 13a is mteval's: marks are words of their own, but . and , stay between digits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/normal.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { ORDER, SMOOTH, VALUE, TOKENS, CASE, WHERE, FIELD, ORDER_MOST = 8 };

static const RewardSetting settings[] = {
    {"order", SETTING_NUMBER, .number = 4, .least = 1, .most = ORDER_MOST,
     .help = "longest n-gram"},
    {"smooth", SETTING_TEXT, .text = "exp",
     .help = "orders without a match: exp (1/2, 1/4, ... matches), floor (smooth_value matches), "
             "add_k (smooth_value more matches and n-grams in orders above 1), none (the score is "
             "0)"},
    {"smooth_value", SETTING_NUMBER, .number = 0, .least = 0, .most = 100,
     .help = "of floor and add_k; 0: 0.1 and 1"},
    {"tokens", SETTING_TEXT, .text = "13a",
     .help = "13a (mteval), unicode (words of any language), char, spaces"},
    {"case", SETTING_BOOL, .number = 1, .help = "capitals count"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field of the problem's record with the reference, or a list of them"},
    {0},
};

typedef enum { SMOOTH_EXP, SMOOTH_FLOOR, SMOOTH_ADD_K, SMOOTH_NONE } Smooth;

typedef struct {
    const Place *place;
    int order;
    Smooth smooth;
    double smooth_value;
    Normal normal;
    void (*cut)(Span text, Words *out);
    bool marks; /* 13a's spacing comes first */
} Bleu;

/* ---- the tokeniser 13a ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Always a word of its own: ASCII marks but ' - . , */
static bool always_alone(char c)
{
    return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
           (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

static bool point_or_comma(char c)
{
    return c == '.' || c == ',';
}

/* The four passes of the definition; each looks at a pair of bytes that the same pass has not yet
 * taken, so that runs of marks come out as they do there. */
static bool pair_point(char a, char b)
{
    return !is_digit(a) && point_or_comma(b);
}
static bool pair_point_first(char a, char b)
{
    return point_or_comma(a) && !is_digit(b);
}
static bool pair_dash(char a, char b)
{
    return is_digit(a) && b == '-';
}

/* A buffer that takes n bytes one by one without being asked for room. */
static Buffer room_for(size_t n)
{
    return (Buffer){.data = NEW(char, n + 1), .capacity = n + 1};
}

static void put(Buffer *out, char c)
{
    out->data[out->size++] = c;
}

static void pass(Buffer *text, bool (*pair)(char, char), const char *form)
{
    Buffer out = room_for(2 * text->size + 2);
    for (size_t i = 0; i < text->size; i++) {
        if (i + 1 < text->size && pair(text->data[i], text->data[i + 1])) {
            for (const char *f = form; *f; f++)
                put(&out, *f == ' ' ? ' ' : text->data[i + (*f == 'b')]);
            i++;
        } else {
            put(&out, text->data[i]);
        }
    }
    buffer_free(text);
    *text = out;
}

static void replace(Buffer *text, const char *what, const char *with)
{
    Span s = {text->data, text->size}, at = span_find(s, what);
    if (!at.p) return;
    Buffer out = {0};
    for (; at.p; at = span_find(s, what)) {
        buffer_add(&out, s.p, (size_t)(at.p - s.p));
        buffer_text(&out, with);
        s = span_after(s, at);
    }
    buffer_add(&out, s.p, s.n);
    buffer_free(text);
    *text = out;
}

static void space_marks(Buffer *text)
{
    Buffer out;
    replace(text, "<skipped>", "");
    replace(text, "-\n", "");
    replace(text, "\n", " ");
    replace(text, "&quot;", "\"");
    replace(text, "&amp;", "&");
    replace(text, "&lt;", "<");
    replace(text, "&gt;", ">");
    out = room_for(3 * text->size + 2);
    put(&out, ' ');
    for (size_t i = 0; i < text->size; i++) {
        bool alone = always_alone(text->data[i]);
        if (alone) put(&out, ' ');
        put(&out, text->data[i]);
        if (alone) put(&out, ' ');
    }
    put(&out, ' ');
    buffer_free(text);
    *text = out;
    pass(text, pair_point, "a b ");
    pass(text, pair_point_first, " a b");
    pass(text, pair_dash, "a b ");
}

/* ---- settings ---- */

static void cut_characters(Span text, Words *out)
{
    words_of_characters(text, false, out);
}

static int open_tokens(Bleu *b, const char *word)
{
    static const struct {
        const char *word;
        void (*cut)(Span, Words *);
    } rows[] = {{"13a", words_between_spaces},
                {"unicode", words_of_letters},
                {"char", cut_characters},
                {"spaces", words_between_spaces}};
    for (int i = 0; i < 4; i++) {
        if (strcmp(rows[i].word, word) != 0) continue;
        b->cut = rows[i].cut;
        b->marks = i == 0;
        return 0;
    }
    return fail("tokens: %s is not 13a, unicode, char or spaces", word);
}

static int open_smooth(Bleu *b, const char *word, double value)
{
    static const char *const words[] = {"exp", "floor", "add_k", "none"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(words[i], word) != 0) continue;
        b->smooth = (Smooth)i;
        b->smooth_value = value > 0 ? value : i == SMOOTH_FLOOR ? 0.1 : 1;
        return 0;
    }
    return fail("smooth: %s is not exp, floor, add_k or none", word);
}

static int open_bleu(const RewardValue *v, void **state)
{
    Bleu b = {.place = place_find(v[WHERE].text),
              .order = (int)v[ORDER].number,
              .normal = {.fold_case = !v[CASE].flag}};
    if (!b.place) return -1;
    if (b.order != v[ORDER].number) return fail("order: %g is not a whole number", v[ORDER].number);
    if (open_tokens(&b, v[TOKENS].text)) return -1;
    if (open_smooth(&b, v[SMOOTH].text, v[VALUE].number)) return -1;
    *state = NEW(Bleu, 1);
    memcpy(*state, &b, sizeof b);
    return 0;
}

/* ---- the score ---- */

static Words words_of(const Bleu *b, Span s, Buffer *text)
{
    Words w = {0};
    normal_form(&b->normal, s, text);
    if (b->marks) space_marks(text);
    b->cut((Span){text->data, text->size}, &w);
    return w;
}

/* All references as one row of numbers, -1 between them, and the length that counts. */
typedef struct {
    Buffer text[REFERENCES_MAX];
    Words words[REFERENCES_MAX];
    int32_t *ids;
    int n_ids, length;
    Vocabulary vocabulary;
} Right;

static void right_init(Right *r, const Bleu *b, const References *refs, int n_said)
{
    int n = 0, k = 0, best = -1;
    for (int i = 0; i < refs->n; i++) {
        r->words[i] = words_of(b, refs->list[i], &r->text[i]);
        int length = r->words[i].n, off = abs(length - n_said);
        if (best < 0 || off < best || (off == best && length < r->length)) {
            best = off;
            r->length = length;
        }
        n += length + 1;
    }
    r->ids = NEW(int32_t, n);
    for (int i = 0; i < refs->n; i++) {
        for (int j = 0; j < r->words[i].n; j++)
            r->ids[k++] = vocabulary_add(&r->vocabulary, r->words[i].list[j]);
        r->ids[k++] = -1;
    }
    r->n_ids = k;
}

static void right_free(Right *r, int n)
{
    for (int i = 0; i < n; i++) {
        buffer_free(&r->text[i]);
        words_free(&r->words[i]);
    }
    vocabulary_free(&r->vocabulary);
    mem_free(r->ids);
}

/* The smoothed precision of one order; *halves: the denominator of the latest exp step. */
static double precision_of(const Bleu *b, int n, double matches, double total, double *halves)
{
    if (b->smooth == SMOOTH_ADD_K && n > 1) {
        matches += b->smooth_value;
        total += b->smooth_value;
    }
    if (matches > 0) return matches / total;
    if (b->smooth == SMOOTH_EXP) return 1 / ((*halves *= 2) * total);
    return b->smooth == SMOOTH_FLOOR ? b->smooth_value / total : 0;
}

static double bleu_of(const Bleu *b, const Right *r, const int32_t *said, int n_said)
{
    double sum = 0, halves = 1, matched = 0;
    int orders = 0;
    bool zero = false;
    for (int n = 1; n <= b->order && n <= n_said; n++) {
        Ngrams g;
        ngrams_init(&g, n, r->ids, r->n_ids);
        double matches = (double)ngrams_matches(&g, said, n_said),
               p = precision_of(b, n, matches, n_said - n + 1, &halves);
        ngrams_free(&g);
        matched += matches;
        zero |= p == 0;
        sum += p > 0 ? log(p) : 0;
        orders++;
    }
    if (matched == 0 || zero) return 0;
    double bp = n_said >= r->length ? 1 : exp(1 - (double)r->length / n_said);
    return bp * exp(sum / orders);
}

static double bleu_against(const Bleu *b, Span s, const References *refs)
{
    Buffer text = {0};
    Words said = words_of(b, s, &text);
    Right *r = NEW(Right, 1);
    right_init(r, b, refs, said.n);
    int32_t *ids = words_numbered(&said, &r->vocabulary, false);
    double value = bleu_of(b, r, ids, said.n);
    mem_free(ids);
    right_free(r, refs->n);
    mem_free(r);
    words_free(&said);
    buffer_free(&text);
    return value;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Bleu *b = state;
    References right;
    if (references_read(e->record, v[FIELD].text, &right)) return score_failed(SCORE_ERROR);
    Span s = b->place->take((Span){e->text, e->n_text});
    double value = s.p ? bleu_against(b, s, &right) : 0;
    references_free(&right);
    return score_ok(value);
}

const Reward reward_bleu = {
    .name = "bleu",
    .help = "smoothed sentence BLEU of the answer against the reference, in [0, 1] (sacrebleu's / "
            "100)",
    .settings = settings,
    .open = open_bleu,
    .close = mem_free,
    .score = score,
};

/* ROUGE-N and ROUGE-L (Lin 2004): overlap of n-grams, or of the longest common subsequence, with a
 * reference. With `tokens: ascii` the values are those of the Python package rouge-score without
 * its stemmer; it drops every letter that is not ASCII, so other languages want `tokens: unicode`.
 * Of several references the one with the highest F1 counts, as there. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/normal.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { KIND, MEASURE, TOKENS, WHERE, FIELD };

static const RewardSetting settings[] = {
    {"kind", SETTING_TEXT, .text = "L",
     .help = "1, 2, 3, 4: overlap of n-grams of so many words; L: longest common subsequence"},
    {"measure", SETTING_TEXT, .text = "f1", .help = "f1, precision or recall"},
    {"tokens", SETTING_TEXT, .text = "ascii",
     .help =
         "ascii: runs of ASCII letters and digits in lower case, as rouge-score; unicode: words "
         "of any language, case folded, NFKC"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field of the problem's record with the reference, or a list of them"},
    {0},
};

typedef enum { F1, PRECISION, RECALL } Measure;

typedef struct {
    const Place *place;
    int order; /* 0: L */
    Measure measure;
    bool unicode;
} Rouge;

static int find_word(const char *word, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(word, words[i])) return i;
    return -1;
}

static int open_rouge(const RewardValue *v, void **state)
{
    static const char *const kinds[] = {"L", "1", "2", "3", "4"},
                             *const measures[] = {"f1", "precision", "recall"},
                             *const tokens[] = {"ascii", "unicode"};
    int kind = find_word(v[KIND].text, kinds, 5), measure = find_word(v[MEASURE].text, measures, 3),
        token = find_word(v[TOKENS].text, tokens, 2);
    const Place *place = place_find(v[WHERE].text);
    if (!place) return -1;
    if (kind < 0) return fail("kind: %s is not 1, 2, 3, 4 or L", v[KIND].text);
    if (measure < 0) return fail("measure: %s is not f1, precision or recall", v[MEASURE].text);
    if (token < 0) return fail("tokens: %s is not ascii or unicode", v[TOKENS].text);
    Rouge *r = *state = NEW(Rouge, 1);
    *r = (Rouge){place, kind, (Measure)measure, token == 1};
    return 0;
}

/* The words of a text; they live in `text`. */
static Words words_of(const Rouge *r, Span s, Buffer *text)
{
    Words w = {0};
    static const Normal folded = {.unicode = true, .fold_case = true};
    if (r->unicode) {
        normal_form(&folded, s, text);
        words_of_letters((Span){text->data, text->size}, &w);
        return w;
    }
    buffer_add(text, s.p, s.n);
    text_lower(text->data, text->size);
    words_of_ascii((Span){text->data, text->size}, &w);
    return w;
}

typedef struct {
    double precision, recall, f1;
} Overlap;

/* Of `common` pieces in both, all_said and all_right in each. */
static Overlap overlap_of(double common, double all_said, double all_right)
{
    Overlap o = {0, 0, 0};
    if (common == 0) return o;
    o.precision = common / all_said;
    o.recall = common / all_right;
    o.f1 = 2 * o.precision * o.recall / (o.precision + o.recall);
    return o;
}

static int64_t ngrams_in(int n_words, int order)
{
    return n_words >= order ? n_words - order + 1 : 0;
}

static Overlap compare(const Rouge *r, const Words *said, Span reference)
{
    Buffer text = {0};
    Vocabulary v = {0};
    Words right = words_of(r, reference, &text);
    int32_t *ids = words_numbered(&right, &v, true), *theirs = words_numbered(said, &v, false);
    Overlap o;
    if (r->order) {
        Ngrams g;
        ngrams_init(&g, r->order, ids, right.n);
        o = overlap_of((double)ngrams_matches(&g, theirs, said->n),
                       (double)ngrams_in(said->n, r->order), (double)g.total);
        ngrams_free(&g);
    } else {
        o = overlap_of(words_common(ids, right.n, theirs, said->n), said->n, right.n);
    }
    mem_free(ids);
    mem_free(theirs);
    words_free(&right);
    vocabulary_free(&v);
    buffer_free(&text);
    return o;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Rouge *r = state;
    References right;
    Buffer text = {0};
    Overlap best = {0, 0, 0};
    if (references_read(e->record, v[FIELD].text, &right)) return score_failed(SCORE_ERROR);
    Span s = r->place->take((Span){e->text, e->n_text});
    Words said = {0};
    if (s.p) said = words_of(r, s, &text);
    for (int i = 0; i < right.n && said.n; i++) {
        Overlap o = compare(r, &said, right.list[i]);
        if (o.f1 > best.f1) best = o;
    }
    words_free(&said);
    buffer_free(&text);
    references_free(&right);
    return score_ok(r->measure == F1          ? best.f1
                    : r->measure == PRECISION ? best.precision
                                              : best.recall);
}

const Reward reward_rouge = {
    .name = "rouge",
    .help = "ROUGE-1, -2, ... or -L of the answer against the reference, in [0, 1]",
    .settings = settings,
    .open = open_rouge,
    .close = mem_free,
    .score = score,
};

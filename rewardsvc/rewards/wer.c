/* Word error rate: the least number of words (or characters) to replace, insert or delete that
 * makes the reference of the answer, by the reference's length. The rate is cut at `most`: an
 * answer so long that it reaches it by its length alone is not aligned, so the work is bounded by
 * the reference, whatever the model wrote. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/normal.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { FORM, UNIT, MOST, WHERE, FIELD, CASE, PUNCTUATION };

static const RewardSetting settings[] = {
    {"form", SETTING_TEXT, .text = "accuracy",
     .help = "accuracy: 1 - rate / most; penalty: -rate (cut at most)"},
    {"unit", SETTING_TEXT, .text = "word",
     .help = "word: what stands between spaces; char: characters, blanks included (CER)"},
    {"most", SETTING_NUMBER, .number = 1, .least = 0.01, .most = 100,
     .help = "the rate beyond which it does not get worse"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field of the problem's record with the reference, or a list of them (the nearest "
             "counts)"},
    {"case", SETTING_BOOL, .number = 0, .help = "capitals count"},
    {"punctuation", SETTING_TEXT, .text = "keep", .help = PUNCTUATION_HELP},
    {0},
};

typedef struct {
    const Place *place;
    Normal normal;
    bool penalty, chars;
} Wer;

static int open_wer(const RewardValue *v, void **state)
{
    const char *form = v[FORM].text, *unit = v[UNIT].text;
    Wer w = {.place = place_find(v[WHERE].text),
             .normal = {.fold_case = !v[CASE].flag, .space = SPACE_COLLAPSE},
             .penalty = !strcmp(form, "penalty"),
             .chars = !strcmp(unit, "char")};
    if (!w.place || punctuation_rule(v[PUNCTUATION].text, &w.normal.punctuation)) return -1;
    if (!w.penalty && strcmp(form, "accuracy"))
        return fail("form: %s is not accuracy or penalty", form);
    if (!w.chars && strcmp(unit, "word")) return fail("unit: %s is not word or char", unit);
    *state = NEW(Wer, 1);
    memcpy(*state, &w, sizeof w);
    return 0;
}

static Words pieces_of(const Wer *w, Span s, Buffer *text)
{
    Words pieces = {0};
    normal_form(&w->normal, s, text);
    Span form = {text->data, text->size};
    if (w->chars)
        words_of_characters(form, true, &pieces);
    else
        words_between_spaces(form, &pieces);
    return pieces;
}

/* At most `most`. A reference without a word: 0 against nothing, else the most. */
static double rate_of(const Words *said, const Words *right, double most)
{
    if (right->n == 0) return said->n ? most : 0;
    if (said->n - right->n >= most * right->n) return most;
    Vocabulary v = {0};
    int32_t *a = words_numbered(right, &v, true), *b = words_numbered(said, &v, false);
    double rate = (double)words_distance(a, right->n, b, said->n) / right->n;
    mem_free(a);
    mem_free(b);
    vocabulary_free(&v);
    return rate < most ? rate : most;
}

static double best_rate(const Wer *w, Span s, const References *right, double most)
{
    Buffer text = {0}, reference = {0};
    Words said = pieces_of(w, s, &text);
    double best = most;
    for (int i = 0; i < right->n; i++) {
        reference.size = 0;
        Words pieces = pieces_of(w, right->list[i], &reference);
        double rate = rate_of(&said, &pieces, most);
        if (rate < best) best = rate;
        words_free(&pieces);
    }
    words_free(&said);
    buffer_free(&text);
    buffer_free(&reference);
    return best;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Wer *w = state;
    References right;
    if (references_read(e->record, v[FIELD].text, &right)) return score_failed(SCORE_ERROR);
    Span s = w->place->take((Span){e->text, e->n_text});
    double most = v[MOST].number, rate = s.p ? best_rate(w, s, &right, most) : most;
    references_free(&right);
    return score_ok(w->penalty ? -rate : 1 - rate / most);
}

const Reward reward_wer = {
    .name = "wer",
    .help = "1 - word error rate against the reference (or the character error rate), in [0, 1]",
    .settings = settings,
    .open = open_wer,
    .close = mem_free,
    .score = score,
};

/* chrF and chrF++ (Popovic 2015, 2017): F score of character n-grams, and of word n-grams for ++.
 *
 *   F = (1 + beta^2) P R / (beta^2 P + R);  P, R: means of the orders' precisions and recalls, over
 *   the orders that both texts have n-grams of
 *
 * Values are those of sacrebleu's sentence chrF divided by 100: white space left out of the
 * characters, for words one ASCII punctuation mark cut off at the end, or else at the beginning. Of
 * several references the best counts. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/normal.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { CHARS, WORDS, BETA, CASE, WHERE, FIELD };

static const RewardSetting settings[] = {
    {"chars", SETTING_NUMBER, .number = 6, .least = 1, .most = 12,
     .help = "longest character n-gram"},
    {"words", SETTING_NUMBER, .number = 0, .least = 0, .most = 6,
     .help = "longest word n-gram; 2 is chrF++"},
    {"beta", SETTING_NUMBER, .number = 2, .least = 0.01, .most = 100,
     .help = "weight of recall against precision"},
    {"case", SETTING_BOOL, .number = 1, .help = "capitals count"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field of the problem's record with the reference, or a list of them"},
    {0},
};

static int open_chrf(const RewardValue *v, void **state)
{
    if (v[CHARS].number != (int)v[CHARS].number || v[WORDS].number != (int)v[WORDS].number)
        return fail("chars and words are whole numbers");
    *state = (void *)(uintptr_t)place_find(v[WHERE].text);
    return *state ? 0 : -1;
}

/* Both cuts of a text. */
typedef struct {
    Buffer text;
    Words chars, words;
} Cuts;

static bool is_mark(char c)
{
    return c > ' ' && c < 0x7F && !((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'));
}

static void add_word(Words *out, Span w)
{
    size_t first;
    character_at(w.p, w.n, &first);
    if (w.n == first) {
        words_add(out, w);
    } else if (is_mark(w.p[w.n - 1])) {
        words_add(out, (Span){w.p, w.n - 1});
        words_add(out, (Span){w.p + w.n - 1, 1});
    } else if (is_mark(w.p[0])) {
        words_add(out, (Span){w.p, 1});
        words_add(out, (Span){w.p + 1, w.n - 1});
    } else {
        words_add(out, w);
    }
}

static Cuts cuts_of(const RewardValue *v, Span s)
{
    Cuts c = {.text = {0}};
    Words plain = {0};
    const Normal how = {.fold_case = !v[CASE].flag};
    normal_form(&how, s, &c.text);
    Span text = {c.text.data, c.text.size};
    words_of_characters(text, false, &c.chars);
    if (v[WORDS].number > 0) {
        words_between_spaces(text, &plain);
        for (int i = 0; i < plain.n; i++) add_word(&c.words, plain.list[i]);
        words_free(&plain);
    }
    return c;
}

static void cuts_free(Cuts *c)
{
    buffer_free(&c->text);
    words_free(&c->chars);
    words_free(&c->words);
}

typedef struct {
    double precision, recall;
    int orders;
} Sums;

static void add_orders(const Words *said, const Words *right, int most, Sums *sums)
{
    Vocabulary v = {0};
    int32_t *a = words_numbered(right, &v, true), *b = words_numbered(said, &v, false);
    for (int n = 1; n <= most && n <= said->n && n <= right->n; n++) {
        Ngrams g;
        ngrams_init(&g, n, a, right->n);
        double matches = (double)ngrams_matches(&g, b, said->n);
        sums->precision += matches / (said->n - n + 1);
        sums->recall += matches / (right->n - n + 1);
        sums->orders++;
        ngrams_free(&g);
    }
    mem_free(a);
    mem_free(b);
    vocabulary_free(&v);
}

static double f_score(const RewardValue *v, const Cuts *said, const Cuts *right)
{
    Sums s = {0, 0, 0};
    add_orders(&said->chars, &right->chars, (int)v[CHARS].number, &s);
    add_orders(&said->words, &right->words, (int)v[WORDS].number, &s);
    if (s.precision + s.recall == 0) return 0;
    double b2 = v[BETA].number * v[BETA].number, p = s.precision / s.orders,
           r = s.recall / s.orders;
    return (1 + b2) * p * r / (b2 * p + r);
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Place *place = state;
    References right;
    double best = 0;
    if (references_read(e->record, v[FIELD].text, &right)) return score_failed(SCORE_ERROR);
    Span s = place->take((Span){e->text, e->n_text});
    if (s.p) {
        Cuts said = cuts_of(v, s);
        for (int i = 0; i < right.n; i++) {
            Cuts reference = cuts_of(v, right.list[i]);
            double f = f_score(v, &said, &reference);
            if (f > best) best = f;
            cuts_free(&reference);
        }
        cuts_free(&said);
    }
    references_free(&right);
    return score_ok(best);
}

const Reward reward_chrf = {
    .name = "chrf",
    .help = "chrF of the answer against the reference, in [0, 1] (sacrebleu's sentence chrF / 100)",
    .settings = settings,
    .open = open_chrf,
    .score = score,
};

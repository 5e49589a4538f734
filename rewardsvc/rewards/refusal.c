/* Does the answer say that it does not know? 1 or 0. KnowRL pays an honest refusal more than a
 * wrong answer (specification 2, section 11); its prompt names the sentence to refuse with, so a
 * list of phrases is enough here, and the list is a setting. A phrase counts in the judged place
 * only, whole words, letters compared without case. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/normal.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { PHRASES, WHERE, LONGEST };
enum { PHRASES_MAX = 64 };

static const RewardSetting settings[] = {
    {"phrases", SETTING_TEXT,
     .text = "I don't know|I do not know|I am not sure|I'm not sure|I cannot answer|I can't "
             "answer|unable to answer|not enough information",
     .help = "phrases that refuse, with | between them"},
    {"where", SETTING_TEXT, .text = "final", .help = PLACE_HELP},
    {"longest", SETTING_NUMBER, .number = 40, .least = 1, .most = 1e6,
     .help = "a place with more words than this is no refusal, whatever it contains"},
    {0},
};

typedef struct {
    const Place *place;
    Buffer text;
    int n;
    Words phrases[PHRASES_MAX]; /* the words of each, in `text` */
} Refusal;

static const Normal form = {true, true, SPACE_COLLAPSE, PUNCTUATION_KEEP};

/* A typographic apostrophe is an apostrophe. */
static void straighten(Buffer *b)
{
    Buffer out = {0};
    Span s = {b->data, b->size}, at;
    buffer_add(&out, "", 0);
    while ((at = span_find(s, "\xE2\x80\x99")).p) {
        buffer_add(&out, s.p, (size_t)(at.p - s.p));
        buffer_text(&out, "'");
        s = span_after(s, at);
    }
    buffer_add(&out, s.p, s.n);
    buffer_free(b);
    *b = out;
}

static void close_refusal(void *state)
{
    Refusal *r = state;
    if (!r) return;
    for (int i = 0; i < r->n; i++) words_free(&r->phrases[i]);
    buffer_free(&r->text);
    mem_free(r);
}

static int read_phrases(Refusal *r, const char *list)
{
    normal_form(&form, span_of(list), &r->text);
    straighten(&r->text);
    for (Span s = {r->text.data, r->text.size}; s.n;) {
        const char *bar = memchr(s.p, '|', s.n);
        size_t n = bar ? (size_t)(bar - s.p) : s.n;
        if (r->n == PHRASES_MAX) return fail("phrases: more than %d", PHRASES_MAX);
        words_of_letters((Span){s.p, n}, &r->phrases[r->n]);
        if (r->phrases[r->n++].n == 0) return fail("phrases: one of them has no word");
        s = bar ? (Span){bar + 1, s.n - n - 1} : (Span){s.p + n, 0};
    }
    return r->n ? 0 : fail("phrases: there are none");
}

static int open_refusal(const RewardValue *v, void **state)
{
    Refusal *r = NEW(Refusal, 1);
    r->place = place_find(v[WHERE].text);
    if (!r->place || read_phrases(r, v[PHRASES].text)) {
        close_refusal(r);
        return -1;
    }
    *state = r;
    return 0;
}

static bool phrase_at(const Words *text, int i, const Words *phrase)
{
    if (phrase->n > text->n - i) return false;
    for (int k = 0; k < phrase->n; k++) {
        Span a = text->list[i + k], b = phrase->list[k];
        if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0) return false;
    }
    return true;
}

static bool any_phrase(const Refusal *r, const Words *text)
{
    for (int k = 0; k < r->n; k++)
        for (int i = 0; i < text->n; i++)
            if (phrase_at(text, i, &r->phrases[k])) return true;
    return false;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Refusal *r = state;
    Span s = r->place->take((Span){e->text, e->n_text});
    Words words = {0};
    Buffer text = {0};
    if (!s.p) return score_ok(0);
    normal_form(&form, s, &text);
    straighten(&text);
    words_of_letters((Span){text.data, text.size}, &words);
    bool refused = words.n <= v[LONGEST].number && any_phrase(r, &words);
    words_free(&words);
    buffer_free(&text);
    return score_ok(refused);
}

const Reward reward_refusal = {
    .name = "refusal",
    .help = "1 if the answer says that it does not know, 0 otherwise",
    .settings = settings,
    .open = open_refusal,
    .close = close_refusal,
    .score = score,
};

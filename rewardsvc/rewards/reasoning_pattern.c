/* The reasoning pattern reward (RPR; specification 2, section 6): it looks at phrases of reasoning
 * and never at the answer.
 *
 *   RPR = max(0, min(1, hits / divisor) - rep20 - turns)
 *
 * hits: phrases of the list that occur (presence, not count; lower case, anywhere, also inside
 * words, as it was run: "await" has "wait"). rep20: 20-word sequences that occur more than once,
 * each counted once, by all of them. turns: occurrences of "user: ", a model that invents the
 * dialogue's next turns. Divisor 20 is what was run, 40 what the paper writes. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { LIST, PHRASES, DIVISOR, BOUNDARY, WHERE };
enum { REPEAT_WORDS = 20, PHRASES_MAX = 64, N_MATH = 40 };

static const RewardSetting settings[] = {
    {"list", SETTING_TEXT, .text = "math",
     .help = "math: the 40 phrases; open: 13 more for open-ended tasks, and no penalty for \"user: "
             "\""},
    {"phrases", SETTING_TEXT, .text = "",
     .help = "a list of your own instead, in lower case, with | between: \"wait|let me see|so, \" "
             "(other languages, other domains)"},
    {"divisor", SETTING_NUMBER, .number = 20, .least = 1, .most = 64,
     .help = "phrases that make a 1"},
    {"boundary", SETTING_BOOL, .number = 0,
     .help = "a phrase must not begin or end inside a word (\"await\" has no \"wait\")"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {0},
};

/* A trailing blank or comma is part of the entry, and so is the misspelling. */
static const char *const phrases[] = {
    "i need to", "we need to", "wait", "alternatively", "let me check", "let me see",
    "let's focus on", "we know that", "we can observe ", "we can see ", "let me try", "let's try",
    "let us try", "first, ", "firstly, ", "next, ", "finally, ", "let us first", "let's first",
    "let me first", "try again", "still not", "not working", "not correct", "does not work",
    "doesn't work", "makes sence", "since we ", "because we ", "consequently", "as a result",
    "thus", "therefore", "hence", "so that", "thereby", "if we", "given there ", "for instance ",
    "for example ",
    /* from N_MATH on: the open-ended list's own */
    "1. ", "2. ", "3. ", "4. ", "step 1 ", "step 2 ", "step 3. ", "step 4 ", "considering the",
    "i'll", "i will", "i would", "i should"};

/* Phrases by their first two bytes: most places of a text begin none. */
typedef struct {
    const Place *place;
    int n;
    bool turns;
    Span phrases[PHRASES_MAX];
    uint8_t begins[256][32];  /* [first byte][bit of the second] */
    int8_t first[256];        /* of the phrases that begin with the byte, + 1; 0: none does */
    int8_t next[PHRASES_MAX]; /* the next one that begins with the same byte, + 1 */
} Patterns;

static int add_phrase(Patterns *p, Span phrase)
{
    if (phrase.n < 2)
        return fail("phrases: a phrase needs two bytes, \"%.*s\" has less", (int)phrase.n,
                    phrase.p);
    if (p->n == PHRASES_MAX) return fail("phrases: at most %d", PHRASES_MAX);
    for (size_t i = 0; i < phrase.n; i++)
        if (phrase.p[i] >= 'A' && phrase.p[i] <= 'Z')
            return fail("phrases: \"%.*s\" has capitals, and is compared with lower case",
                        (int)phrase.n, phrase.p);
    const unsigned char *t = (const unsigned char *)phrase.p;
    p->begins[t[0]][t[1] / 8] |= (uint8_t)(1 << t[1] % 8);
    p->next[p->n] = p->first[t[0]];
    p->phrases[p->n++] = phrase;
    p->first[t[0]] = (int8_t)p->n;
    return 0;
}

static int add_own_phrases(Patterns *p, const char *text)
{
    for (;; text++) {
        size_t n = strcspn(text, "|");
        if (add_phrase(p, (Span){text, n})) return -1;
        text += n;
        if (!*text) return 0;
    }
}

static int add_phrases(Patterns *p, const RewardValue *v)
{
    bool open = !strcmp(v[LIST].text, "open");
    int n = open ? (int)(sizeof phrases / sizeof *phrases) : N_MATH;
    if (!open && strcmp(v[LIST].text, "math"))
        return fail("list: %s is not math or open", v[LIST].text);
    p->turns = !open;
    if (*v[PHRASES].text) return add_own_phrases(p, v[PHRASES].text);
    for (int i = 0; i < n; i++)
        if (add_phrase(p, span_of(phrases[i]))) return -1;
    return 0;
}

static int open_patterns(const RewardValue *v, void **state)
{
    const Place *place = place_find(v[WHERE].text);
    if (!place) return -1;
    Patterns *p = NEW(Patterns, 1);
    p->place = place;
    if (add_phrases(p, v)) {
        mem_free(p);
        return -1;
    }
    *state = p;
    return 0;
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool in_a_word(Span text, size_t i, size_t n)
{
    if (i > 0 && is_letter(text.p[i]) && is_letter(text.p[i - 1])) return true;
    return i + n < text.n && is_letter(text.p[i + n - 1]) && is_letter(text.p[i + n]);
}

static int count_hits(const Patterns *p, Span text, bool boundary)
{
    uint64_t found = 0;
    for (size_t i = 0; i + 1 < text.n; i++) {
        unsigned char a = (unsigned char)text.p[i], b = (unsigned char)text.p[i + 1];
        if (!(p->begins[a][b / 8] >> b % 8 & 1)) continue;
        for (int k = p->first[a] - 1; k >= 0; k = p->next[k] - 1) {
            size_t n = p->phrases[k].n;
            if (found >> k & 1 || n > text.n - i) continue;
            if (memcmp(text.p + i, p->phrases[k].p, n) == 0 && !(boundary && in_a_word(text, i, n)))
                found |= (uint64_t)1 << k;
        }
    }
    return __builtin_popcountll(found);
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Patterns *p = state;
    Span s = p->place->take((Span){e->text, e->n_text});
    if (!s.p) return score_ok(0);
    Buffer lower = {0};
    Words words = {0};
    buffer_add(&lower, s.p, s.n);
    text_lower(lower.data, lower.size);
    Span text = {lower.data, lower.size};
    double hits = count_hits(p, text, v[BOUNDARY].flag) / v[DIVISOR].number;
    words_between_spaces(s, &words);
    double value = (hits < 1 ? hits : 1) - words_repetition(&words, REPEAT_WORDS).repeated;
    if (p->turns) value -= span_count(text, "user: ");
    words_free(&words);
    buffer_free(&lower);
    return score_ok(value > 0 ? value : 0);
}

const Reward reward_reasoning_pattern = {
    .name = "reasoning_pattern",
    .help = "RPR: phrases of reasoning that occur / 20, minus repetition, in [0, 1]; the answer is "
            "not looked at",
    .settings = settings,
    .open = open_patterns,
    .close = mem_free,
    .score = score,
};

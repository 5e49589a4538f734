/* Instructions about words and letters (instruction.h). */
#include <string.h>
#include <utf8proc.h>

#include "rewardsvc/instruction.h"

static long parts_in(const Passage *p, Span part, bool whole_words)
{
    long n = 0;
    for (Span rest = p->lower; part_next(&rest, part, whole_words, p->lower.p);) n++;
    return n;
}

/* As parts of words too, case aside. The reference code takes a keyword for a pattern; here it is
 * the text itself. */
static bool keywords_present(const Passage *p, const InstructionValue *v)
{
    for (int i = 0; i < v[0].n; i++) {
        Span rest = p->lower;
        if (!part_next(&rest, v[0].lowers[i], false, p->lower.p)) return false;
    }
    return true;
}

static bool keywords_absent(const Passage *p, const InstructionValue *v)
{
    for (int i = 0; i < v[0].n; i++) {
        Span rest = p->lower;
        if (part_next(&rest, v[0].lowers[i], true, p->lower.p)) return false;
    }
    return true;
}

static bool keyword_frequency(const Passage *p, const InstructionValue *v)
{
    return relation_holds(parts_in(p, v[0].lower, false), v[1].relation, v[2].count);
}

static bool letter_frequency(const Passage *p, const InstructionValue *v)
{
    return relation_holds(parts_in(p, v[0].lower, false), v[1].relation, v[2].count);
}

static bool word_count(const Passage *p, const InstructionValue *v)
{
    return relation_holds(words_in(p->text), v[0].relation, v[1].count);
}

/* ---- distinct words ---- */

typedef struct {
    Span *slots;
    size_t mask;
} WordSet;

static WordSet set_new(Span text)
{
    size_t room = 64;
    while (room < 2 * (size_t)words_in(text)) room *= 2;
    return (WordSet){NEW(Span, room), room - 1};
}

/* Whether the word is new. */
static bool set_add(WordSet *s, Span word)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a, and a last mix */
    for (size_t i = 0; i < word.n; i++) h = (h ^ (unsigned char)word.p[i]) * 1099511628211u;
    for (size_t i = (h ^ (h >> 29)) & s->mask;; i = (i + 1) & s->mask) {
        if (s->slots[i].p && !span_same(s->slots[i], word)) continue;
        bool fresh = !s->slots[i].p;
        s->slots[i] = word;
        return fresh;
    }
}

static long distinct_words(Span text)
{
    WordSet set = set_new(text);
    long n = 0;
    for (Span w; word_next(&text, &w);) n += set_add(&set, w);
    mem_free(set.slots);
    return n;
}

static bool unique_word_count(const Passage *p, const InstructionValue *v)
{
    return relation_holds(distinct_words(p->lower), v[0].relation, v[1].count);
}

static bool no_repeated_words(const Passage *p, const InstructionValue *v)
{
    (void)v;
    return distinct_words(p->lower) == words_in(p->lower);
}

/* ---- the shape of words ---- */

/* Letters and marks are characters of a word; what joins to the one before it counts with it. */
static long characters_in(Span word)
{
    long n = 0;
    while (word.n > 0) {
        utf8proc_category_t k = utf8proc_category(char_take(&word));
        n += k != UTF8PROC_CATEGORY_MN && k != UTF8PROC_CATEGORY_ME;
    }
    return n;
}

static bool word_length(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    for (Span w; word_next(&rest, &w);) {
        long n = characters_in(w);
        if (n < v[0].count || n > v[1].count) return false;
    }
    return true;
}

/* All its letters are capitals, and it has one: "NASA", "A4", "U.S", "I". The reference code cuts
 * words by NLTK's tokenizer; compound_next comes close to it. */
static bool is_capital(Span word)
{
    bool any = false;
    while (word.n > 0) {
        int32_t c = char_take(&word);
        if (char_is_lower(c)) return false;
        any |= char_is_upper(c);
    }
    return any;
}

static bool capital_words(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    long n = 0;
    for (Span w; compound_next(&rest, &w);) n += is_capital(w);
    return relation_holds(n, v[0].relation, v[1].count);
}

static int32_t last_take(Span *s)
{
    int32_t c = char_before(s->p, s->p + s->n);
    do s->n--;
    while (s->n > 0 && ((unsigned char)s->p[s->n] & 0xC0) == 0x80);
    return c;
}

static bool is_palindrome(Span word)
{
    while (word.n > 0) {
        int32_t first = char_take(&word);
        if (word.n > 0 && last_take(&word) != first) return false;
    }
    return true;
}

static bool palindromes(const Passage *p, const InstructionValue *v)
{
    Span rest = p->lower;
    long n = 0;
    for (Span w; word_next(&rest, &w);) n += characters_in(w) >= v[2].count && is_palindrome(w);
    return relation_holds(n, v[0].relation, v[1].count);
}

static int32_t first_of(Span s)
{
    return s.n > 0 ? char_take(&s) : -1;
}

static bool words_begin_with(const Passage *p, const InstructionValue *v)
{
    Span rest = p->lower;
    int32_t letter = first_of(v[0].lower);
    bool any = false;
    for (Span w; word_next(&rest, &w); any = true)
        if (first_of(w) != letter) return false;
    return any;
}

/* Each word begins with the letter that follows the one before it: a, b, ..., z, a. */
static bool alphabetical_words(const Passage *p, const InstructionValue *v)
{
    (void)v;
    Span rest = p->lower, w;
    int32_t before = -1, c;
    while (word_next(&rest, &w)) {
        c = first_of(w);
        if (c < 'a' || c > 'z') return false;
        if (before >= 0 && c != (before == 'z' ? 'a' : before + 1)) return false;
        before = c;
    }
    return before >= 0;
}

static bool numbers(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    Rational r;
    long n = 0;
    while (rest.n > 0 && number_first(rest, &r, &rest)) n++;
    return relation_holds(n, v[0].relation, v[1].count);
}

const InstructionKind instructions_words[] = {
    {"keywords_present",
     "keywords:existence",
     "every text of the list occurs",
     {{"keywords", NULL, PARAM_TEXTS, NULL}},
     keywords_present},
    {"keywords_absent",
     "keywords:forbidden_words",
     "no text of the list occurs as a word",
     {{"keywords", "forbidden_words", PARAM_TEXTS, NULL}},
     keywords_absent},
    {"keyword_frequency",
     "keywords:frequency",
     "the text occurs so often",
     {{"keyword", NULL, PARAM_TEXT, NULL}, RELATION(NULL, "at least"), COUNT("frequency", NULL)},
     keyword_frequency},
    {"letter_frequency",
     "keywords:letter_frequency",
     "the letter occurs so often, case aside",
     {{"letter", NULL, PARAM_LETTER, NULL},
      RELATION("let_relation", "at least"),
      COUNT("let_frequency", NULL)},
     letter_frequency},
    {"word_count",
     "length_constraints:number_words",
     "so many words",
     {RELATION(NULL, "at least"), COUNT("num_words", NULL)},
     word_count},
    {"unique_word_count",
     NULL,
     "so many different words, case aside",
     {RELATION(NULL, "at least"), COUNT(NULL, NULL)},
     unique_word_count},
    {"no_repeated_words", NULL, "no word occurs twice, case aside", {{0}}, no_repeated_words},
    {"word_length",
     NULL,
     "every word has from `least` to `most` characters",
     {{"least", NULL, PARAM_COUNT, "1"}, {"most", NULL, PARAM_COUNT, "1000000000"}},
     word_length},
    {"capital_words",
     "change_case:capital_word_frequency",
     "so many words all in capitals",
     {RELATION("capital_relation", "at least"), COUNT("capital_frequency", NULL)},
     capital_words},
    {"palindromes",
     NULL,
     "so many words of at least `length` characters that read the same "
     "backwards",
     {RELATION(NULL, "at least"), COUNT(NULL, NULL), {"length", NULL, PARAM_COUNT, "3"}},
     palindromes},
    {"words_begin_with",
     NULL,
     "every word begins with the letter, case aside",
     {{"letter", NULL, PARAM_LETTER, NULL}},
     words_begin_with},
    {"alphabetical_words",
     NULL,
     "each word begins with the letter after the last one's",
     {{0}},
     alphabetical_words},
    {"numbers", NULL, "so many numbers", {RELATION(NULL, "exactly"), COUNT(NULL, NULL)}, numbers},
    {NULL, NULL, NULL, {{0}}, NULL},
};

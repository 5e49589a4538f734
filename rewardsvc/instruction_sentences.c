/* Instructions about sentences, lines and paragraphs (instruction.h). */
#include "rewardsvc/instruction.h"
#include "rewardsvc/words.h"

/* The reference code cuts by NLTK's Punkt model, which cuts after the number of a list item as well
 * ("1. First"); sentence_next does so too. */
static bool sentence_count(const Passage *p, const InstructionValue *v)
{
    return relation_holds(sentences_in(p->text), v[0].relation, v[1].count);
}

static bool sentence_length(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    for (Span s; sentence_next(&rest, &s);)
        if (!relation_holds(words_in(s), v[0].relation, v[1].count)) return false;
    return true;
}

static Span first_word(Span s)
{
    Span w;
    return word_next(&s, &w) ? w : (Span){NULL, 0};
}

static Span last_word(Span s)
{
    Span last = {NULL, 0};
    for (Span w; word_next(&s, &w);) last = w;
    return last;
}

static bool chained_sentences(const Passage *p, const InstructionValue *v)
{
    (void)v;
    Span rest = p->lower, before = {NULL, 0};
    int n = 0;
    for (Span s; sentence_next(&rest, &s); n++) {
        if (n > 0 && !span_same(before, first_word(s))) return false;
        before = last_word(s);
    }
    return n > 1;
}

static bool word_at_place(const Passage *p, const InstructionValue *v)
{
    Span rest = p->lower, s, w = {NULL, 0};
    for (long i = 0; i < v[1].count; i++)
        if (!sentence_next(&rest, &s)) return false;
    for (long i = 0; i < v[2].count; i++)
        if (!word_next(&s, &w)) return false;
    return span_same(w, v[0].lower);
}

static bool line_count(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    long n = 0;
    for (Span line; line_next(&rest, &line);) n += text_strip(line).n > 0;
    return relation_holds(n, v[0].relation, v[1].count);
}

/* The first letters of the lines that have words are the letters of the word, in order. */
static bool acrostic(const Passage *p, const InstructionValue *v)
{
    Span rest = p->lower, wanted = v[0].lower, line;
    while (line_next(&rest, &line)) {
        Span w = first_word(line);
        if (!w.p) continue;
        if (wanted.n == 0 || char_take(&w) != char_take(&wanted)) return false;
    }
    return wanted.n == 0;
}

/* Pieces between marks. An empty one is none at the beginning and end and a fault (-1) between. */
static long pieces_between(Span text, const char *mark)
{
    long n = 0, i = 0;
    for (Span piece; piece_next(&text, mark, &piece); i++) {
        bool filled = text_strip(piece).n > 0;
        if (!filled && i > 0 && text.p) return -1;
        n += filled;
    }
    return n;
}

static bool paragraph_count(const Passage *p, const InstructionValue *v)
{
    long n = pieces_between(p->text, "***");
    return n >= 0 && relation_holds(n, v[0].relation, v[1].count);
}

static bool blank_line_paragraphs(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text, line;
    long n = 0;
    bool inside = false;
    while (line_next(&rest, &line)) {
        bool words = text_strip(line).n > 0;
        n += words && !inside;
        inside = words;
    }
    return relation_holds(n, v[0].relation, v[1].count);
}

/* The reference: quotes before the word do not count, it ends at . , ? ! ' " or white space. */
static Span opening_word(Span s)
{
    s = text_strip(s);
    size_t n = 0;
    while (n < s.n && !character_is_space(char_take(&(Span){s.p + n, s.n - n}))) {
        n++;
        while (n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80) n++;
    }
    s.n = n;
    while (s.n > 0 && *s.p == '\'') s.p++, s.n--;
    while (s.n > 0 && *s.p == '"') s.p++, s.n--;
    for (n = 0; n < s.n; n++)
        for (const char *q = ".,?!'\""; *q; q++)
            if (s.p[n] == *q) return (Span){s.p, n};
    return s;
}

/* Paragraphs are parted by "\n\n". The number counts those that are not empty; the n-th is counted
 * with the empty ones, as in the reference code. */
static bool paragraph_first_word(const Passage *p, const InstructionValue *v)
{
    Span rest = p->lower, piece, nth = {NULL, 0};
    long all = 0, filled = 0;
    while (piece_next(&rest, "\n\n", &piece)) {
        if (++all == v[1].count) nth = piece;
        filled += text_strip(piece).n > 0;
    }
    if (v[1].count > filled || (v[0].count > 0 && filled != v[0].count)) return false;
    return text_strip(nth).n > 0 && span_same(opening_word(nth), v[2].lower);
}

const InstructionKind instructions_sentences[] = {
    {"sentence_count",
     "length_constraints:number_sentences",
     "so many sentences",
     {RELATION(NULL, "at least"), COUNT("num_sentences", NULL)},
     sentence_count},
    {"sentence_length",
     NULL,
     "every sentence has so many words",
     {RELATION(NULL, "at most"), COUNT(NULL, NULL)},
     sentence_length},
    {"chained_sentences",
     NULL,
     "each sentence begins with the last word of the one before it",
     {{0}},
     chained_sentences},
    {"word_at",
     NULL,
     "the `position`-th word of the `sentence`-th sentence",
     {{"word", NULL, PARAM_TEXT, NULL},
      {"sentence", NULL, PARAM_COUNT, NULL},
      {"position", NULL, PARAM_COUNT, NULL}},
     word_at_place},
    {"line_count",
     NULL,
     "so many lines that are not empty",
     {RELATION(NULL, "exactly"), COUNT(NULL, NULL)},
     line_count},
    {"acrostic",
     NULL,
     "the lines' first letters spell the word",
     {{"word", NULL, PARAM_TEXT, NULL}},
     acrostic},
    {"paragraph_count",
     "length_constraints:number_paragraphs",
     "so many paragraphs, with the divider *** between them",
     {RELATION(NULL, "exactly"), COUNT("num_paragraphs", NULL)},
     paragraph_count},
    {"blank_line_paragraphs",
     NULL,
     "so many paragraphs, with empty lines between them",
     {RELATION(NULL, "exactly"), COUNT(NULL, NULL)},
     blank_line_paragraphs},
    {"paragraph_first_word",
     "length_constraints:nth_paragraph_first_word",
     "so many paragraphs (0: any number), with empty lines between them, the `nth` beginning with "
     "`word`",
     {{"count", "num_paragraphs", PARAM_COUNT, "0"},
      {"nth", "nth_paragraph", PARAM_COUNT, NULL},
      {"word", "first_word", PARAM_TEXT, NULL}},
     paragraph_first_word},
    {NULL, NULL, NULL, {{0}}, NULL},
};

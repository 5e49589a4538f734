/* Instructions about a text's beginning and end, case and characters (instruction.h). */
#include <utf8proc.h>

#include "rewardsvc/instruction.h"
#include "rewardsvc/words.h"

static bool starts_with(const Passage *p, const InstructionValue *v)
{
    return span_begins(text_strip(p->lower), v[0].lower);
}

/* Quotes around the text do not count. */
static bool ends_with(const Passage *p, const InstructionValue *v)
{
    Span s = text_strip(p->lower);
    while (s.n > 0 && s.p[s.n - 1] == '"') s.n--;
    return span_ends(s, v[0].lower);
}

static bool exact_text(const Passage *p, const InstructionValue *v)
{
    return span_same(text_strip(p->text), v[0].text);
}

static bool one_of(const Passage *p, const InstructionValue *v)
{
    Span s = text_strip(p->text);
    for (int i = 0; i < v[0].n; i++)
        if (span_same(s, v[0].texts[i])) return true;
    return false;
}

/* The three answers of the published data, anywhere in the text. */
static bool yes_no_maybe(const Passage *p, const InstructionValue *v)
{
    (void)v;
    return span_find(p->text, "My answer is yes.").p || span_find(p->text, "My answer is no.").p ||
           span_find(p->text, "My answer is maybe.").p;
}

/* Every letter that has case has the right one, and there is one. The published instructions also
 * ask for English, which is not looked at. */
static bool all_case(Span s, bool (*right)(int32_t), bool (*wrong)(int32_t))
{
    bool any = false;
    while (s.n > 0) {
        int32_t c = char_take(&s);
        if (wrong(c)) return false;
        any |= right(c);
    }
    return any;
}

static bool all_upper(const Passage *p, const InstructionValue *v)
{
    (void)v;
    return all_case(p->text, char_is_upper, char_is_lower);
}

static bool all_lower(const Passage *p, const InstructionValue *v)
{
    (void)v;
    return all_case(p->text, char_is_lower, char_is_upper);
}

static bool title_case(const Passage *p, const InstructionValue *v)
{
    (void)v;
    Span rest = p->text, w;
    bool any = false;
    while (word_next(&rest, &w)) {
        int32_t before = char_before(p->text.p, w.p), first = char_take(&w);
        if (before == '\'' || before == 0x2019) continue; /* don't */
        if (char_is_lower(first)) return false;
        any |= char_is_upper(first);
    }
    return any;
}

/* ---- characters ---- */

static bool has_any(Span s, bool (*is)(int32_t))
{
    while (s.n > 0)
        if (is(char_take(&s))) return true;
    return false;
}

static bool no_comma(const Passage *p, const InstructionValue *v)
{
    (void)v;
    return !span_find(p->text, ",").p;
}

static bool is_punctuation(int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);
    return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

static bool no_punctuation(const Passage *p, const InstructionValue *v)
{
    (void)v;
    return !has_any(p->text, is_punctuation);
}

static bool no_white_space(const Passage *p, const InstructionValue *v)
{
    (void)v;
    return !has_any(text_strip(p->text), character_is_space);
}

static bool is_beyond_ascii(int32_t c)
{
    return c >= 0x80;
}

static bool ascii_only(const Passage *p, const InstructionValue *v)
{
    (void)v;
    return !has_any(p->text, is_beyond_ascii);
}

static bool characters_absent(const Passage *p, const InstructionValue *v)
{
    Span rest = v[0].text;
    while (rest.n > 0) {
        const char *begin = rest.p;
        char_take(&rest);
        Span text = p->text;
        if (part_next(&text, (Span){begin, (size_t)(rest.p - begin)}, false, text.p)) return false;
    }
    return true;
}

static bool character_count(const Passage *p, const InstructionValue *v)
{
    Span s = text_strip(p->text);
    long n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return relation_holds(n, v[0].relation, v[1].count);
}

/* Pictographs of the blocks that have them; a sequence joined by U+200D, a skin tone, a variation
 * sign and the second half of a flag belong to the one before. */
static bool is_pictograph(int32_t c)
{
    return (c >= 0x1F1E6 && c <= 0x1FAFF && !(c >= 0x1F3FB && c <= 0x1F3FF)) ||
           (c >= 0x2600 && c <= 0x27BF) || (c >= 0x2B00 && c <= 0x2BFF);
}

static bool is_flag_half(int32_t c)
{
    return c >= 0x1F1E6 && c <= 0x1F1FF;
}

static bool emoji_count(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    long n = 0;
    int32_t before = -1;
    bool half = false;
    while (rest.n > 0) {
        int32_t c = char_take(&rest);
        bool second = half && is_flag_half(c);
        n += is_pictograph(c) && before != 0x200D && !second;
        half = is_flag_half(c) && !second;
        before = c;
    }
    return relation_holds(n, v[0].relation, v[1].count);
}

#define TEXT(name, published)                                                                      \
    {                                                                                              \
        name, published, PARAM_TEXT, NULL                                                          \
    }
const InstructionKind instructions_text[] = {
    {"starts_with", NULL, "begins with the text, case aside", {TEXT("text", NULL)}, starts_with},
    {"ends_with",
     "startend:end_checker",
     "ends with the text, case aside",
     {TEXT("text", "end_phrase")},
     ends_with},
    {"repeat_prompt",
     "combination:repeat_prompt",
     "begins with the prompt, case aside",
     {TEXT("text", "prompt_to_repeat")},
     starts_with},
    {"exact_text", NULL, "is the text and nothing else", {TEXT("text", NULL)}, exact_text},
    {"one_of",
     NULL,
     "is one of the texts and nothing else",
     {{"options", NULL, PARAM_TEXTS, NULL}},
     one_of},
    {"yes_no_maybe",
     "detectable_format:constrained_response",
     "has \"My answer is yes.\", \"My answer is no.\" or \"My answer is maybe.\"",
     {{0}},
     yes_no_maybe},
    {"all_upper", "change_case:english_capital", "all letters are capitals", {{0}}, all_upper},
    {"all_lower", "change_case:english_lowercase", "no letter is a capital", {{0}}, all_lower},
    {"title_case", NULL, "every word begins with a capital", {{0}}, title_case},
    {"no_comma", "punctuation:no_comma", "has no comma", {{0}}, no_comma},
    {"no_punctuation", NULL, "has no punctuation", {{0}}, no_punctuation},
    {"no_white_space", NULL, "has no white space but at its ends", {{0}}, no_white_space},
    {"ascii_only", NULL, "has ASCII characters only", {{0}}, ascii_only},
    {"characters_absent",
     NULL,
     "has none of these characters",
     {TEXT("characters", NULL)},
     characters_absent},
    {"character_count",
     NULL,
     "so many characters, white space at the ends aside",
     {RELATION(NULL, "at most"), COUNT(NULL, NULL)},
     character_count},
    {"emoji_count",
     NULL,
     "so many emoji",
     {RELATION(NULL, "at least"), COUNT(NULL, NULL)},
     emoji_count},
    {NULL, NULL, NULL, {{0}}, NULL},
};

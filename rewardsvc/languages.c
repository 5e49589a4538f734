/* See languages.h. CLD2 is a C++ library whose one useful entry takes only plain types, so it is
 * called by its symbol: the name carries the types of all arguments, and a library with another
 * signature does not link. */
#include "rewardsvc/languages.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "common/errors.h"
#include "rewardsvc/words.h"

/* int Language: CLD2's number of one, only handed back to cld2_code */
int cld2_detect(
    const char *text, int n, bool is_plain_text, int *language3, int *percent3, int *text_bytes,
    bool *is_reliable) __asm__("_ZN4CLD224ExtDetectLanguageSummaryEPKcibPNS_8LanguageEPiS4_Pb");
const char *cld2_code(int language) __asm__("_ZN4CLD212LanguageCodeENS_8LanguageE");

/* ---- prose ---- */

static bool starts(Span s, size_t i, const char *word)
{
    size_t n = strlen(word);
    return n <= s.n - i && memcmp(s.p + i, word, n) == 0;
}

/* What is not prose begins with `open`, ends with `close`, and is at most `most` bytes long (a
 * price is not the beginning of a formula); an unclosed block of code runs to the end. */
typedef struct {
    const char *open, *close;
    size_t most;
} Block;

static const Block blocks[] = {
    {"```", "```", SIZE_MAX}, {"`", "`", 400},       {"$$", "$$", 4000},
    {"$", "$", 400},          {"\\[", "\\]", 4000},  {"\\(", "\\)", 400},
    {"<", ">", 64},           {"http://", " ", 400}, {"https://", " ", 400}};

/* Bytes of the block at i, 0 if none begins there. */
static size_t block_at(Span s, size_t i)
{
    for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++) {
        const Block *b = &blocks[k];
        if (!starts(s, i, b->open)) continue;
        size_t begin = i + strlen(b->open), room = s.n - begin;
        Span inside = {s.p + begin, room < b->most ? room : b->most},
             end = inside.n ? span_find(inside, b->close) : (Span){NULL, 0};
        if (end.p) return (size_t)(end.p - s.p) + end.n - i;
        if (b->most == SIZE_MAX) return s.n - i;
    }
    return 0;
}

static bool is_text(int32_t c)
{
    if (c < 0x20) return c == '\n' || c == '\t';
    return !(c >= 0x7F && c < 0xA0) && (c & 0xFFFE) != 0xFFFE && !(c >= 0xFDD0 && c <= 0xFDEF);
}

void language_prose(Span s, size_t most, Buffer *out)
{
    size_t taken, from = out->size, end = from + most;
    buffer_add(out, "", 0);
    for (size_t i = 0; i < s.n && out->size + 4 < end; i += taken) {
        bool mark = strchr("`$\\<h", s.p[i]) != NULL && s.p[i];
        if (mark && (taken = block_at(s, i)) > 0) {
            buffer_text(out, " ");
            continue;
        }
        if (is_text(character_at(s.p + i, s.n - i, &taken)))
            buffer_add(out, s.p + i, taken);
        else
            buffer_text(out, " ");
    }
}

/* ---- languages ---- */

int language_detect(Span prose, LanguageShare shares[3], bool *reliable)
{
    int language[3], percent[3], bytes, n = 0;
    REQUIRE(prose.n < INT32_MAX, "%zu bytes of prose", prose.n);
    cld2_detect(prose.p, (int)prose.n, true, language, percent, &bytes, reliable);
    for (int i = 0; i < 3; i++) {
        if (percent[i] <= 0) continue;
        snprintf(shares[n].code, sizeof shares[n].code, "%s", cld2_code(language[i]));
        shares[n++].percent = percent[i];
    }
    return n;
}

/* ---- scripts ---- */

static const struct {
    const char *script;
    int32_t first, last;
} ranges[] = {
    {"Latin", 0x41, 0x5A},        {"Latin", 0x61, 0x7A},        {"Latin", 0xAA, 0x24F},
    {"Latin", 0x1E00, 0x1EFF},    {"Latin", 0x2C60, 0x2C7F},    {"Latin", 0xFF21, 0xFF5A},
    {"Greek", 0x370, 0x3FF},      {"Greek", 0x1F00, 0x1FFF},    {"Cyrillic", 0x400, 0x52F},
    {"Cyrillic", 0x1C80, 0x1C8F}, {"Armenian", 0x530, 0x58F},   {"Hebrew", 0x590, 0x5FF},
    {"Arabic", 0x600, 0x6FF},     {"Arabic", 0x750, 0x77F},     {"Arabic", 0x8A0, 0x8FF},
    {"Arabic", 0xFB50, 0xFDFF},   {"Arabic", 0xFE70, 0xFEFF},   {"Devanagari", 0x900, 0x97F},
    {"Bengali", 0x980, 0x9FF},    {"Gurmukhi", 0xA00, 0xA7F},   {"Gujarati", 0xA80, 0xAFF},
    {"Tamil", 0xB80, 0xBFF},      {"Telugu", 0xC00, 0xC7F},     {"Kannada", 0xC80, 0xCFF},
    {"Malayalam", 0xD00, 0xD7F},  {"Sinhala", 0xD80, 0xDFF},    {"Thai", 0xE00, 0xE7F},
    {"Lao", 0xE80, 0xEFF},        {"Tibetan", 0xF00, 0xFFF},    {"Burmese", 0x1000, 0x109F},
    {"Georgian", 0x10A0, 0x10FF}, {"Hangul", 0x1100, 0x11FF},   {"Hangul", 0x3130, 0x318F},
    {"Hangul", 0xAC00, 0xD7AF},   {"Ethiopic", 0x1200, 0x139F}, {"Khmer", 0x1780, 0x17FF},
    {"Hiragana", 0x3040, 0x309F}, {"Katakana", 0x30A0, 0x30FF}, {"Katakana", 0xFF66, 0xFF9F},
    {"Han", 0x3005, 0x3007},      {"Han", 0x3400, 0x9FFF},      {"Han", 0xF900, 0xFAFF},
    {"Han", 0x20000, 0x3FFFF},
};

static bool is_letter(int32_t c)
{
    if (c < 0x80) return (c | 32) >= 'a' && (c | 32) <= 'z';
    utf8proc_category_t k = utf8proc_category(c);
    return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

int language_letters(Span s)
{
    int n = 0;
    size_t taken;
    for (size_t i = 0; i < s.n; i += taken) n += is_letter(character_at(s.p + i, s.n - i, &taken));
    return n;
}

static bool of_script(int32_t c, const char *script)
{
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
        if (c >= ranges[k].first && c <= ranges[k].last) return !strcmp(ranges[k].script, script);
    return false;
}

int language_script_letters(Span s, const char *script)
{
    int n = 0;
    size_t taken, known = 0, n_ranges = sizeof ranges / sizeof *ranges;
    while (known < n_ranges && strcmp(ranges[known].script, script)) known++;
    if (known == n_ranges) return -1;
    for (size_t i = 0; i < s.n; i += taken) {
        int32_t c = character_at(s.p + i, s.n - i, &taken);
        n += is_letter(c) && of_script(c, script);
    }
    return n;
}

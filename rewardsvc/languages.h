/* Which languages and scripts a text is written in. */
#ifndef REWARDSVC_LANGUAGES_H
#define REWARDSVC_LANGUAGES_H

#include "common/memory.h"
#include "rewardsvc/answer.h"

/* Appends the prose of s to out: code between ``` or ` marks, formulas between $ or in \( \) and
 * \[ \], addresses and <tags> are left out, as is what is no text. At most `most` bytes. */
void language_prose(Span s, size_t most, Buffer *out);

typedef struct {
    char code[8]; /* "en", "zh", "zh-Hant", ... as CLD2 names it; "un" unknown */
    int percent;  /* of the text's letters, 0 to 100 */
} LanguageShare;

/* Up to three languages of valid UTF-8, the largest first; returns how many. *reliable: CLD2 is
 * sure of the first. Source: Compact Language Detector 2, letters in groups of four (one for Han),
 * naive Bayes. */
int language_detect(Span prose, LanguageShare shares[3], bool *reliable);

/* Letters of s, and how many of them are of the script ("Latin", "Cyrillic", "Han", ... by Unicode
 * blocks; -1 for a script that is not known here). */
int language_letters(Span s);
int language_script_letters(Span s, const char *script);

#endif

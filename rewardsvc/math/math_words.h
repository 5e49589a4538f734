/* The words, commands and signs that the scanner knows, and what token each is. */
#ifndef REWARDSVC_MATH_MATH_WORDS_H
#define REWARDSVC_MATH_MATH_WORDS_H

#include "rewardsvc/math/math_scan.h"

typedef struct {
    const char *word;
    int kind, id;
    const char *name; /* of a TOKEN_NAME: the name if it is not the word */
} Word;

enum { WORD_NOTHING = -1, WORD_TEXT_COMMAND = -2, WORD_NAMED_COMMAND = -3, WORD_SPACE = -4 };

/* After a backslash: what a command of this name is; kind WORD_NOTHING for formatting,
 * WORD_TEXT_COMMAND for \text{...}, WORD_NAMED_COMMAND for \operatorname{...}. NULL: unknown. */
const Word *word_command(Span name);
/* A run of plain letters; NULL if it is no word that the grammar knows. */
const Word *word_plain(Span run);
/* A function whose name begins the run with one letter left over ("sinx"); NULL if none. */
const Word *word_prefix(Span run);
/* A sign of several bytes (UTF-8 or ASCII such as "<=") that s begins with; NULL if none. */
const Word *word_sign(Span s);

bool span_is(Span s, const char *word);

#endif

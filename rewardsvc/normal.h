/* Forms of a text in which two spellings of one thing are equal: Unicode NFKC, case, white space,
 * punctuation, each by its own setting. */
#ifndef REWARDSVC_NORMAL_H
#define REWARDSVC_NORMAL_H

#include "common/memory.h"
#include "rewardsvc/answer.h"

typedef enum { SPACE_KEEP, SPACE_COLLAPSE, SPACE_DROP } SpaceRule;
typedef enum { PUNCTUATION_KEEP, PUNCTUATION_ENDS, PUNCTUATION_DROP } PunctuationRule;

typedef struct {
    bool unicode;   /* NFKC, and characters that show nothing (zero width, soft hyphen) dropped */
    bool fold_case; /* Unicode's full case folding: Strasse with a sharp s is STRASSE */
    SpaceRule space;
    PunctuationRule punctuation;
} Normal;

/* The words of the settings; 0, or -1 with the reason. */
int space_rule(const char *word, SpaceRule *out);
int punctuation_rule(const char *word, PunctuationRule *out);
#define SPACE_HELP                                                                                 \
    "collapse: runs of white space count as one blank, none at the ends; drop: none counts; keep"
#define PUNCTUATION_HELP                                                                           \
    "ends: full stops and the like at the end and quotes around the text do not count; drop: no "  \
    "punctuation counts, but what belongs to a number does (-5, 3.14, 50%); keep"

/* Appends the form of s to out. Bytes that are not UTF-8 stay as they are. A text that grows to
 * more than three times its length is mapped only so far. Linear in s: a run of combining marks is
 * put in order in pieces of 32 characters at most (as in Unicode's stream-safe text), since sorting
 * it whole is quadratic. */
void normal_form(const Normal *how, Span s, Buffer *out);

#endif

/* A text as people count it: characters, words, sentences, lines, paragraphs. What the checks of
 * verifiable instructions (instruction.h) share.
 *
 * A word is a longest run of letters, marks, digits and underscores (Unicode L, M, N, _), as in the
 * reference code of IFEval (\w+; marks besides, so that scripts that need them have words at all).
 * Everything is linear in the text. */
#ifndef REWARDSVC_PASSAGE_H
#define REWARDSVC_PASSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/memory.h"
#include "rewardsvc/answer.h"

typedef struct {
    Span text;  /* UTF-8: what was not is U+FFFD */
    Span lower; /* the same in lower case; its bytes may be more or fewer */
    Buffer owned[2];
} Passage;

void passage_init(Passage *p, Span bytes);
void passage_free(Passage *p); /* an empty one is fine */
/* How many of `bytes` the first n bytes of their passage's text stand for. */
size_t passage_bytes(Span bytes, size_t n);
void lower_add(Buffer *b, Span text); /* appends it in lower case (simple mapping) */

/* The first character of s (not empty, UTF-8 of a Passage); moves s behind it. */
int32_t char_take(Span *s);
/* The last character before p in a text that begins at start; -1 at the start. */
int32_t char_before(const char *start, const char *p);
bool char_is_word(int32_t c);
bool char_is_upper(int32_t c);
bool char_is_lower(int32_t c);
Span text_strip(Span s); /* without white space (Unicode's) at both ends */

/* Each moves *rest behind the next one; false if there is none. */
bool word_next(Span *rest, Span *word);
/* Words that hold together at a point or hyphen between two of them ("U.S", "well-known"). */
bool compound_next(Span *rest, Span *word);
/* A sentence ends at . ! ? (and their wide forms) with the closing quotes and brackets behind them,
 * if white space or the end follows; not at the point of a usual English abbreviation or of an
 * initial ("Dr.", "e.g.", "J. S. Bach"). The wide forms need no white space. What stands after the
 * last end counts if it has a word. Line ends are no sentence ends. */
bool sentence_next(Span *rest, Span *sentence);
bool line_next(Span *rest, Span *line); /* without its end; "a\n" is two lines, the last empty */
/* Up to the next `mark` (not empty); "a*b" is two pieces, "" is one. *rest.p NULL: the end. */
bool piece_next(Span *rest, const char *mark, Span *piece);

int words_in(Span s);
int sentences_in(Span s);
bool span_same(Span a, Span b);
bool span_begins(Span s, Span with);
bool span_ends(Span s, Span with);
/* The next place of `part` (not empty) in *rest; moves *rest behind it. whole_words: neither its
 * neighbours nor its own ends make a longer word of it. */
bool part_next(Span *rest, Span part, bool whole_words, const char *start);

#endif

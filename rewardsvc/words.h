/* What text rewards compare: a text cut into words or characters, words as numbers, and counts of
 * n-grams. One place for all of them, so that "word" means one thing in every reward that says so.
 *
 * Texts may hold any bytes: a byte that is not UTF-8 is a character of its own and a part of no
 * word. Everything is linear in the texts. */
#ifndef REWARDSVC_WORDS_H
#define REWARDSVC_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "rewardsvc/answer.h"

/* Pieces of one text, in order, borrowed from it. Empty is {0}. */
typedef struct {
    Span *list; /* [n] */
    int n, capacity;
} Words;

void words_add(Words *w, Span piece);
void words_free(Words *w);

/* Adds the pieces between white space (Unicode's, and U+001C to U+001F as Python's split has it).
 */
void words_between_spaces(Span text, Words *out);

/* Adds the words: longest runs of letters, marks and digits (Unicode L, M, N), an apostrophe
 * between two letters included ("don't"). A letter of a script that is written without spaces (Han,
 * Hiragana, Katakana, Thai, Lao, Khmer, Burmese) is a word of its own. */
void words_of_letters(Span text, Words *out);

/* Adds the words of ROUGE's reference implementation: runs of ASCII letters and digits. */
void words_of_ascii(Span text, Words *out);

/* Adds every character (code point); white space is left out if so told. */
void words_of_characters(Span text, bool spaces, Words *out);

/* One character at the start of text (n >= 1): its code point, or -1 for a byte that is not UTF-8.
 * *taken: its bytes. */
int32_t character_at(const char *text, size_t n, size_t *taken);
bool character_is_space(int32_t c);

/* Lower case in place, ASCII only: no length changes, spans stay valid. */
void text_lower(char *text, size_t n);

/* ---- words as numbers ------------------------------------------------------------------------ */

/* The distinct words of texts, numbered from 0 in order of appearance. Empty is {0}; borrows the
 * texts. */
typedef struct {
    Span *words;      /* [n] */
    uint64_t *hashes; /* [n] */
    uint32_t *slots;  /* [mask + 1] number + 1; 0: free */
    uint32_t mask;
    int n, capacity;
} Vocabulary;

int32_t vocabulary_add(Vocabulary *v, Span word);        /* its number, a new one if need be */
int32_t vocabulary_find(const Vocabulary *v, Span word); /* -1: not there */
void vocabulary_free(Vocabulary *v);

/* [w->n] numbers, -1 for words that v does not have; with add they are added instead. Caller frees.
 */
int32_t *words_numbered(const Words *w, Vocabulary *v, bool add);

/* ---- n-grams --------------------------------------------------------------------------------- */

/* The n-grams of one or several texts. */
typedef struct {
    int order;          /* n */
    const int32_t *ids; /* [n_ids] borrowed; -1 ends a text: no n-gram reaches across it */
    int n_ids;
    struct NgramSlot *slots; /* [mask + 1] */
    uint32_t mask;
    int64_t total;          /* n-grams of all texts */
    int distinct, repeated; /* different n-grams; those of them that a text has more than once */
} Ngrams;

void ngrams_init(Ngrams *g, int order, const int32_t *ids, int n_ids);
void ngrams_free(Ngrams *g);

/* Clipped matches (Papineni et al. 2002): the sum over the n-grams of ids [n_ids] of min(how often
 * there, the most often that a text of g has it). Numbers as in g; -1 matches nothing. */
int64_t ngrams_matches(const Ngrams *g, const int32_t *ids, int n_ids);

/* How much a text repeats itself: two measures of its n-grams, in [0, 1]; 0 with fewer words than
 * order. */
typedef struct {
    double surplus;  /* 1 - different / all: the share of n-grams that were there before */
    double repeated; /* n-grams that occur more than once, each counted once / all */
} Repetition;
Repetition words_repetition(const Words *w, int order);

/* ---- alignments ------------------------------------------------------------------------------ */

/* Length of the longest common subsequence of a [n_a] and b [n_b]; -1 matches nothing. Time: n_b
 * and, for each of b's numbers that a has, n_a / 64 (bit-parallel, Hyyro 2004). */
int words_common(const int32_t *a, int n_a, const int32_t *b, int n_b);

/* Least number of words to replace, insert or delete between a and b (Levenshtein). Time n_b n_a /
 * 64 (bit-parallel, Myers 1999, in the blocks of Hyyro 2003). */
int words_distance(const int32_t *a, int n_a, const int32_t *b, int n_b);

#endif

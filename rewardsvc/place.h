/* Where in an answer stands what is judged, and what it is judged against: shared by the rewards
 * that compare texts. */
#ifndef REWARDSVC_PLACE_H
#define REWARDSVC_PLACE_H

#include "rewardsvc/answer.h"

/* take gives the part of a text that is judged, trimmed; {NULL, 0}: the text has no such place.
 * Linear in the text. */
typedef struct {
    const char *word, *help;
    Span (*take)(Span text);
} Place;

const Place *place_find(const char *word); /* NULL with the reason logged */
#define PLACE_HELP                                                                                 \
    "what is judged: answer (the last <answer></answer>), strict (the same, and the whole text "   \
    "must be <think></think><answer></answer>), boxed (the last \\boxed{}), hash (after the last " \
    "####), last_line, after_think, thinking, whole, final (the first there is of hash, boxed, "   \
    "answer, after_think)"

/* What is right, by a field of the problem's record: a text, a number, or a list of such (any of
 * them will do). */
enum { REFERENCES_MAX = 64 };
typedef struct {
    int n;
    Span list[REFERENCES_MAX];
    char *owned[REFERENCES_MAX]; /* texts of numbers */
} References;

/* 0, or -1 with the reason: no such field, an empty list, something that is neither text nor
 * number. */
int references_read(const json_t *record, const char *field, References *out);
void references_free(References *r);

#endif

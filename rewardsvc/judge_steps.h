/* The steps of an answer, each of which a judge scores by itself. */
#ifndef REWARDSVC_JUDGE_STEPS_H
#define REWARDSVC_JUDGE_STEPS_H

#include "rewardsvc/answer.h"

enum { MOST_STEPS = 256 };

typedef enum { STEPS_NONE, STEPS_PARAGRAPHS, STEPS_LINES, STEPS_SENTENCES } StepKind;
/* "none", "paragraphs" (an empty line between), "lines", "sentences" (passage.h): 0, or -1 with the
 * reason. */
int step_kind(const char *word, StepKind *kind);

/* Cuts a text, which must be UTF-8, into steps that are not blank, trimmed, at most `most`: the
 * last is then all that is left, so that nothing goes unjudged and nobody is asked without end. A
 * blank text is one empty step. Returns how many. */
int steps_cut(Span text, StepKind kind, int most, Span *steps);

#endif

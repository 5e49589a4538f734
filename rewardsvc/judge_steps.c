/* See judge_steps.h. */
#include "rewardsvc/judge_steps.h"

#include <string.h>

#include "common/errors.h"
#include "rewardsvc/passage.h"

int step_kind(const char *word, StepKind *kind)
{
    static const char *const words[] = {"none", "paragraphs", "lines", "sentences"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(words[i], word)) return *kind = (StepKind)i, 0;
    return fail("steps is none, paragraphs, lines or sentences, not %s", word);
}

/* Up to the next empty line. */
static bool paragraph_next(Span *rest, Span *paragraph)
{
    Span from = *rest, line;
    if (!rest->p) return false;
    while (line_next(rest, &line))
        if (!span_trim(line).n) break;
    *paragraph = rest->p ? (Span){from.p, (size_t)(line.p - from.p)} : from;
    return true;
}

static bool step_next(StepKind kind, Span *rest, Span *step)
{
    switch (kind) {
    case STEPS_PARAGRAPHS:
        return paragraph_next(rest, step);
    case STEPS_LINES:
        return line_next(rest, step);
    case STEPS_SENTENCES:
        return sentence_next(rest, step);
    case STEPS_NONE:
        break;
    }
    *step = *rest;
    *rest = (Span){NULL, 0};
    return step->p != NULL;
}

int steps_cut(Span text, StepKind kind, int most, Span *steps)
{
    REQUIRE(most >= 1 && most <= MOST_STEPS, "%d steps", most);
    int n = 0;
    text = span_trim(text);
    if (!text.p) text.p = "";
    Span rest = text, step;
    while (step_next(kind, &rest, &step)) {
        step = span_trim(step);
        if (!step.n) continue;
        if (n == most) {
            steps[n - 1].n = (size_t)(text.p + text.n - steps[n - 1].p);
            return n;
        }
        steps[n++] = step;
    }
    if (!n) steps[n++] = text;
    return n;
}

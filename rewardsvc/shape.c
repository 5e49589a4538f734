/* See shape.h. */
#include "rewardsvc/shape.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/memory.h"

void shape_add(Score *reward, Score term)
{
    if (reward->status != SCORE_OK) return;
    if (term.status == SCORE_OK)
        reward->value += term.value;
    else
        *reward = score_failed(term.status);
}

/* Two lists by rising ends; what ends at one byte is one step. */
void shape_add_steps(StepScores *to, const StepScores *scores, double weight)
{
    StepScores all = {.list = NEW(StepScore, to->n + scores->n)};
    for (int a = 0, b = 0; a < to->n || b < scores->n;) {
        bool first = b == scores->n || (a < to->n && to->list[a].end <= scores->list[b].end);
        StepScore s = first ? to->list[a++] : scores->list[b++];
        if (!first) s.score.value *= weight;
        if (all.n && all.list[all.n - 1].end == s.end)
            all.list[all.n - 1].score.value += s.score.value;
        else
            all.list[all.n++] = s;
    }
    mem_free(to->list);
    *to = all;
}

Score shape_score(const GroupEvidence *g, int component, int sample)
{
    return component < 0 ? score_failed(SCORE_NOT_APPLICABLE) : group_score(g, component, sample);
}

double shape_value(const GroupEvidence *g, int component, int sample, double neutral)
{
    Score s = shape_score(g, component, sample);
    return s.status == SCORE_OK ? s.value : neutral;
}

double shape_annealed(const GroupEvidence *g, double steps)
{
    double total = steps > 0 ? steps : (double)g->steps;
    return total > 0 ? exp(-(double)g->step / total) : 1;
}

char *shape_sum_text(const char *before, const char *term_fmt, ...)
{
    va_list args, again;
    va_start(args, term_fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, term_fmt, args);
    char *term = NEW(char, n + 1);
    vsnprintf(term, (size_t)n + 1, term_fmt, again);
    va_end(again);
    va_end(args);
    if (!strcmp(before, "0")) return term;
    char *sum = mem_printf("%s + %s", before, term);
    mem_free(term);
    return sum;
}

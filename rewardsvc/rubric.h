/* The arithmetic of a rubric that a judge scores by and a meta judge rewrites (MPO, Kim et al. 2025
 * and the authors' code): sums of item scores, which version an update is judged by, which samples
 * the meta judge sees, whether a rewritten rubric is one, when a rationale is too thin to be worth
 * a question. Pure functions; asking the models is the judge's business. */
#ifndef REWARDSVC_RUBRIC_H
#define REWARDSVC_RUBRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sample.h"
#include "rewardsvc/answer.h"

enum { RUBRIC_ITEMS_MAX = 64, RUBRIC_SCALE_MAX = 1000, RUBRIC_LEAST_WORDS = 30 };

/* The items of a rubric's text, borrowed from it, and the scale of each. */
typedef struct {
    int n;
    int least[RUBRIC_ITEMS_MAX], most[RUBRIC_ITEMS_MAX];
    Span item[RUBRIC_ITEMS_MAX]; /* the line with the scale and what follows up to the next item */
} Rubric;

/* Reads a rubric as a (meta) judge may have written it: every line with a scale "(0-5)" or "[0-5]"
 * of whole numbers is an item; of several in a line the last counts. 0; -1 with the reason (silent
 * inside errors_quiet): no item, too many, a scale that is empty or ends above RUBRIC_SCALE_MAX. A
 * rubric that cannot be read must not replace the one in use. Linear in the text. */
int rubric_read(Span text, Rubric *out);

/* The reward: the sum of the items' scores, each clipped to its scale; an item whose score could
 * not be read counts as 0, and *unread (may be NULL) says how many those are. */
double rubric_reward(const Rubric *r, const Score *items, int *unread);

/* The version of the rubric that judges a group begun after `step` optimiser steps, if it is
 * rewritten after every `every` (0: never) of them: 0, 1, 2, ... A pure function of the group, so a
 * group is judged by one version whoever judges it and whenever. */
int64_t rubric_version(int64_t step, int64_t every);

/* Samples for the meta judge, `each` of every third (or other `part`) of the n samples sorted by
 * score, drawn without replacement by (seed, version); parts 1: from all of them. Takes what there
 * is where a part has fewer. at [parts * each] out: indices, ascending. Returns how many. */
int rubric_draw(const double *scores, int n, int parts, int each, uint64_t seed, int64_t version,
                int *at);

/* Words between white space. */
int rubric_words(Span text);
/* Has the rationale at least RUBRIC_LEAST_WORDS? If not it is not worth a question: the maths
 * variant's reward is 0 then, the ethics variant's -10. */
bool rubric_is_worth_asking(Span rationale);
/* The maths variant's answer check: 5 for a right answer with such a rationale, else 0. */
double rubric_answer_check(bool right, Span rationale);

#endif

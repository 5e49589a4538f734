/* The tally of an evaluation: what became of every answer to every problem. */
#ifndef LAUNCH_TALLY_H
#define LAUNCH_TALLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/sample.h"
#include "common/statistics.h"

typedef struct {
    int n_samples; /* k: answers to a problem */
    int component; /* the reward component that judges; -1: the sum */
    double threshold;
    int n_problems, capacity;
    int *n_scored, *n_right; /* [n_problems] */
    /* [n_problems] share of right ones among the answers that give the most frequent number */
    double *majority;
    long n_failed, n_truncated, n_tokens, n_answers;
} Tally;

void tally_free(Tally *t);
/* Whether sample s is right: 1, 0, or -1 where its scoring failed. */
int tally_judge(const Tally *t, const Sample *s);
void tally_add(Tally *t, const Group *g);

/* Answers whose scoring failed are left out, problems without any other too; false if nothing is
 * left. Problems with fewer than k scored answers do not count for pass@k. avg@n is the mean share
 * of right answers. */
bool tally_average(const Tally *t, Estimate *e);
bool tally_pass(const Tally *t, int k, Estimate *e);
bool tally_majority(const Tally *t, Estimate *e);

/* {"avg@n": {"value", "low", "high"}, "pass@1": ..., "maj@n": ..., "problems", "samples", "failed",
 * "truncated", "mean_tokens"}: new reference. */
json_t *tally_json(const Tally *t);
void tally_print(const Tally *t, FILE *out);

#endif

/* Many opinions about the same answers: sums of sampled judgements, filtered by a model that judges
 * the judgements, majorities, best of n; and how right a ranking was. Pure functions of numbers.
 * Wherever scores are equal the earlier one comes first, so that a result never depends on how it
 * was sorted.
 *
 * Sources: DeepSeek-GRM (Liu et al. 2025), sections 2-4; CRew (2025); RewardMATH (Kim et al.
 * 2024). */
#ifndef REWARDSVC_VOTES_H
#define REWARDSVC_VOTES_H

#include <stdbool.h>
#include <stdint.h>

/* The sum over judgements of the scores that each gives: sums [n] = sum_j scores [k, n] over the j
 * with valid[j] (NULL: all). With meta [k], the scores of a meta judge, only the k_meta valid
 * judgements that it likes best count, or all valid ones where there are fewer; k_meta <= 0 or meta
 * NULL: all. Returns how many judgements count; with 0 the sums say nothing (no reward then). */
int votes_sum(const double *scores, const bool *valid, int k, int n, const double *meta, int k_meta,
              double *sums);

/* The order in which judgement `vote` of a group sees its n answers: place p shows answer order[p].
 * A pure function of (seed, group, vote). */
void votes_order(uint64_t seed, int64_t group, int vote, int n, int *order);
/* Scores by place -> scores by answer. */
void votes_unorder(const double *by_place, const int *order, int n, double *by_answer);

/* argmax; n >= 1. */
int votes_best(const double *scores, int n);
/* The answer (any number that stands for it) whose votes weigh most; weights NULL: 1 each. n >= 1.
 * *weight (may be NULL): what they weigh. Majority voting, self-consistency; with confidences as
 * weights CRew's. */
int votes_majority(const int *answers, const double *weights, int n, double *weight);

/* Is a judgement right? n >= 2: the answer that is best by gold has a strictly higher score than
 * every other, so a tie with it is wrong. n = 1: the score is the label. */
bool votes_right(const double *scores, const double *gold, int n);

/* Rejective fine-tuning keeps a judgement that is right, of items that not all sampled judgements
 * got right; a hinted one (which was told the answer) if it is right. */
bool votes_rejective_keeps(bool right, bool hinted, int n_right, int n_sampled);

/* A right answer among n wrong ones (RewardMATH). -inf is a wrong answer without a score; a right
 * one without (NaN) is beaten by all. */
typedef struct {
    bool strict;       /* right > every wrong one */
    bool loose;        /* right >= every wrong one */
    double reciprocal; /* 1 / rank, ties before the right one */
} VotesRank;
VotesRank votes_rank(double right, const double *wrong, int n);

#endif

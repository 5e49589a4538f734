/* Rewards of the steps of a solution, from the scores that a process reward model (PRM) gives them.
 * Summed as they are they pay for saying easy right things again and again; Clip and Delta bound
 * the sum. Pure functions of numbers: who puts a step's reward on which token is the caller's
 * business.
 *
 * With r_k the score of step k = 1..K, in (0, 1):
 *   Clip    min(r_k - eta, 0): never above 0, so more steps cannot raise the sum
 *   Delta   r_k - r_{k+1} for k < K - 1, r_k for k = K - 1, 0 for k = K: the sum from step k on is
 *           r_k, over the whole solution r_1 <= 1
 * Source: Gao et al. 2024 (On Designing Effective RL Reward at Training Time for LLM Reasoning);
 * alpha and eta are not published: 0.5 and the mean score of the data are ours. */
#ifndef REWARDSVC_PROCESS_H
#define REWARDSVC_PROCESS_H

#include <stdbool.h>

#include "common/sample.h"

typedef enum { PROCESS_RAW, PROCESS_CLIP, PROCESS_DELTA, PROCESS_CLIP_DELTA } ProcessKind;

/* "raw", "clip", "delta", "clip_delta": 0, or -1 with the reason. */
int process_kind(const char *word, ProcessKind *kind);

/* The rewards of the K >= 1 steps; steps [K] in, rewards [K] out. PROCESS_CLIP_DELTA takes the
 * differences of the clipped scores. A solution of one step has no process reward (but raw), nor
 * has one of which any step has no score: rewards are 0 and false is returned then. */
bool process_rewards(ProcessKind kind, double eta, const Score *steps, int K, double *rewards);

/* What is still to come at each step: alpha times the rewards from it on, and `success` at the end.
 * returns [K] out. */
void process_returns(const double *rewards, int K, double alpha, double success, double *returns);

/* One number for a solution from the probabilities p [K], K >= 1, of its steps (RewardMATH, Kim et
 * al. 2024). A p of 0 or 1 has no finite logit or odds: those means are then -inf or inf. */
typedef enum {
    PROCESS_MIN,
    PROCESS_MAX,
    PROCESS_PRODUCT,
    PROCESS_GEOMETRIC,
    PROCESS_MEAN,
    PROCESS_MEAN_LOGIT, /* the sigmoid of the mean of log p / (1 - p) */
    PROCESS_MEAN_ODDS,  /* the mean of p / (1 - p) */
    PROCESS_LAST
} ProcessWhole;
/* "min", "max", "product", "geometric", "mean", "mean_logit", "mean_odds", "last" */
int process_whole(const char *word, ProcessWhole *whole);
double process_aggregate(ProcessWhole whole, const double *p, int K);

#endif

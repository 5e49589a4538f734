/* The learner's role: scored groups in, new weights out. Two stages: imitation of demonstrations
 * (sft), then reinforcement learning; both give their groups to the same gradient tree and the same
 * optimiser. */
#ifndef LEARNER_LEARNER_H
#define LEARNER_LEARNER_H

#include "common/comm.h"
#include "common/config.h"
#include "common/optimizer.h"
#include "common/policy.h"
#include "common/prompts.h"

#include "learner/gradient.h"
#include "learner/inbox.h"
#include "learner/loss.h"

/* What a step was, the same on every learner. Counts over all ranks. */
typedef struct {
    /* of the first epoch; its sums are over all ranks, ratio_max and ratio_min of this rank */
    LossStats loss;
    LossCounts counts; /* trained tokens and answers */
    double n_samples, n_failed, n_truncated,
        n_flat_groups; /* flat: equal rewards, so that no gradient came from them */
    double n_filtered; /* trained tokens that learner.advantage_filter set to 0 */
    double lr, grad_norm;
    double seconds; /* of this rank */
} StepStats;

typedef struct {
    Comm *comm; /* borrowed, as the next three */
    const Config *cfg;
    const Prompts *prompts;
    Policy *policy; /* trainable */
    /* owned; NULL without a KL term: the policy as reinforcement learning found it */
    Model *reference;
    /* [gradient.n] its numbers in f32, for checkpoints; NULL without a KL term */
    float *reference_weights;
    Trainer *trainer, *reference_trainer;
    TreeLayout layout;
    Gradient gradient;
    Optimizer optimizer;
    Inbox inbox;
    LossRows rows;
    int32_t *want; /* [want_capacity] rows of the layout that predict rows.target */
    int want_capacity;
    int first_slot, n_slots; /* of this learner */
    int64_t sft_step,
        step; /* optimiser steps done in each stage; step is also the version of the weights */
    StepStats stats; /* of the last step */
} Learner;

/* Starts at the beginning; sets nothing in motion. 0, or -1 with the reason (sft.batch that the
 * slots do not divide). Local. */
int learner_init(Learner *l, Comm *comm, const Config *cfg, const Prompts *prompts, Policy *policy);
void learner_free(Learner *l);

/* Between steps: lends the memory of activations (mem_lend) until the next one. Local. */
void learner_lend(Learner *l);

/* Where the learner stands after its weights and moments have been loaded from a checkpoint. */
void learner_resume(Learner *l, int64_t sft_step, int64_t step, int64_t adam_step);

/* Imitation is over (or there is none): the optimiser starts anew, the reference is taken from the
 * present weights. Local. Not after a resume: learner_resume takes the reference from what was
 * loaded. */
void learner_begin_rl(Learner *l);

/* One step of imitation. 0, or -1: the run was stopped while other learners were waited for,
 * nothing was changed. Collective on the learner ranks. */
int learner_imitate(Learner *l);

/* One step of GRPO on the inbox's complete step: advantages, gradient, AdamW, for each epoch; the
 * inbox still holds the groups (with their advantages) afterwards. Ends the job if too many
 * scorings failed or if a log-probability has not the rollout's bits. 0, or -1 as above. Collective
 * on the learner ranks. */
int learner_train(Learner *l);

/* Sends the weights, as version `step`, to the dedicated actors that this learner serves. Local:
 * buffered. */
void learner_publish(Learner *l);

#endif

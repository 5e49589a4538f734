/* The whole system's state, to and from a checkpoint: weights, AdamW's moments, the reference of a
 * KL term, counters, judged groups that are in flight (run.max_staleness). At a step boundary there
 * is nothing else: what is random is counted. */
#ifndef LAUNCH_STATE_H
#define LAUNCH_STATE_H

#include "common/checkpoint.h"

#include "learner/learner.h"

/* Saves under run_dir as checkpoints/step-NNNNNN (or sft-NNNNNN while imitation goes on). s holds
 * what the learner does not know (run id, accuracy, times, names of components); the rest is filled
 * in here. 0, or -1 with the reason: older checkpoints are untouched. Rank 0. */
int state_save(const char *run_dir, const Learner *l, CheckpointState *s, int keep);

/* Puts weights, moments and counters of a checkpoint into the learner. 0, or -1 with the reason and
 * nothing changed. Local. */
int state_load(const char *path, const CheckpointState *s, Learner *l);

/* Writes the weights and the tokenizer as a Hugging Face folder that transformers and `troupe` open
 * (made if missing). 0 or -1. */
int state_export(const char *folder, Policy *p);

#endif

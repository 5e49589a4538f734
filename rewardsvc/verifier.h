/* A verifier: a decoder that says how sure it is that a completion agrees with a reference answer,
 * and learns from pairs of a right and a wrong one. On the ring: a reward (rewards/cooper.c) asks
 * and trains it on the reward rank.
 *
 * It is a generative verifier (Zhang et al. 2024): asked a question that ends where its verdict
 * would begin, its score is
 *
 *   s = log p(yes) - log p(no)         of two tokens at the last position
 *
 * Cooper (Hong et al. 2025) has a head of one number instead. That is the same thing with another
 * start: s = h . (w_yes - w_no) is linear in the last hidden state h too. But it needs no parameter
 * that the decoder does not have, so that the engine, the trainer and the model files of the policy
 * serve it, and an instruction-tuned model is a verifier before its first step.
 *
 * Every text is a sequence of its own, whatever is scored with it: a score has the same bits in any
 * company. Nothing here draws, waits or communicates. */
#ifndef REWARDSVC_VERIFIER_H
#define REWARDSVC_VERIFIER_H

#include <stdint.h>

#include "common/policy.h"
#include "rewardsvc/answer.h"

typedef struct {
    const char *template; /* judge_prompt.h, with {prompt}, {answer} and {reference} */
    const char *yes, *no; /* verdicts: one token each */
    AdamW adam;
    double clip; /* of the gradient's norm; 0: off */
} VerifierSettings;

typedef struct Verifier Verifier;

/* Borrows the model (trainable), its tokenizer and the settings. NULL with the reason: a verdict is
 * not one token of it. */
Verifier *verifier_new(Policy *model, int max_context, const VerifierSettings *s);
void verifier_free(Verifier *v); /* NULL is fine */

/* The question about a completion as ids (empty on entry; the caller frees). Texts are UTF-8. 0, or
 * -1 with the reason: more than max_context tokens. */
int verifier_ids(const Verifier *v, const char *question, const char *reference,
                 const char *completion, Ids *ids);

/* scores [n] out: s of each text, in one forward pass over all. */
void verifier_scores(Verifier *v, const Ids *texts, int n, double *scores);

/* Adds the gradient of share * -log sigmoid(s(right) - s(wrong)), and gives s(right) - s(wrong). */
double verifier_learn(Verifier *v, const Ids *right, const Ids *wrong, double share);
/* One step of AdamW along the gradient that was added up, which is 0 afterwards. Gives its norm
 * before clipping; where that is not finite nothing is changed. */
double verifier_step(Verifier *v);
void verifier_drop_gradient(Verifier *v);

/* CRC32C of the f32 master weights. */
uint32_t verifier_crc(const Verifier *v);

/* Weights and AdamW's state as a checkpoint (common/checkpoint.h) of `step` in dir, whole or
 * absent; the newest `keep` stay. config_text: what its model is (judge_model_config), "" where
 * nobody will open it as a model. 0, or -1 with the reason. */
int verifier_save(Verifier *v, const char *dir, int64_t step, int keep, char *config_text);
int verifier_load(Verifier *v, const char *dir, int64_t step);

#endif

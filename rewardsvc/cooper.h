/* The arithmetic of Cooper (Hong et al. 2025 and the authors' code): a verifier model rewards the
 * policy and is itself trained on pairs that a rule is sure of, a right answer and a corrupted copy
 * of it. The loss is preference_masked (preference.h); asking and training models is the business
 * of who calls this. */
#ifndef REWARDSVC_COOPER_H
#define REWARDSVC_COOPER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/memory.h"
#include "common/sample.h"
#include "rewardsvc/answer.h"

/* A text for the verifier: whole if it has at most `head + tail` characters, else its first `head`
 * and its last `tail` (500 and 1000 in the paper). Adds to out. */
void cooper_shorten(Span text, int head, int tail, Buffer *out);

/* The policy's reward: sigmoid(logit), or 1 and 0 by whether that reaches a half. */
double cooper_reward(double logit, bool threshold);

/* The right answer of a group that becomes a pair: one with a rule's verdict that is ok and at
 * least a half, drawn evenly by (seed, group); -1 where there is none, and no valid pair then. */
int cooper_positive(const Score *verdicts, int n, uint64_t seed, int64_t group);

/* A corrupted copy that needs no model: text with the last run of digits of `part` (a piece of it)
 * replaced by another number of as many digits, all being equally likely, drawn by (seed, group,
 * attempt). Adds to out; false: there is no digit. */
bool cooper_corrupt(Span text, Span part, uint64_t seed, int64_t group, int attempt, Buffer *out);

/* Does a rewritten answer make a valid pair: does the rule say, without failing, that it is wrong?
 */
bool cooper_is_corrupted(Score verdict);

/* May the verifier take a step? Not without a valid pair, nor along a gradient that is not finite.
 */
bool cooper_may_step(int n_valid, double gradient_norm);

#endif

/* What a verifier has learned over the steps of a run, so that every reward rank has the same bits
 * and a resumed run goes on with them.
 *
 * A verifier's weights depend on where it began and on the pairs of every step; AdamW over them is
 * the same bits on every rank. So the state that travels and lies in checkpoints is small text: the
 * pairs since a whole copy of weights and optimiser (or since the beginning), with a CRC of the
 * weights after each step. A rank that is behind takes the steps it lacks; a resumed one begins at
 * the copy. The copy is a checkpoint of its own (common/checkpoint.h), DIR/checkpoints/step-NNNNNN,
 * which the first reward rank writes whole or not at all before any state refers to it: a
 * checkpoint of the run is still the whole system's state. Where a copy cannot be written the list
 * of pairs grows longer, and nothing else happens.
 *
 * The other way, weights in the state itself, would send three times the model at every step.
 */
#ifndef REWARDSVC_STUDY_H
#define REWARDSVC_STUDY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "rewardsvc/judge.h"
#include "rewardsvc/verifier.h"

typedef struct Study Study;

/* model: borrowed by judge_borrow. dir: where copies lie, taken over; every, keep: a copy each
 * `every` steps, the newest `keep` stay. Opens nothing. */
Study *study_new(Judge *model, const VerifierSettings *s, char *dir, int64_t every, int keep);
void study_free(Study *s);

/* The verifier as it is at the moment, opened at the first call; NULL with the reason. */
Verifier *study_verifier(Study *s);

/* Steps that were given, and those of them that are learned: until they are equal the verifier is
 * that of an older version. */
int64_t study_version(const Study *s);
int64_t study_learned(const Study *s);

/* A step's pairs: an array of {question, reference, right, wrong}, taken over; may be empty. */
void study_add(Study *s, json_t *pairs);
/* Learns from one pair, or ends a step (then, with `keeps`, the copy that is due is written).
 * Whether there was anything to do. */
bool study_work(Study *s, bool keeps);

/* As Reward's save and load: everything given must be learned before it is saved. */
json_t *study_save(const Study *s);
int study_load(Study *s, const json_t *saved);

#endif

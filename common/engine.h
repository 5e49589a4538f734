/* The rollout engine: groups of answers, written together. A group's prompt is prefilled once and
 * its KV pages are shared by its samples; rows join the running batch as there is room and leave as
 * they finish. A sample's tokens depend on (weights, seed, group id, sample, sampling parameters)
 * alone, never on the batch, on max_rows or on memory. */
#ifndef COMMON_ENGINE_H
#define COMMON_ENGINE_H

#include "common/model.h"
#include "common/sample.h"
#include "common/tokenizer.h"

typedef struct {
    SamplingParams sampling;
    int max_tokens; /* >= 1; an answer ends earlier where the model's positions do */
    int n_stops;
    const char *const *stops; /* [n_stops] stop strings; the answer's text ends before one, its
                                 tokens include it */
    bool ignore_eos; /* an end-of-text that is drawn ends nothing: it is a token like any other,
                      * with the log-probability it was drawn with (its logit is not touched, so the
                      * learner reproduces it), and leaves no trace in the text */
    uint64_t seed;
} GenerateParams;

typedef struct Engine Engine;

/* max_rows: rows that decode together; kv_tokens: slots of KV memory for them (0: engine_kv_tokens
 * of each call's longest prompt and answer; the memory then grows between calls and never shrinks).
 * An answer that could need more than kv_tokens ends the program (EXIT_UNABLE). m and tok are
 * borrowed; tok NULL: ids only, no text and no end-of-text. Weights may change between calls, not
 * during one. */
Engine *engine_new(const Model *m, const Tokenizer *tok, int max_rows, size_t kv_tokens);
void engine_free(Engine *e);

/* Slots with which max_rows rows in groups of n_samples run together without waiting for memory:
 * each prompt once, each answer at its longest, in whole pages. */
size_t engine_kv_tokens(int max_rows, int n_samples, int longest_prompt, int max_tokens);
size_t engine_bytes(const ModelDesc *d, const KernelSet *k, int max_rows,
                    size_t kv_tokens); /* for `plan`: the engine's own, without the model */
size_t engine_lent(const ModelDesc *d, const KernelSet *k,
                   size_t kv_tokens); /* what of it engine_lend gives back */

/* Writes g->n_samples answers into each group (kind, id, prompt, n_samples set, samples empty or
 * NULL; version as given). `done` (may be NULL) is called for each group once complete, in order of
 * completion, and may free it; `tick` (may be NULL) after every step, when the samples in flight
 * hold their tokens so far (n_tokens, tokens, log-probabilities). A prompt without room for an
 * answer ends the program (EXIT_CONFIG). Local. */
typedef void engine_done_fn(void *ctx, Group *g);
typedef void engine_tick_fn(void *ctx);
void engine_generate(Engine *e, Group **groups, int n, const GenerateParams *p, int32_t version,
                     engine_done_fn *done, engine_tick_fn *tick, void *ctx);

/* The same, for groups that come while others run (a judge's questions). engine_begin: groups of at
 * most these lengths may come; nothing may be in flight; `done` as above, called by engine_step.
 * engine_add: queues a group, p is borrowed until it is done; -1, and nothing is queued, if its
 * prompt leaves no room for an answer. engine_step: admits what has room, then one pass; false if
 * nothing is queued or in flight. */
void engine_begin(Engine *e, int longest_prompt, int longest_answer, int32_t version,
                  engine_done_fn *done, void *ctx);
int engine_add(Engine *e, Group *g, const GenerateParams *p);
bool engine_step(Engine *e);
int engine_pending(const Engine *e); /* groups that are queued or in flight */

/* While nothing is queued or in flight: the memory of the KV pages (mem_lend), until the next
 * group.
 */
void engine_lend(Engine *e);

/* From `done`, from `tick`, or between steps: gives up the groups that are not complete;
 * engine_generate returns at once. What they hold is for nobody; the engine can be used again. */
void engine_abandon(Engine *e);

/* decode: tokens drawn (the first of each sample too), passes, seconds. */
typedef struct {
    int64_t prefill_tokens, decode_tokens, decode_steps;
    double prefill_s, decode_s;
} EngineStats;
EngineStats engine_stats(const Engine *e); /* since engine_new */

#endif

/* The rollout engine: groups of answers, written together. A group's prompt is prefilled once and its KV pages are shared by its samples; rows join
 * the running batch as there is room and leave as they finish. A sample's tokens depend on (weights, seed, group id, sample, sampling
 * parameters) alone, never on the batch. */
#ifndef ACTORS_ENGINE_H
#define ACTORS_ENGINE_H

#include "common/model.h"
#include "common/sample.h"
#include "common/tokenizer.h"

typedef struct {
    SamplingParams sampling;
    int max_tokens;
    int n_stops;
    const char *const *stops; /* [n_stops] stop strings; the answer's text ends before one, its tokens include it */
    bool ignore_eos;
    uint64_t seed;
} GenerateParams;

typedef struct Engine Engine;

/* max_rows: rows that decode together; kv_tokens: slots of KV memory for them (0: max_rows * (longest prompt + max_tokens) as needed). */
Engine *engine_new(const Model *m, const Tokenizer *tok, int max_rows, size_t kv_tokens);
void engine_free(Engine *e);
size_t engine_bytes(const ModelDesc *d, const KernelSet *k, int max_rows, size_t kv_tokens); /* for `plan` */

/* Writes g->n_samples answers into each group (kind, id, prompt, n_samples set; version as given). `done` is called for each group once complete, in order of completion;
 * `tick` (may be NULL) after every decode step. Local. */
typedef void engine_done_fn(void *ctx, Group *g);
typedef void engine_tick_fn(void *ctx);
void engine_generate(Engine *e, Group **groups, int n, const GenerateParams *p, int32_t version, engine_done_fn *done, engine_tick_fn *tick,
                     void *ctx);

typedef struct { int64_t prefill_tokens, decode_tokens, decode_steps; double prefill_s, decode_s; } EngineStats;
EngineStats engine_stats(const Engine *e); /* since engine_new */

#endif

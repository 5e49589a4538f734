/* The engine's inside: prompts and rows in flight over one KV cache. engine.c decides who joins,
 * engine_batch.c computes.
 *
 * A Flight is a group whose prompt lies in the cache; its pages belong to it until its last sample
 * has ended, and its samples only read them. A sample's own tokens begin on a fresh page: the
 * prompt's last page may be partly filled and is listed as a block of n < KV_PAGE keys, so nobody
 * writes into a page that others read. The split into blocks has no influence on the bits (ops.h).
 */
#ifndef COMMON_ENGINE_BATCH_H
#define COMMON_ENGINE_BATCH_H

#include "common/engine.h"

enum {
    BATCH_PASS_ROWS = 512, /* prompt tokens of one forward pass */
    BATCH_LOGIT_ROWS = 64, /* rows whose logits lie in memory at once */
};

typedef struct {
    Group *g; /* NULL: this place is free */
    const GenerateParams *p;
    int limit; /* most tokens of an answer: max_tokens, or what the model's positions leave */
    int n_blocks;
    KvBlock *blocks; /* [n_blocks] the prompt's pages in order; all full but perhaps the last */
    int n_prefilled; /* prompt tokens whose keys are in the cache */
    int n_started, n_ended;
    float *h; /* [C] hidden state of the prompt's last token: every sample's first token is drawn
                 from it */
} Flight;

typedef struct {
    Flight *flight;
    int sample;
    Sample *s; /* written in place: `tick` may read its tokens so far */
    int n_blocks, n_keys;
    KvBlock *blocks; /* [n_blocks] the prompt's, then the sample's own */
    int logit_row;   /* where its logits lie */
    Buffer text;     /* decoded so far */
} Row;

typedef struct {
    const Model *m;
    const Tokenizer *tok; /* NULL: ids only, no text and no end-of-text */
    int max_rows, C, V, n_logit_rows;
    KvCache kv;
    int n_reserved; /* pages promised to what is in flight, taken or not: never more than
                       kv.n_pages, so taking one never fails */
    int prompt_blocks, answer_blocks; /* capacity of the block lists */
    Flight *flights;                  /* [max_rows + 1] */
    Row *rows; /* [max_rows]; the first n_rows are running, in an order without meaning */
    int n_rows;
    KvBlock *blocks;                   /* the storage of all block lists */
    float *flight_h;                   /* [max_rows + 1, C] */
    int32_t *token, *pos, *slot, *out; /* of one pass */
    AttnSegment *segs;
    float *h, *logits; /* [pass, C], [n_logit_rows, V] */
    Drawn *drawn;      /* [max_rows] */
    int32_t version;
    engine_done_fn *done;
    void *ctx;
    EngineStats stats;
} Batch;

void batch_init(Batch *b, const Model *m, const Tokenizer *tok, int max_rows);
void batch_free(Batch *b);
/* Room for prompts and answers of these lengths and for n_pages of KV memory. Nothing may be in
 * flight. */
void batch_reserve(Batch *b, int longest_prompt, int longest_answer, int n_pages);

static inline int batch_pages(int n_tokens)
{
    return (n_tokens + KV_PAGE - 1) / KV_PAGE;
}
/* Pages of an answer of at most `limit` tokens: the last one is never fed. */
static inline int batch_answer_pages(int limit)
{
    return batch_pages(limit - 1);
}
bool batch_has_room(const Batch *b, int n_pages);

/* p is borrowed until the group's last sample has ended. */
Flight *batch_add_group(Batch *b, Group *g, const GenerateParams *p, int limit);
void batch_add_sample(Batch *b, Flight *f);
/* Prefills what is not yet, of the flights [n], a pass of at most BATCH_PASS_ROWS tokens at a time.
 */
void batch_prefill(Batch *b, Flight *const *flights, int n);
/* Draws the first token of rows first .. n_rows-1. */
void batch_join(Batch *b, int first);
/* One more token for every row. */
void batch_decode(Batch *b);
/* Gives up everything that is in flight. */
void batch_drop(Batch *b);

#endif

/* Read this first: the record that travels the ring.
 *
 *   common/engine writes a Group: one prompt and G answers, tokens with their log-probabilities
 *     and weight versions.
 *   rewardsvc/service adds a Score for every component of the reward, and their sum.
 *   learner/advantage turns the group's rewards into advantages; learner/loss trains on it.
 *
 * A tiny group (G = 2), after the learner has looked at it:
 *
 *   id 37, problem 1203, prompt "12+30=" = [3 4 11 5 2 13]
 *   sample 0: tokens [6 4 1], logprobs [-0.1 -0.2 -0.0], finish EOS,
 *             reward 1 (ok), advantage +0.707
 *   sample 1: tokens [6 5 1], logprobs [-0.1 -1.9 -0.1], finish EOS,
 *             reward 0 (ok), advantage -0.707
 *
 * Tokens in, tokens out: learners train on `tokens`, never on re-tokenised text. The end-of-text
 * token is sampled, scored and trained like any other; a truncated answer has none.
 */
#ifndef COMMON_SAMPLE_H
#define COMMON_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/memory.h"

/* end-of-text; a stop string; max_tokens */
typedef enum { FINISH_EOS, FINISH_STOP, FINISH_LENGTH } FinishReason;

/* What became of a scoring. Only SCORE_OK has a value that may enter a mean: a failure is never a
 * 0. */
typedef enum {
    SCORE_OK,
    SCORE_TIMEOUT,
    SCORE_ERROR,
    SCORE_REFUSED,
    SCORE_NOT_APPLICABLE
} ScoreStatus;
/* "ok", "timeout", "error", "refused", "not_applicable" */
const char *score_status_name(ScoreStatus s);

typedef struct {
    double value; /* meaningful only if status is SCORE_OK */
    ScoreStatus status;
} Score;

/* A part of an answer with a reward of its own, beside the answer's (process rewards). */
typedef struct {
    int32_t end;     /* tokens up to its end: the reward stands on token end - 1 */
    float advantage; /* of its tokens: learner/advantage */
    double reward;   /* finite */
} SampleStep;

typedef struct {
    /* written by common/engine */
    int n_tokens;    /* T: tokens of the answer, end-of-text included */
    int32_t *tokens; /* [T] */
    /* [T] log-prob at the sampling temperature, before truncation: the ratio's denominator */
    float *logprobs;
    float *logprobs_untempered; /* [T] log-prob at temperature 1, nothing truncated */
    /* [T] log-prob under the distribution drawn from (after top-k, top-p, min-p) */
    float *logprobs_sampled;
    int32_t *versions; /* [T] version of the weights that wrote the token */
    /* [T] 1 = trained; NULL = all are. A demonstration's prompt, a tool's output: 0 */
    uint8_t *mask;
    /* [T] bytes of `text` once the token is written, rising; NULL: not known (no tokenizer) */
    int32_t *text_ends;
    FinishReason finish;
    /* answer as text, special tokens left out, what a stop string cut off left out */
    char *text;
    /* written by rewardsvc */
    /* [n_components of the group] in the order of the reward block */
    Score *components;
    char **notes;       /* [n_components] what a judge wrote; NULL where there is nothing */
    float *latencies_s; /* [n_components] seconds; outside every equality */
    Score reward;       /* what the block's formula made of them */
    /* Steps from the first token on, ends rising, the last at most T; 0: there are no such rewards.
     * A token's return is the sum of the rewards of its own step and those after it, and `reward`,
     * which stands on the last token. */
    int n_steps;
    SampleStep *steps; /* [n_steps] */
    /* written by learner/advantage */
    /* dimensionless; exactly 0 for a sample that does not count. With steps: of the tokens behind
     * them, or the last step's where they reach to the end */
    float advantage;
} Sample;

/* The advantage of token t. */
static inline float sample_advantage_at(const Sample *s, int t)
{
    for (int k = 0; k < s->n_steps; k++)
        if (t < s->steps[k].end) return s->steps[k].advantage;
    return s->advantage;
}

typedef enum {
    GROUP_TRAIN, /* id g is group g of the run: step g / P */
    GROUP_EVAL,  /* id is the held-out problem's number; greedy; never trained on */
    /* supervised: samples are whole demonstrations, n_prompt = 0, `mask` says what is trained */
    GROUP_DEMO,
} GroupKind;

typedef struct {
    GroupKind kind;
    int64_t id;
    int64_t problem; /* index into the task's split */
    /* weights when the group was started; for GROUP_EVAL the version evaluated */
    int32_t version;
    int n_prompt;      /* tokens of the prompt */
    int32_t *prompt;   /* [n_prompt] */
    char *prompt_text; /* as rendered */
    /* JSON object: what the rewards read ("answer", "target", ...); the JSONL row, or the task's */
    char *record;
    int n_components; /* 0 until scored */
    int n_samples;    /* G */
    Sample *samples;  /* [G] */
} Group;

/* frees what it holds, leaves it empty; an empty group is fine */
void group_free(Group *g);
void sample_reserve(Sample *s, int n_max); /* room for n_max tokens in the per-token arrays */
void group_reserve_scores(Group *g, int n_components); /* drops scores and steps that were there */

/* To and from bytes (native endianness; one machine type a run). The blob ends with its CRC32C.
 * group_unpack checks every length and count against the bytes left and the CRC: -1 with the
 * reason, *g left empty. */
void group_pack(const Group *g, Buffer *out);
int group_unpack(Group *g, const void *data, size_t size);

/* CRC32C (Castagnoli) of n bytes, chained: start with 0. */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);

#endif

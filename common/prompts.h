/* Work is numbered: which problem group g gets, and its rendered tokens, are a pure function of
 * (config, g). */
#ifndef COMMON_PROMPTS_H
#define COMMON_PROMPTS_H

#include "common/config.h"
#include "common/sample.h"
#include "common/task.h"
#include "common/tokenizer.h"

typedef struct Prompts Prompts;

/* Opens the task that the configuration names and checks that the tokenizer can say its problems.
 * Borrows both. NULL with the reason. */
Prompts *prompts_open(const Config *c, const Tokenizer *tok);
void prompts_close(Prompts *p);

int64_t prompts_count(const Prompts *p, Split split);

/* The training problem of group id: ids without end where problems are generated; where a file has
 * n rows, each epoch of n groups is a fresh permutation keyed by (run.seed, epoch), computed
 * without a table. */
int64_t prompts_problem(const Prompts *p, int64_t id);

/* Fills *g (which must be empty): kind, id, problem, version, prompt tokens and text, record,
 * n_samples empty samples.
 *   GROUP_TRAIN  problem = prompts_problem(id)
 *   GROUP_EVAL   held-out problem number id
 *   GROUP_DEMO   sample i is demonstration id * n_samples + i (modulo sft.demos), whole: prompt,
 *                answer and end-of-text; mask 1 on the answer and the end-of-text. n_prompt is 0.
 * 0, or -1 with the reason (text the tokenizer refuses). Caller frees with group_free. */
int prompts_fill(const Prompts *p, GroupKind kind, int64_t id, int n_samples, int32_t version,
                 Group *g);

/* Text of a problem as the model is asked it (chat template, system message, instruction), and its
 * ids. Also for `generate` and `eval`. */
int prompts_render(const Config *c, const Tokenizer *tok, const char *problem, Buffer *text,
                   Ids *ids);

#endif

/* What a run needs before it is started: ranks, and the memory of each kind of rank, from the same
 * sizes that the parts allocate by. */
#ifndef LAUNCH_FOOTPRINT_H
#define LAUNCH_FOOTPRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/kernelset.h"
#include "common/prompts.h"
#include "common/tensors.h"
#include "rewardsvc/judge.h"

/* Ranks that the layout adds up to; 1 where it names none but a lone worker that judges too. */
int footprint_ranks(const Config *c);

/* Tokens of the longest of the first 256 training prompts. -1 with the reason. */
int footprint_longest_prompt(const Prompts *p);

/* Roles of one kind of rank. */
typedef struct {
    bool learns, acts, judges;
} Hosted;

/* Bytes, by what holds them; 0 where the rank has no such thing. */
typedef struct {
    size_t weights;     /* packed for the products, and the f32 master where the rank learns */
    size_t optimizer;   /* moments */
    size_t gradients;   /* partial sums of the tree */
    size_t trainer;     /* activations and logits of one group */
    size_t reference;   /* the model of a KL term and its trainer */
    size_t engine;      /* keys and values of the rows that decode together */
    JudgeMemory judges; /* models of the reward block's judges */
    size_t lent;        /* of trainer, reference and engine: they take turns with it */
    size_t messages;    /* weights on their way */
    size_t program;     /* the program and its libraries */
} Footprint;

/* longest_prompt: tokens. Upper bounds: every answer at rollout.max_tokens. */
Footprint footprint_of(const Config *c, const ModelDesc *d, const KernelSet *k, int longest_prompt,
                       Hosted h);
/* Adds the judges that the experiment's rewards ask, of a rank that judges. 0, or -1 with the
 * reason. */
int footprint_add_judges(Footprint *f, const RewardBlock *rewards, const KernelSet *k);
size_t footprint_total(const Footprint *f);

#endif

/* See footprint.h. */
#include "launch/footprint.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/engine.h"
#include "learner/gradient.h"

int footprint_ranks(const Config *c)
{
    int compute =
        (int)(c->layout.workers ? c->layout.workers : c->layout.actors + c->layout.learners);
    int all = compute + (int)c->layout.rewardsvc;
    return all < 1 ? 1 : all;
}

int footprint_longest_prompt(const Prompts *p)
{
    enum { LOOKED_AT = 256 };
    int longest = 1;
    for (int64_t g = 0; g < LOOKED_AT && longest > 0; g++) {
        Group group = {0};
        if (prompts_fill(p, GROUP_TRAIN, g, 1, 0, &group))
            longest = -1;
        else if (group.n_prompt > longest)
            longest = group.n_prompt;
        group_free(&group);
    }
    return longest;
}

/* Resident memory of this process: libraries, which a rank has too. */
static size_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long size, resident = 0;
    if (f && fscanf(f, "%lu %lu", &size, &resident) != 2) resident = 0;
    if (f) fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* MPI's own: shared-memory segments and queues (Open MPI 4.1, a rank of a few). */
static const size_t mpi_bytes = 7u << 20;

static size_t numbers_of(const ModelDesc *d)
{
    int count;
    size_t n;
    mem_free(model_params(d, &count, &n));
    return n;
}

Footprint footprint_of(const Config *c, const ModelDesc *d, const KernelSet *k, int longest_prompt,
                       Hosted h)
{
    int G = (int)c->rollout.samples, T = (int)c->rollout.max_tokens, rows = (int)c->rollout.batch;
    size_t n = numbers_of(d), wire = n * (k->precision == PRECISION_BF16 ? 2 : 4);
    int learners = (int)(c->layout.workers ? c->layout.workers : c->layout.learners);
    if (learners < 1) learners = 1;
    int M = longest_prompt + G * (T - 1), n_want = G * T;
    Footprint f = {.program = resident_bytes() + (footprint_ranks(c) > 1 ? mpi_bytes : 0)};
    if (h.learns || h.acts) f.weights = model_bytes(d, k, h.learns);
    if (h.learns) {
        f.optimizer = 2 * n * sizeof(float);
        f.gradients = gradient_bytes(n, (int)c->learner.reduction_slots / learners);
        f.trainer = trainer_bytes(d, k, M, n_want);
        if (c->learner.kl > 0)
            f.reference = model_bytes(d, k, true) + trainer_bytes(d, k, M, n_want);
    }
    size_t kv_tokens = engine_kv_tokens(rows, G, longest_prompt, T);
    if (h.acts) f.engine = engine_bytes(d, k, rows, kv_tokens);
    if (h.acts && h.learns) {
        size_t engine = engine_lent(d, k, kv_tokens), trainers = trainer_lent(d, M);
        if (c->learner.kl > 0) trainers *= 2;
        f.lent = engine < trainers ? engine : trainers;
    }
    /* A learner writes them out and has a copy on its way; an actor has what is arriving. */
    if (h.acts != h.learns) f.messages = (h.learns ? 2 : 1) * wire;
    return f;
}

int footprint_add_judges(Footprint *f, const RewardBlock *rewards, const KernelSet *k)
{
    return rewards->judges ? judges_memory(rewards->judges, k, &f->judges) : 0;
}

size_t footprint_total(const Footprint *f)
{
    return f->weights + f->optimizer + f->gradients + f->trainer + f->reference + f->engine -
           f->lent + f->judges.weights + f->judges.engines + f->judges.trainers + f->messages +
           f->program;
}

/* What a local judge is made of, from its settings: for judge_local.c, which opens it, and for
 * `plan`, which says before a run what it will take. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/judge_internal.h"

KernelSet judge_kernels(const Judge *j, const KernelSet *run)
{
    const char *precision = j->values[JUDGE_PRECISION].text;
    KernelSet k = *run;
    bool own = *precision && (strcmp(precision, "f32") == 0) != (k.precision == PRECISION_F32);
    if (own) kernelset_choose(&k, strcmp(precision, "f32") ? PRECISION_BF16 : PRECISION_F32);
    return k;
}

int judge_longest(const Judge *j, const ModelDesc *d)
{
    int wanted = (int)j->values[JUDGE_MAX_CONTEXT].number;
    return wanted < d->max_positions ? wanted : d->max_positions;
}

size_t judge_kv_tokens(const Judge *j, int max_context)
{
    /* Questions are seldom as long as they may be: memory for a quarter of that in every row, and
     * for one that is. */
    size_t rows = (size_t)j->values[JUDGE_BATCH].number;
    return rows * (size_t)max_context / 4 + 2 * (size_t)(max_context + KV_PAGE);
}

static size_t numbers_of(const ModelDesc *d)
{
    int count;
    size_t n;
    mem_free(model_params(d, &count, &n));
    return n;
}

/* Whoever learns: moments and gradient (verifier.c), and the trainer's largest pass. */
static size_t learner_bytes(const Judge *j, const ModelDesc *d, const KernelSet *k)
{
    int rows = j->loan.texts * judge_longest(j, d);
    if (rows < j->loan.rows) rows = j->loan.rows;
    return 3 * numbers_of(d) * sizeof(float) + trainer_bytes(d, k, rows, j->loan.wanted);
}

static int describe(const Judge *j, ModelDesc *d)
{
    const char *path = j->values[JUDGE_MODEL].text;
    if (j->valued) return policy_describe_scalar(path, d);
    return strcmp(path, "policy") ? policy_describe_path(path, d, NULL)
                                  : policy_describe(j->cfg, d, NULL);
}

int judge_memory(const Judge *j, const KernelSet *run, JudgeMemory *sum)
{
    ModelDesc d;
    if (describe(j, &d)) return -1;
    KernelSet k = judge_kernels(j, run);
    int longest = judge_longest(j, &d), rows = (int)j->values[JUDGE_BATCH].number;
    sum->weights += model_bytes(&d, &k, j->lent);
    if (j->valued) sum->engines += judge_value_bytes(j, &d, &k);
    if (j->lent) sum->trainers += learner_bytes(j, &d, &k);
    if (j->wanted) sum->engines += engine_bytes(&d, &k, rows, judge_kv_tokens(j, longest));
    if (j->rates) sum->trainers += trainer_bytes(&d, &k, longest, JUDGE_MOST_OPTIONS);
    return 0;
}

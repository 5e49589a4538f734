/* See state.h. */
#include "launch/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/errors.h"
#include "common/tensors.h"
#include "common/work.h"

typedef struct {
    CheckpointArray *items;
    char **names;
    int n;
} Arrays;

static void add_block(Arrays *a, const char *kind, const Param *table, int count, float *block)
{
    for (int i = 0; i < count; i++) {
        char *name = mem_printf("%s/%s", kind, table[i].name);
        a->names[a->n] = name;
        a->items[a->n++] = (CheckpointArray){.name = name,
                                             .n_dims = table[i].n_dims,
                                             .dims = {table[i].rows, table[i].cols},
                                             .data = block + table[i].offset};
    }
}

static Arrays arrays_of(const Learner *l)
{
    int count;
    size_t n;
    const Param *table = model_param_table(l->policy->model, &count, &n);
    Arrays a = {.items = NEW(CheckpointArray, 4 * count), .names = NEW(char *, 4 * count)};
    add_block(&a, "weights", table, count, model_master(l->policy->model));
    add_block(&a, "adam_m", table, count, l->optimizer.m);
    add_block(&a, "adam_v", table, count, l->optimizer.v);
    if (l->reference_weights) add_block(&a, "reference", table, count, l->reference_weights);
    return a;
}

static void arrays_free(Arrays *a)
{
    for (int i = 0; i < a->n; i++) mem_free(a->names[i]);
    mem_free(a->names);
    mem_free(a->items);
}

/* The inbox's groups of steps that are written but not learnt from; borrowed, only the arrays are
 * the caller's. */
static Segment in_flight_of(const Learner *l)
{
    const Config *c = l->cfg;
    int P = l->inbox.P;
    int64_t end = work_in_flight_end(l->step, c->run.max_staleness, c->run.steps);
    int n = end > l->step ? (int)(end - l->step) * P : 0;
    Segment s = {.n = n, .steps = NEW(int64_t, n), .groups = NEW(Group, n)};
    for (int i = 0; i < n; i++) {
        int64_t step = l->step + i / P;
        s.steps[i] = step + 1; /* as runfile.h counts */
        s.groups[i] = inbox_groups(&l->inbox, step)[i % P];
    }
    return s;
}

int state_save(const char *run_dir, const Learner *l, CheckpointState *s, int keep)
{
    s->sft_step = l->sft_step;
    s->step = l->step;
    s->adam_step = l->optimizer.step;
    s->kernels = l->policy->kernels;
    Segment in_flight = in_flight_of(l);
    s->in_flight = in_flight.n ? &in_flight : NULL;
    Arrays a = arrays_of(l);
    int rc = checkpoint_save(run_dir, s, a.items, a.n, keep);
    arrays_free(&a);
    s->in_flight = NULL;
    mem_free(in_flight.steps);
    mem_free(in_flight.groups);
    return rc;
}

int state_load(const char *path, const CheckpointState *s, Learner *l)
{
    Arrays a = arrays_of(l);
    int rc = checkpoint_load(path, a.items, a.n);
    arrays_free(&a);
    if (rc) return -1;
    learner_resume(l, s->sft_step, s->step, s->adam_step);
    return 0;
}

int state_export(const char *folder, Policy *p)
{
    if (mkdir(folder, 0750) && errno != EEXIST) return fail("%s: %s", folder, strerror(errno));
    int count;
    size_t n;
    const Param *table = model_param_table(p->model, &count, &n);
    const float *block = model_master(p->model);
    TensorView *views = NEW(TensorView, count);
    for (int i = 0; i < count; i++)
        views[i] = (TensorView){.name = table[i].name,
                                .n_dims = table[i].n_dims,
                                .dims = {table[i].rows, table[i].cols},
                                .data = block + table[i].offset};
    Dtype dtype = p->kernels.precision == PRECISION_BF16 ? DTYPE_BF16 : DTYPE_F32;
    int rc = tensors_export_hf(folder, model_desc(p->model), views, count, dtype);
    mem_free(views);
    return rc ? -1 : tokenizer_export(p->tok, folder);
}

/* See optimizer.h. On the ring: in the learner the last station before the weights go back to the
 * actors. */
#include "common/optimizer.h"

#include <math.h>
#include <string.h>

#include "common/memory.h"

void optimizer_init(Optimizer *o, Model *model)
{
    *o = (Optimizer){.model = model};
    int count;
    model_param_table(model, &count, &o->n);
    o->m = NEW(float, o->n);
    o->v = NEW(float, o->n);
}

void optimizer_free(Optimizer *o)
{
    mem_free(o->m);
    mem_free(o->v);
    *o = (Optimizer){0};
}

void optimizer_reset(Optimizer *o)
{
    memset(o->m, 0, o->n * sizeof(float));
    memset(o->v, 0, o->n * sizeof(float));
    o->step = 0;
}

double optimizer_step(Optimizer *o, const float *grad, double scale, double clip, const AdamW *a)
{
    double norm = sqrt(op_sum_squares(grad, o->n)) * scale;
    if (!isfinite(norm)) return norm;
    float grad_scale = (float)(clip > 0 && norm > clip ? scale * clip / norm : scale);
    float *w = model_master(o->model);
    int count;
    size_t n;
    const Param *table = model_param_table(o->model, &count, &n);
    o->step++;
    for (int i = 0; i < count; i++) {
        AdamW settings = *a;
        if (!table[i].decay) settings.weight_decay = 0;
        size_t at = table[i].offset;
        op_adamw(w + at, o->m + at, o->v + at, grad + at,
                 (size_t)table[i].rows * (size_t)table[i].cols, &settings, o->step, grad_scale);
    }
    model_pack(o->model);
    return norm;
}

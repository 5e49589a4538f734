/* AdamW over the block of parameters of a model: the policy of the learner, and models that rewards
 * train (rewardsvc/verifier.h). */
#ifndef COMMON_OPTIMIZER_H
#define COMMON_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "common/model.h"

typedef struct {
    Model *model; /* borrowed; trainable */
    size_t n;     /* numbers of the model */
    float *m, *v; /* [n] first and second moment */
    int64_t step; /* AdamW's own count in the present stage; the next step is step + 1 */
} Optimizer;

void optimizer_init(Optimizer *o, Model *model);
void optimizer_free(Optimizer *o);
void optimizer_reset(Optimizer *o); /* a new stage: moments and count start from zero */

/* One step with the gradient grad [n] * scale, its norm limited to clip (0 = off); then the model's
 * compute weights are packed anew. Returns the norm before clipping; where it is not finite nothing
 * is changed. Weight decay touches matrices only. Local: same bits on every learner. */
double optimizer_step(Optimizer *o, const float *grad, double scale, double clip, const AdamW *a);

#endif

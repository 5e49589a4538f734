/* AdamW: one pass over weights, moments and gradient. Memory bound, so threads divide the numbers.
 */
#include <math.h>

#include "common/ops.h"
#include "common/ops/lanes.h"
#include "common/ops/parallel.h"

typedef struct {
    float lr, beta1, beta2, eps, grad_scale;
    float decay;
    float fix1, fix2; /* 1 / (1 - beta^step): the moments without the bias of their zero start */
} Coefficients;

CLONES static void adamw_block(float *restrict w, float *restrict m, float *restrict v,
                               const float *restrict grad, size_t n, const Coefficients *c)
{
    Coefficients k = *c;
    float b1 = 1.0f - k.beta1, b2 = 1.0f - k.beta2;
    for (size_t i = 0; i < n; i++) {
        float g = grad[i] * k.grad_scale;
        m[i] = k.beta1 * m[i] + b1 * g;
        v[i] = k.beta2 * v[i] + b2 * (g * g);
        float step = m[i] * k.fix1 / (sqrtf(v[i] * k.fix2) + k.eps);
        w[i] -= k.lr * (step + k.decay * w[i]);
    }
}

void op_adamw(float *w, float *m, float *v, const float *grad, size_t n, const AdamW *a,
              int64_t step, float grad_scale)
{
    enum { BLOCK = 4096 };
    Coefficients c = {a->lr,
                      a->beta1,
                      a->beta2,
                      a->eps,
                      grad_scale,
                      a->weight_decay,
                      (float)(1.0 / (1.0 - pow((double)a->beta1, (double)step))),
                      (float)(1.0 / (1.0 - pow((double)a->beta2, (double)step)))};
#pragma omp parallel for schedule(static) if (n > WORTH_THREADS)
    for (size_t i = 0; i < n; i += BLOCK)
        adamw_block(w + i, m + i, v + i, grad + i, n - i < BLOCK ? n - i : BLOCK, &c);
}

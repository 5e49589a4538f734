/* SwiGLU (Shazeer 2020): y = silu(gate) * up, silu(g) = g / (1 + exp(-g)). */
#include "common/ops.h"
#include "common/ops/lanes.h"
#include "common/ops/parallel.h"

INLINE Lanes silu(Lanes gate)
{
    return gate / (1.0f + lanes_exp(-gate));
}

CLONES static void swiglu_row(float *y, const float *gate, const float *up, int F)
{
    int i = 0;
    for (; i + LANES <= F; i += LANES)
        lanes_store(y + i, silu(lanes_load(gate + i)) * lanes_load(up + i));
    if (i == F) return;
    Lanes rest = silu(lanes_load_part(gate + i, F - i, 0)) * lanes_load_part(up + i, F - i, 0);
    for (int l = 0; i < F; i++, l++) y[i] = rest[l];
}

void op_swiglu(float *y, const float *gu, int M, int F)
{
    size_t f = (size_t)F;
#pragma omp parallel for schedule(static) if ((size_t)M * f > WORTH_THREADS / 4)
    for (int i = 0; i < M; i++)
        swiglu_row(y + (size_t)i * f, gu + 2 * (size_t)i * f, gu + (2 * (size_t)i + 1) * f, F);
}

/* d gate = dy up s (1 + g (1 - s)), d up = dy g s, with s = 1 / (1 + exp(-g)) */
INLINE void gradients(Lanes *dgate, Lanes *dup, Lanes dy, Lanes gate, Lanes up)
{
    Lanes s = 1.0f / (1.0f + lanes_exp(-gate));
    *dgate = dy * up * (s * (1.0f + gate * (1.0f - s)));
    *dup = dy * (gate * s);
}

CLONES static void swiglu_backward_row(float *dgate, float *dup, const float *dy, const float *gate,
                                       const float *up, int F)
{
    Lanes a, b;
    int i = 0;
    for (; i + LANES <= F; i += LANES) {
        gradients(&a, &b, lanes_load(dy + i), lanes_load(gate + i), lanes_load(up + i));
        lanes_store(dgate + i, a);
        lanes_store(dup + i, b);
    }
    if (i == F) return;
    gradients(&a, &b, lanes_load_part(dy + i, F - i, 0), lanes_load_part(gate + i, F - i, 0),
              lanes_load_part(up + i, F - i, 0));
    for (int l = 0; i < F; i++, l++) {
        dgate[i] = a[l];
        dup[i] = b[l];
    }
}

void op_swiglu_backward(float *dgu, const float *dy, const float *gu, int M, int F)
{
    size_t f = (size_t)F;
#pragma omp parallel for schedule(static) if ((size_t)M * f > WORTH_THREADS / 4)
    for (int i = 0; i < M; i++) {
        size_t gate = 2 * (size_t)i * f, up = gate + f;
        swiglu_backward_row(dgu + gate, dgu + up, dy + (size_t)i * f, gu + gate, gu + up, F);
    }
}

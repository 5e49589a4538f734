/* Rotary position embedding (Su et al. 2021), in the layout of Hugging Face's Llama: dimension i
 * turns with i + D/2. */
#include <math.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/ops.h"
#include "common/ops/lanes.h"
#include "common/ops/parallel.h"

void rope_table_init(RopeTable *t, int D, int n_positions, double theta)
{
    REQUIRE(D > 0 && D % 2 == 0 && n_positions > 0, "D %d, %d positions", D, n_positions);
    int half = D / 2;
    *t = (RopeTable){.D = D, .n_positions = n_positions};
    t->cos = NEW(float, (size_t)n_positions *(size_t)half);
    t->sin = NEW(float, (size_t)n_positions *(size_t)half);
    for (int i = 0; i < half; i++) {
        double frequency = pow(theta, -2.0 * i / D);
        for (int p = 0; p < n_positions; p++) {
            t->cos[(size_t)p * (size_t)half + (size_t)i] = (float)cos(p * frequency);
            t->sin[(size_t)p * (size_t)half + (size_t)i] = (float)sin(p * frequency);
        }
    }
}

void rope_table_free(RopeTable *t)
{
    mem_free(t->cos);
    mem_free(t->sin);
    *t = (RopeTable){0};
}

CLONES static void rope_row(float *x, const float *cosine, const float *sine, int heads, int half,
                            float sign)
{
    for (int h = 0; h < heads; h++, x += 2 * half) {
        float *restrict a = x, *restrict b = x + half;
        for (int i = 0; i < half; i++) {
            float s = sign * sine[i], x0 = a[i], x1 = b[i];
            a[i] = x0 * cosine[i] - x1 * s;
            b[i] = x1 * cosine[i] + x0 * s;
        }
    }
}

void op_rope(float *x, int ld, const RopeTable *t, const int32_t *pos, int M, int heads,
             bool inverse)
{
    size_t half = (size_t)t->D / 2;
#pragma omp parallel for schedule(static) if ((size_t)M * (size_t)heads * half > WORTH_THREADS / 2)
    for (int i = 0; i < M; i++) {
        REQUIRE(pos[i] >= 0 && pos[i] < t->n_positions, "position %d of %d", pos[i],
                t->n_positions);
        rope_row(x + (size_t)i * (size_t)ld, t->cos + (size_t)pos[i] * half,
                 t->sin + (size_t)pos[i] * half, heads, (int)half, inverse ? -1.0f : 1.0f);
    }
}

/* The tile kernel of attention: sums [R][V] of a broadcast factor times rows of 16 lanes, in registers. Scores, values and all
 * gradients are this one loop over different sides; see attention.c. */
#ifndef COMMON_OPS_ATTENTION_TILE_H
#define COMMON_OPS_ATTENTION_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ops/lanes.h"

#define TILE_ROWS 8

INLINE Lanes side_load(const void *b, ptrdiff_t at, const bool bf16)
{
    return bf16 ? lanes_load_bf16((const uint16_t *)b + at) : lanes_load((const float *)b + at);
}

/* sum[r][v] = fmaf(a[r][t * step_a], b[t * step_b + at[v]], sum[r][v]) for t = 0 .. T-1 in order. R, V, bf16 are constants where it is
 * inlined. */
INLINE void tile_add(const int R, const int V, Lanes sum[TILE_ROWS][4],
                     const float *const a[TILE_ROWS], ptrdiff_t step_a, const void *b,
                     ptrdiff_t step_b, const ptrdiff_t at[4], int T, const bool bf16)
{
    for (int t = 0; t < T; t++) {
        Lanes side[4];
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) side[v] = side_load(b, t * step_b + at[v], bf16);
#pragma GCC unroll 8
        for (int r = 0; r < R; r++) {
            Lanes x = lanes_all(a[r][t * step_a]);
#pragma GCC unroll 4
            for (int v = 0; v < V; v++) sum[r][v] = lanes_fma(x, side[v], sum[r][v]);
        }
    }
}

#endif

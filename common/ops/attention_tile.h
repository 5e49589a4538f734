/* The tile kernels of attention: sums [R][V] of a broadcast factor times registers of 16 lanes.
 * Scores, values and all gradients are this one loop over different sides; see attention.c. */
#ifndef COMMON_OPS_ATTENTION_TILE_H
#define COMMON_OPS_ATTENTION_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ops/lanes.h"

#define TILE_ROWS 8
#define TILE_SUMS (TILE_ROWS * 2 * LANES) /* numbers of a big tile: [8][2][16] */

/* A broadcast factor: row r at step t is a[r * step_r + t * step_t]. */
typedef struct {
    const float *a;
    ptrdiff_t step_r, step_t;
} TileFactor;

INLINE Lanes side_load(const void *b, ptrdiff_t at, const bool bf16)
{
    return bf16 ? lanes_load_bf16((const uint16_t *)b + at) : lanes_load((const float *)b + at);
}

/* sum[r][v] = fmaf(f(r, t), b[t * step_b + at[v]], sum[r][v]) for t = 0 .. T-1 in order. R <= 4, V
 * and bf16 are constants where it is inlined. */
INLINE void tile_add(const int R, const int V, Lanes sum[4][4], TileFactor f, const void *b,
                     ptrdiff_t step_b, const ptrdiff_t at[4], int T, const bool bf16)
{
    for (int t = 0; t < T; t++) {
        Lanes side[4];
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) side[v] = side_load(b, t * step_b + at[v], bf16);
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) {
            Lanes x = lanes_all(f.a[r * f.step_r + t * f.step_t]);
#pragma GCC unroll 4
            for (int v = 0; v < V; v++) sum[r][v] = lanes_fma(x, side[v], sum[r][v]);
        }
    }
}

/* The same for 8 rows and the two registers b[t * step_b] and b[t * step_b + second], sums in
 * memory (fresh: they start at 0): a function of its own, because the rows' addresses fill the
 * general registers. */
CLONES static void tile_add_8(float *sum, bool fresh, TileFactor f, const float *b,
                              ptrdiff_t step_b, ptrdiff_t second, int T)
{
    Lanes s[TILE_ROWS][2];
#pragma GCC unroll 8
    for (int r = 0; r < TILE_ROWS; r++) {
        s[r][0] = fresh ? lanes_all(0) : lanes_load(sum + r * 2 * LANES);
        s[r][1] = fresh ? lanes_all(0) : lanes_load(sum + r * 2 * LANES + LANES);
    }
    for (int t = 0; t < T; t++, f.a += f.step_t, b += step_b) {
        Lanes first = lanes_load(b), other = lanes_load(b + second);
#pragma GCC unroll 8
        for (int r = 0; r < TILE_ROWS; r++) {
            Lanes x = lanes_all(f.a[r * f.step_r]);
            s[r][0] = lanes_fma(x, first, s[r][0]);
            s[r][1] = lanes_fma(x, other, s[r][1]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < TILE_ROWS; r++) {
        lanes_store(sum + r * 2 * LANES, s[r][0]);
        lanes_store(sum + r * 2 * LANES + LANES, s[r][1]);
    }
}

#endif

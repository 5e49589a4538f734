/* Our own matrix product in f32: the second factor lies in panels of GEMM_PANEL columns. Each
 * element of the result is chains of fmaf over 256 steps of the inner index, added in order, so its
 * bits depend on nothing but its row and column: not on tile sizes, threads or M. */
#ifndef COMMON_OPS_GEMM_H
#define COMMON_OPS_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEMM_PANEL 48 /* columns: three registers of 16 */
#define GEMM_TILE  8  /* rows that gemm_tile takes at most */

/* Row i and inner index k of the first factor at a[i * step_i + k * step_k]. */
typedef struct {
    const float *a;
    ptrdiff_t step_i, step_k;
} GemmRows;

/* c[rows, n] (row stride ldc) = [c +] a . panel, for n <= GEMM_PANEL columns of a panel
 * [K][GEMM_PANEL]. */
void gemm_panel(float *c, ptrdiff_t ldc, GemmRows a, const float *panel, int rows, int n, int K,
                bool accumulate);

/* The same for a panel of bf16 numbers, which are widened (exactly). */
void gemm_panel_bf16(float *c, ptrdiff_t ldc, GemmRows a, const uint16_t *panel, int rows, int n,
                     int K);

/* The same for bf16 numbers in pairs along the inner index (the even one in the low half), with the
 * CPU's bf16 instruction where it has one: K2 = half the inner size, panel [K2][GEMM_PANEL]. One
 * step adds a pair's two products to a sum. */
typedef struct {
    const uint32_t *a;
    ptrdiff_t step_i, step_k;
} GemmPairs;
void gemm_panel_pairs(float *c, ptrdiff_t ldc, GemmPairs a, const uint32_t *panel, int rows, int n,
                      int K2, bool accumulate);
bool gemm_has_bf16(void);            /* this CPU multiplies bf16 pairs in one instruction */
const char *gemm_instructions(void); /* "AVX-512 BF16", "AVX-512", "AVX2", "x86-64" */

#endif

/* The weight gradient dw += dy^T x. Rows are the inner index here: a chunk of them is packed into
 * panels (x: 48 columns, dy: tiles of 8 columns) and every element of dw takes the chunk's products
 * in row order, starting from its own value. So the bits do not depend on the chunk or the number
 * of threads: these divide the rows of dw.
 *
 * With bf16 products two rows make a pair, as in the forward pass (rows 0 and 1, 2 and 3, ... of
 * the call).
 */
#include "common/ops.h"
#include "common/ops/gemm.h"
#include "common/ops/parallel.h"
#include "common/ops/round.h"
#include "common/ops/scratch.h"

#include <string.h>

#define CHUNK   256 /* rows of x and dy at a time; even, so that pairs never straddle chunks */
#define COLUMNS 32  /* rows of dw that a thread takes at a time */

/* A chunk: rows [m] of x and dy, as numbers or as m2 pairs of rows; 4 bytes a number or pair. */
typedef struct {
    const float *dy, *x;
    int N, K, m, inner; /* inner = m, or pairs of rows */
    ProductKind kind;
} Chunk;

/* Columns first .. first + n of row (or pair of rows) i, `width` places; the rest zero. */
static void pack_columns(uint32_t *to, const float *from, int ld, const Chunk *c, int i, int first,
                         int n, int width)
{
    if (c->kind == PRODUCT_BF16) {
        const float *a = from + (size_t)(2 * i) * (size_t)ld + first;
        bf16_pack_two(to, a, 2 * i + 1 < c->m ? a + ld : NULL, n);
    } else if (c->kind == PRODUCT_BF16_AS_F32) {
        bf16_round_row((float *)to, from + (size_t)i * (size_t)ld + first, n);
    } else {
        memcpy(to, from + (size_t)i * (size_t)ld + first, (size_t)n * 4);
    }
    if (n < width) memset(to + n, 0, (size_t)(width - n) * 4);
}

/* Panels or tiles [count][inner][width] of the columns first .. end. */
static void pack(uint32_t *to, const float *from, int ld, const Chunk *c, int first, int end,
                 int width)
{
    for (int i = 0; i < c->inner; i++)
        for (int j = first; j < end; j += width) {
            size_t panel = (size_t)((j - first) / width);
            pack_columns(to + (panel * (size_t)c->inner + (size_t)i) * (size_t)width, from, ld, c,
                         i, j, end - j < width ? end - j : width, width);
        }
}

/* dw rows n0 .. n0 + n, all columns. */
static void gradient_rows(float *dw, const Chunk *c, const uint32_t *x_panels, int n0, int n)
{
    uint32_t *tiles = scratch_take(SCRATCH_PANEL_A, sizeof *tiles * COLUMNS * CHUNK);
    pack(tiles, c->dy, c->N, c, n0, n0 + n, GEMM_TILE);
    for (int k = 0; k < c->K; k += GEMM_PANEL) {
        const uint32_t *panel = x_panels + (size_t)k * (size_t)c->inner;
        int width = c->K - k < GEMM_PANEL ? c->K - k : GEMM_PANEL;
        for (int t = 0; t < n; t += GEMM_TILE) {
            const uint32_t *tile = tiles + (size_t)t * (size_t)c->inner;
            float *to = dw + (size_t)(n0 + t) * (size_t)c->K + k;
            int rows = n - t < GEMM_TILE ? n - t : GEMM_TILE;
            if (c->kind == PRODUCT_BF16)
                gemm_panel_pairs(to, c->K, (GemmPairs){tile, 1, GEMM_TILE}, panel, rows, width,
                                 c->inner, true);
            else
                gemm_panel(to, c->K, (GemmRows){(const float *)tile, 1, GEMM_TILE},
                           (const float *)panel, rows, width, c->inner, true);
        }
    }
}

static void gradient_chunk(float *dw, const Chunk *c)
{
    int n_panels = (c->K + GEMM_PANEL - 1) / GEMM_PANEL;
    uint32_t *panels =
        scratch_take(SCRATCH_PANEL_B, sizeof *panels * (size_t)n_panels * GEMM_PANEL * CHUNK);
#pragma omp parallel if ((size_t)c->m * (size_t)c->N * (size_t)c->K > 16 * (size_t)WORTH_THREADS)
    {
#pragma omp for schedule(static)
        for (int p = 0; p < n_panels; p++) {
            int k = p * GEMM_PANEL, end = c->K - k < GEMM_PANEL ? c->K : k + GEMM_PANEL;
            pack(panels + (size_t)k * (size_t)c->inner, c->x, c->K, c, k, end, GEMM_PANEL);
        }
#pragma omp for schedule(dynamic)
        for (int n = 0; n < c->N; n += COLUMNS)
            gradient_rows(dw, c, panels, n, c->N - n < COLUMNS ? c->N - n : COLUMNS);
    }
}

void op_matmul_dw(float *dw, const float *dy, const float *x, int M, int N, int K, ProductKind kind)
{
    for (int m = 0; m < M; m += CHUNK) {
        int rows = M - m < CHUNK ? M - m : CHUNK;
        Chunk c = {dy + (size_t)m * (size_t)N,
                   x + (size_t)m * (size_t)K,
                   N,
                   K,
                   rows,
                   kind == PRODUCT_BF16 ? (rows + 1) / 2 : rows,
                   kind};
        gradient_chunk(dw, &c);
    }
}

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

#include <stdbool.h>
#include <string.h>

#define CHUNK   256 /* rows of x and dy at a time; even, so that pairs never straddle chunks */
#define COLUMNS 32  /* rows of dw that a thread takes at a time */

/* A chunk: rows [m] of x and dy, as numbers or as m2 pairs of rows; 4 bytes a number or pair. */
typedef struct {
    const float *dy, *x;
    int N, K, m, inner; /* inner = m, or pairs of rows */
    ProductKind kind;
} Chunk;

/* Columns first .. first + n of row (or pair of rows) i. */
static void read_columns(uint32_t *to, const float *from, int ld, const Chunk *c, int i, int first,
                         int n)
{
    if (c->kind == PRODUCT_BF16) {
        const float *a = from + (size_t)(2 * i) * (size_t)ld + first;
        bf16_pack_two(to, a, 2 * i + 1 < c->m ? a + ld : NULL, n);
    } else if (c->kind == PRODUCT_BF16_AS_F32) {
        bf16_round_row((float *)to, from + (size_t)i * (size_t)ld + first, n);
    } else {
        memcpy(to, from + (size_t)i * (size_t)ld + first, (size_t)n * sizeof *to);
    }
}

/* A panel [inner][GEMM_PANEL] of x's columns first .. first + n; what is beyond them is never read
 * as a result. */
static void pack_panel(uint32_t *to, const Chunk *c, int first, int n)
{
    for (int i = 0; i < c->inner; i++)
        read_columns(to + i * GEMM_PANEL, c->x, c->K, c, i, first, n);
}

/* Tiles [COLUMNS / 8][inner][8] of dy's columns first .. first + n. */
static void pack_tiles(uint32_t *to, const Chunk *c, int first, int n)
{
    uint32_t row[COLUMNS] = {0};
    size_t tile = (size_t)c->inner * GEMM_TILE;
    for (int i = 0; i < c->inner; i++) {
        read_columns(row, c->dy, c->N, c, i, first, n);
        for (int t = 0; t < COLUMNS / GEMM_TILE; t++)
            memcpy(to + (size_t)t * tile + i * GEMM_TILE, row + t * GEMM_TILE,
                   GEMM_TILE * sizeof *to);
    }
}

/* dw's places for a tile, on their way to the cache while another is computed: they are far apart,
 * so the CPU does not guess them. */
static void prefetch_tile(const float *dw, int K, int rows)
{
    for (int r = 0; r < rows; r++)
        for (int line = 0; line < GEMM_PANEL; line += 16) __builtin_prefetch(dw + r * K + line, 1);
}

/* dw rows n0 .. n0 + n, all columns. */
static void gradient_rows(float *dw, const Chunk *c, const uint32_t *x_panels, int n0, int n)
{
    uint32_t *tiles = scratch_take(SCRATCH_PANEL_A, sizeof *tiles * COLUMNS * CHUNK);
    pack_tiles(tiles, c, n0, n);
    for (int k = 0; k < c->K; k += GEMM_PANEL) {
        const uint32_t *panel = x_panels + (size_t)k * (size_t)c->inner;
        int width = c->K - k < GEMM_PANEL ? c->K - k : GEMM_PANEL;
        for (int t = 0; t < n; t += GEMM_TILE) {
            const uint32_t *tile = tiles + (size_t)t * (size_t)c->inner;
            float *to = dw + (size_t)(n0 + t) * (size_t)c->K + k;
            int rows = n - t < GEMM_TILE ? n - t : GEMM_TILE;
            bool last = t + GEMM_TILE >= n;
            if (!last || k + GEMM_PANEL < c->K)
                prefetch_tile(
                    last ? dw + (size_t)n0 * (size_t)c->K + k + GEMM_PANEL : to + GEMM_TILE * c->K,
                    c->K,
                    last ? (n < GEMM_TILE ? n : GEMM_TILE)
                         : (n - t - GEMM_TILE < GEMM_TILE ? n - t - GEMM_TILE : GEMM_TILE));
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
            int k = p * GEMM_PANEL;
            pack_panel(panels + (size_t)k * (size_t)c->inner, c, k,
                       c->K - k < GEMM_PANEL ? c->K - k : GEMM_PANEL);
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

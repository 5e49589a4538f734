/* Products with packed weights. A weight matrix lies in panels of GEMM_PANEL outputs, so that a
 * product streams each weight once for a block of rows; the sums are gemm.h's, chains over 256
 * steps of K per output, which is why rows have the same bits for any M and threads.
 *
 *   PRODUCT_F32          panel [K][48] of f32
 *   PRODUCT_BF16_AS_F32  panel [K][48] of bf16; widened once per block of rows when there are many
 * of them PRODUCT_BF16         panel [K/2][48] of bf16 pairs along K
 */
#include "common/errors.h"
#include "common/memory.h"
#include "common/ops.h"
#include "common/ops/gemm.h"
#include "common/ops/lanes.h"
#include "common/ops/parallel.h"
#include "common/ops/round.h"
#include "common/ops/scratch.h"

struct Packed {
    int N, K;
    ProductKind kind;
    int n_panels;
    size_t panel_bytes;
    char *data; /* [n_panels][panel_bytes] */
};

static int panels_of(int N)
{
    return (N + GEMM_PANEL - 1) / GEMM_PANEL;
}

static size_t panel_bytes(int K, ProductKind kind)
{
    size_t k = kind == PRODUCT_BF16 ? ((size_t)K + 1) / 2 * 2 : (size_t)K;
    return k * GEMM_PANEL * (kind == PRODUCT_F32 ? sizeof(float) : sizeof(uint16_t));
}

size_t packed_bytes(int N, int K, ProductKind kind)
{
    return (size_t)panels_of(N) * panel_bytes(K, kind);
}

Packed *packed_new(int N, int K, ProductKind kind)
{
    REQUIRE(N > 0 && K > 0, "weights of %d x %d", N, K);
    Packed *p = NEW(Packed, 1);
    *p = (Packed){N, K, kind, panels_of(N), panel_bytes(K, kind), NULL};
    p->data = mem_zeroed((size_t)p->n_panels, p->panel_bytes);
    return p;
}

void packed_free(Packed *p)
{
    if (!p) return;
    mem_free(p->data);
    mem_free(p);
}

/* Weights as they are given: element (n, k) at n * step_n + k * step_k. */
typedef struct {
    const void *w;
    bool bf16;
    size_t step_n, step_k;
} Source;

#define PACK_K                                                                                     \
    64 /* inner indices that fill_panel reads at a time: lines of both sides stay in cache */

INLINE float source_at(const Source *s, size_t at)
{
    return s->bf16 ? f32_from_bf16(((const uint16_t *)s->w)[at]) : ((const float *)s->w)[at];
}

INLINE void panel_put(const Packed *p, char *panel, int k, int j, float x)
{
    if (p->kind == PRODUCT_F32)
        ((float *)panel)[(size_t)k * GEMM_PANEL + (size_t)j] = x;
    else if (p->kind == PRODUCT_BF16_AS_F32)
        ((uint16_t *)panel)[(size_t)k * GEMM_PANEL + (size_t)j] = bf16_from_f32(x);
    else
        ((uint16_t *)panel)[((size_t)k / 2 * GEMM_PANEL + (size_t)j) * 2 + (size_t)(k & 1)] =
            bf16_from_f32(x);
}

static void fill_panel(const Packed *p, int panel, const Source *s)
{
    int n0 = panel * GEMM_PANEL, n = p->N - n0 < GEMM_PANEL ? p->N - n0 : GEMM_PANEL;
    char *to = p->data + (size_t)panel * p->panel_bytes;
    if (s->step_n == 1) {
        for (int k = 0; k < p->K; k++)
            for (int j = 0; j < n; j++)
                panel_put(p, to, k, j, source_at(s, (size_t)(n0 + j) + (size_t)k * s->step_k));
        return;
    }
    for (int k0 = 0; k0 < p->K; k0 += PACK_K)
        for (int j = 0; j < n; j++)
            for (int k = k0; k < p->K && k < k0 + PACK_K; k++)
                panel_put(p, to, k, j,
                          source_at(s, (size_t)(n0 + j) * s->step_n + (size_t)k * s->step_k));
}

void packed_fill(Packed *p, const void *w, Dtype dtype, bool transposed)
{
    REQUIRE(dtype == DTYPE_F32 || dtype == DTYPE_BF16, "weights of %s", dtype_name(dtype));
    Source s = {w, dtype == DTYPE_BF16, transposed ? 1 : (size_t)p->K,
                transposed ? (size_t)p->N : 1};
#pragma omp parallel for schedule(static) if ((size_t)p->N * (size_t)p->K > WORTH_THREADS)
    for (int i = 0; i < p->n_panels; i++) fill_panel(p, i, &s);
}

/* Rows first .. first + rows of one panel's outputs. */
static void product_panel(float *y, const void *x, const Packed *w, int panel, int first, int rows)
{
    enum {
        WIDEN_FROM = 24
    }; /* rows from which widening the panel once is cheaper than on the way */
    int n0 = panel * GEMM_PANEL, n = w->N - n0 < GEMM_PANEL ? w->N - n0 : GEMM_PANEL, K = w->K,
        K2 = (K + 1) / 2;
    float *c = y + (size_t)first * (size_t)w->N + n0;
    const char *data = w->data + (size_t)panel * w->panel_bytes;
    if (w->kind == PRODUCT_BF16) {
        GemmPairs a = {(const uint32_t *)x + (size_t)first * (size_t)K2, K2, 1};
        gemm_panel_pairs(c, w->N, a, (const uint32_t *)data, rows, n, K2, false);
        return;
    }
    GemmRows a = {(const float *)x + (size_t)first * (size_t)K, K, 1};
    if (w->kind == PRODUCT_F32) {
        gemm_panel(c, w->N, a, (const float *)data, rows, n, K, false);
    } else if (rows < WIDEN_FROM) {
        gemm_panel_bf16(c, w->N, a, (const uint16_t *)data, rows, n, K);
    } else {
        float *wide = scratch_take(SCRATCH_PANEL_B, (size_t)K * GEMM_PANEL * sizeof *wide);
        bf16_widen(wide, (const uint16_t *)data, (size_t)K * GEMM_PANEL);
        gemm_panel(c, w->N, a, wide, rows, n, K, false);
    }
}

/* Rows of a block: the block's inputs stay in the second cache beside a panel, and there is work
 * for every thread. */
static int block_rows(int M, int K, int n_panels)
{
    enum { CACHE_NUMBERS = 65536, ITEMS = 8 };
    int rows = CACHE_NUMBERS / K / GEMM_TILE * GEMM_TILE;
    if (rows < 4 * GEMM_TILE) rows = 4 * GEMM_TILE;
    if (rows > M) rows = M;
    if (n_panels < ITEMS) {
        int per_item = (M * n_panels / ITEMS + GEMM_TILE - 1) / GEMM_TILE * GEMM_TILE;
        if (per_item < GEMM_TILE) per_item = GEMM_TILE;
        if (rows > per_item) rows = per_item;
    }
    return rows;
}

/* The input as the product wants it: itself, or rounded into scratch. */
static const void *round_input(const float *x, int M, int K, ProductKind kind)
{
    if (kind == PRODUCT_F32) return x;
    size_t width = kind == PRODUCT_BF16 ? ((size_t)K + 1) / 2 : (size_t)K; /* 4 bytes each */
    char *to = scratch_take(SCRATCH_INPUT, (size_t)M * width * 4);
#pragma omp parallel for schedule(static) if ((size_t)M * (size_t)K > WORTH_THREADS)
    for (int i = 0; i < M; i++) {
        const float *row = x + (size_t)i * (size_t)K;
        if (kind == PRODUCT_BF16)
            bf16_pack_row((uint32_t *)to + (size_t)i * width, row, K);
        else
            bf16_round_row((float *)to + (size_t)i * width, row, K);
    }
    return to;
}

void op_matmul(float *y, const float *x, const Packed *w, int M)
{
    if (M <= 0) return;
    const void *input = round_input(x, M, w->K, w->kind);
    int rows = block_rows(M, w->K, w->n_panels), n_blocks = (M + rows - 1) / rows;
    /* A weight costs as much to fetch as some 8 multiply-adds. */
    size_t work = (size_t)(M + 8) * (size_t)w->N * (size_t)w->K;
#pragma omp parallel for collapse(2) schedule(static) if (work > 16 * (size_t)WORTH_THREADS)
    for (int b = 0; b < n_blocks; b++)
        for (int p = 0; p < w->n_panels; p++)
            product_panel(y, input, w, p, b * rows, M - b * rows < rows ? M - b * rows : rows);
}

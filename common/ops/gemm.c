/* The tile kernels of gemm.h. With AVX-512 a tile is 8 rows x 3 registers: 24 sums in registers, 11
 * loads for 24 multiply-adds, which keeps both units busy. With AVX2's 16 registers it is 6 rows x
 * 16 columns. */
#include "common/ops/gemm.h"

#include "common/ops/lanes.h"

#if defined(__x86_64__) && !defined(__clang__)
#define WIDE      __attribute__((target("arch=x86-64-v4")))
#define WIDE_BF16 __attribute__((target("arch=x86-64-v4,avx512bf16")))
#define HAS_WIDE  __builtin_cpu_supports("x86-64-v4")
#define HAS_AVX2  __builtin_cpu_supports("x86-64-v3")
#define HAS_BF16  (HAS_WIDE && __builtin_cpu_supports("avx512bf16"))
#else
#define WIDE
#define WIDE_BF16
#define HAS_WIDE false
#define HAS_BF16 false
#define HAS_AVX2 false
#endif

#define NARROW_TILE 6

/* What a panel holds and how a product is added. */
typedef enum { F32, BF16, PAIRS, PAIRS_NATIVE } Kind;

typedef struct {
    const char *a; /* numbers, or pairs: 4 bytes each */
    ptrdiff_t step_i, step_k;
} Factor;

INLINE Lanes panel_load(const void *panel, ptrdiff_t at, const Kind kind)
{
    if (kind == BF16) return lanes_load_bf16((const uint16_t *)panel + at);
    return lanes_load((const float *)panel + at); /* a pair is carried as if it were a number */
}

/* sum + x * b in every lane, x the number or pair at a. Pairs are spelled as the instruction itself
 * (a vector of pairs is no C type), and broadcast as integers: gcc 12 broadcasts floats well only
 * into arithmetic that it sees. */
INLINE Lanes multiply_add(Lanes sum, const char *a, Lanes b, const Kind kind)
{
    float x;
    uint32_t pair;
    memcpy(&x, a, 4);
    memcpy(&pair, a, 4);
    LanesBits p = (LanesBits){0} + pair, q = (LanesBits)b;
    if (kind == PAIRS) {
        sum = lanes_fma((Lanes)(p << 16), (Lanes)(q << 16), sum);
        return lanes_fma((Lanes)(p & 0xffff0000u), (Lanes)(q & 0xffff0000u), sum);
    }
#if defined(__x86_64__) && !defined(__clang__)
    if (kind == PAIRS_NATIVE) {
        __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(p), "v"(q));
        return sum;
    }
#endif
    return lanes_fma(lanes_all(x), b, sum);
}

INLINE Lanes columns_load(const float *c, int n)
{
    return n >= LANES ? lanes_load(c) : lanes_load_part(c, n, 0);
}

INLINE void columns_store(float *c, Lanes a, int n)
{
    if (n >= LANES)
        lanes_store(c, a);
    else
        for (int l = 0; l < n; l++) c[l] = a[l];
}

/* Steps of K in one chain of multiply-adds; the chains are added in order. A chain's rounding
 * errors grow with its length: over the 49152 of a vocabulary one chain costs the gradient a digit.
 */
enum { CHAIN = 256 };

/* R rows x V registers, both constants where this is inlined; n columns are wanted. */
INLINE void tile(const int R, const int V, float *c, ptrdiff_t ldc, Factor g, const void *panel,
                 int n, int K, bool accumulate, const Kind kind)
{
    const char *a = g.a;
    for (int first = 0; first < K; first += CHAIN) {
        int end = K - first < CHAIN ? K : first + CHAIN;
        Lanes sum[GEMM_TILE][3];
#pragma GCC unroll 8
        for (int r = 0; r < R; r++)
#pragma GCC unroll 3
            for (int v = 0; v < V; v++) sum[r][v] = lanes_all(0);
        for (int k = first; k < end; k++, a += 4 * g.step_k) {
            Lanes b[3];
#pragma GCC unroll 3
            for (int v = 0; v < V; v++)
                b[v] = panel_load(panel, (ptrdiff_t)k * GEMM_PANEL + v * LANES, kind);
#pragma GCC unroll 8
            for (int r = 0; r < R; r++) {
                const char *x = a + 4 * r * g.step_i;
#pragma GCC unroll 3
                for (int v = 0; v < V; v++) sum[r][v] = multiply_add(sum[r][v], x, b[v], kind);
            }
        }
#pragma GCC unroll 8
        for (int r = 0; r < R; r++)
#pragma GCC unroll 3
            for (int v = 0; v < V; v++) {
                float *to = c + r * ldc + v * LANES;
                if (first || accumulate) sum[r][v] += columns_load(to, n - v * LANES);
                columns_store(to, sum[r][v], n - v * LANES);
            }
    }
}

#define TILE_CASE(R)                                                                               \
    case R:                                                                                        \
        tile(R, V, c, ldc, g, panel, n, K, accumulate, kind);                                      \
        break;

INLINE void tile_of_rows(int R, const int V, float *c, ptrdiff_t ldc, Factor g, const void *panel,
                         int n, int K, bool accumulate, const Kind kind)
{
    switch (R) {
        TILE_CASE(1)
        TILE_CASE(2)
        TILE_CASE(3)
        TILE_CASE(4)
        TILE_CASE(5)
        TILE_CASE(6)
        TILE_CASE(7)
        TILE_CASE(8)
    }
}

INLINE void panel_rows(const int tile_rows, const int V, float *c, ptrdiff_t ldc, Factor g,
                       const void *panel, int rows, int n, int K, bool accumulate, const Kind kind)
{
    for (int i = 0; i < rows; i += tile_rows) {
        int R = rows - i < tile_rows ? rows - i : tile_rows;
        Factor part = {g.a + 4 * i * g.step_i, g.step_i, g.step_k};
        tile_of_rows(R, V, c + i * ldc, ldc, part, panel, n, K, accumulate, kind);
    }
}

#define ARGUMENTS                                                                                  \
    float *c, ptrdiff_t ldc, Factor g, const void *panel, int rows, int n, int K, bool accumulate

INLINE void wide(ARGUMENTS, const Kind kind)
{
    if (n > 2 * LANES)
        panel_rows(GEMM_TILE, 3, c, ldc, g, panel, rows, n, K, accumulate, kind);
    else if (n > LANES)
        panel_rows(GEMM_TILE, 2, c, ldc, g, panel, rows, n, K, accumulate, kind);
    else
        panel_rows(GEMM_TILE, 1, c, ldc, g, panel, rows, n, K, accumulate, kind);
}

INLINE void narrow(ARGUMENTS, const Kind kind)
{
    int size = kind == BF16 ? 2 : 4;
    for (int v = 0; v < n; v += LANES)
        panel_rows(NARROW_TILE, 1, c + v, ldc, g, (const char *)panel + size * v, rows, n - v, K,
                   accumulate, kind);
}

#define KERNEL(name, attribute, shape, kind)                                                       \
    attribute static void name(ARGUMENTS)                                                          \
    {                                                                                              \
        shape(c, ldc, g, panel, rows, n, K, accumulate, kind);                                     \
    }

KERNEL(wide_f32, WIDE, wide, F32)
KERNEL(wide_bf16, WIDE, wide, BF16)
KERNEL(wide_pairs, WIDE, wide, PAIRS)
KERNEL(native_pairs, WIDE_BF16, wide, PAIRS_NATIVE)
KERNEL(narrow_f32, CLONES, narrow, F32)
KERNEL(narrow_bf16, CLONES, narrow, BF16)
KERNEL(narrow_pairs, CLONES, narrow, PAIRS)

bool gemm_has_bf16(void)
{
    return HAS_BF16;
}

const char *gemm_instructions(void)
{
    return HAS_BF16 ? "AVX-512 BF16" : HAS_WIDE ? "AVX-512" : HAS_AVX2 ? "AVX2" : "x86-64";
}

void gemm_panel(float *c, ptrdiff_t ldc, GemmRows a, const float *panel, int rows, int n, int K,
                bool accumulate)
{
    Factor g = {(const char *)a.a, a.step_i, a.step_k};
    (HAS_WIDE ? wide_f32 : narrow_f32)(c, ldc, g, panel, rows, n, K, accumulate);
}

void gemm_panel_bf16(float *c, ptrdiff_t ldc, GemmRows a, const uint16_t *panel, int rows, int n,
                     int K)
{
    Factor g = {(const char *)a.a, a.step_i, a.step_k};
    (HAS_WIDE ? wide_bf16 : narrow_bf16)(c, ldc, g, panel, rows, n, K, false);
}

void gemm_panel_pairs(float *c, ptrdiff_t ldc, GemmPairs a, const uint32_t *panel, int rows, int n,
                      int K2, bool accumulate)
{
    Factor g = {(const char *)a.a, a.step_i, a.step_k};
    (HAS_BF16   ? native_pairs
     : HAS_WIDE ? wide_pairs
                : narrow_pairs)(c, ldc, g, panel, rows, n, K2, accumulate);
}

/* Sixteen f32 lanes, and how the CPU ops get fast code without a build for one machine.
 *
 * A kernel is one source, compiled for AVX-512, AVX2 with FMA and plain x86-64 (CLONES); the loader
 * picks. All three give the same bits: the lanes are explicit (Lanes is always 16 wide, whatever
 * the registers), a fused multiply-add is always fmaf, and nothing is reassociated. Helpers are
 * always_inline so that they take on the kernel's instruction set. clang builds only the fuzz
 * targets: there one plain version is enough.
 */
#ifndef COMMON_OPS_LANES_H
#define COMMON_OPS_LANES_H

#include <stdint.h>
#include <string.h>

#include "common/ops/expf.h"

#if defined(__x86_64__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
/* Lanes are passed between inlined functions only: no ABI is involved. */
#pragma GCC diagnostic ignored "-Wpsabi"
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

#define LANES 16
typedef float Lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t LanesBits __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t LanesMask __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t LanesHalf __attribute__((vector_size(32), aligned(2), may_alias));

INLINE Lanes lanes_load(const float *p)
{
    return *(const Lanes *)p;
}

INLINE void lanes_store(float *p, Lanes a)
{
    *(Lanes *)p = a;
}

INLINE Lanes lanes_all(float x)
{
    return (Lanes){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

INLINE Lanes lanes_load_bf16(const uint16_t *p)
{
    return (Lanes)(__builtin_convertvector(*(const LanesHalf *)p, LanesBits) << 16);
}

/* The first n < 16 numbers of p, the other lanes `rest`. */
INLINE Lanes lanes_load_part(const float *p, int n, float rest)
{
    Lanes a = lanes_all(rest);
    for (int i = 0; i < n; i++) a[i] = p[i];
    return a;
}

INLINE Lanes lanes_fma(Lanes a, Lanes b, Lanes c)
{
    Lanes r;
    for (int i = 0; i < LANES; i++) r[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return r;
}

INLINE Lanes lanes_select(LanesMask m, Lanes a, Lanes b)
{
    return (Lanes)(((LanesMask)a & m) | ((LanesMask)b & ~m));
}

INLINE Lanes lanes_max(Lanes a, Lanes b)
{
    return lanes_select(a > b, a, b);
}

typedef float Lanes8 __attribute__((vector_size(32), aligned(4)));
typedef float Lanes4 __attribute__((vector_size(16), aligned(4)));
#define LANES8_OF(a, first)                                                                        \
    __builtin_shufflevector(a, a, first, first + 1, first + 2, first + 3, first + 4, first + 5,    \
                            first + 6, first + 7)
#define LANES4_OF(a, first) __builtin_shufflevector(a, a, first, first + 1, first + 2, first + 3)

/* The fixed tree: lane i + lane i + 8, then + 4, + 2, + 1. */
INLINE float lanes_sum(Lanes a)
{
    Lanes8 b = LANES8_OF(a, 0) + LANES8_OF(a, 8);
    Lanes4 c = LANES4_OF(b, 0) + LANES4_OF(b, 4);
    return (c[0] + c[2]) + (c[1] + c[3]);
}

INLINE float lanes_largest(Lanes a)
{
    float most = a[0];
    for (int i = 1; i < LANES; i++) most = a[i] > most ? a[i] : most;
    return most;
}

/* exp_f32 in every lane: the same operations in the same order. */
INLINE Lanes lanes_exp(Lanes x)
{
    Lanes t = lanes_fma(x, lanes_all(EXP_LOG2E), lanes_all(EXP_ROUND));
    Lanes n = t - EXP_ROUND;
    Lanes r = lanes_fma(n, lanes_all(-EXP_LN2_HIGH), x);
    r = lanes_fma(n, lanes_all(-EXP_LN2_LOW), r);
    Lanes p = lanes_fma(lanes_all(EXP_P0), r, lanes_all(EXP_P1));
    p = lanes_fma(p, r, lanes_all(EXP_P2));
    p = lanes_fma(p, r, lanes_all(EXP_P3));
    p = lanes_fma(p, r, lanes_all(EXP_P4));
    p = lanes_fma(p, r, lanes_all(EXP_P5));
    p = lanes_fma(p, r * r, r) + 1.0f;
    p = (Lanes)((LanesBits)p + ((LanesBits)t << 23));
    p = lanes_select(x < lanes_all(EXP_LEAST), lanes_all(0.0f), p);
    p = lanes_select(x > lanes_all(EXP_MOST), lanes_all(__builtin_inff()), p);
    return lanes_select(x != x, x, p);
}

#endif

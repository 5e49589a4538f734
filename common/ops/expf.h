/* exp in f32 by a fixed polynomial: the same bits from scalar code, from any vector width, on any
 * CPU (fmaf is one rounding everywhere). Error below 2 ulp. Results that would be below 2^-126 are
 * 0 (x < -87.3), above the largest f32 infinity; NaN stays NaN.
 *
 * exp(x) = 2^n exp(r), n = round(x / ln 2), r = x - n ln 2 in [-0.35, 0.35]; exp(r) = 1 + r + r^2
 * P(r), P of degree 5 (minimax coefficients of Cephes' expf, Moshier 1984). 2^n enters by adding n
 * to the exponent bits.
 */
#ifndef COMMON_OPS_EXPF_H
#define COMMON_OPS_EXPF_H

#include <stdint.h>
#include <string.h>

#define EXP_LEAST    (-87.3f)
#define EXP_MOST     88.7228f
#define EXP_LOG2E    1.44269504f
#define EXP_LN2_HIGH 0.693359375f
#define EXP_LN2_LOW  (-2.12194440e-4f)
#define EXP_ROUND    12582912.0f /* 1.5 * 2^23: adding it rounds to an integer in the low bits */
#define EXP_P0       1.9875691500e-4f
#define EXP_P1       1.3981999507e-3f
#define EXP_P2       8.3334519073e-3f
#define EXP_P3       4.1665795894e-2f
#define EXP_P4       1.6666665459e-1f
#define EXP_P5       5.0000001201e-1f

static inline __attribute__((always_inline)) float exp_f32(float x)
{
    float t = __builtin_fmaf(x, EXP_LOG2E, EXP_ROUND);
    float n = t - EXP_ROUND;
    float r = __builtin_fmaf(n, -EXP_LN2_HIGH, x);
    r = __builtin_fmaf(n, -EXP_LN2_LOW, r);
    float p = __builtin_fmaf(EXP_P0, r, EXP_P1);
    p = __builtin_fmaf(p, r, EXP_P2);
    p = __builtin_fmaf(p, r, EXP_P3);
    p = __builtin_fmaf(p, r, EXP_P4);
    p = __builtin_fmaf(p, r, EXP_P5);
    p = __builtin_fmaf(p, r * r, r) + 1.0f;
    uint32_t bits, shift;
    memcpy(&bits, &p, 4);
    memcpy(&shift, &t, 4);
    bits += shift << 23;
    memcpy(&p, &bits, 4);
    p = x < EXP_LEAST ? 0.0f : p;
    p = x > EXP_MOST ? __builtin_inff() : p;
    return x != x ? x : p;
}

#endif

/* Number formats of stored tensors, and conversion to and from f32. */
#ifndef COMMON_DTYPE_H
#define COMMON_DTYPE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_Q8_0,
    DTYPE_Q4_0,
    DTYPE_Q4_1,
    DTYPE_COUNT
} Dtype;

/* bf16 is the upper half of an f32. Rounds to nearest, ties to even; NaN stays a NaN. */
static inline uint16_t bf16_from_f32(float x)
{
    uint32_t u;
    memcpy(&u, &x, 4);
    if ((u & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}
static inline float f32_from_bf16(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float x;
    memcpy(&x, &u, 4);
    return x;
}
uint16_t f16_from_f32(float x); /* nearest even, overflow to infinity, subnormals kept */
float f32_from_f16(uint16_t h);

const char *dtype_name(Dtype t);           /* "F32", "BF16", "Q4_1", ... */
int dtype_block(Dtype t);                  /* numbers in a block: 1 for plain types, 32 for Q* */
size_t dtype_bytes(Dtype t, size_t count); /* count must be a multiple of the block */

/* src [count] of type t -> dst [count] f32. Q types as ggml defines them: Q8_0 = {f16 d; int8
 * q[32]}, x = d q; Q4_0 = {f16 d; 4-bit q[32]}, x = d (q - 8); Q4_1 = {f16 d, m; 4-bit q[32]}, x =
 * d q + m; low nibbles are the first 16. */
void dtype_to_f32(float *dst, const void *src, Dtype t, size_t count);

/* f32 -> F32, F16, BF16 or Q8_0 (d = max|x|/127 per block). Q4_* are read only. */
void dtype_from_f32(void *dst, const float *src, Dtype t, size_t count);

#endif

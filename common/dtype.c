/* Number formats: conversion to and from f32. The Q types are ggml's blocks of 32 (see dtype.h);
 * they enter when a model is loaded and leave when it is exported, so plain loops do. */
#include "common/dtype.h"

#include <math.h>

#include "common/errors.h"

#define Q_BLOCK 32

typedef struct {
    const char *name;
    int block, bytes; /* numbers in a block; its size */
} DtypeRow;

static const DtypeRow rows[DTYPE_COUNT] = {
    [DTYPE_F32] = {"F32", 1, 4},          [DTYPE_F16] = {"F16", 1, 2},
    [DTYPE_BF16] = {"BF16", 1, 2},        [DTYPE_Q8_0] = {"Q8_0", Q_BLOCK, 34},
    [DTYPE_Q4_0] = {"Q4_0", Q_BLOCK, 18}, [DTYPE_Q4_1] = {"Q4_1", Q_BLOCK, 20},
};

static const DtypeRow *dtype_row(Dtype t)
{
    REQUIRE((unsigned)t < DTYPE_COUNT, "dtype %d", (int)t);
    return &rows[t];
}

const char *dtype_name(Dtype t)
{
    return dtype_row(t)->name;
}

int dtype_block(Dtype t)
{
    return dtype_row(t)->block;
}

size_t dtype_bytes(Dtype t, size_t count)
{
    const DtypeRow *r = dtype_row(t);
    REQUIRE(count % (size_t)r->block == 0, "%zu numbers of %s, whose blocks have %d", count,
            r->name, r->block);
    size_t n_blocks = count / (size_t)r->block, bytes;
    REQUIRE(!__builtin_mul_overflow(n_blocks, (size_t)r->bytes, &bytes), "%zu numbers", count);
    return bytes;
}

uint16_t f16_from_f32(float x)
{
    uint32_t u;
    memcpy(&u, &x, 4);
    uint16_t sign = (uint16_t)(u >> 16 & 0x8000u);
    u &= 0x7fffffffu;
    if (u > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | (u >> 13 & 0x1ffu)); /* NaN */
    if (u >= 0x47800000u) return (uint16_t)(sign | 0x7c00u);                     /* 65536 and up */
    if (u >= 0x38800000u) { /* 2^-14 and up: normal; the carry of rounding may reach infinity */
        u += 0xfffu + (u >> 13 & 1);
        return (uint16_t)(sign | (u - 0x38000000u) >> 13);
    }
    /* Subnormal: a multiple of 2^-24. Adding 0.5 rounds to one (the ulp of 0.5 is 2^-24), nearest
     * even. */
    float magnitude;
    memcpy(&magnitude, &u, 4);
    magnitude += 0.5f;
    memcpy(&u, &magnitude, 4);
    return (uint16_t)(sign | (u - 0x3f000000u));
}

float f32_from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, e = h >> 10 & 31, m = h & 0x3ffu, u;
    float x;
    if (e == 0) {
        x = (float)m * 0x1p-24f;
        return sign ? -x : x;
    }
    u = e == 31 ? sign | 0x7f800000u | m << 13 : sign | (e + 112) << 23 | m << 13;
    memcpy(&x, &u, 4);
    return x;
}

static float f16_at(const uint8_t *p)
{
    uint16_t h;
    memcpy(&h, p, 2);
    return f32_from_f16(h);
}

static void q8_0_to_f32(float *dst, const uint8_t *src)
{
    float d = f16_at(src);
    for (int i = 0; i < Q_BLOCK; i++) dst[i] = d * (float)(int8_t)src[2 + i];
}

static void q4_0_to_f32(float *dst, const uint8_t *src)
{
    float d = f16_at(src);
    for (int i = 0; i < Q_BLOCK / 2; i++) {
        dst[i] = d * (float)((src[2 + i] & 15) - 8);
        dst[i + Q_BLOCK / 2] = d * (float)((src[2 + i] >> 4) - 8);
    }
}

static void q4_1_to_f32(float *dst, const uint8_t *src)
{
    float d = f16_at(src), m = f16_at(src + 2);
    for (int i = 0; i < Q_BLOCK / 2; i++) {
        dst[i] = d * (float)(src[4 + i] & 15) + m;
        dst[i + Q_BLOCK / 2] = d * (float)(src[4 + i] >> 4) + m;
    }
}

void dtype_to_f32(float *dst, const void *src, Dtype t, size_t count)
{
    const uint8_t *bytes = src;
    const uint16_t *half = src;
    size_t n_blocks = count / (size_t)dtype_block(t), size = dtype_bytes(t, count);
    switch (t) {
    case DTYPE_F32:
        memcpy(dst, src, size);
        break;
    case DTYPE_F16:
        for (size_t i = 0; i < count; i++) dst[i] = f32_from_f16(half[i]);
        break;
    case DTYPE_BF16:
        for (size_t i = 0; i < count; i++) dst[i] = f32_from_bf16(half[i]);
        break;
    case DTYPE_Q8_0:
        for (size_t b = 0; b < n_blocks; b++) q8_0_to_f32(dst + b * Q_BLOCK, bytes + b * 34);
        break;
    case DTYPE_Q4_0:
        for (size_t b = 0; b < n_blocks; b++) q4_0_to_f32(dst + b * Q_BLOCK, bytes + b * 18);
        break;
    case DTYPE_Q4_1:
        for (size_t b = 0; b < n_blocks; b++) q4_1_to_f32(dst + b * Q_BLOCK, bytes + b * 20);
        break;
    case DTYPE_COUNT:
        break; /* dtype_block has refused it */
    }
}

static void q8_0_from_f32(uint8_t *dst, const float *src)
{
    float most = 0;
    for (int i = 0; i < Q_BLOCK; i++) most = fmaxf(most, fabsf(src[i]));
    float d = most / 127.0f, inverse = d > 0 ? 1.0f / d : 0.0f;
    uint16_t h = f16_from_f32(d);
    memcpy(dst, &h, 2);
    for (int i = 0; i < Q_BLOCK; i++) dst[2 + i] = (uint8_t)(int8_t)roundf(src[i] * inverse);
}

void dtype_from_f32(void *dst, const float *src, Dtype t, size_t count)
{
    uint8_t *bytes = dst;
    uint16_t *half = dst;
    size_t size = dtype_bytes(t, count);
    switch (t) {
    case DTYPE_F32:
        memcpy(dst, src, size);
        break;
    case DTYPE_F16:
        for (size_t i = 0; i < count; i++) half[i] = f16_from_f32(src[i]);
        break;
    case DTYPE_BF16:
        for (size_t i = 0; i < count; i++) half[i] = bf16_from_f32(src[i]);
        break;
    case DTYPE_Q8_0:
        for (size_t b = 0; b < count / Q_BLOCK; b++)
            q8_0_from_f32(bytes + b * 34, src + b * Q_BLOCK);
        break;
    default:
        REQUIRE(0, "%s is read only", dtype_name(t));
    }
}

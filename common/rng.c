/* See rng.h. The key is (seed, stream folded into its upper half); the counter is (a, b, c). */
#include "common/rng.h"

#include <math.h>

static void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1, c3 = (uint32_t)p0, c0 = n0, c2 = n2;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void rng_bits(uint64_t seed, Stream stream, uint64_t a, uint32_t b, uint32_t c, uint32_t out[4])
{
    /* One round of Philox over (seed, stream) makes the key, so that neighbouring seeds and streams
     * share nothing. */
    uint32_t in[4] = {(uint32_t)seed, (uint32_t)(seed >> 32), (uint32_t)stream, 0x74726f75u};
    uint32_t base[2] = {0x70652e31u, 0}, key[4];
    philox4x32(in, base, key);
    uint32_t counter[4] = {(uint32_t)a, (uint32_t)(a >> 32), b, c};
    philox4x32(counter, key, out);
}

float rng_uniform(uint64_t seed, Stream stream, uint64_t a, uint32_t b, uint32_t c)
{
    uint32_t r[4];
    rng_bits(seed, stream, a, b, c, r);
    return (float)(r[0] >> 8) * 0x1p-24f;
}

uint32_t rng_below(uint32_t n, uint64_t seed, Stream stream, uint64_t a, uint32_t b, uint32_t c)
{
    uint32_t r[4];
    rng_bits(seed, stream, a, b, c, r);
    return (uint32_t)((uint64_t)r[0] * n >> 32);
}

float rng_normal(uint64_t seed, Stream stream, uint64_t a, uint32_t b, uint32_t c)
{
    uint32_t r[4];
    rng_bits(seed, stream, a, b, c, r);
    double u = ((double)r[0] + 0.5) * 0x1p-32, v = (double)r[1] * 0x1p-32;
    return (float)(sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

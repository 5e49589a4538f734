/* Counter-based random numbers: a number is a pure function of what it is for, never of the order
 * of asking. Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). */
#ifndef COMMON_RNG_H
#define COMMON_RNG_H

#include <stdint.h>

/* What a number is for. The values are part of what a seed means: never renumber. */
typedef enum {
    STREAM_SAMPLING = 1, /* one number a token: group, sample, position */
    STREAM_PROBLEM = 2,  /* which problem a group gets */
    STREAM_TASK = 3,     /* what a generated problem looks like */
    STREAM_DEMO = 4,     /* a demonstrator's choices */
    STREAM_INIT = 5,     /* initial weights */
    STREAM_REWARD = 6,   /* rewards that draw (controls) */
    STREAM_NOISE = 7,    /* noise put on rewards: not what a control draws */
    STREAM_ORDER = 8,    /* the order in which a judge sees answers */
    STREAM_PICK = 9,     /* which samples a meta judge, or the training of a judge, looks at */
} Stream;

/* 128 random bits for (seed, stream, a, b, c); a may use all 64 bits, b and c 32. */
void rng_bits(uint64_t seed, Stream stream, uint64_t a, uint32_t b, uint32_t c, uint32_t out[4]);

/* Uniform in [0, 1), 24 bits, exactly representable as float. */
float rng_uniform(uint64_t seed, Stream stream, uint64_t a, uint32_t b, uint32_t c);

/* Uniform integer in [0, n), n >= 1, bias below n / 2^32. */
uint32_t rng_below(uint32_t n, uint64_t seed, Stream stream, uint64_t a, uint32_t b, uint32_t c);

/* Standard normal (Box-Muller, double inside). */
float rng_normal(uint64_t seed, Stream stream, uint64_t a, uint32_t b, uint32_t c);

#endif

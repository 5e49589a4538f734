/* Sums, biases, rounding: one number at a time, and the sum of squares that clips gradients. */
#include "common/memory.h"
#include "common/ops.h"
#include "common/ops/lanes.h"
#include "common/ops/parallel.h"

#define BLOCK 4096 /* numbers a thread takes at a time; also the blocks of op_sum_squares */

static size_t block_count(size_t n)
{
    return (n + BLOCK - 1) / BLOCK;
}

static size_t block_size(size_t n, size_t b)
{
    return n - b * BLOCK < BLOCK ? n - b * BLOCK : BLOCK;
}

CLONES static void add_block(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] += x[i];
}

void op_add(float *y, const float *x, size_t n)
{
#pragma omp parallel for schedule(static) if (n > WORTH_THREADS)
    for (size_t b = 0; b < block_count(n); b++)
        add_block(y + b * BLOCK, x + b * BLOCK, block_size(n, b));
}

void op_add_bias(float *y, const float *bias, int M, int N)
{
#pragma omp parallel for schedule(static) if ((size_t)M * (size_t)N > WORTH_THREADS)
    for (int i = 0; i < M; i++) add_block(y + (size_t)i * (size_t)N, bias, (size_t)N);
}

void op_bias_backward(float *dbias, const float *dy, int M, int N)
{
    for (int i = 0; i < M; i++) add_block(dbias, dy + (size_t)i * (size_t)N, (size_t)N);
}

CLONES static void round_block(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = f32_from_bf16(bf16_from_f32(x[i]));
}

void op_round_bf16(float *x, size_t n)
{
#pragma omp parallel for schedule(static) if (n > WORTH_THREADS)
    for (size_t b = 0; b < block_count(n); b++) round_block(x + b * BLOCK, block_size(n, b));
}

/* Within a block: 16 lanes of double (lane = index mod 16), then lane by lane. */
CLONES static double squares_block(const float *x, size_t n)
{
    double lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] = __builtin_fma((double)x[i + (size_t)l], (double)x[i + (size_t)l], lane[l]);
    for (int l = 0; i < n; i++, l++) lane[l] = __builtin_fma((double)x[i], (double)x[i], lane[l]);
    for (int l = 0; l < LANES; l++) sum += lane[l];
    return sum;
}

double op_sum_squares(const float *x, size_t n)
{
    enum { BATCH = 1024 }; /* block sums kept at a time */
    double sums[BATCH], total = 0;
    for (size_t first = 0; first < block_count(n); first += BATCH) {
        size_t count = block_count(n) - first < BATCH ? block_count(n) - first : BATCH;
#pragma omp parallel for schedule(static) if (count * BLOCK > WORTH_THREADS)
        for (size_t b = 0; b < count; b++)
            sums[b] = squares_block(x + (first + b) * BLOCK, block_size(n, first + b));
        for (size_t b = 0; b < count; b++) total += sums[b];
    }
    return total;
}

/* RMSNorm (Zhang & Sennrich 2019) over rows of n numbers. Sums over a row: 16 lanes of fmaf (lane =
 * index mod 16), then the tree of lanes_sum. The weight's gradient is a sum over rows in order, so
 * threads divide its columns. */
#include <math.h>

#include "common/memory.h"
#include "common/ops.h"
#include "common/ops/lanes.h"
#include "common/ops/parallel.h"
#include "common/ops/scratch.h"

/* 1 / sqrt(mean(x^2) + eps) */
INLINE float row_scale(const float *x, int n, float eps)
{
    Lanes sum = lanes_all(0);
    int i = 0;
    for (; i + LANES <= n; i += LANES) sum = lanes_fma(lanes_load(x + i), lanes_load(x + i), sum);
    if (i < n) {
        Lanes a = lanes_load_part(x + i, n - i, 0);
        sum = lanes_fma(a, a, sum);
    }
    return 1.0f / sqrtf(lanes_sum(sum) / (float)n + eps);
}

CLONES static void norm_row(float *y, const float *x, const float *w, int n, float eps)
{
    float r = row_scale(x, n, eps);
    for (int i = 0; i < n; i++) y[i] = x[i] * r * w[i];
}

void op_rmsnorm(float *y, const float *x, const float *w, int M, int n, float eps)
{
#pragma omp parallel for schedule(static) if ((size_t)M * (size_t)n > WORTH_THREADS)
    for (int i = 0; i < M; i++)
        norm_row(y + (size_t)i * (size_t)n, x + (size_t)i * (size_t)n, w, n, eps);
}

CLONES static float scale_of_row(const float *x, int n, float eps)
{
    return row_scale(x, n, eps);
}

/* dw[i] += dy[i] * x[i] * r, for the columns of one thread, rows in order. */
CLONES static void weight_columns(float *dw, const float *dy, const float *x, const float *r, int M,
                                  int n, int first, int end)
{
    for (int row = 0; row < M; row++) {
        const float *a = dy + (size_t)row * (size_t)n, *b = x + (size_t)row * (size_t)n;
        for (int i = first; i < end; i++) dw[i] += a[i] * (b[i] * r[row]);
    }
}

/* dx = r (w dy - x r^2 mean(w dy x)) */
CLONES static void input_row(float *dx, const float *dy, const float *x, const float *w, float r,
                             int n)
{
    Lanes sum = lanes_all(0);
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        sum = lanes_fma(lanes_load(dy + i) * lanes_load(w + i), lanes_load(x + i), sum);
    if (i < n)
        sum = lanes_fma(lanes_load_part(dy + i, n - i, 0) * lanes_load_part(w + i, n - i, 0),
                        lanes_load_part(x + i, n - i, 0), sum);
    float c = lanes_sum(sum) / (float)n * r * r;
    for (i = 0; i < n; i++) dx[i] = r * (dy[i] * w[i] - x[i] * c);
}

void op_rmsnorm_backward(float *dx, float *dw, const float *dy, const float *x, const float *w,
                         int M, int n, float eps)
{
    enum { COLUMNS = 64 };
    float *r = scratch_take(SCRATCH_NORM, (size_t)M * sizeof *r); /* [M] */
#pragma omp parallel if ((size_t)M * (size_t)n > WORTH_THREADS)
    {
#pragma omp for schedule(static)
        for (int i = 0; i < M; i++) r[i] = scale_of_row(x + (size_t)i * (size_t)n, n, eps);
#pragma omp for schedule(static)
        for (int c = 0; c < n; c += COLUMNS)
            weight_columns(dw, dy, x, r, M, n, c, c + COLUMNS < n ? c + COLUMNS : n);
#pragma omp for schedule(static)
        for (int i = 0; i < M; i++) {
            size_t at = (size_t)i * (size_t)n;
            input_row(dx + at, dy + at, x + at, w, r[i], n);
        }
    }
}

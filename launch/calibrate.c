/* See calibrate.h. */
#include "launch/calibrate.h"

#include <time.h>

#include "common/memory.h"

double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double calibrate_flops(ProductKind kind)
{
    enum { N = 2048, TRIES = 6 };
    float *x = NEW(float, N *N), *y = NEW(float, N *N);
    for (int i = 0; i < N * N; i++) x[i] = (float)(i % 97) / 97 - 0.5f;
    Packed *w = packed_new(N, N, kind);
    packed_fill(w, x, DTYPE_F32, false);
    double best = 1e30;
    for (int i = 0; i < TRIES; i++) {
        double began = clock_seconds();
        op_matmul(y, x, w, N);
        double s = clock_seconds() - began;
        if (s < best) best = s;
    }
    packed_free(w);
    mem_free(x);
    mem_free(y);
    return 2.0 * N * N * N / best;
}

double calibrate_read(void)
{
    enum { MIB = 512, TRIES = 4 };
    size_t n = (size_t)MIB << 18;
    float *x = NEW(float, n);
    double best = 1e30, sink = 0;
    for (int i = 0; i < TRIES; i++) {
        double began = clock_seconds();
        sink += op_sum_squares(x, n);
        double s = clock_seconds() - began;
        if (s < best) best = s;
    }
    mem_free(x);
    return sink == 0 ? (double)n * sizeof(float) / best
                     : 0; /* the sum is used, so it is computed */
}

/* See calibrate.h. */
#include "launch/calibrate.h"

#include <dnnl.h>
#include <math.h>

#include "common/clock.h"
#include "common/memory.h"

enum { SIDE = 2048 };
static const double seconds_each =
    1; /* the best of as many as fit: other work on the machine takes some */

static double own_seconds(ProductKind kind, const float *x, float *y)
{
    Packed *w = packed_new(SIDE, SIDE, kind);
    packed_fill(w, x, DTYPE_F32, false);
    double best = 1e30, end = clock_seconds() + seconds_each;
    while (clock_seconds() < end) {
        double began = clock_seconds();
        op_matmul(y, x, w, SIDE);
        double s = clock_seconds() - began;
        if (s < best) best = s;
    }
    packed_free(w);
    return best;
}

/* Runs the primitive a few times; seconds of the best, or infinity if anything of it cannot be
 * made. */
static double run_primitive(dnnl_engine_t engine, dnnl_primitive_t product,
                            const dnnl_memory_desc_t *md, void *a, void *b, float *c)
{
    dnnl_stream_t stream = NULL;
    dnnl_memory_t memory[3] = {0};
    void *data[3] = {a, b, c};
    double best = INFINITY, end = clock_seconds() + seconds_each;
    bool made = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success;
    for (int i = 0; i < 3 && made; i++)
        made = dnnl_memory_create(&memory[i], &md[i], engine, data[i]) == dnnl_success;
    dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, memory[0]}, {DNNL_ARG_WEIGHTS, memory[1]}, {DNNL_ARG_DST, memory[2]}};
    while (made && clock_seconds() < end) {
        double began = clock_seconds();
        made = dnnl_primitive_execute(product, stream, 3, arguments) == dnnl_success &&
               dnnl_stream_wait(stream) == dnnl_success;
        double s = clock_seconds() - began;
        if (made && s < best) best = s;
    }
    for (int i = 0; i < 3; i++)
        if (memory[i]) dnnl_memory_destroy(memory[i]);
    if (stream) dnnl_stream_destroy(stream);
    return best;
}

static double onednn_seconds(dnnl_data_type_t type, void *a, void *b, float *c)
{
    const dnnl_dims_t dims = {SIDE, SIDE};
    dnnl_engine_t engine = NULL;
    dnnl_memory_desc_t md[3];
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t described = NULL;
    dnnl_primitive_t product = NULL;
    double best = INFINITY;
    for (int i = 0; i < 3; i++)
        dnnl_memory_desc_init_by_tag(&md[i], 2, dims, i < 2 ? type : dnnl_f32, dnnl_ab);
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success &&
        dnnl_matmul_desc_init(&desc, &md[0], &md[1], NULL, &md[2]) == dnnl_success &&
        dnnl_primitive_desc_create(&described, &desc, NULL, engine, NULL) == dnnl_success &&
        dnnl_primitive_create(&product, described) == dnnl_success)
        best = run_primitive(engine, product, md, a, b, c);
    if (product) dnnl_primitive_destroy(product);
    if (described) dnnl_primitive_desc_destroy(described);
    if (engine) dnnl_engine_destroy(engine);
    return best;
}

double calibrate_flops(ProductKind kind, double *onednn)
{
    size_t n = (size_t)SIDE * SIDE;
    float *x = NEW(float, n), *y = NEW(float, n);
    uint16_t *x16 = NEW(uint16_t, n);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(i % 97) / 97 - 0.5f;
        x16[i] = bf16_from_f32(x[i]);
    }
    const double flops = 2.0 * SIDE * SIDE * SIDE;
    bool bf16 = kind == PRODUCT_BF16;
    *onednn = flops / onednn_seconds(bf16 ? dnnl_bf16 : dnnl_f32, bf16 ? (void *)x16 : x,
                                     bf16 ? (void *)x16 : x, y);
    double own = flops / own_seconds(kind, x, y);
    mem_free(x);
    mem_free(y);
    mem_free(x16);
    return own > *onednn ? own : *onednn;
}

double calibrate_read(void)
{
    enum { MIB = 512, TRIES = 6 };
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

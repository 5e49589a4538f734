/* Where weights come from and how they travel: model files, random numbers, the wire; and the
 * packing of whichever it was.
 *
 * The wire format (the block's numbers in the compute precision) is the only thing a model without
 * a master is filled from, so that its CRC is the sender's.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/model.h"
#include "common/model_impl.h"
#include "common/rng.h"
#include "common/sample.h"

/* ---- packing ---- */

static const char *block_at(const void *block, Dtype dtype, size_t offset)
{
    return (const char *)block + dtype_bytes(dtype, offset);
}

static void product_pack(Product *p, const void *block, Dtype dtype)
{
    const char *w = block_at(block, dtype, p->offset);
    packed_fill(p->w, w, dtype, false);
    if (p->wt) packed_fill(p->wt, w, dtype, true);
}

static void vector_pack(Vector *v, const void *block, Dtype dtype, Precision precision)
{
    dtype_to_f32(v->w, block_at(block, dtype, v->offset), dtype, (size_t)v->n);
    if (precision == PRECISION_BF16) op_round_bf16(v->w, (size_t)v->n);
}

static void pack_from(Model *m, const void *block, Dtype dtype)
{
    for (int l = 0; l <= m->d.L; l++) {
        Product *p[MODEL_PRODUCTS];
        Vector *v[MODEL_VECTORS];
        for (int i = 0, n = model_products(m, l, p); i < n; i++) product_pack(p[i], block, dtype);
        for (int i = 0, n = model_vectors(m, l, v); i < n; i++)
            vector_pack(v[i], block, dtype, m->k.precision);
    }
}

void model_pack(Model *m)
{
    REQUIRE(m->trainable, "only a trainable model has a master to pack");
    pack_from(m, m->master, DTYPE_F32);
}

/* ---- the wire ---- */

enum { WIRE_BLOCK = 1 << 16 };

size_t model_wire_bytes(const Model *m)
{
    return dtype_bytes(model_wire_dtype(&m->k), m->n_numbers);
}

void model_wire_write(const Model *m, void *out)
{
    REQUIRE(m->trainable, "only a trainable model writes its weights");
    Dtype dtype = model_wire_dtype(&m->k);
#pragma omp parallel for schedule(static) if (m->n_numbers > WIRE_BLOCK)
    for (size_t at = 0; at < m->n_numbers; at += WIRE_BLOCK) {
        size_t n = m->n_numbers - at < WIRE_BLOCK ? m->n_numbers - at : WIRE_BLOCK;
        dtype_from_f32((char *)out + dtype_bytes(dtype, at), m->master + at, dtype, n);
    }
}

static void master_read(Model *m, const void *in, Dtype dtype)
{
#pragma omp parallel for schedule(static) if (m->n_numbers > WIRE_BLOCK)
    for (size_t at = 0; at < m->n_numbers; at += WIRE_BLOCK) {
        size_t n = m->n_numbers - at < WIRE_BLOCK ? m->n_numbers - at : WIRE_BLOCK;
        dtype_to_f32(m->master + at, (const char *)in + dtype_bytes(dtype, at), dtype, n);
    }
}

void model_wire_read(Model *m, const void *in)
{
    Dtype dtype = model_wire_dtype(&m->k);
    size_t embed = (size_t)m->d.V * (size_t)m->d.C;
    if (m->trainable)
        master_read(m, in, dtype);
    else {
        memcpy(m->table, block_at(in, dtype, m->embed), dtype_bytes(dtype, embed));
        m->crc = crc32c(0, in, model_wire_bytes(m));
    }
    pack_from(m, in, dtype);
}

/* The master's CRC is computed piece by piece, as the wire would carry it. */
uint32_t model_crc(const Model *m)
{
    if (!m->trainable) return m->crc;
    Dtype dtype = model_wire_dtype(&m->k);
    if (dtype == DTYPE_F32) return crc32c(0, m->master, m->n_numbers * sizeof(float));
    uint16_t *piece = NEW(uint16_t, WIRE_BLOCK);
    uint32_t crc = 0;
    for (size_t at = 0; at < m->n_numbers; at += WIRE_BLOCK) {
        size_t n = m->n_numbers - at < WIRE_BLOCK ? m->n_numbers - at : WIRE_BLOCK;
        dtype_from_f32(piece, m->master + at, dtype, n);
        crc = crc32c(crc, piece, dtype_bytes(dtype, n));
    }
    mem_free(piece);
    return crc;
}

/* ---- filling ---- */

/* One parameter's numbers as f32. */
typedef void source_fn(void *ctx, const Model *m, const Param *p, float *out);

/* A trainable model is filled in place, any other through a buffer in wire format. */
static void fill(Model *m, source_fn *source, void *ctx)
{
    if (m->trainable) {
        for (int i = 0; i < m->n_params; i++)
            source(ctx, m, &m->params[i], m->master + m->params[i].offset);
        model_pack(m);
        return;
    }
    Dtype dtype = model_wire_dtype(&m->k);
    char *wire = mem_zeroed(model_wire_bytes(m), 1);
    for (int i = 0; i < m->n_params; i++) {
        const Param *p = &m->params[i];
        size_t n = (size_t)p->rows * (size_t)p->cols;
        float *numbers = NEW(float, n);
        source(ctx, m, p, numbers);
        dtype_from_f32(wire + dtype_bytes(dtype, p->offset), numbers, dtype, n);
        mem_free(numbers);
    }
    model_wire_read(m, wire);
    mem_free(wire);
}

static void shape_text(char *out, size_t size, int n_dims, const int64_t *dims)
{
    size_t at = (size_t)snprintf(out, size, "[");
    for (int i = 0; i < n_dims && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, i ? ", %lld" : "%lld", (long long)dims[i]);
    if (at < size) snprintf(out + at, size - at, "]");
}

static int param_check(const Param *p, const Tensor *t)
{
    int64_t dims[2] = {p->rows, p->cols};
    char want[64], have[128];
    shape_text(want, sizeof want, p->n_dims, dims);
    if (!t)
        return fail("%s: the model file does not have this tensor (its description asks for one of "
                    "shape %s)",
                    p->name, want);
    bool same = t->n_dims == p->n_dims;
    for (int i = 0; same && i < p->n_dims; i++) same = t->dims[i] == dims[i];
    if (same) return 0;
    shape_text(have, sizeof have, t->n_dims, t->dims);
    return fail("%s: shape %s in the model file, but its description asks for %s", p->name, have,
                want);
}

static void read_tensor(void *ctx, const Model *m, const Param *p, float *out)
{
    (void)m;
    tensor_read(tensor_file_find(ctx, p->name), out);
}

int model_load(Model *m, const TensorFile *f)
{
    for (int i = 0; i < m->n_params; i++)
        if (param_check(&m->params[i], tensor_file_find(f, m->params[i].name))) return -1;
    fill(m, read_tensor, (void *)(uintptr_t)f);
    return 0;
}

static bool name_ends(const Param *p, const char *end)
{
    size_t n = strlen(p->name), k = strlen(end);
    return n >= k && !strcmp(p->name + n - k, end);
}

static void draw(void *ctx, const Model *m, const Param *p, float *out)
{
    uint64_t seed = *(const uint64_t *)ctx;
    size_t n = (size_t)p->rows * (size_t)p->cols;
    bool output = name_ends(p, "o_proj.weight") || name_ends(p, "down_proj.weight");
    float scale = (float)(output ? 0.02 / sqrt(2.0 * m->d.L) : 0.02);
    float constant = name_ends(p, ".bias") ? 0 : 1;
    if (p->n_dims == 1) {
        for (size_t i = 0; i < n; i++) out[i] = constant;
        return;
    }
#pragma omp parallel for schedule(static) if (n > WIRE_BLOCK)
    for (size_t i = 0; i < n; i++)
        out[i] = scale * rng_normal(seed, STREAM_INIT, p->offset + i, 0, 0);
}

void model_init_random(Model *m, uint64_t seed)
{
    fill(m, draw, &seed);
}

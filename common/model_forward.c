/* The forward pass over rows. One layer function serves rollout and training: its bits are the ops'
 * bits, row by row, so that nothing here may depend on how many rows there are or which.
 *
 * A residual is added to the product's result (y = o Wo^T, then y += x): addition commutes exactly,
 * and nothing is copied.
 */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/model.h"
#include "common/model_impl.h"

/* ---- buffers ---- */

size_t acts_numbers(const ModelDesc *d, bool training)
{
    size_t C = (size_t)d->C, q = (size_t)d->H * (size_t)d->D, kv = (size_t)d->Kh * (size_t)d->D;
    size_t n = 2 * C + q + 2 * kv + q + 3 * (size_t)d->F;
    if (training) n += C + (size_t)d->H + (d->qk_norm ? q + kv : 0);
    return n;
}

static float *carve(float **at, int rows, int n)
{
    float *p = *at;
    *at += (size_t)rows * (size_t)n;
    return p;
}

/* Capacity in whole cache lines for every buffer: rows in multiples of 16. */
void acts_reserve(Acts *a, const ModelDesc *d, int rows, bool training)
{
    if (rows <= a->rows) return;
    rows = (rows + 15) & ~15;
    acts_free(a);
    a->rows = rows;
    float *at = a->data = NEW(float, (size_t)rows *acts_numbers(d, training));
    a->h_in = carve(&at, rows, d->C);
    a->qkv = carve(&at, rows, model_qkv_width(d));
    a->o = carve(&at, rows, d->H * d->D);
    a->mid = carve(&at, rows, d->C);
    a->gu = carve(&at, rows, 2 * d->F);
    a->act = carve(&at, rows, d->F);
    a->h_mid = training ? carve(&at, rows, d->C) : a->h_in;
    if (training) a->lse = carve(&at, rows, d->H);
    if (training && d->qk_norm) a->raw = carve(&at, rows, (d->H + d->Kh) * d->D);
}

void acts_free(Acts *a)
{
    mem_free(a->data);
    *a = (Acts){0};
}

void model_rope_reserve(const Model *m, const Rows *rows)
{
    RopeTable *t = &m->scratch->rope;
    int last = 0, least = 256;
    for (int i = 0; i < rows->M; i++) last = rows->pos[i] > last ? rows->pos[i] : last;
    REQUIRE(last < m->d.max_positions, "position %d, the model has %d", last, m->d.max_positions);
    if (last < t->n_positions) return;
    while (least <= last) least *= 2;
    rope_table_free(t);
    rope_table_init(t, m->d.D, least < m->d.max_positions ? least : m->d.max_positions,
                    m->d.rope_theta);
}

/* ---- a layer ---- */

/* Qwen3: each head of q and k is normed before the rotation. The ops take contiguous heads, so a
 * row at a time. */
static void heads_norm(const ModelDesc *d, const Layer *w, Acts *a, int M)
{
    int ld = model_qkv_width(d), q = d->H * d->D, n = q + d->Kh * d->D;
#pragma omp parallel for schedule(static) if (M >= 16)
    for (int i = 0; i < M; i++) {
        float *row = a->qkv + (size_t)i * (size_t)ld;
        if (a->raw) memcpy(a->raw + (size_t)i * (size_t)n, row, (size_t)n * sizeof *row);
        op_rmsnorm(row, row, w->q_norm.w, d->H, d->D, d->rms_eps);
        op_rmsnorm(row + q, row + q, w->k_norm.w, d->Kh, d->D, d->rms_eps);
    }
}

static void attention_forward(const Model *m, const Layer *w, const float *x, Acts *a,
                              const KvLayer *kv, const Rows *r)
{
    const ModelDesc *d = &m->d;
    int M = r->M, ld = model_qkv_width(d), q = d->H * d->D, k = d->Kh * d->D;
    op_rmsnorm(a->h_in, x, w->norm_in.w, M, d->C, d->rms_eps);
    op_matmul(a->qkv, a->h_in, w->qkv.w, M);
    if (w->bias.w) op_add_bias(a->qkv, w->bias.w, M, ld);
    if (w->q_norm.w) heads_norm(d, w, a, M);
    op_rope(a->qkv, ld, &m->scratch->rope, r->pos, M, d->H + d->Kh, false);
    op_kv_store(kv, a->qkv + q, a->qkv + q + k, ld, r->slot, M);
    op_attention(a->o, a->lse, a->qkv, ld, kv, r->segs, r->n_segs, d->H, (float)(1.0 / sqrt(d->D)));
    op_matmul(a->mid, a->o, w->o.w, M);
    op_add(a->mid, x, (size_t)M * (size_t)d->C);
}

void layer_forward(const Model *m, int l, const float *x, float *y, Acts *a, const KvLayer *kv,
                   const Rows *r)
{
    const ModelDesc *d = &m->d;
    const Layer *w = &m->layers[l];
    attention_forward(m, w, x, a, kv, r);
    op_rmsnorm(a->h_mid, a->mid, w->norm_mid.w, r->M, d->C, d->rms_eps);
    op_matmul(a->gu, a->h_mid, w->gu.w, r->M);
    op_swiglu(a->act, a->gu, r->M, d->F);
    if (!y) return;
    op_matmul(y, a->act, w->down.w, r->M);
    op_add(y, a->mid, (size_t)r->M * (size_t)d->C);
}

/* ---- the pass ---- */

void model_embed(const Model *m, const Rows *rows, float *x)
{
    const void *table = m->trainable ? m->master + m->embed : m->table;
    Dtype dtype = m->trainable ? DTYPE_F32 : model_wire_dtype(&m->k);
    op_embed(x, table, dtype, m->k.precision == PRECISION_BF16, rows->token, rows->M, m->d.C);
}

static void scratch_reserve(const Model *m, int rows)
{
    Scratch *s = m->scratch;
    if (rows <= s->acts.rows) return;
    acts_reserve(&s->acts, &m->d, rows, false);
    mem_free(s->x);
    s->x = NEW(float, (size_t)s->acts.rows *(size_t)m->d.C);
}

size_t model_pass_bytes(const ModelDesc *d, int M)
{
    size_t rows = ((size_t)M + 15) & ~(size_t)15;
    return rows * (acts_numbers(d, false) + (size_t)d->C) * sizeof(float);
}

void model_forward(const Model *m, KvCache *kv, const Rows *rows, const int32_t *out, int n_out,
                   float *h)
{
    const ModelDesc *d = &m->d;
    Scratch *s = m->scratch;
    size_t C = (size_t)d->C;
    if (!rows->M) return;
    REQUIRE(kv->n_layers == d->L || kv->n_layers == 1, "KV pages of %d layers for a model of %d",
            kv->n_layers, d->L);
    scratch_reserve(m, rows->M);
    model_rope_reserve(m, rows);
    model_embed(m, rows, s->x);
    for (int l = 0; l < d->L; l++) {
        KvLayer layer = kv_layer(kv, kv->n_layers == 1 ? 0 : l);
        layer_forward(m, l, s->x, s->x, &s->acts, &layer, rows);
    }
    if (out)
        for (int i = 0; i < n_out; i++)
            memcpy(h + (size_t)i * C, s->x + (size_t)out[i] * C, C * sizeof *h);
    op_rmsnorm(h, out ? h : s->x, m->norm.w, out ? n_out : rows->M, d->C, d->rms_eps);
}

void model_logits(const Model *m, const float *h, int n, float *logits)
{
    REQUIRE(!m->d.scalar, "a model with a scalar head predicts no tokens");
    if (n) op_matmul(logits, h, m->head.w, n);
}

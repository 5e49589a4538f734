/* One layer's backward. The letters follow the forward: y = mid + down(act), mid = x +
 * o(attention), and dX is the gradient of X.
 *
 * Gradients are of the compute weights; with bf16 they are passed to the f32 master as they are
 * (the rounding counts as the identity).
 */
#include <math.h>
#include <string.h>

#include "common/memory.h"
#include "common/model.h"
#include "common/model_impl.h"

/* dW += dy^T . x */
static void product_dw(const Model *m, const Product *p, const float *dy, const float *x, int M,
                       float *grad)
{
    op_matmul_dw(grad + p->offset, dy, x, M, p->N, p->K, m->k.product);
}

/* dx += the norm's share of dh, where h = norm(x); dh is used up. */
static void norm_backward(const Model *m, const Vector *v, float *dx, float *dh, const float *x,
                          int M, float *grad)
{
    op_rmsnorm_backward(dh, grad + v->offset, dh, x, v->w, M, v->n, m->d.rms_eps);
    op_add(dx, dh, (size_t)M * (size_t)v->n);
}

static void mlp_backward(const Model *m, const Layer *w, Acts *a, int M, BackwardBuffers *b,
                         float *grad)
{
    product_dw(m, &w->down, b->dx, a->act, M, grad);
    op_matmul(b->wide, b->dx, w->down.wt, M);
    op_swiglu_backward(a->gu, b->wide, a->gu, M, m->d.F);
    product_dw(m, &w->gu, a->gu, a->h_mid, M, grad);
    op_matmul(b->dh, a->gu, w->gu.wt, M);
    norm_backward(m, &w->norm_mid, b->dx, b->dh, a->mid, M, grad);
}

/* The keys' and values' gradients lie by slot; the rows take theirs. */
static void rows_from_slots(const ModelDesc *d, const Rows *r, BackwardBuffers *b)
{
    size_t ld = (size_t)model_qkv_width(d), q = (size_t)d->H * (size_t)d->D;
    size_t kv = (size_t)d->Kh * (size_t)d->D;
#pragma omp parallel for schedule(static) if ((size_t)r->M * kv > 65536)
    for (int i = 0; i < r->M; i++) {
        float *row = b->dqkv + (size_t)i * ld + q;
        memcpy(row, b->dk + (size_t)r->slot[i] * kv, kv * sizeof *row);
        memcpy(row + kv, b->dv + (size_t)r->slot[i] * kv, kv * sizeof *row);
    }
}

/* Row after row, so that the norms' weight gradients are sums in row order. */
static void heads_norm_backward(const ModelDesc *d, const Layer *w, const Acts *a, int M,
                                float *dqkv, float *grad)
{
    size_t ld = (size_t)model_qkv_width(d), q = (size_t)d->H * (size_t)d->D;
    size_t n = q + (size_t)d->Kh * (size_t)d->D;
    float *dq_norm = grad + w->q_norm.offset, *dk_norm = grad + w->k_norm.offset;
    for (int i = 0; i < M; i++) {
        float *row = dqkv + (size_t)i * ld, *raw = a->raw + (size_t)i * n;
        op_rmsnorm_backward(row, dq_norm, row, raw, w->q_norm.w, d->H, d->D, d->rms_eps);
        op_rmsnorm_backward(row + q, dk_norm, row + q, raw + q, w->k_norm.w, d->Kh, d->D,
                            d->rms_eps);
    }
}

static void attention_backward(const Model *m, const Layer *w, const float *x, Acts *a,
                               const KvLayer *kv, const Rows *r, int n_pages, BackwardBuffers *b,
                               float *grad)
{
    const ModelDesc *d = &m->d;
    int M = r->M, ld = model_qkv_width(d);
    size_t slots = (size_t)n_pages * KV_PAGE * (size_t)d->Kh * (size_t)d->D;
    product_dw(m, &w->o, b->dx, a->o, M, grad);
    op_matmul(b->wide, b->dx, w->o.wt, M);
    memset(b->dk, 0, slots * sizeof *b->dk);
    memset(b->dv, 0, slots * sizeof *b->dv);
    op_attention_backward(b->dqkv, ld, b->dk, b->dv, a->qkv, ld, a->o, b->wide, a->lse, kv, r->segs,
                          r->n_segs, d->H, (float)(1.0 / sqrt(d->D)));
    rows_from_slots(d, r, b);
    op_rope(b->dqkv, ld, &m->scratch->rope, r->pos, M, d->H + d->Kh, true);
    if (w->q_norm.w) heads_norm_backward(d, w, a, M, b->dqkv, grad);
    if (w->bias.w) op_bias_backward(grad + w->bias.offset, b->dqkv, M, ld);
    product_dw(m, &w->qkv, b->dqkv, a->h_in, M, grad);
    op_matmul(b->dh, b->dqkv, w->qkv.wt, M);
    norm_backward(m, &w->norm_in, b->dx, b->dh, x, M, grad);
}

void layer_backward(const Model *m, int l, const float *x, Acts *a, const KvLayer *kv,
                    const Rows *r, int n_pages, BackwardBuffers *b, float *grad)
{
    mlp_backward(m, &m->layers[l], a, r->M, b, grad);
    attention_backward(m, &m->layers[l], x, a, kv, r, n_pages, b, grad);
}

/* The parameter block: its table, where its numbers come from, and how they become compute weights.
 *
 * One walk over the description gives every parameter its place; everything else (packing, wire,
 * checkpoints, gradients) follows the table. A trainable model holds the f32 master and both
 * packings of each product; any other holds the packed weights, the vectors and the embedding,
 * nothing twice.
 */
#include "common/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/model_impl.h"

/* ---- the table ---- */

typedef struct {
    Param *params; /* NULL: only count */
    int n;
    size_t at;
} Table;

static __attribute__((format(printf, 4, 5))) size_t table_add(Table *t, int rows, int cols,
                                                              const char *fmt, ...)
{
    size_t offset = t->at;
    if (t->params) {
        Param *p = &t->params[t->n];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(p->name, sizeof p->name, fmt, ap);
        va_end(ap);
        p->n_dims = cols > 1 ? 2 : 1;
        p->rows = rows;
        p->cols = cols;
        p->offset = offset;
        p->decay = cols > 1;
    }
    t->n++;
    t->at += (size_t)rows * (size_t)cols;
    return offset;
}

static void walk_attention(const ModelDesc *d, Table *t, Layer *w, int l)
{
    int q = d->H * d->D, kv = d->Kh * d->D, C = d->C;
    w->norm_in = (Vector){table_add(t, C, 1, "model.layers.%d.input_layernorm.weight", l), C, NULL};
    w->qkv = (Product){.offset = t->at, .N = q + 2 * kv, .K = C};
    table_add(t, q, C, "model.layers.%d.self_attn.q_proj.weight", l);
    table_add(t, kv, C, "model.layers.%d.self_attn.k_proj.weight", l);
    table_add(t, kv, C, "model.layers.%d.self_attn.v_proj.weight", l);
    if (d->qkv_bias) {
        w->bias = (Vector){t->at, q + 2 * kv, NULL};
        table_add(t, q, 1, "model.layers.%d.self_attn.q_proj.bias", l);
        table_add(t, kv, 1, "model.layers.%d.self_attn.k_proj.bias", l);
        table_add(t, kv, 1, "model.layers.%d.self_attn.v_proj.bias", l);
    }
    if (d->qk_norm) {
        w->q_norm = (Vector){t->at, d->D, NULL};
        table_add(t, d->D, 1, "model.layers.%d.self_attn.q_norm.weight", l);
        w->k_norm = (Vector){t->at, d->D, NULL};
        table_add(t, d->D, 1, "model.layers.%d.self_attn.k_norm.weight", l);
    }
    w->o = (Product){.offset = t->at, .N = C, .K = q};
    table_add(t, C, q, "model.layers.%d.self_attn.o_proj.weight", l);
}

static void walk_mlp(const ModelDesc *d, Table *t, Layer *w, int l)
{
    int C = d->C, F = d->F;
    w->norm_mid = (Vector){t->at, C, NULL};
    table_add(t, C, 1, "model.layers.%d.post_attention_layernorm.weight", l);
    w->gu = (Product){.offset = t->at, .N = 2 * F, .K = C};
    table_add(t, F, C, "model.layers.%d.mlp.gate_proj.weight", l);
    table_add(t, F, C, "model.layers.%d.mlp.up_proj.weight", l);
    w->down = (Product){.offset = t->at, .N = C, .K = F};
    table_add(t, C, F, "model.layers.%d.mlp.down_proj.weight", l);
}

/* m NULL: only the table. */
static void walk(const ModelDesc *d, Table *t, Model *m)
{
    size_t embed = table_add(t, d->V, d->C, "model.embed_tokens.weight");
    for (int l = 0; l < d->L; l++) {
        Layer w = {0};
        walk_attention(d, t, &w, l);
        walk_mlp(d, t, &w, l);
        if (m) m->layers[l] = w;
    }
    size_t norm = table_add(t, d->C, 1, "model.norm.weight");
    size_t head = d->tied || d->scalar ? embed : table_add(t, d->V, d->C, "lm_head.weight");
    if (!m) return;
    m->embed = embed;
    m->norm = (Vector){norm, d->C, NULL};
    m->head = (Product){.offset = head, .N = d->V, .K = d->C};
}

Param *model_params(const ModelDesc *d, int *count, size_t *n_numbers)
{
    Table t = {0};
    walk(d, &t, NULL);
    t = (Table){.params = NEW(Param, t.n)};
    walk(d, &t, NULL);
    *count = t.n;
    *n_numbers = t.at;
    return t.params;
}

/* ---- life ---- */

int model_products(Model *m, int l, Product *out[MODEL_PRODUCTS])
{
    if (l == m->d.L) {
        out[0] = &m->head;
        return m->d.scalar ? 0 : 1; /* a scalar head is scalar_head.h's */
    }
    Layer *w = &m->layers[l];
    Product *all[MODEL_PRODUCTS] = {&w->qkv, &w->o, &w->gu, &w->down};
    memcpy(out, all, sizeof all);
    return MODEL_PRODUCTS;
}

int model_vectors(Model *m, int l, Vector *out[MODEL_VECTORS])
{
    if (l == m->d.L) {
        out[0] = &m->norm;
        return 1;
    }
    Layer *w = &m->layers[l];
    Vector *all[MODEL_VECTORS] = {&w->norm_in, &w->bias, &w->q_norm, &w->k_norm, &w->norm_mid};
    int n = 0;
    for (int i = 0; i < MODEL_VECTORS; i++)
        if (all[i]->n) out[n++] = all[i];
    return n;
}

static void product_new(Model *m, Product *p)
{
    p->w = packed_new(p->N, p->K, m->k.product);
    if (m->trainable) p->wt = packed_new(p->K, p->N, m->k.product);
}

/* The vectors lie one after the other in m->vectors, each on a fresh cache line. */
static size_t vectors_place(Model *m, bool set)
{
    size_t at = 0;
    for (int l = 0; l <= m->d.L; l++) {
        Vector *v[MODEL_VECTORS];
        for (int i = 0, n = model_vectors(m, l, v); i < n; i++) {
            if (set) v[i]->w = m->vectors + at;
            at += ((size_t)v[i]->n + 15) & ~(size_t)15;
        }
    }
    return at;
}

Model *model_new(const ModelDesc *d, const KernelSet *k, bool trainable)
{
    REQUIRE(!model_desc_check(d), "a description that cannot be");
    REQUIRE((k->precision == PRECISION_F32) == (k->product == PRODUCT_F32),
            "precision %d does not go with product kind %d", k->precision, k->product);
    Model *m = NEW(Model, 1);
    m->d = *d;
    m->k = *k;
    m->trainable = trainable;
    m->params = model_params(d, &m->n_params, &m->n_numbers);
    m->layers = NEW(Layer, d->L);
    walk(d, &(Table){0}, m);
    m->vectors = NEW(float, vectors_place(m, false));
    vectors_place(m, true);
    for (int l = 0; l <= d->L; l++) {
        Product *p[MODEL_PRODUCTS];
        for (int i = 0, n = model_products(m, l, p); i < n; i++) product_new(m, p[i]);
    }
    size_t embed = (size_t)d->V * (size_t)d->C;
    if (trainable)
        m->master = NEW(float, m->n_numbers);
    else
        m->table = mem_zeroed(dtype_bytes(model_wire_dtype(k), embed), 1);
    m->scratch = NEW(Scratch, 1);
    return m;
}

void model_free(Model *m)
{
    if (!m) return;
    for (int l = 0; l <= m->d.L; l++) {
        Product *p[MODEL_PRODUCTS];
        for (int i = 0, n = model_products(m, l, p); i < n; i++) {
            packed_free(p[i]->w);
            packed_free(p[i]->wt);
        }
    }
    rope_table_free(&m->scratch->rope);
    acts_free(&m->scratch->acts);
    mem_free(m->scratch->x);
    mem_free(m->scratch);
    mem_free(m->params);
    mem_free(m->layers);
    mem_free(m->vectors);
    mem_free(m->master);
    mem_free(m->table);
    mem_free(m);
}

static size_t product_bytes(int N, int K, const KernelSet *k, bool trainable)
{
    return packed_bytes(N, K, k->product) + (trainable ? packed_bytes(K, N, k->product) : 0);
}

size_t model_bytes(const ModelDesc *d, const KernelSet *k, bool trainable)
{
    int count;
    size_t n, layer = product_bytes(model_qkv_width(d), d->C, k, trainable) +
                      product_bytes(d->C, d->H * d->D, k, trainable) +
                      product_bytes(2 * d->F, d->C, k, trainable) +
                      product_bytes(d->C, d->F, k, trainable);
    mem_free(model_params(d, &count, &n));
    size_t source = trainable ? n * sizeof(float)
                              : dtype_bytes(model_wire_dtype(k), (size_t)d->V * (size_t)d->C);
    if (!d->scalar) source += product_bytes(d->V, d->C, k, trainable);
    return source + (size_t)d->L * layer;
}

const ModelDesc *model_desc(const Model *m)
{
    return &m->d;
}
const KernelSet *model_kernels(const Model *m)
{
    return &m->k;
}
const Param *model_param_table(const Model *m, int *count, size_t *n_numbers)
{
    if (count) *count = m->n_params;
    if (n_numbers) *n_numbers = m->n_numbers;
    return m->params;
}
float *model_master(Model *m)
{
    return m->master;
}

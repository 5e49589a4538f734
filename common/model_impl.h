/* What the model's own files share: the weights as products and vectors, and one layer's forward
 * pass. Nobody else includes this.
 *
 * A layer is four products and a few vectors. A product's weights are a run of whole parameters in
 * the block (q|k|v are one product, gate|up another), so packing, the gradient and the wire all
 * address it by one offset.
 */
#ifndef COMMON_MODEL_IMPL_H
#define COMMON_MODEL_IMPL_H

#include "common/model.h"

/* W[N,K] at `offset` of the block; wt is its transpose for the backward, NULL where nobody trains.
 */
typedef struct {
    size_t offset;
    int N, K;
    Packed *w, *wt;
} Product;

/* A norm's weight or a bias: n numbers at `offset`; w are the compute values, NULL where the
 * architecture has none. */
typedef struct {
    size_t offset;
    int n;
    float *w;
} Vector;

typedef struct {
    Product qkv, o, gu, down;
    Vector norm_in, norm_mid, bias, q_norm, k_norm;
} Layer;

/* What one layer computes for M rows, kept for its backward. In inference h_mid is h_in and lse,
 * raw are NULL. */
typedef struct {
    int rows;     /* capacity */
    float *data;  /* the one allocation */
    float *h_in;  /* [M, C] normed input */
    float *qkv;   /* [M, (H + 2 Kh) D] after bias, norm and rotation */
    float *raw;   /* [M, (H + Kh) D] q|k before their norms (qk_norm only) */
    float *o;     /* [M, H D] */
    float *lse;   /* [M, H] */
    float *mid;   /* [M, C] after the attention's residual */
    float *h_mid; /* [M, C] */
    float *gu;    /* [M, 2F] */
    float *act;   /* [M, F] */
} Acts;

/* Buffers of the forward pass: they grow, and a pass allocates nothing once they have grown. */
typedef struct {
    RopeTable rope;
    Acts acts;
    float *x; /* [acts.rows, C] */
} Scratch;

struct Model {
    ModelDesc d;
    KernelSet k;
    bool trainable;
    Param *params;
    int n_params;
    size_t n_numbers;
    Layer *layers;  /* [L] */
    Vector norm;    /* the last one */
    Product head;   /* at the embedding's offset if tied */
    size_t embed;   /* offset of the embedding [V, C] */
    float *vectors; /* compute values of all vectors, one block */
    float *master;  /* [n_numbers], trainable only */
    void *table;    /* embedding in wire format, where there is no master */
    uint32_t crc;   /* of the weights last read, where there is no master */
    Scratch *scratch;
};

static inline int model_qkv_width(const ModelDesc *d)
{
    return (d->H + 2 * d->Kh) * d->D;
}
static inline Dtype model_wire_dtype(const KernelSet *k)
{
    return k->precision == PRECISION_BF16 ? DTYPE_BF16 : DTYPE_F32;
}

/* The products, and the vectors that the architecture has, of layer l; l = L gives the LM head and
 * the last norm. Returns their number. */
enum { MODEL_PRODUCTS = 4, MODEL_VECTORS = 5 };
int model_products(Model *m, int l, Product *out[MODEL_PRODUCTS]);
int model_vectors(Model *m, int l, Vector *out[MODEL_VECTORS]);

/* Rotation tables up to the largest position of the rows. */
void model_rope_reserve(const Model *m, const Rows *rows);

/* x[M,C] = embeddings of the rows' tokens. */
void model_embed(const Model *m, const Rows *rows, float *x);

size_t acts_numbers(const ModelDesc *d, bool training); /* floats a row */
void acts_reserve(Acts *a, const ModelDesc *d, int rows, bool training);
void acts_free(Acts *a);

/* One layer: y = layer(x), both [M, C]; y may be x. y NULL: all but the last product, for the
 * backward. */
void layer_forward(const Model *m, int l, const float *x, float *y, Acts *a, const KvLayer *kv,
                   const Rows *rows);

/* Given dy in dx, leaves the gradient of the layer's input x there and adds the weights' gradients
 * to grad. a: as layer_forward left it; a->gu is overwritten. */
typedef struct {
    float *dx;      /* [M, C] */
    float *dh;      /* [M, C] */
    float *wide;    /* [M, max(F, H D)] */
    float *dqkv;    /* [M, (H + 2 Kh) D] */
    float *dk, *dv; /* [slots, Kh D] */
} BackwardBuffers;
void layer_backward(const Model *m, int l, const float *x, Acts *a, const KvLayer *kv,
                    const Rows *rows, int n_pages, BackwardBuffers *b, float *grad);

/* Before the first group: memory for the activations of the last layers, for which the backward
 * then need not compute them again. It has no influence on the bits. */
void trainer_keep(Trainer *t, size_t bytes);

KvLayer kv_layer(const KvCache *kv, int layer);

#endif

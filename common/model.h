/* The decoder: parameters by name and shape; forward and backward over rows of tokens, written over
 * common/ops.h.
 *
 * There is one forward pass. Prefill, decode and training differ only in the rows they ask for:
 * every row is a token of some sequence, its key and value go to a slot of the KV pages, and it
 * attends to the blocks its segment lists. That is why the learner's log-probabilities have the
 * rollout's bits.
 *
 * Letters as in ops.h. A group in training is one batch of rows: the prompt once, then each answer,
 * whose segments list the prompt's blocks first.
 */
#ifndef COMMON_MODEL_H
#define COMMON_MODEL_H

#include "common/kernelset.h"
#include "common/ops.h"
#include "common/tensors.h"

/* One named view of the parameter block. Matrices that one product uses lie side by side (q|k|v,
 * gate|up). */
typedef struct {
    char name[96];  /* Hugging Face's */
    int n_dims;     /* 1 or 2 */
    int rows, cols; /* cols = 1 for vectors */
    size_t offset;  /* in numbers, from the block's start */
    bool decay;     /* weight decay applies: matrices, not norms and biases */
} Param;

typedef struct Model Model;

/* Parameters of a description, in the block's order. n_params: numbers in all. Caller frees with
 * mem_free. */
Param *model_params(const ModelDesc *d, int *count, size_t *n_numbers);

/* A model without weights. trainable: keeps f32 master weights; otherwise the compute weights only.
 * Local. */
Model *model_new(const ModelDesc *d, const KernelSet *k, bool trainable);
void model_free(Model *m);
/* for `plan`: weights, packings and master; without the pass's buffers */
size_t model_bytes(const ModelDesc *d, const KernelSet *k, bool trainable);
const ModelDesc *model_desc(const Model *m);
const KernelSet *model_kernels(const Model *m);
const Param *model_param_table(const Model *m, int *count, size_t *n_numbers);

/* Loads every parameter from a model file, or draws them: N(0, 0.02), output projections N(0, 0.02
 * / sqrt(2 L)), norms 1, biases 0. Then packs. */
int model_load(Model *m, const TensorFile *f);
void model_init_random(Model *m, uint64_t seed);

/* f32 master weights [n_numbers] (trainable models). After changing them call model_pack: compute
 * weights = master (f32) or bf16(master). */
float *model_master(Model *m);
void model_pack(Model *m);

/* Compute weights as one buffer to send: f32 or bf16 numbers in the block's order. Only a trainable
 * model writes it: the others keep packings, not the block. Any model reads it (a trainable one
 * takes the numbers as its master). */
size_t model_wire_bytes(const Model *m);
void model_wire_write(const Model *m, void *out);
void model_wire_read(Model *m, const void *in);

/* CRC32C of the compute weights as they are on the wire: equal on the sender and on every receiver.
 */
uint32_t model_crc(const Model *m);

/* Keys and values in pages of KV_PAGE positions; n_layers = L for rollout, 1 for training (each
 * layer is recomputed). */
typedef struct {
    int n_layers, n_pages, Kh, D;
    Dtype dtype;
    char *k, *v;     /* [n_layers][n_pages][Kh][D * KV_PAGE] */
    int *refs;       /* [n_pages] sequences that hold the page */
    int *free_pages; /* [n_free] stack */
    int n_free;
} KvCache;
void kv_init(KvCache *kv, const Model *m, int n_layers, int n_pages);
void kv_free(KvCache *kv);
void kv_lend(KvCache *kv); /* while no page is taken: its memory (mem_lend) until the next is */
size_t kv_page_bytes(const ModelDesc *d, Precision p, int n_layers);
int kv_take(KvCache *kv); /* a free page with one reference, or -1 */
void kv_hold(KvCache *kv, int page);
void kv_release(KvCache *kv, int page);

/* The rows of one pass. */
typedef struct {
    int M;
    const int32_t *token; /* [M] */
    const int32_t *pos;   /* [M] position in its sequence, from 0 */
    const int32_t *slot;  /* [M] where its key and value go */
    const AttnSegment *segs;
    int n_segs;
} Rows;

/* Hidden states after the last norm, h[n_out, C] of the rows out[n_out] (NULL: all M in order).
 * Fills the KV pages of every layer. Pages of one layer serve all layers, one after the other,
 * where nothing is attended to but rows of this pass. */
void model_forward(const Model *m, KvCache *kv, const Rows *rows, const int32_t *out, int n_out,
                   float *h);

/* for `plan`: a forward pass's buffers for M rows at once, without the KV pages */
size_t model_pass_bytes(const ModelDesc *d, int M);

/* logits[n, V] of hidden states; not of a model with a scalar head. */
void model_logits(const Model *m, const float *h, int n, float *logits);

/* ---- training -------------------------------------------------------------------------------- */

/* What the loss says of n consecutive wanted rows: given lp [n] (and entropy [n]) it writes dlp [n]
 * = dLoss/dlp. i0 counts wanted rows. */
typedef void model_loss_fn(void *ctx, int i0, int n, const float *lp, const float *entropy,
                           float *dlp);

/* Forward, loss and backward of one group. want[n_want] are the rows that predict, target[n_want]
 * the tokens they predict; the LM head and the loss run over these rows only, in chunks. Gradients
 * are added to grad [n_numbers] in the block's order; NULL: forward and loss only (dlp is ignored).
 * Each layer is recomputed in the backward; memory is the layers' inputs M x C x L plus one layer's
 * activations. */
typedef struct Trainer Trainer; /* its buffers and one-layer KV pages, growing as needed */
Trainer *trainer_new(const Model *m);
void trainer_free(Trainer *t);
void trainer_group(Trainer *t, const Rows *rows, int n_pages, const int32_t *want,
                   const int32_t *target, int n_want, float inv_temp, model_loss_fn *loss,
                   void *ctx, float *grad);
void trainer_lend(Trainer *t); /* until the next group: its large buffers (mem_lend) */
/* for `plan`: what trainer_group needs at most, and how much of it trainer_lend gives back */
size_t trainer_bytes(const ModelDesc *d, const KernelSet *k, int M, int n_want);
size_t trainer_lent(const ModelDesc *d, int M);

/* Lays out a tree (a prompt and n answers that continue it) as rows: prompt once, then each answer,
 * each part starting on a fresh page. lengths[i] counts the tokens of answer i; the last token of
 * an answer predicts nothing and is still a row if `keep_last`. Arrays are owned by the layout. */
typedef struct {
    Rows rows;
    int n_pages;
    int32_t *token, *pos, *slot;
    AttnSegment *segs;
    KvBlock *blocks;
    int *first_row; /* [n] row of answer i's token 0 */
    int capacity_rows, capacity_segs, capacity_blocks;
} TreeLayout;
void tree_layout(TreeLayout *t, const int32_t *prompt, int n_prompt, int n, const int *lengths,
                 int32_t *const *answers, bool keep_last);
void tree_layout_free(TreeLayout *t);

#endif

/* The contract of every op, stated once: formula, shapes, order of sums. `ops/<stem>.c` implements
 * it for the CPU; a `.cu` of the same stem beside it, once there is one, for CUDA.
 *
 * Exactness is the contract's first half. Every op computes each ROW of its result by a fixed
 * sequence of roundings that depends on that row's inputs alone: not on M, not on where the row
 * stands, not on the number of threads. So prefill, decode and training give the same bits
 * (tests/common/test_exact.c). Rules that make it so:
 *   - no compiler contraction (-ffp-contract=off): a fused multiply-add is written fmaf;
 *   - sums are sequential, or in a fixed tree over fixed lanes that the op's comment states;
 *   - threads divide rows, heads or columns, never a sum.
 *
 * Letters: M rows, C channels, H heads, Kh kv heads, D head size, F width of the MLP, V vocabulary.
 * All activations are f32, row-major, contiguous. Precision is a matter of products and of the KV
 * cache: with PRECISION_BF16 the inputs of each product are rounded to bf16 (nearest even), the
 * accumulation is f32.
 */
#ifndef COMMON_OPS_H
#define COMMON_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dtype.h"

typedef enum { PRECISION_F32, PRECISION_BF16 } Precision;

/* ---- products (ops/matmul.c, ops/matmul_dw.c): weights packed once --------------------------- */

/* Our own kernels (ops/gemm.h), because exactness is by construction there: an output is a sum, in
 * order, of chains of fmaf (or of bf16 pair instructions) over 256 steps of K each. Measured on Zen
 * 5, one core: 270 GFLOP/s in f32 and 530 in bf16, oneDNN 2.6.3 the same. */

/* How bf16 products are computed; chosen once per run by measured rate (kernelset.h), never by CPU
 * feature bits. For PRECISION_F32 it is always PRODUCT_F32. */
typedef enum {
    PRODUCT_F32,         /* f32 x f32 */
    PRODUCT_BF16,        /* bf16 instructions of the CPU */
    PRODUCT_BF16_AS_F32, /* inputs rounded to bf16, multiplied in f32 (exact), summed in f32 */
} ProductKind;

/* A weight matrix W[N,K] in the layout its product kernel wants. */
typedef struct Packed Packed;
Packed *packed_new(int N, int K, ProductKind kind);
void packed_free(Packed *p);
size_t packed_bytes(int N, int K, ProductKind kind); /* for `plan` */
/* Fills from w: row-major [N,K] (transposed = false) or [K,N] (true: W is then w's transpose), F32
 * or BF16. */
void packed_fill(Packed *p, const void *w, Dtype dtype, bool transposed);

/* y[M,N] = x[M,K] . W[N,K]^T. Same bits for every row whatever M, threads and position. */
void op_matmul(float *y, const float *x, const Packed *w, int M);

/* dw[N,K] += dy[M,N]^T . x[M,K]; chains over blocks of rows, added to the element in row order
 * (PRODUCT_BF16: over pairs of rows 0-1, 2-3, ...), so the bits do not depend on threads. */
void op_matmul_dw(float *dw, const float *dy, const float *x, int M, int N, int K,
                  ProductKind kind);

/* ---- rows (ops/embed.c, ops/rmsnorm.c, ops/rope.c, ops/swiglu.c, ops/elementwise.c) ---------- */

/* y[i] = table[token[i]] (rounded to bf16 if round_bf16 and the table is F32). Backward:
 * dtable[token[i]] += dy[i], rows in order. */
void op_embed(float *y, const void *table, Dtype dtype, bool round_bf16, const int32_t *token,
              int M, int C);
void op_embed_backward(float *dtable, const float *dy, const int32_t *token, int M, int C);

/* y = x / sqrt(mean(x^2) + eps) * w, per row of n numbers. y may be x.
 * Backward: dx = (overwritten; may be dy), dw[n] += over rows in order. */
void op_rmsnorm(float *y, const float *x, const float *w, int M, int n, float eps);
void op_rmsnorm_backward(float *dx, float *dw, const float *dy, const float *x, const float *w,
                         int M, int n, float eps);

/* Rotates pairs (i, i + D/2) of each head by pos[row] * theta^(-2i/D) (Hugging Face's "rotate
 * half"); x is [M, heads * D], row stride ld. inverse rotates back (the backward). cos and sin come
 * from a table of doubles rounded to f32: rope_table. */
typedef struct {
    int D, n_positions;
    float *cos, *sin; /* [n_positions][D/2] */
} RopeTable;
void rope_table_init(RopeTable *t, int D, int n_positions, double theta);
void rope_table_free(RopeTable *t);
void op_rope(float *x, int ld, const RopeTable *t, const int32_t *pos, int M, int heads,
             bool inverse);

/* gu[M, 2F] = gate | up;  y[M,F] = silu(gate) * up. Backward overwrites dgu (which may be gu). */
void op_swiglu(float *y, const float *gu, int M, int F);
void op_swiglu_backward(float *dgu, const float *dy, const float *gu, int M, int F);

void op_add(float *y, const float *x, size_t n);             /* y += x */
void op_add_bias(float *y, const float *bias, int M, int N); /* y[i] += bias */
/* dbias += rows in order */
void op_bias_backward(float *dbias, const float *dy, int M, int N);
void op_round_bf16(float *x, size_t n); /* x = bf16(x) */
/* Sum of squares in double over fixed blocks of 4096, blocks added in order: same bits for any
 * number of threads. */
double op_sum_squares(const float *x, size_t n);

/* ---- attention (ops/attention.c) ------------------------------------------------------------- */

/* Keys and values lie in pages of KV_PAGE positions, one layer at a time. Page p, kv head h, at
 * element (p*Kh + h) * D * KV_PAGE: keys as [D][KV_PAGE], values as [KV_PAGE][D]. A slot is page *
 * KV_PAGE + offset. */
#define KV_PAGE 16
typedef struct {
    void *k, *v; /* f32 or bf16 */
    Dtype dtype; /* DTYPE_F32 or DTYPE_BF16 (then stored rounded) */
    int Kh, D;
} KvLayer;

/* A run of keys: the first n slots of a page. */
typedef struct {
    int32_t page, n;
} KvBlock;

/* n_rows consecutive rows of one sequence. `blocks` lists the whole context in order, ending with
 * the rows' own keys; row r of the segment attends to all but the last n_rows - 1 - r keys. The
 * split into blocks has no influence on the bits. */
typedef struct {
    int row, n_rows;
    int n_keys; /* sum of blocks[].n */
    int n_blocks;
    const KvBlock *blocks;
} AttnSegment;

/* Writes row i's keys k[i*ld ..] and values ([Kh*D] each) into slot[i]. */
void op_kv_store(const KvLayer *kv, const float *k, const float *v, int ld, const int32_t *slot,
                 int M);

/* o[row, h] = sum_j p_j v_j / sum_j p_j,  p_j = exp(scale (s_j - max s)),  s_j = q . k_j; head h
 * reads kv head h / (H/Kh). Order per row and head: s_j = fmaf over d from 0; the max is exact; sum
 * p and sum p v are fmaf/add over j in key order. q has row stride ldq, o is [M, H*D]. lse [M,H]
 * (NULL: not wanted) = scale*max + log sum p. */
void op_attention(float *o, float *lse, const float *q, int ldq, const KvLayer *kv,
                  const AttnSegment *segs, int n_segs, int H, float scale);

/* Gradients of the above for rows that are all of one group. dq (stride lddq) is overwritten; dk,
 * dv are f32 per slot, [slot][Kh*D], added to: for a key the queries are summed in row order, head
 * after head. */
void op_attention_backward(float *dq, int lddq, float *dk, float *dv, const float *q, int ldq,
                           const float *o, const float *d_o, const float *lse, const KvLayer *kv,
                           const AttnSegment *segs, int n_segs, int H, float scale);

/* ---- the end of the model (ops/logprob.c, ops/sample.c) -------------------------------------- */

/* Per row: lp = z_t - lse(z), z = logits * inv_temp, t = target. lse: max exact; sum of exp over 16
 * lanes (lane = index mod 16) in f32 within blocks of 512 of the vocabulary, lanes by a fixed tree,
 * blocks in order in double. entropy [M] may be NULL: -sum p log p. inv_temp = 1 takes no
 * multiplication's rounding (x * 1 is exact). */
void op_logprob(float *lp, float *lse, float *entropy, const float *logits, const int32_t *target,
                int M, int V, float inv_temp);

/* dlogits (may be logits) = dlp[i] * (1[j = target] - exp(z_j - lse)) * inv_temp. Rows with dlp = 0
 * give exact zeros. */
void op_logprob_backward(float *dlogits, const float *logits, const float *lse,
                         const int32_t *target, const float *dlp, int M, int V, float inv_temp);

typedef struct {
    float temperature; /* 0 = greedy: the first of the largest logits */
    int top_k;         /* 0 = off */
    /* 1 = off: the smallest set of most probable tokens whose mass reaches top_p; ties by lower id
     */
    float top_p;
    float min_p; /* 0 = off: tokens of at least min_p times the largest probability */
} SamplingParams;

typedef struct {
    int32_t token;
    float logprob;            /* at the temperature, nothing truncated; greedy: at temperature 1 */
    float logprob_untempered; /* temperature 1 */
    float logprob_sampled;    /* under the distribution drawn from; greedy: 0 */
} Drawn;

/* One token from a row of logits [V]: u in [0,1) and the inverse of the cumulative distribution in
 * vocabulary order over blocks of 512 (weights exp(z - max) in f32; block sums as in op_logprob,
 * their running sum in double; within the block weights are added one by one in double; the token
 * is the first whose running sum exceeds u * total). top-k first, then top-p of what it leaves,
 * then min-p. logprob and logprob_untempered have the same bits as op_logprob's for that token,
 * with inv_temp = 1.0f / temperature and 1. Part of what a seed means: never change. */
Drawn op_sample(const float *logits, int V, const SamplingParams *p, float u);

/* ---- optimiser (ops/adamw.c) ----------------------------------------------------------------- */

/* AdamW (Loshchilov & Hutter 2019), f32 state: m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr
 * (mhat / (sqrt(vhat) + eps) + decay w), g = grad * grad_scale; step counts from 1. */
typedef struct {
    float lr, beta1, beta2, eps, weight_decay;
} AdamW;
void op_adamw(float *w, float *m, float *v, const float *grad, size_t n, const AdamW *a,
              int64_t step, float grad_scale);

/* exp in f32 by a fixed polynomial: the same bits from vector and scalar code; error < 2 ulp;
 * exp(-inf) = 0. Inline in ops/expf.h. */

#endif

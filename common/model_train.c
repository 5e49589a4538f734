/* Forward, loss and backward of one group: what the learner calls.
 *
 * Stored are the layers' inputs; what lies between is computed again in the backward, except for
 * the last few layers, whose activations are kept as far as KEEP_BYTES goes (a small model keeps
 * them all). Keeping or recomputing gives the same bits. The LM head and the loss are one pass over
 * chunks of wanted rows, so that logits exist for one chunk at a time; a chunk's size depends on
 * the vocabulary alone, because the head's gradient is summed chunk after chunk.
 */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/model.h"
#include "common/model_impl.h"

enum { KEEP_BYTES = 768 << 20, LOGITS_BYTES = 50 << 20, CHUNK_MOST = 1024 };

/* Buffers of one chunk of the head, [rows] each. */
typedef struct {
    int rows;
    float *x, *h;  /* [rows, C] before and after the last norm */
    float *logits; /* [rows, V] and their gradient */
    float *lp, *lse, *entropy, *dlp;
} Head;

struct Trainer {
    const Model *m;
    size_t keep_bytes; /* for activations that the backward finds instead of computing them again */
    int rows, pages;   /* capacities */
    int n_kept;
    Acts *acts; /* [n_kept] of the last layers; the first also serves the layers before them */
    KvCache kv; /* a layer for each of acts */
    float *x;   /* [L + 1][rows, C] inputs of the layers, and the last one's output */
    BackwardBuffers back;
    Head head;
};

/* ---- memory ---- */

static int round_up(int n, int to)
{
    return (n + to - 1) / to * to;
}

static int kept_layers(const ModelDesc *d, int rows, size_t bytes)
{
    size_t one = (size_t)rows * acts_numbers(d, true) * sizeof(float);
    size_t n = bytes / (one ? one : 1);
    return n < 1 ? 1 : n > (size_t)d->L ? d->L : (int)n;
}

/* Wanted rows that go through the head together. */
static int head_chunk(const ModelDesc *d)
{
    int n = LOGITS_BYTES / 4 / d->V / 32 * 32;
    return n < 32 ? 32 : n > CHUNK_MOST ? CHUNK_MOST : n;
}

static int wide_width(const ModelDesc *d)
{
    return d->F > d->H * d->D ? d->F : d->H * d->D;
}

/* Floats of the backward's buffers a row; of the layers' inputs; of a chunk of the head. */
static size_t back_numbers(const ModelDesc *d)
{
    return 2 * (size_t)d->C + (size_t)wide_width(d) + (size_t)model_qkv_width(d);
}
static size_t input_numbers(const ModelDesc *d)
{
    return (size_t)(d->L + 1) * (size_t)d->C;
}
static size_t head_numbers(const ModelDesc *d)
{
    return 2 * (size_t)d->C + (size_t)d->V + 4;
}

/* Rows and slots are rounded up so that groups of nearly the same size do not make the buffers grow
 * again. */
static int rows_capacity(int M)
{
    return round_up(M, 64);
}
static int head_capacity(const ModelDesc *d, int n_want)
{
    int chunk = head_chunk(d);
    return n_want < chunk ? round_up(n_want, 32) : chunk;
}

size_t trainer_bytes(const ModelDesc *d, const KernelSet *k, int M, int n_want)
{
    int rows = rows_capacity(M), kept = kept_layers(d, rows, KEEP_BYTES);
    size_t slots = (size_t)rows + (size_t)rows / 8; /* parts end in half-filled pages */
    size_t numbers =
        (size_t)rows * ((size_t)kept * acts_numbers(d, true) + back_numbers(d) + input_numbers(d)) +
        2 * slots * (size_t)d->Kh * (size_t)d->D +
        (size_t)head_capacity(d, n_want) * head_numbers(d);
    return numbers * sizeof(float) + slots / KV_PAGE * kv_page_bytes(d, k->precision, kept);
}

/* The activations and the layers' inputs: most of a trainer's memory. */
static size_t lent_numbers(const ModelDesc *d, int rows, int kept)
{
    return (size_t)rows * ((size_t)kept * acts_numbers(d, true) + input_numbers(d));
}

static size_t worth_lending(size_t numbers)
{
    return numbers * sizeof(float) < MEM_LEND_LEAST ? 0 : numbers * sizeof(float);
}

size_t trainer_lent(const ModelDesc *d, int M)
{
    int rows = rows_capacity(M);
    return worth_lending(lent_numbers(d, rows, kept_layers(d, rows, KEEP_BYTES)));
}

void trainer_lend(Trainer *t)
{
    const ModelDesc *d = &t->m->d;
    if (!worth_lending(lent_numbers(d, t->rows, t->n_kept))) return;
    for (int i = 0; i < t->n_kept; i++)
        mem_lend(t->acts[i].data, (size_t)t->acts[i].rows * acts_numbers(d, true) * sizeof(float));
    mem_lend(t->x, (size_t)t->rows * input_numbers(d) * sizeof(float));
}

Trainer *trainer_new(const Model *m)
{
    Trainer *t = NEW(Trainer, 1);
    t->m = m;
    t->keep_bytes = KEEP_BYTES;
    return t;
}

void trainer_keep(Trainer *t, size_t bytes)
{
    REQUIRE(!t->rows, "the trainer has its buffers already");
    t->keep_bytes = bytes;
}

static void rows_free(Trainer *t)
{
    for (int i = 0; i < t->n_kept; i++) acts_free(&t->acts[i]);
    mem_free(t->acts);
    mem_free(t->x);
    mem_free(t->back.dx);
}

static void pages_free(Trainer *t)
{
    kv_free(&t->kv);
    mem_free(t->back.dk);
}

static void head_free(Head *h)
{
    mem_free(h->logits);
    *h = (Head){0};
}

void trainer_free(Trainer *t)
{
    if (!t) return;
    rows_free(t);
    pages_free(t);
    head_free(&t->head);
    mem_free(t);
}

/* One allocation for dx, dh, wide and dqkv. */
static void rows_reserve(Trainer *t, int M)
{
    const ModelDesc *d = &t->m->d;
    if (M <= t->rows) return;
    rows_free(t);
    size_t rows = (size_t)(t->rows = rows_capacity(M));
    t->n_kept = kept_layers(d, t->rows, t->keep_bytes);
    t->acts = NEW(Acts, t->n_kept);
    for (int i = 0; i < t->n_kept; i++) acts_reserve(&t->acts[i], d, t->rows, true);
    t->x = NEW(float, input_numbers(d) * rows);
    t->back.dx = NEW(float, back_numbers(d) * rows);
    t->back.dh = t->back.dx + rows * (size_t)d->C;
    t->back.wide = t->back.dh + rows * (size_t)d->C;
    t->back.dqkv = t->back.wide + rows * (size_t)wide_width(d);
}

static void pages_reserve(Trainer *t, int n_pages)
{
    if (n_pages <= t->pages && t->kv.n_layers >= t->n_kept) return;
    pages_free(t);
    if (n_pages > t->pages) t->pages = round_up(n_pages, 8);
    kv_init(&t->kv, t->m, t->n_kept, t->pages);
    size_t slots = (size_t)t->pages * KV_PAGE * (size_t)t->m->d.Kh * (size_t)t->m->d.D;
    t->back.dk = NEW(float, 2 * slots);
    t->back.dv = t->back.dk + slots;
}

static void head_reserve(Head *h, const ModelDesc *d, int n_want)
{
    int rows = head_capacity(d, n_want);
    if (rows <= h->rows) return;
    head_free(h);
    size_t n = (size_t)rows, C = (size_t)d->C;
    h->rows = rows;
    h->logits = NEW(float, head_numbers(d) * n);
    h->x = h->logits + n * (size_t)d->V;
    h->h = h->x + n * C;
    h->lp = h->h + n * C;
    h->lse = h->lp + n;
    h->entropy = h->lse + n;
    h->dlp = h->entropy + n;
}

/* ---- the pass ---- */

static float *layer_input(Trainer *t, int l)
{
    return t->x + (size_t)l * (size_t)t->rows * (size_t)t->m->d.C;
}

/* Which activations layer l uses, and whether they are still there in the backward. */
static int acts_index(const Trainer *t, int l)
{
    int first = t->m->d.L - t->n_kept;
    return l < first ? 0 : l - first;
}

static void run_layers(Trainer *t, const Rows *rows)
{
    model_rope_reserve(t->m, rows);
    model_embed(t->m, rows, t->x);
    for (int l = 0; l < t->m->d.L; l++) {
        int i = acts_index(t, l);
        KvLayer kv = kv_layer(&t->kv, i);
        layer_forward(t->m, l, layer_input(t, l), layer_input(t, l + 1), &t->acts[i], &kv, rows);
    }
}

/* The head's backward for n rows of the model's output; adds into dx where they came from. */
static void head_backward(Trainer *t, const int32_t *want, const int32_t *target, int n,
                          float inv_temp, float *grad)
{
    const Model *m = t->m;
    Head *h = &t->head;
    int V = m->d.V, C = m->d.C;
    float *dh = h->h; /* the normed states are needed until the weights' gradient is done */
    op_logprob_backward(h->logits, h->logits, h->lse, target, h->dlp, n, V, inv_temp);
    op_matmul_dw(grad + m->head.offset, h->logits, h->h, n, V, C, m->k.product);
    op_matmul(dh, h->logits, m->head.wt, n);
    op_rmsnorm_backward(dh, grad + m->norm.offset, dh, h->x, m->norm.w, n, C, m->d.rms_eps);
    for (int i = 0; i < n; i++)
        op_add(t->back.dx + (size_t)want[i] * (size_t)C, dh + (size_t)i * (size_t)C, (size_t)C);
}

static bool any_nonzero(const float *x, int n)
{
    for (int i = 0; i < n; i++)
        if (x[i] != 0) return true;
    return false;
}

/* One chunk of wanted rows, the first being wanted row i0. Returns whether there is anything to go
 * back with: a chunk whose dlp are all zero adds nothing. */
static bool head_pass(Trainer *t, const int32_t *want, const int32_t *target, int i0, int n,
                      float inv_temp, model_loss_fn *loss, void *ctx, float *grad)
{
    const ModelDesc *d = &t->m->d;
    Head *h = &t->head;
    size_t C = (size_t)d->C;
    const float *x = layer_input(t, d->L);
    for (int i = 0; i < n; i++)
        memcpy(h->x + (size_t)i * C, x + (size_t)want[i] * C, C * sizeof *x);
    op_rmsnorm(h->h, h->x, t->m->norm.w, n, d->C, d->rms_eps);
    model_logits(t->m, h->h, n, h->logits);
    op_logprob(h->lp, h->lse, h->entropy, h->logits, target, n, d->V, inv_temp);
    loss(ctx, i0, n, h->lp, h->entropy, h->dlp);
    if (!grad || !any_nonzero(h->dlp, n)) return false;
    head_backward(t, want, target, n, inv_temp, grad);
    return true;
}

static void run_backward(Trainer *t, const Rows *rows, int n_pages, float *grad)
{
    const Model *m = t->m;
    for (int l = m->d.L - 1; l >= 0; l--) {
        int i = acts_index(t, l);
        KvLayer kv = kv_layer(&t->kv, i);
        float *x = layer_input(t, l);
        if (l < m->d.L - t->n_kept) layer_forward(m, l, x, NULL, &t->acts[i], &kv, rows);
        layer_backward(m, l, x, &t->acts[i], &kv, rows, n_pages, &t->back, grad);
    }
    op_embed_backward(grad + m->embed, t->back.dx, rows->token, rows->M, m->d.C);
}

void trainer_group(Trainer *t, const Rows *rows, int n_pages, const int32_t *want,
                   const int32_t *target, int n_want, float inv_temp, model_loss_fn *loss,
                   void *ctx, float *grad)
{
    const ModelDesc *d = &t->m->d;
    bool any = false;
    if (!rows->M || !n_want) return;
    REQUIRE(!grad || t->m->trainable, "a gradient needs a trainable model");
    rows_reserve(t, rows->M);
    pages_reserve(t, n_pages);
    head_reserve(&t->head, d, n_want);
    run_layers(t, rows);
    if (grad) memset(t->back.dx, 0, (size_t)rows->M * (size_t)d->C * sizeof *t->back.dx);
    for (int i0 = 0, chunk = head_chunk(d); i0 < n_want; i0 += chunk) {
        int n = n_want - i0 < chunk ? n_want - i0 : chunk;
        any |= head_pass(t, want + i0, target + i0, i0, n, inv_temp, loss, ctx, grad);
    }
    if (any) run_backward(t, rows, n_pages, grad);
}

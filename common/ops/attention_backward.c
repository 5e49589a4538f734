/* Attention over pages, backward. One kv head and one segment at a time, by all threads together,
 * in pieces of rows:
 *
 *   1. pairs of (row, head) are divided:
 *      p = exp(scale s - lse), dp = do . v, ds = scale p (dp - do . o), dq = sum ds k
 *   2. keys are divided: dv = sum p do, dk = sum ds q, over the pairs in order, row after row and
 *      head after head
 *
 * So no sum is divided between threads, and a key's chain goes on from piece to piece and from
 * segment to segment. Everything a piece needs lies in shared scratch, compact and padded to whole
 * registers.
 */
#include <math.h>

#include "common/errors.h"
#include "common/ops.h"
#include "common/ops/attention_tile.h"
#include "common/ops/parallel.h"
#include "common/ops/scratch.h"

typedef struct {
    float *dq, *dk, *dv;
    const float *q, *o, *d_o, *lse;
    int lddq, ldq, H, G, D, width; /* width: D up to a multiple of 16 */
    const KvLayer *kv;
    float scale;
} Call;

/* One segment's view of one kv head, in shared scratch. */
typedef struct {
    const AttnSegment *seg;
    int h, piece_rows;
    size_t stride;        /* of a pair's scores: n_keys and slack */
    int *first_key;       /* [n_blocks] */
    float *keys, *values; /* [n_blocks][D][16] */
    float *key_rows;      /* [n_keys][width] */
    float *dk, *dv;       /* [n_keys][width] */
    float *q, *d_o;       /* [pairs of a piece][width] */
    float *delta;         /* [pairs of a piece] do . o */
    float *p, *ds;        /* [pairs of a piece][stride] */
} Work;

/* The next n floats of base (NULL: only counts). */
static float *carve(float *base, size_t *at, size_t n)
{
    float *p = base ? base + *at : NULL;
    *at += (n + LANES - 1) / LANES * LANES;
    return p;
}

/* Lays the arrays of a segment out from `base`; returns how many floats they take. */
static size_t work_layout(Work *w, const Call *c, const AttnSegment *seg, float *base)
{
    enum { PIECE_SCORES = 98304 }; /* what p and ds hold each: they stay in the second caches */
    size_t blocks = (size_t)seg->n_blocks, n = (size_t)seg->n_keys, width = (size_t)c->width;
    size_t at = 0;
    w->seg = seg;
    w->stride = (n + 3 * LANES - 1) / LANES * LANES;
    size_t rows = PIECE_SCORES / (w->stride * (size_t)c->G) / TILE_ROWS * TILE_ROWS;
    if (rows < TILE_ROWS) rows = TILE_ROWS;
    w->piece_rows = rows > (size_t)seg->n_rows ? seg->n_rows : (int)rows;
    size_t pairs = (size_t)w->piece_rows * (size_t)c->G;
    w->first_key = (int *)carve(base, &at, blocks);
    w->keys = carve(base, &at, blocks * (size_t)c->D * KV_PAGE);
    w->values = carve(base, &at, blocks * (size_t)c->D * KV_PAGE);
    w->key_rows = carve(base, &at, n * width);
    w->dk = carve(base, &at, (n + TILE_ROWS) * width); /* whole tiles of keys */
    w->dv = carve(base, &at, (n + TILE_ROWS) * width);
    w->q = carve(base, &at, pairs * width);
    w->d_o = carve(base, &at, pairs * width);
    w->delta = carve(base, &at, pairs);
    w->p = carve(base, &at, pairs * w->stride);
    w->ds = carve(base, &at, pairs * w->stride);
    return at;
}

static void row_in(float *to, const float *from, int n, int width)
{
    memcpy(to, from, (size_t)n * sizeof *to);
    if (n < width) memset(to + n, 0, (size_t)(width - n) * sizeof *to);
}

INLINE float kv_at(const KvLayer *kv, const void *side, size_t at)
{
    return kv->dtype == DTYPE_BF16 ? f32_from_bf16(((const uint16_t *)side)[at])
                                   : ((const float *)side)[at];
}

/* Block b: keys and values with keys in the lanes, key rows, and the gradients so far. */
CLONES static void block_in(const Work *w, const Call *c, int b)
{
    const KvBlock *block = &w->seg->blocks[b];
    int D = c->D;
    size_t page = (size_t)D * KV_PAGE,
           from = ((size_t)block->page * (size_t)c->kv->Kh + (size_t)w->h) * page;
    float *keys = w->keys + (size_t)b * page, *values = w->values + (size_t)b * page;
    for (size_t i = 0; i < page; i++) keys[i] = kv_at(c->kv, c->kv->k, from + i);
    for (int t = 0; t < KV_PAGE; t++)
        for (int d = 0; d < D; d++)
            values[d * KV_PAGE + t] =
                t < block->n ? kv_at(c->kv, c->kv->v, from + (size_t)(t * D + d)) : 0;
    for (int t = 0; t < block->n; t++) {
        size_t to = (size_t)(w->first_key[b] + t) * (size_t)c->width;
        size_t slot =
            ((size_t)block->page * KV_PAGE + (size_t)t) * (size_t)c->kv->Kh + (size_t)w->h;
        for (int d = 0; d < D; d++) w->key_rows[to + (size_t)d] = keys[d * KV_PAGE + t];
        for (int d = D; d < c->width; d++) w->key_rows[to + (size_t)d] = 0;
        row_in(w->dk + to, c->dk + slot * (size_t)D, D, c->width);
        row_in(w->dv + to, c->dv + slot * (size_t)D, D, c->width);
    }
}

static void block_out(const Work *w, const Call *c, int b)
{
    const KvBlock *block = &w->seg->blocks[b];
    size_t bytes = (size_t)c->D * sizeof(float);
    for (int t = 0; t < block->n; t++) {
        size_t from = (size_t)(w->first_key[b] + t) * (size_t)c->width;
        size_t slot =
            ((size_t)block->page * KV_PAGE + (size_t)t) * (size_t)c->kv->Kh + (size_t)w->h;
        memcpy(c->dk + slot * (size_t)c->D, w->dk + from, bytes);
        memcpy(c->dv + slot * (size_t)c->D, w->dv + from, bytes);
    }
}

/* Pair i of the piece that starts at row `first`: its row of the batch and its head. */
static size_t pair_row(const Work *w, const Call *c, int first, int i)
{
    return (size_t)(w->seg->row + first + i / c->G);
}

static size_t pair_head(const Work *w, const Call *c, int i)
{
    return (size_t)(w->h * c->G + i % c->G);
}

static int pair_keys(const Work *w, const Call *c, int first, int i)
{
    return w->seg->n_keys - (w->seg->n_rows - 1 - first - i / c->G);
}

CLONES static void pair_in(const Work *w, const Call *c, int first, int i)
{
    size_t row = pair_row(w, c, first, i), head = pair_head(w, c, i), D = (size_t)c->D;
    size_t to = (size_t)i * (size_t)c->width, out = (row * (size_t)c->H + head) * D;
    row_in(w->q + to, c->q + row * (size_t)c->ldq + head * D, c->D, c->width);
    row_in(w->d_o + to, c->d_o + out, c->D, c->width);
    Lanes sum = lanes_all(0);
    int d = 0;
    for (; d + LANES <= c->D; d += LANES)
        sum = lanes_fma(lanes_load(c->d_o + out + d), lanes_load(c->o + out + d), sum);
    if (d < c->D)
        sum = lanes_fma(lanes_load_part(c->d_o + out + d, c->D - d, 0),
                        lanes_load_part(c->o + out + d, c->D - d, 0), sum);
    w->delta[i] = lanes_sum(sum);
}

/* Sums of R pairs (8, or 1 in row 0) from 0, left in memory: see tile_add_8. */
INLINE void add_pairs(const int R, float *sum, TileFactor f, const float *b, ptrdiff_t step_b,
                      ptrdiff_t second, int T)
{
    if (R == TILE_ROWS) {
        tile_add_8(sum, true, f, b, step_b, second, T);
        return;
    }
    Lanes s[4][4] = {{lanes_all(0), lanes_all(0)}};
    ptrdiff_t at[4] = {0, second};
    tile_add(1, 2, s, f, b, step_b, at, T, false);
    lanes_store(sum, s[0][0]);
    lanes_store(sum + LANES, s[0][1]);
}

/* scores[r][j] = a[r] . column j of the blocks, for R pairs. */
INLINE void dot_columns(const int R, const Work *w, const Call *c, const float *a,
                        const float *columns, float *scores, int n_blocks)
{
    ptrdiff_t page = (ptrdiff_t)c->D * KV_PAGE;
    for (int b = 0; b < n_blocks; b += 2) {
        float sum[TILE_SUMS];
        int two = b + 1 < n_blocks;
        add_pairs(R, sum, (TileFactor){a, c->width, 1}, columns + b * page, KV_PAGE, two ? page : 0,
                  c->D);
        for (int v = 0; v <= two; v++)
            for (int r = 0; r < R; r++)
                lanes_store(scores + (size_t)r * w->stride + w->first_key[b + v],
                            lanes_load(sum + (2 * r + v) * LANES));
    }
}

/* p and ds of one pair from scores (in p) and dp (in ds). The 16 keys after its last get zeros,
 * which add nothing: tiles of pairs and of keys run over them. */
INLINE void softmax_gradient(float *p, float *ds, int n, float scale, float lse, float delta)
{
    for (int j = 0; j < n; j += LANES) {
        Lanes e = lanes_exp(lanes_load(p + j) * scale - lse);
        lanes_store(ds + j, e * (lanes_load(ds + j) - delta) * scale);
        lanes_store(p + j, e);
    }
    for (int j = n; j < n + LANES; j++) p[j] = ds[j] = 0;
}

INLINE void tile_pairs(const int R, const Work *w, const Call *c, int first, int i)
{
    float *p = w->p + (size_t)i * w->stride, *ds = w->ds + (size_t)i * w->stride;
    int n_most = pair_keys(w, c, first, i + R - 1), n_blocks = 0;
    for (int n = 0; n < n_most; n_blocks++) n += w->seg->blocks[n_blocks].n;
    dot_columns(R, w, c, w->q + (size_t)i * (size_t)c->width, w->keys, p, n_blocks);
    dot_columns(R, w, c, w->d_o + (size_t)i * (size_t)c->width, w->values, ds, n_blocks);
    for (int r = 0; r < R; r++) {
        size_t at = pair_row(w, c, first, i + r) * (size_t)c->H + pair_head(w, c, i + r);
        softmax_gradient(p + (size_t)r * w->stride, ds + (size_t)r * w->stride,
                         pair_keys(w, c, first, i + r), c->scale, c->lse[at], w->delta[i + r]);
    }
    for (int d = 0; d < c->width; d += 2 * LANES) {
        float sum[TILE_SUMS];
        int n = c->D - d < 2 * LANES ? c->D - d : 2 * LANES;
        add_pairs(R, sum, (TileFactor){ds, (ptrdiff_t)w->stride, 1}, w->key_rows + d, c->width,
                  d + LANES < c->width ? LANES : 0, n_most);
        for (int r = 0; r < R; r++) {
            float *dq = c->dq + pair_row(w, c, first, i + r) * (size_t)c->lddq +
                        pair_head(w, c, i + r) * (size_t)c->D;
            memcpy(dq + d, sum + 2 * r * LANES, (size_t)n * sizeof *dq);
        }
    }
}

CLONES static void pairs_eight(const Work *w, const Call *c, int first, int i)
{
    tile_pairs(8, w, c, first, i);
}

CLONES static void pairs_one(const Work *w, const Call *c, int first, int i)
{
    tile_pairs(1, w, c, first, i);
}

/* Adds the piece's pairs from pair i on, in order, to dv and dk of 8 keys. */
CLONES static void tile_keys(const Work *w, const Call *c, int key, int i, int n_pairs)
{
    const float *scores[2] = {w->p, w->ds}, *rows[2] = {w->d_o, w->q};
    float *gradient[2] = {w->dv, w->dk};
    for (int side = 0; side < 2; side++)
        for (int d = 0; d < c->width; d += 2 * LANES) {
            float sum[TILE_SUMS], *to = gradient[side] + (size_t)key * (size_t)c->width + d;
            ptrdiff_t second = d + LANES < c->width ? LANES : 0;
            TileFactor f = {scores[side] + (size_t)i * w->stride + (size_t)key, 1,
                            (ptrdiff_t)w->stride};
            for (int r = 0; r < TILE_ROWS; r++) {
                lanes_store(sum + 2 * r * LANES, lanes_load(to + r * c->width));
                lanes_store(sum + (2 * r + 1) * LANES, lanes_load(to + r * c->width + second));
            }
            tile_add_8(sum, false, f, rows[side] + (size_t)i * (size_t)c->width + d, c->width,
                       second, n_pairs - i);
            for (int r = 0; r < TILE_ROWS; r++) {
                lanes_store(to + r * c->width, lanes_load(sum + 2 * r * LANES));
                lanes_store(to + r * c->width + second, lanes_load(sum + (2 * r + 1) * LANES));
            }
        }
}

/* One piece of rows; every thread of the team calls it. */
static void piece_backward(const Work *w, const Call *c, int first, int rows)
{
    int n_pairs = rows * c->G, n_tiles = (n_pairs + TILE_ROWS - 1) / TILE_ROWS;
    int n_most = pair_keys(w, c, first, n_pairs - 1), own = pair_keys(w, c, first, 0);
#pragma omp for schedule(static)
    for (int t = 0; t < n_tiles; t++) {
        int i = t * TILE_ROWS, end = i + TILE_ROWS < n_pairs ? i + TILE_ROWS : n_pairs;
        for (int j = i; j < end; j++) pair_in(w, c, first, j);
        if (end - i == TILE_ROWS)
            pairs_eight(w, c, first, i);
        else
            for (; i < end; i++) pairs_one(w, c, first, i);
    }
#pragma omp for schedule(dynamic, 2)
    for (int key = 0; key < n_most; key += TILE_ROWS) {
        int row = key < own ? 0 : key - own + 1; /* the first row that sees this key */
        tile_keys(w, c, key, row * c->G, n_pairs);
    }
}

static void segment_backward(const Work *w, const Call *c)
{
#pragma omp for schedule(static)
    for (int b = 0; b < w->seg->n_blocks; b++) block_in(w, c, b);
    for (int row = 0; row < w->seg->n_rows; row += w->piece_rows) {
        int left = w->seg->n_rows - row;
        piece_backward(w, c, row, left < w->piece_rows ? left : w->piece_rows);
    }
#pragma omp for schedule(static)
    for (int b = 0; b < w->seg->n_blocks; b++) block_out(w, c, b);
}

void op_attention_backward(float *dq, int lddq, float *dk, float *dv, const float *q, int ldq,
                           const float *o, const float *d_o, const float *lse, const KvLayer *kv,
                           const AttnSegment *segs, int n_segs, int H, float scale)
{
    REQUIRE(H % kv->Kh == 0, "%d heads for %d kv heads", H, kv->Kh);
    int width = (kv->D + LANES - 1) / LANES * LANES;
    Call c = {dq, dk, dv, q, o, d_o, lse, lddq, ldq, H, H / kv->Kh, kv->D, width, kv, scale};
    Work w = {0};
    size_t floats = 0, products = 0;
    for (int s = 0; s < n_segs; s++) {
        size_t n = work_layout(&w, &c, &segs[s], NULL);
        floats = n > floats ? n : floats;
        products += (size_t)segs[s].n_rows * (size_t)segs[s].n_keys * (size_t)H * (size_t)kv->D;
    }
    float *base = scratch_take(SCRATCH_SHARED, floats * sizeof *base);
    for (int h = 0; h < kv->Kh; h++)
        for (int s = 0; s < n_segs; s++) {
            work_layout(&w, &c, &segs[s], base);
            w.h = h;
            for (int b = 0, key = 0; b < segs[s].n_blocks; key += segs[s].blocks[b++].n)
                w.first_key[b] = key;
#pragma omp parallel if (products > 4 * (size_t)WORTH_THREADS)
            segment_backward(&w, &c);
        }
}

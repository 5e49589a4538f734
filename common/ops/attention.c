/* Attention over the pages of keys and values, forward. A thread takes a piece of a segment's rows
 * and one kv head; the query heads that share it are taken together, so a key is read once for all
 * of them: "pairs" of (row, head) go through the tile kernel up to 8 at a time.
 *
 * The order of every sum is ops.h's, whatever the tile: scores are chains over d, the sums of p and
 * p v chains over keys. So a decoded row has the bits of the same row in a prefill, and blocks may
 * be cut anywhere.
 */
#include <math.h>

#include "common/errors.h"
#include "common/ops.h"
#include "common/ops/attention_tile.h"
#include "common/ops/parallel.h"
#include "common/ops/scratch.h"

#define PIECE_ROWS 32 /* rows of a segment that a thread takes at a time */
/* Pairs from which widening keys and values once beats widening them in every tile. */
#define GATHER_FROM 8

static size_t page_at(const KvLayer *kv, int page, int h)
{
    return ((size_t)page * (size_t)kv->Kh + (size_t)h) * (size_t)kv->D * KV_PAGE;
}

/* One kv head's context of a segment: where block b's keys [D][16] and values [n][v_step] start. */
typedef struct {
    const AttnSegment *seg;
    const KvLayer *kv;
    int h;
    bool gathered, bf16;
    const float *keys, *values; /* gathered: [n_blocks][D][16], [n_keys][v_step] */
    ptrdiff_t v_step;
} Context;

INLINE const void *context_keys(const Context *c, int b)
{
    if (c->gathered) return c->keys + (size_t)b * (size_t)c->kv->D * KV_PAGE;
    size_t at = page_at(c->kv, c->seg->blocks[b].page, c->h);
    return (const char *)c->kv->k + at * (c->bf16 ? 2 : 4);
}

INLINE const void *context_values(const Context *c, int b, int first_key)
{
    if (c->gathered) return c->values + (ptrdiff_t)first_key * c->v_step;
    size_t at = page_at(c->kv, c->seg->blocks[b].page, c->h);
    return (const char *)c->kv->v + at * (c->bf16 ? 2 : 4);
}

CLONES static void copy_numbers(float *to, const void *from, size_t at, int n, bool bf16)
{
    if (bf16)
        for (int i = 0; i < n; i++) to[i] = f32_from_bf16(((const uint16_t *)from)[at + (size_t)i]);
    else
        for (int i = 0; i < n; i++) to[i] = ((const float *)from)[at + (size_t)i];
}

/* Copies keys and values of the first n_blocks blocks as f32 into this thread's scratch. Heads
 * narrower than a register are padded. */
static void context_gather(Context *c, int n_blocks)
{
    int D = c->kv->D, width = D < LANES ? LANES : D, key = 0;
    size_t page = (size_t)D * KV_PAGE;
    float *keys = scratch_take(
        SCRATCH_KEYS,
        ((size_t)n_blocks * page + ((size_t)c->seg->n_keys + 1) * (size_t)width) * sizeof *keys);
    float *values = keys + (size_t)n_blocks * page;
    for (int b = 0; b < n_blocks; b++) {
        size_t at = page_at(c->kv, c->seg->blocks[b].page, c->h);
        copy_numbers(keys + (size_t)b * page, c->kv->k, at, (int)page, c->bf16);
        for (int t = 0; t < c->seg->blocks[b].n; t++, key++)
            copy_numbers(values + (size_t)key * (size_t)width, c->kv->v, at + (size_t)(t * D), D,
                         c->bf16);
    }
    *c = (Context){c->seg, c->kv, c->h, true, false, keys, values, width};
}

/* Up to 8 pairs of (row, head): their queries, how many keys they see, where their scores go. */
typedef struct {
    const float *q;   /* [R][D] compact */
    float *p;         /* [R][stride]: scores, then probabilities */
    ptrdiff_t stride; /* n_keys and two pages of slack */
    int n[TILE_ROWS]; /* growing */
    int n_least, n_most, n_blocks;
    float *o[TILE_ROWS], *lse[TILE_ROWS];
    float total[TILE_ROWS];
} Tile;

/* Scores of V pages at once: R x V sums. */
INLINE void score_blocks(const int R, const int V, const Context *c, const Tile *t, int b,
                         int first_key)
{
    Lanes sum[4][4];
    const char *base = context_keys(c, b);
    ptrdiff_t at[4] = {0}, size = c->bf16 ? 2 : 4;
    TileFactor q = {t->q, c->kv->D, 1};
    for (int v = 0; v < V; v++) at[v] = ((const char *)context_keys(c, b + v) - base) / size;
#pragma GCC unroll 4
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) sum[r][v] = lanes_all(0);
    if (c->bf16)
        tile_add(R, V, sum, q, base, KV_PAGE, at, c->kv->D, true);
    else
        tile_add(R, V, sum, q, base, KV_PAGE, at, c->kv->D, false);
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) lanes_store(t->p + r * t->stride + first_key, sum[r][v]);
        first_key += c->seg->blocks[b + v].n;
    }
}

INLINE void scores(const int R, const int V, const Context *c, const Tile *t)
{
    int key = 0, b = 0;
    for (; b + V <= t->n_blocks; b += V) {
        score_blocks(R, V, c, t, b, key);
        for (int v = 0; v < V; v++) key += c->seg->blocks[b + v].n;
    }
    for (; b < t->n_blocks; b++) {
        score_blocks(R, 1, c, t, b, key);
        key += c->seg->blocks[b].n;
    }
}

/* Eight pairs, gathered keys: two pages at a time. */
INLINE void scores_8(const Context *c, const Tile *t)
{
    ptrdiff_t page = (ptrdiff_t)c->kv->D * KV_PAGE;
    for (int b = 0, key = 0; b < t->n_blocks; b += 2) {
        float sum[TILE_SUMS];
        bool two = b + 1 < t->n_blocks;
        tile_add_8(sum, true, (TileFactor){t->q, c->kv->D, 1}, c->keys + b * page, KV_PAGE,
                   two ? page : 0, c->kv->D);
        for (int v = 0; v <= two; key += c->seg->blocks[b + v++].n)
            for (int r = 0; r < TILE_ROWS; r++)
                lanes_store(t->p + r * t->stride + key, lanes_load(sum + (2 * r + v) * LANES));
    }
}

/* p = exp(scale (s - max)) in place; returns the max. */
INLINE float exponentials(float *p, int n, float scale)
{
    Lanes most = lanes_all(-INFINITY);
    int i = 0;
    for (; i + LANES <= n; i += LANES) most = lanes_max(lanes_load(p + i), most);
    if (i < n) most = lanes_max(lanes_load_part(p + i, n - i, -INFINITY), most);
    float max = lanes_largest(most);
    for (i = 0; i < n; i += LANES) lanes_store(p + i, lanes_exp((lanes_load(p + i) - max) * scale));
    return max;
}

INLINE void output_store(float *o, ptrdiff_t at, Lanes y, int D)
{
    if (D >= LANES)
        lanes_store(o + at, y);
    else
        for (int l = 0; l < D; l++) o[l] = y[l];
}

/* Where register v of a head starts: the last overlaps its neighbour where 16 does not divide D,
 * with the same numbers. */
INLINE ptrdiff_t register_at(int v, int D)
{
    int at = v * LANES;
    return at <= D - LANES ? at : D < LANES ? 0 : D - LANES;
}

/* o = sum p v / sum p for V registers of the head's width. */
INLINE void weigh_values(const int R, const int V, const Context *c, const Tile *t,
                         int first_register)
{
    Lanes sum[4][4];
    ptrdiff_t at[4];
    for (int v = 0; v < V; v++) at[v] = register_at(first_register + v, c->kv->D);
#pragma GCC unroll 4
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) sum[r][v] = lanes_all(0);
    for (int b = 0, key = 0; b < t->n_blocks; key += c->seg->blocks[b++].n) {
        const void *values = context_values(c, b, key);
        int n = c->seg->blocks[b].n, common = t->n_least - key < n ? t->n_least - key : n;
        TileFactor p = {t->p + key, t->stride, 1};
        if (common < 0) common = 0;
        if (c->bf16)
            tile_add(R, V, sum, p, values, c->v_step, at, common, true);
        else
            tile_add(R, V, sum, p, values, c->v_step, at, common, false);
        for (int j = common; j < n && key + j < t->n_most;
             j++) /* the tile's last keys: not for every row */
#pragma GCC unroll 4
            for (int v = 0; v < V; v++) {
                Lanes side = side_load(values, j * c->v_step + at[v], c->bf16);
#pragma GCC unroll 4
                for (int r = 0; r < R; r++)
                    if (key + j < t->n[r])
                        sum[r][v] = lanes_fma(lanes_all(p.a[r * t->stride + j]), side, sum[r][v]);
            }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) output_store(t->o[r], at[v], sum[r][v] / t->total[r], c->kv->D);
}

/* Eight pairs, gathered values: all common keys in one run, then each row's own last ones. */
INLINE void weigh_values_8(const Context *c, const Tile *t, int first_register)
{
    float sum[TILE_SUMS];
    ptrdiff_t at[2] = {register_at(first_register, c->kv->D),
                       register_at(first_register + 1, c->kv->D)};
    tile_add_8(sum, true, (TileFactor){t->p, t->stride, 1}, c->values + at[0], c->v_step,
               at[1] - at[0], t->n_least);
    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < 2; v++) {
            Lanes y = lanes_load(sum + (2 * r + v) * LANES);
            for (int j = t->n_least; j < t->n[r]; j++)
                y = lanes_fma(lanes_all(t->p[r * t->stride + j]),
                              lanes_load(c->values + j * c->v_step + at[v]), y);
            output_store(t->o[r], at[v], y / t->total[r], c->kv->D);
        }
}

/* Chains of additions in key order; the rows' chains run side by side. */
INLINE void totals(const int R, Tile *t)
{
    float sum[TILE_ROWS] = {0};
    for (int j = 0; j < t->n_least; j++)
#pragma GCC unroll 8
        for (int r = 0; r < R; r++) sum[r] += t->p[r * t->stride + j];
    for (int r = 0; r < R; r++) {
        for (int j = t->n_least; j < t->n[r]; j++) sum[r] += t->p[r * t->stride + j];
        t->total[r] = sum[r];
    }
}

INLINE void softmax(const int R, Tile *t, float scale)
{
    float largest[TILE_ROWS];
    for (int r = 0; r < R; r++) largest[r] = exponentials(t->p + r * t->stride, t->n[r], scale);
    totals(R, t);
    for (int r = 0; r < R; r++)
        if (t->lse[r]) *t->lse[r] = scale * largest[r] + (float)log((double)t->total[r]);
}

INLINE void tile_forward(const int R, const int V, const Context *c, Tile *t, float scale)
{
    scores(R, V, c, t);
    softmax(R, t, scale);
    for (int v = 0; v * LANES < c->kv->D; v += V) weigh_values(R, V, c, t, v);
}

CLONES static void tile_forward_8(const Context *c, Tile *t, float scale)
{
    scores_8(c, t);
    softmax(TILE_ROWS, t, scale);
    for (int v = 0; v * LANES < c->kv->D; v += 2) weigh_values_8(c, t, v);
}

typedef void tile_fn(const Context *c, Tile *t, float scale);
#define TILE_FORWARD(R, V)                                                                         \
    CLONES static void tile_forward_##R##_##V(const Context *c, Tile *t, float scale)              \
    {                                                                                              \
        tile_forward(R, V, c, t, scale);                                                           \
    }
TILE_FORWARD(1, 4)
TILE_FORWARD(2, 4)
TILE_FORWARD(3, 4)
TILE_FORWARD(4, 4)
TILE_FORWARD(1, 2)
TILE_FORWARD(2, 2)
TILE_FORWARD(3, 2)
TILE_FORWARD(4, 2)

/* By the number of pairs and whether a head has more than two registers. */
static tile_fn *kernel_of(int R, bool wide)
{
    static tile_fn *const narrow_heads[] = {NULL, tile_forward_1_2, tile_forward_2_2,
                                            tile_forward_3_2, tile_forward_4_2};
    static tile_fn *const wide_heads[] = {NULL, tile_forward_1_4, tile_forward_2_4,
                                          tile_forward_3_4, tile_forward_4_4};
    return R == TILE_ROWS ? tile_forward_8 : wide ? wide_heads[R] : narrow_heads[R];
}

static int tile_size(int left)
{
    return left >= 8 ? 8 : left >= 4 ? 4 : left;
}

/* What one call works on. */
typedef struct {
    float *o, *lse;
    const float *q;
    int ldq, H;
    const KvLayer *kv;
    float scale;
} Call;

/* Pairs first .. first + R of a segment's (row, head) list for kv head h; q [R][D] and p are filled
 * in by the caller's scratch. */
static void tile_set(Tile *t, const Call *a, const AttnSegment *seg, int h, int first, int R,
                     float *q)
{
    int D = a->kv->D, G = a->H / a->kv->Kh;
    for (int r = 0; r < R; r++) {
        int row = (first + r) / G, head = h * G + (first + r) % G;
        size_t i = (size_t)(seg->row + row);
        memcpy(q + r * D, a->q + i * (size_t)a->ldq + head * D, (size_t)D * sizeof *q);
        t->n[r] = seg->n_keys - (seg->n_rows - 1 - row);
        t->o[r] = a->o + (i * (size_t)a->H + (size_t)head) * (size_t)D;
        t->lse[r] = a->lse ? a->lse + i * (size_t)a->H + head : NULL;
    }
    t->q = q;
    t->n_least = t->n[0];
    t->n_most = t->n[R - 1];
    t->n_blocks = 0;
    for (int n = 0; n < t->n_most; t->n_blocks++) n += seg->blocks[t->n_blocks].n;
}

/* Rows first .. end of a segment for kv head h. */
static void piece_forward(const Call *a, const AttnSegment *seg, int h, int first, int end)
{
    int D = a->kv->D, G = a->H / a->kv->Kh, n_most = seg->n_keys - (seg->n_rows - end),
        n_blocks = 0;
    size_t stride = (size_t)seg->n_keys + 2 * KV_PAGE;
    float *q = scratch_take(SCRATCH_SCORES, TILE_ROWS * (stride + (size_t)D) * sizeof *q);
    Context c = {seg, a->kv, h, false, a->kv->dtype == DTYPE_BF16, NULL, NULL, D};
    for (int n = 0; n < n_most; n_blocks++) n += seg->blocks[n_blocks].n;
    if ((end - first) * G >= GATHER_FROM || D < LANES) context_gather(&c, n_blocks);
    for (int pair = first * G, R; pair < end * G; pair += R) {
        Tile t = {.p = q + TILE_ROWS * D, .stride = (ptrdiff_t)stride};
        R = tile_size(end * G - pair);
        tile_set(&t, a, seg, h, pair, R, q);
        kernel_of(R, D > 2 * LANES)(&c, &t, a->scale);
    }
}

typedef struct {
    int seg, h, first;
} Piece;

void op_attention(float *o, float *lse, const float *q, int ldq, const KvLayer *kv,
                  const AttnSegment *segs, int n_segs, int H, float scale)
{
    REQUIRE(H % kv->Kh == 0, "%d heads for %d kv heads", H, kv->Kh);
    Call call = {o, lse, q, ldq, H, kv, scale};
    size_t n_pieces = 0, work = 0;
    for (int s = 0; s < n_segs; s++) {
        n_pieces += (size_t)kv->Kh * (size_t)((segs[s].n_rows + PIECE_ROWS - 1) / PIECE_ROWS);
        work += (size_t)segs[s].n_rows * (size_t)segs[s].n_keys * (size_t)H * (size_t)kv->D;
    }
    Piece *pieces = scratch_take(SCRATCH_SHARED, (n_pieces + 1) * sizeof *pieces);
    n_pieces = 0;
    for (int h = 0; h < kv->Kh; h++) /* segments inside: neighbours share their prompt's pages */
        for (int s = 0; s < n_segs; s++)
            for (int i = 0; i < segs[s].n_rows; i += PIECE_ROWS)
                pieces[n_pieces++] = (Piece){s, h, i};
#pragma omp parallel for schedule(dynamic, 4) if (work > 8 * (size_t)WORTH_THREADS)
    for (size_t i = 0; i < n_pieces; i++) {
        const AttnSegment *s = &segs[pieces[i].seg];
        int end = pieces[i].first + PIECE_ROWS;
        piece_forward(&call, s, pieces[i].h, pieces[i].first, end < s->n_rows ? end : s->n_rows);
    }
}

void op_kv_store(const KvLayer *kv, const float *k, const float *v, int ld, const int32_t *slot,
                 int M)
{
    int D = kv->D;
    for (int i = 0; i < M; i++)
        for (int h = 0; h < kv->Kh; h++) {
            const float *key = k + (size_t)i * (size_t)ld + h * D,
                        *value = v + (size_t)i * (size_t)ld + h * D;
            size_t at = page_at(kv, slot[i] / KV_PAGE, h), t = (size_t)(slot[i] % KV_PAGE);
            if (kv->dtype == DTYPE_F32) {
                float *to = (float *)kv->k + at + t;
                for (int d = 0; d < D; d++) to[(size_t)d * KV_PAGE] = key[d];
                memcpy((float *)kv->v + at + t * (size_t)D, value, (size_t)D * sizeof *value);
            } else {
                uint16_t *to = (uint16_t *)kv->k + at + t,
                         *tv = (uint16_t *)kv->v + at + t * (size_t)D;
                for (int d = 0; d < D; d++) to[(size_t)d * KV_PAGE] = bf16_from_f32(key[d]);
                for (int d = 0; d < D; d++) tv[d] = bf16_from_f32(value[d]);
            }
        }
}

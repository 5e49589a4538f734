/* Drawing a token: one uniform number and the inverse of the cumulative distribution in vocabulary
 * order. Block sums are row_sum's (f32 lanes within 512), their running sum is in double; within
 * the block that u falls into, the weights are added one by one in double. Truncation leaves a set
 * "z above a threshold, or equal to it with a small enough id", so a truncated row is drawn by the
 * same two passes with the other weights 0.
 */
#include <math.h>
#include <stdlib.h>

#include "common/errors.h"
#include "common/ops.h"
#include "common/ops/lanes.h"
#include "common/ops/rowsum.h"
#include "common/ops/scratch.h"

/* The tokens that may be drawn: z > least, or z == least and id <= last_id. */
typedef struct {
    float least;
    int last_id;
} Kept;

typedef struct {
    float z;
    int id;
} Candidate;

static int by_rank(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->z != y->z) return x->z > y->z ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

static float weight_of(float z, float largest)
{
    return exp_f32(z - largest);
}

/* A row at the sampling temperature. */
typedef struct {
    const float *logits;
    int V;
    float inv_temp, largest;
    double total; /* of the weights exp(z - largest) */
} Row;

/* The tokens of z >= least: how many, and their weight. */
typedef struct {
    float least;
    int count;
    double mass;
} Level;

CLONES static Level level_at(const Row *row, float least)
{
    Level level = {least, 0, 0};
    for (int first = 0; first < row->V; first += ROW_BLOCK) {
        Lanes sum = lanes_all(0);
        LanesMask count = {0};
        for (int i = first; i < first + ROW_BLOCK && i < row->V; i += LANES) {
            int n = row->V - i;
            Lanes z = (n >= LANES ? lanes_load(row->logits + i)
                                  : lanes_load_part(row->logits + i, n, NAN)) *
                      row->inv_temp;
            LanesMask in = z >= lanes_all(least); /* not the padding */
            count -= in;
            sum += lanes_select(in, lanes_exp(z - row->largest), lanes_all(0));
        }
        level.mass += lanes_sum(sum);
        for (int l = 0; l < LANES; l++) level.count += count[l];
    }
    return level;
}

static bool level_suffices(const Level *level, int count, double mass)
{
    return level->count >= count && level->mass >= mass;
}

/* Levels that enclose the last token wanted, few tokens apart: above has too little, below has
 * `count` tokens and `mass`. */
static void enclose(const Row *row, int count, double mass, Level *above, Level *below)
{
    enum { FEW = 64, HALVINGS = 24 };
    float near = 0, far = 1;
    *above = (Level){INFINITY, 0, 0};
    for (;; far *= 2) {
        *below = level_at(row, far > 300 ? -INFINITY : row->largest - far);
        if (far > 300 || level_suffices(below, count, mass)) break;
        *above = *below;
        near = far;
    }
    for (int i = 0; i < HALVINGS && below->count - above->count > FEW && far <= 300; i++) {
        float middle = (near + far) / 2;
        Level level = level_at(row, row->largest - middle);
        if (level_suffices(&level, count, mass)) {
            *below = level;
            far = middle;
        } else {
            *above = level;
            near = middle;
        }
    }
}

/* The tokens between two levels, most probable first. Valid until the next call. */
static Candidate *candidates(const Row *row, const Level *above, const Level *below, int *n)
{
    *n = below->count - above->count;
    Candidate *c = scratch_take(SCRATCH_SAMPLE, (size_t)(*n + 1) * sizeof *c);
    for (int i = 0, k = 0; k < *n; i++) {
        float z = row->logits[i] * row->inv_temp;
        if (z >= below->least && z < above->least) c[k++] = (Candidate){z, i};
    }
    qsort(c, (size_t)*n, sizeof *c, by_rank);
    return c;
}

static Kept keep_to(const Candidate *c)
{
    return (Kept){c->z, c->id};
}

/* The first of the candidates with which the mass, `sum` before them, reaches `wanted`; n - 1 if
 * none does. */
static int reach(const Candidate *c, int n, double sum, double wanted, float largest)
{
    for (int i = 0; i < n; i++) {
        sum += weight_of(c[i].z, largest);
        if (sum >= wanted) return i;
    }
    return n - 1;
}

static Kept keep_top_p(const Row *row, double wanted)
{
    Level above, below;
    int n;
    enclose(row, 1, wanted, &above, &below);
    Candidate *c = candidates(row, &above, &below, &n);
    return n ? keep_to(&c[reach(c, n, above.mass, wanted, row->largest)])
             : (Kept){below.least, row->V};
}

/* top-k, and top-p of what that leaves. */
static Kept keep_top_k(const Row *row, int k, float top_p)
{
    Level above, below;
    int n;
    enclose(row, k, 0, &above, &below);
    if (top_p < 1) above = (Level){INFINITY, 0, 0}; /* all of them are ranked */
    Candidate *c = candidates(row, &above, &below, &n);
    k -= above.count;
    if (top_p >= 1) return keep_to(&c[k - 1]);
    double mass = 0;
    for (int i = 0; i < k; i++) mass += weight_of(c[i].z, row->largest);
    return keep_to(&c[reach(c, k, 0, (double)top_p * mass, row->largest)]);
}

/* The least z whose weight is at least min_p times the largest's, which is 1. */
CLONES static float least_of_min_p(const Row *row, float min_p)
{
    float least = row->largest;
    for (int i = 0; i < row->V; i++) {
        float z = row->logits[i] * row->inv_temp;
        least = exp_f32(z - row->largest) >= min_p && z < least ? z : least;
    }
    return least;
}

/* top-k first, then top-p of what is left, then min-p: Hugging Face's order. */
static Kept truncate_row(const Row *row, const SamplingParams *p)
{
    Kept kept = {-INFINITY, row->V};
    if (p->top_k > 0 && p->top_k < row->V)
        kept = keep_top_k(row, p->top_k, p->top_p);
    else if (p->top_p < 1)
        kept = keep_top_p(row, (double)p->top_p * row->total);
    if (p->min_p > 0) {
        float least = least_of_min_p(row, p->min_p);
        if (least > kept.least) kept = (Kept){least, row->V};
    }
    return kept;
}

INLINE float kept_weight(const Kept *k, float z, int id, float largest)
{
    if (z < k->least || (z == k->least && id > k->last_id)) return 0;
    return weight_of(z, largest);
}

/* Block sums of the kept weights, in row_sum's order; their running sum. */
CLONES static double kept_sums(const float *logits, int V, float inv_temp, float largest,
                               const Kept *k, float *block_sum)
{
    double total = 0;
    for (int first = 0; first < V; first += ROW_BLOCK) {
        Lanes sum = lanes_all(0);
        for (int i = first; i < first + ROW_BLOCK && i < V; i += LANES) {
            Lanes z = (i + LANES <= V ? lanes_load(logits + i)
                                      : lanes_load_part(logits + i, V - i, -INFINITY)) *
                      inv_temp;
            LanesMask above = z > lanes_all(k->least), at = z == lanes_all(k->least);
            for (int l = 0; l < LANES; l++) at[l] &= i + l <= k->last_id ? -1 : 0;
            sum += lanes_select(above | at, lanes_exp(z - largest), lanes_all(0));
        }
        block_sum[first / ROW_BLOCK] = lanes_sum(sum);
        total += block_sum[first / ROW_BLOCK];
    }
    return total;
}

/* The first token whose running sum exceeds `wanted`. Rounding may leave none in the block where
 * the block sums say so: then its last token with a weight. */
static int draw(const float *logits, int V, float inv_temp, float largest, const Kept *k,
                const float *block_sum, double wanted)
{
    int b = 0, n_blocks = (V + ROW_BLOCK - 1) / ROW_BLOCK, last = -1;
    double running = 0;
    while (b < n_blocks - 1 && running + block_sum[b] <= wanted) running += block_sum[b++];
    for (int i = b * ROW_BLOCK; i < V && i < (b + 1) * ROW_BLOCK; i++) {
        float w = kept_weight(k, logits[i] * inv_temp, i, largest);
        running += w;
        if (w > 0) last = i;
        if (w > 0 && running > wanted) return i;
    }
    REQUIRE(last >= 0, "no token of the row has a weight");
    return last;
}

static Drawn draw_greedy(const float *logits, int V, const RowSum *s)
{
    int token = 0;
    while (token < V - 1 && logits[token] != s->largest) token++;
    float lp = row_logprob(s, logits[token]);
    return (Drawn){token, lp, lp, 0};
}

Drawn op_sample(const float *logits, int V, const SamplingParams *p, float u)
{
    REQUIRE(V > 0 && p->temperature >= 0 && u >= 0 && u < 1, "V %d, temperature %g, u %g", V,
            (double)p->temperature, (double)u);
    float *block_sum =
        scratch_take(SCRATCH_SHARED, ((size_t)V / ROW_BLOCK + 1) * sizeof *block_sum);
    float inv_temp = p->temperature > 0 ? 1.0f / p->temperature : 1.0f;
    RowSum s = row_sum(logits, V, inv_temp, block_sum, NULL);
    REQUIRE(isfinite(s.total) && isfinite(s.largest),
            "the logits of a row are not finite: the model has diverged");
    if (p->temperature == 0) return draw_greedy(logits, V, &s);
    bool truncated = (p->top_k > 0 && p->top_k < V) || p->top_p < 1 || p->min_p > 0;
    Kept kept = {-INFINITY, V};
    RowSum from = s;
    if (truncated) {
        kept = truncate_row(&(Row){logits, V, inv_temp, s.largest, s.total}, p);
        from.total = kept_sums(logits, V, inv_temp, s.largest, &kept, block_sum);
        from.log_total = log(from.total);
    }
    Drawn d = {.token =
                   draw(logits, V, inv_temp, s.largest, &kept, block_sum, (double)u * from.total)};
    float z = logits[d.token] * inv_temp;
    d.logprob = row_logprob(&s, z);
    d.logprob_sampled = row_logprob(&from, z);
    d.logprob_untempered = d.logprob;
    if (inv_temp != 1) {
        RowSum plain = row_sum(logits, V, 1, NULL, NULL);
        d.logprob_untempered = row_logprob(&plain, logits[d.token]);
    }
    return d;
}

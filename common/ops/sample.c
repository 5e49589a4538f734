/* Drawing a token: one uniform number and the inverse of the cumulative distribution in vocabulary order. Block sums are
 * row_sum's (f32 lanes within 512), their running sum is in double; within the block that u falls into, the weights are added one
 * by one in double. Truncation leaves a set "z above a threshold, or equal to it with a small enough id", so a
 * truncated row is drawn by the same two passes with the other weights 0.
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

CLONES static int count_from(const float *logits, int V, float inv_temp, float least)
{
    int n = 0;
    for (int i = 0; i < V; i++) n += logits[i] * inv_temp >= least;
    return n;
}

/* The candidates of z >= least, most probable first; *n of them. Valid until the next call. */
static Candidate *candidates(const float *logits, int V, float inv_temp, float least, int *n)
{
    *n = count_from(logits, V, inv_temp, least);
    Candidate *c = scratch_take(SCRATCH_SAMPLE, (size_t)*n * sizeof *c);
    for (int i = 0, k = 0; k < *n; i++)
        if (logits[i] * inv_temp >= least) c[k++] = (Candidate){logits[i] * inv_temp, i};
    qsort(c, (size_t)*n, sizeof *c, by_rank);
    return c;
}

/* How many of the first candidates top_p keeps of `mass`: up to the one that reaches it; n + 1 if none does. */
static int nucleus(const Candidate *c, int n, float largest, double wanted)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += weight_of(c[i].z, largest);
        if (sum >= wanted) return i + 1;
    }
    return n + 1;
}

static double mass_of(const Candidate *c, int n, float largest)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += weight_of(c[i].z, largest);
    return sum;
}

/* top-k first, then top-p of what is left, then min-p: as in Hugging Face's order. Few candidates are usually enough: they are
 * taken from an interval below the largest that grows until it has what is asked for. */
static Kept truncate_row(const float *logits, int V, const SamplingParams *p, float inv_temp,
                         const RowSum *s)
{
    bool top_k = p->top_k > 0 && p->top_k < V, top_p = p->top_p < 1;
    Kept kept = {-INFINITY, V};
    for (float depth = 4; top_k || top_p; depth *= 2) {
        float least = depth > 300 ? -INFINITY : s->largest - depth;
        bool all = least == -INFINITY;
        int n, keep;
        Candidate *c = candidates(logits, V, inv_temp, least, &n);
        if (top_k && n < p->top_k && !all) continue;
        keep = top_k && p->top_k < n ? p->top_k : n;
        if (top_p) {
            double mass = top_k ? mass_of(c, keep, s->largest) : s->total;
            int nucleus_size = nucleus(c, keep, s->largest, (double)p->top_p * mass);
            if (nucleus_size > keep && !top_k && !all) continue;
            if (nucleus_size < keep) keep = nucleus_size;
        }
        kept = (Kept){c[keep - 1].z, c[keep - 1].id};
        break;
    }
    if (p->min_p > 0) {
        /* exp is monotone enough to search: the least z whose weight is at least min_p is found by the test itself. */
        Candidate worst = {kept.least, kept.last_id};
        float least = s->largest + logf(p->min_p) - 1;
        int n;
        Candidate *c = candidates(logits, V, inv_temp, least, &n);
        while (n > 1 && weight_of(c[n - 1].z, s->largest) < p->min_p) n--;
        if (by_rank(&c[n - 1], &worst) < 0) kept = (Kept){c[n - 1].z, c[n - 1].id};
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

/* The first token whose running sum exceeds `wanted`. Rounding may leave none in the block where the block sums say so: then its
 * last token with a weight. */
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
        kept = truncate_row(logits, V, p, inv_temp, &s);
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

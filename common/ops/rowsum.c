/* Sums over a row of logits: see rowsum.h. */
#include "common/ops/rowsum.h"

#include <math.h>

#include "common/ops/lanes.h"

CLONES static float row_largest(const float *logits, int V)
{
    Lanes a = lanes_all(-INFINITY), b = a, c = a, d = a;
    int i = 0;
    for (; i + 4 * LANES <= V; i += 4 * LANES) {
        a = lanes_max(lanes_load(logits + i), a);
        b = lanes_max(lanes_load(logits + i + LANES), b);
        c = lanes_max(lanes_load(logits + i + 2 * LANES), c);
        d = lanes_max(lanes_load(logits + i + 3 * LANES), d);
    }
    float most = lanes_largest(lanes_max(lanes_max(a, b), lanes_max(c, d)));
    for (; i < V; i++) most = logits[i] > most ? logits[i] : most;
    return most;
}

/* Adds the exponentials of one register of logits to its lanes; those of -infinity are 0, times (z
 * - largest) too. */
INLINE void add_register(Lanes z, float inv_temp, float largest, Lanes *sum, Lanes *slope,
                         const int with_slope)
{
    Lanes x = z * inv_temp - largest, e = lanes_exp(x);
    *sum += e;
    if (with_slope) *slope += lanes_select(e > lanes_all(0), e * x, lanes_all(0));
}

INLINE void block_sums(const float *logits, int n, float inv_temp, float largest, float *sum,
                       float *slope, const int with_slope)
{
    Lanes s = lanes_all(0), t = lanes_all(0);
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        add_register(lanes_load(logits + i), inv_temp, largest, &s, &t, with_slope);
    if (i < n)
        add_register(lanes_load_part(logits + i, n - i, -INFINITY), inv_temp, largest, &s, &t,
                     with_slope);
    *sum = lanes_sum(s);
    *slope = lanes_sum(t);
}

CLONES static void block_sum_only(const float *logits, int n, float inv_temp, float largest,
                                  float *sum)
{
    float unused;
    block_sums(logits, n, inv_temp, largest, sum, &unused, 0);
}

CLONES static void block_sum_slope(const float *logits, int n, float inv_temp, float largest,
                                   float *sum, float *slope)
{
    block_sums(logits, n, inv_temp, largest, sum, slope, 1);
}

RowSum row_sum(const float *logits, int V, float inv_temp, float *block_sum, double *slope)
{
    RowSum s = {row_largest(logits, V) * inv_temp, 0, 0};
    double slopes = 0;
    for (int i = 0; i < V; i += ROW_BLOCK) {
        int n = V - i < ROW_BLOCK ? V - i : ROW_BLOCK;
        float sum, part = 0;
        if (slope)
            block_sum_slope(logits + i, n, inv_temp, s.largest, &sum, &part);
        else
            block_sum_only(logits + i, n, inv_temp, s.largest, &sum);
        if (block_sum) block_sum[i / ROW_BLOCK] = sum;
        s.total += sum;
        slopes += part;
    }
    s.log_total = log(s.total);
    if (slope) *slope = slopes;
    return s;
}

float row_logprob(const RowSum *s, float z)
{
    return (float)((double)z - ((double)s->largest + s->log_total));
}

/* Log-probabilities of targets over rows of logits, and their gradient. A row is one thread's. */
#include "common/errors.h"
#include "common/ops.h"
#include "common/ops/lanes.h"
#include "common/ops/parallel.h"
#include "common/ops/rowsum.h"

void op_logprob(float *lp, float *lse, float *entropy, const float *logits, const int32_t *target,
                int M, int V, float inv_temp)
{
#pragma omp parallel for schedule(static) if ((size_t)M * (size_t)V > WORTH_THREADS / 4)
    for (int i = 0; i < M; i++) {
        const float *row = logits + (size_t)i * (size_t)V;
        REQUIRE(target[i] >= 0 && target[i] < V, "target %d of %d tokens", target[i], V);
        double slope;
        RowSum s = row_sum(row, V, inv_temp, NULL, entropy ? &slope : NULL);
        lp[i] = row_logprob(&s, row[target[i]] * inv_temp);
        if (lse) lse[i] = (float)((double)s.largest + s.log_total);
        if (entropy) entropy[i] = (float)(s.log_total - slope / s.total);
    }
}

CLONES static void gradient_row(float *to, const float *logits, int V, float inv_temp, float lse,
                                float c)
{
    int i = 0;
    for (; i + LANES <= V; i += LANES)
        lanes_store(to + i, lanes_exp(lanes_load(logits + i) * inv_temp - lse) * c);
    for (; i < V; i++) to[i] = exp_f32(logits[i] * inv_temp - lse) * c;
}

void op_logprob_backward(float *dlogits, const float *logits, const float *lse,
                         const int32_t *target, const float *dlp, int M, int V, float inv_temp)
{
#pragma omp parallel for schedule(static) if ((size_t)M * (size_t)V > WORTH_THREADS / 4)
    for (int i = 0; i < M; i++) {
        size_t at = (size_t)i * (size_t)V, t = at + (size_t)target[i];
        float scale = dlp[i] * inv_temp;
        if (dlp[i] == 0) {
            memset(dlogits + at, 0, (size_t)V * sizeof *dlogits);
            continue;
        }
        float p = exp_f32(logits[t] * inv_temp - lse[i]);
        gradient_row(dlogits + at, logits + at, V, inv_temp, lse[i], -scale);
        dlogits[t] = (1.0f - p) * scale;
    }
}

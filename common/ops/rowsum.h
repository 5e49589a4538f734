/* The sums over a row of logits that op_logprob and op_sample share, so that a token's
 * log-probability has the same bits in both. */
#ifndef COMMON_OPS_ROWSUM_H
#define COMMON_OPS_ROWSUM_H

#define ROW_BLOCK 512 /* vocabulary entries of a block; a whole number of registers */

/* With z = logits * inv_temp over [V]: the largest z, the sum of exp(z - largest), and log of that
 * sum. */
typedef struct {
    float largest;
    double total, log_total;
} RowSum;

/* block_sum [ceil(V / 512)] out: sums of exp(z - largest) within blocks: 16 lanes in f32, then the
 * fixed tree; total adds them in order in double. NULL: not wanted. slope: NULL, or out: sum of
 * exp(z - largest) (z - largest), added up in the same way. */
RowSum row_sum(const float *logits, int V, float inv_temp, float *block_sum, double *slope);

float row_logprob(const RowSum *s, float z); /* z - log sum exp, rounded once */

#endif

/* Token embedding: a row of the table for each token; the backward adds into the table's gradient.
 */
#include "common/errors.h"
#include "common/ops.h"
#include "common/ops/lanes.h"
#include "common/ops/parallel.h"

CLONES static void embed_f32(float *y, const float *row, int C, bool round_bf16)
{
    if (!round_bf16)
        memcpy(y, row, (size_t)C * sizeof *y);
    else
        for (int c = 0; c < C; c++) y[c] = f32_from_bf16(bf16_from_f32(row[c]));
}

CLONES static void embed_bf16(float *y, const uint16_t *row, int C)
{
    for (int c = 0; c < C; c++) y[c] = f32_from_bf16(row[c]);
}

void op_embed(float *y, const void *table, Dtype dtype, bool round_bf16, const int32_t *token,
              int M, int C)
{
    REQUIRE(dtype == DTYPE_F32 || dtype == DTYPE_BF16, "embedding table of %s", dtype_name(dtype));
    for (int i = 0; i < M; i++) {
        size_t from = (size_t)token[i] * (size_t)C;
        float *to = y + (size_t)i * (size_t)C;
        if (dtype == DTYPE_F32)
            embed_f32(to, (const float *)table + from, C, round_bf16);
        else
            embed_bf16(to, (const uint16_t *)table + from, C);
    }
}

CLONES static void row_add(float *y, const float *x, int n)
{
    for (int i = 0; i < n; i++) y[i] += x[i];
}

void op_embed_backward(float *dtable, const float *dy, const int32_t *token, int M, int C)
{
    for (int i = 0; i < M; i++)
        row_add(dtable + (size_t)token[i] * (size_t)C, dy + (size_t)i * (size_t)C, C);
}

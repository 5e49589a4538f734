/* See scalar_head.h. */
#include "common/scalar_head.h"

#include "common/errors.h"
#include "common/memory.h"

void scalar_head_read(ScalarHead *head, const TensorFile *f)
{
    const ModelDesc *d = tensor_file_desc(f);
    REQUIRE(d->scalar, "a model without a scalar head");
    *head = (ScalarHead){.C = d->C, .pad = d->pad, .w = NEW(float, d->C)};
    tensor_read(tensor_file_find(f, "score.weight"), head->w);
    if (!d->scalar_bias) return;
    float b;
    tensor_read(tensor_file_find(f, "score.bias"), &b);
    head->b = (double)b;
}

void scalar_head_free(ScalarHead *head)
{
    mem_free(head->w);
    *head = (ScalarHead){0};
}

int scalar_head_length(const ScalarHead *head, const int32_t *tokens, int n)
{
    while (n > 1 && tokens[n - 1] == head->pad) n--;
    return n;
}

double scalar_head_value(const ScalarHead *head, const float *h)
{
    double sum = head->b;
    for (int i = 0; i < head->C; i++) sum += (double)head->w[i] * (double)h[i];
    return sum;
}

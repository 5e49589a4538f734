/* The head of a reward model: a text's worth is one number,
 *
 *   r = w . h + b
 *
 * h the hidden state after the last norm of the text's last token (specification 3, section 0.2;
 * transformers' *ForSequenceClassification with one label). On the ring: beside the model of a
 * judge that judge_scalar asks. Weights stay f32 and the sum is taken in double, in order, whatever
 * the model computes in: 1 x C products are no work, and so a head has one result.
 */
#ifndef COMMON_SCALAR_HEAD_H
#define COMMON_SCALAR_HEAD_H

#include "common/tensors.h"

typedef struct {
    int C, pad; /* pad: a token that does not count at a text's end; -1: none */
    float *w;   /* [C] */
    double b;
} ScalarHead;

/* f: of tensor_file_open_scalar. scalar_head_free accepts an empty one. */
void scalar_head_read(ScalarHead *head, const TensorFile *f);
void scalar_head_free(ScalarHead *head);

/* How many of a text's tokens [n] count: all but pads at its end, and at least the first. */
int scalar_head_length(const ScalarHead *head, const int32_t *tokens, int n);
/* h [C]. Not finite where h or the weights are not. */
double scalar_head_value(const ScalarHead *head, const float *h);

#endif

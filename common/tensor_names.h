/* The tensors that a description implies: names in both worlds, and shapes. One table serves
 * reading, checking and writing. */
#ifndef COMMON_TENSOR_NAMES_H
#define COMMON_TENSOR_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/tensors.h"

typedef struct TensorSpec {
    char name[96];      /* Hugging Face's: "model.layers.3.self_attn.q_proj.weight" */
    char gguf_name[96]; /* "blk.3.attn_q.weight" */
    int n_dims;         /* 1 or 2 */
    int64_t dims[2];    /* row-major, slowest first */
    int rope_heads;     /* > 0: a q or k projection, whose rows llama.cpp's converter interleaves in
                           "llama" files */
} TensorSpec;

/* How many tensors a model of this description has, and the i-th: embedding, layers in order, last
 * norm, LM head if it is its own, or the scalar head. */
int tensor_spec_count(const ModelDesc *d);
void tensor_spec_at(const ModelDesc *d, int i, TensorSpec *out);

/* GGUF's name -> Hugging Face's. False (out is a copy) if the table has no such name. out [96]. */
bool tensor_name_from_gguf(const char *name, size_t n, char out[96]);

#endif

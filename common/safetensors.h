/* One .safetensors file: a JSON header (name -> dtype, shape, byte range) before the numbers. */
#ifndef COMMON_SAFETENSORS_H
#define COMMON_SAFETENSORS_H

#include "common/memory.h"
#include "common/tensors.h"

/* Appends the tensors of a mapped file to *out [*n_out] (grown by mem_resize; the data points into
 * the mapping). Checked before use: header length against the file, types, products of shapes,
 * ranges inside the data, disjoint and without gaps, names unique. name stands in messages. 0 or
 * -1. */
int safetensors_parse(const char *name, const unsigned char *data, size_t size, Tensor **out,
                      int *n_out);

/* Appends the header (8-byte length and padded JSON) for tensors of one dtype, whose numbers follow
 * in this order without gaps. */
void safetensors_header(const TensorView *t, int n, Dtype dtype, Buffer *out);

#endif

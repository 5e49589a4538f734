/* What both writers of model files share. */
#ifndef COMMON_TENSORS_EXPORT_H
#define COMMON_TENSORS_EXPORT_H

#include "common/aside.h"
#include "common/tensor_names.h"

/* The numbers of a list of views, by name: a tensor_fetch_fn with a TensorList behind ctx. */
typedef struct {
    const TensorView *views;
    int n;
} TensorList;
const float *tensor_list_fetch(void *ctx, const TensorSpec *spec);

/* 0 if the views are the tensors that d implies, each with its shape. */
int tensor_list_check(const TensorList *list, const ModelDesc *d);

/* Fetches one tensor and writes it as dtype. interleave: q and k rows in llama.cpp's order. 0 or
 * -1. */
int tensor_write(Aside *a, const TensorSpec *spec, tensor_fetch_fn *fetch, void *ctx, Dtype dtype,
                 bool interleave);

#endif

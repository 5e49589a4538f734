/* What the readers of model files share: the open file, and the check of what was found against
 * what the description implies. */
#ifndef COMMON_TENSORS_INTERNAL_H
#define COMMON_TENSORS_INTERNAL_H

#include "common/filemap.h"
#include "common/gguf.h"
#include "common/tensors.h"

struct TensorFile {
    char *path;
    ModelDesc desc;
    GgufFile *gguf; /* NULL for safetensors */
    FileMap *maps;  /* [n_maps] safetensors */
    int n_maps;
    Tensor *tensors; /* [n_tensors] in the order of tensor_names.h */
    int n_tensors;
    const Tensor **by_name; /* [n_tensors] sorted */
};

TensorFile *tensor_file_new(const char *path);

/* Takes exactly the tensors that f->desc implies from found [n] (names in Hugging Face's spelling;
 * sorted here): one that is missing, of another shape, there twice or not part of such a model is
 * refused. 0 or -1. */
int tensor_file_settle(TensorFile *f, Tensor *found, int n);

/* From an open GGUF file, which it takes over (closes it on failure too): for fuzzing from memory.
 */
TensorFile *tensor_file_from_gguf(GgufFile *g);

/* folder with config.json; only: one .safetensors file instead of the folder's own choice, or NULL.
 * scalar: a model with a scalar head is wanted, and no other. */
TensorFile *tensor_file_from_hf(const char *folder, const char *only, bool scalar);

#endif

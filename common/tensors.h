/* Model files: named tensors plus a description, from GGUF or Hugging Face folders, and back. */
#ifndef COMMON_TENSORS_H
#define COMMON_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dtype.h"

/* What decides the shape of a decoder-only transformer of the Llama family; one row of data, no
 * code per model. */
typedef struct {
    char architecture[16]; /* "llama", "qwen2", "qwen3" */
    int L, C, H, Kh, D, F,
        V; /* layers, channels, heads, kv heads, head size, MLP width, vocabulary */
    int max_positions;
    float rms_eps;
    double rope_theta;
    bool tied;     /* LM head is the embedding */
    bool qkv_bias; /* Qwen2 */
    bool qk_norm;  /* Qwen3 */
    int bos, eos;  /* -1: none */
    /* A reward model: instead of an LM head one row of numbers, score.weight [1, C], perhaps
     * score.bias [1]. pad: a token that does not count at a text's end; -1: none. */
    bool scalar, scalar_bias;
    int pad;
} ModelDesc;

/* 0, or -1 with the reason: values that cannot be (H % Kh, odd D, zero sizes, products past 2^31).
 */
int model_desc_check(const ModelDesc *d);

typedef struct {
    /* Hugging Face's: "model.layers.3.self_attn.q_proj.weight" (GGUF names are translated,
     * permutations undone) */
    char name[96];
    Dtype dtype;
    int n_dims;
    int64_t dims[4];    /* row-major, slowest first */
    const void *data;   /* into the file's mapping; dtype_bytes(dtype, product) bytes */
    bool rope_permuted; /* GGUF llama q/k rows are stored interleaved: tensor_read undoes it */
    int rope_heads;
} Tensor;

typedef struct TensorFile TensorFile;

/* path: a .gguf file, a folder with config.json + *.safetensors (sharded:
 * model.safetensors.index.json), or one .safetensors file (then config.json beside it). Everything
 * is checked before anything is used (operations.md 8): NULL with one clear error (file, what,
 * where, what to do). Maps, does not read. */
TensorFile *tensor_file_open(const char *path);
/* The same of a reward model with a scalar head (*ForSequenceClassification with one label), which
 * tensor_file_open refuses, as this refuses all others. folder: Hugging Face's. */
TensorFile *tensor_file_open_scalar(const char *folder);
void tensor_file_close(TensorFile *f);
const ModelDesc *tensor_file_desc(const TensorFile *f);
int tensor_file_count(const TensorFile *f);
const Tensor *tensor_file_at(const TensorFile *f, int i);
const Tensor *tensor_file_find(const TensorFile *f, const char *name); /* NULL if absent */

/* Converts to f32 [product of dims], Hugging Face row order. */
void tensor_read(const Tensor *t, float *out);

/* Where the next tensor's numbers come from when writing: f32, asked for in the order of names. */
typedef struct {
    const char *name; /* Hugging Face's */
    int n_dims;
    int64_t dims[4];
    const float *data;
} TensorView;

/* Writes model.safetensors + config.json (generation_config.json) into an existing folder; dtype
 * F32, F16 or BF16. 0 or -1. Written aside, renamed. */
int tensors_export_hf(const char *folder, const ModelDesc *d, const TensorView *t, int n,
                      Dtype dtype);

/* Writes one .gguf with the tokenizer's metadata; dtype F32, F16, BF16, Q8_0 (norms and biases stay
 * F32). 0 or -1. Written aside, renamed. */
struct Tokenizer;
int tensors_export_gguf(const char *path, const ModelDesc *d, const TensorView *t, int n,
                        Dtype dtype, const struct Tokenizer *tok);

/* The same for numbers that are not all in memory at once: fetch gives the f32 numbers of one
 * tensor (its name and shape in spec), in the order of tensor_names.h; they must stay until the
 * next call. NULL: failed, with the reason logged, and nothing is left of the export. tok may be
 * NULL: then the file has no tokenizer. */
struct TensorSpec;
typedef const float *tensor_fetch_fn(void *ctx, const struct TensorSpec *spec);
int tensors_export_hf_from(const char *folder, const ModelDesc *d, tensor_fetch_fn *fetch,
                           void *ctx, Dtype dtype);
int tensors_export_gguf_from(const char *path, const ModelDesc *d, tensor_fetch_fn *fetch,
                             void *ctx, Dtype dtype, const struct Tokenizer *tok);

#endif

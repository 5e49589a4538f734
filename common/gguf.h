/* A GGUF file (versions 2 and 3, little endian): typed metadata and the list of its tensors.
 *
 * Read by tensors_gguf.c (weights) and by the tokenizer (tokenizer.ggml.*). The file is mapped and
 * wholly checked when it is opened: counts against the bytes that are there, every length,
 * duplicate keys, ranges of tensor data. After that nothing here can fail but a key of another type
 * than asked for. Texts are borrowed from the mapping and are NOT followed by a NUL. Source: the
 * format's description in ggml's repository, docs/gguf.md.
 */
#ifndef COMMON_GGUF_H
#define COMMON_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct GgufFile GgufFile;

typedef enum {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_TEXT,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPE_COUNT
} GgufType;

typedef struct {
    const char *data; /* [n] bytes, no NUL; may hold any byte */
    size_t n;
} GgufText;

/* One tensor as the file describes it. */
typedef struct {
    GgufText name;    /* GGUF's: "blk.3.attn_q.weight"; printable ASCII, 1 to 95 bytes */
    int n_dims;       /* 1 to 4 */
    int64_t dims[4];  /* GGUF's order: fastest first; each >= 1, product below 2^48 */
    uint32_t type;    /* ggml's number; gguf_dtype translates it */
    const void *data; /* of a type we read: checked to lie in the file; NULL for other types */
} GgufTensor;

/* NULL with one clear error (file, what, where, what to do). */
GgufFile *gguf_open(const char *path);
/* The same for bytes in memory that stay the caller's; name stands in messages. */
GgufFile *gguf_open_memory(const char *name, const void *data, size_t size);
void gguf_close(GgufFile *f);
const char *gguf_name(const GgufFile *f); /* the path */

/* True if the key is there, of whatever type; *type may be NULL, for an array it is the elements'
 * type and *is_array is set. */
bool gguf_has(const GgufFile *f, const char *key, GgufType *type, bool *is_array);

/* Metadata by key. All return 1 with the value, 0 if the key is absent (out untouched), -1 with the
 * reason if it has another type or does not fit. Integers are taken from any integer type, floats
 * from F32 and F64. */
int gguf_get_int(const GgufFile *f, const char *key, int64_t least, int64_t most, int64_t *out);
int gguf_get_u32(const GgufFile *f, const char *key, uint32_t *out);
int gguf_get_u64(const GgufFile *f, const char *key, uint64_t *out);
int gguf_get_float(const GgufFile *f, const char *key, double *out);
int gguf_get_bool(const GgufFile *f, const char *key, bool *out);
int gguf_get_text(const GgufFile *f, const char *key, GgufText *out);

/* Arrays; *out [*n] is allocated, the caller frees it with mem_free (NULL and n = 0 if absent; an
 * empty array gives a block of no use). */
int gguf_get_texts(const GgufFile *f, const char *key, GgufText **out,
                   size_t *n); /* the bytes are borrowed */
int gguf_get_ints(const GgufFile *f, const char *key, int64_t **out,
                  size_t *n); /* of any integer or bool type */
int gguf_get_floats(const GgufFile *f, const char *key, float **out, size_t *n);

/* True if the text is exactly this C string. */
bool gguf_text_is(GgufText t, const char *s);

/* Keys in the file's order, for listings. */
size_t gguf_key_count(const GgufFile *f);
GgufText gguf_key_at(const GgufFile *f, size_t i);

size_t gguf_tensor_count(const GgufFile *f);
const GgufTensor *gguf_tensor_at(const GgufFile *f, size_t i);

/* Our name of a ggml type, or -1 if it is not one that we read; and ggml's name of its number
 * ("Q4_K"), for messages. */
int gguf_dtype(uint32_t type);
const char *gguf_type_name(uint32_t type);

#endif

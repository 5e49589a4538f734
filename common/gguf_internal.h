/* What gguf.c (reading) and gguf_values.c (asking) share. */
#ifndef COMMON_GGUF_INTERNAL_H
#define COMMON_GGUF_INTERNAL_H

#include "common/filemap.h"
#include "common/gguf.h"

#define GGUF_DAMAGED "the file is damaged or incomplete: fetch it again"

typedef struct {
    GgufText key; /* first: the sorted index points at it */
    GgufType type;
    bool is_array;
    uint64_t count;            /* of an array's elements, otherwise 1 */
    const unsigned char *data; /* of the value, or of the first element */
} GgufKey;

struct GgufFile {
    char *name;
    FileMap map; /* empty if the bytes are the caller's */
    GgufKey *keys;
    size_t n_keys;
    GgufTensor *tensors;
    size_t n_tensors;
    const GgufText **by_key; /* [n_keys] sorted */
};

extern const char *const gguf_type_names[GGUF_TYPE_COUNT];
extern const unsigned char gguf_type_bytes[GGUF_TYPE_COUNT]; /* 0: of varying size */

/* Order of two GgufText *, for the index. */
int gguf_compare_entries(const void *a, const void *b);

#endif

/* See gguf.h. One pass over the file fills two tables; the only arithmetic on numbers from the file
 * is on counts that were first compared with the bytes left, so nothing can wrap and no table is
 * larger than the file justifies. */
#include "common/gguf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/dtype.h"
#include "common/errors.h"
#include "common/memory.h"

enum { MAX_KEYS = 1 << 16, MAX_TENSORS = 1 << 16, MAX_TENSOR_NAME = 95, MAX_ALIGNMENT = 1 << 20 };

/* ggml's types by number: bytes of a block of so many numbers. */
static const struct {
    const char *name;
    int block, bytes, dtype;
} ggml_types[] = {
    [0] = {"F32", 1, 4, DTYPE_F32},
    [1] = {"F16", 1, 2, DTYPE_F16},
    [2] = {"Q4_0", 32, 18, DTYPE_Q4_0},
    [3] = {"Q4_1", 32, 20, DTYPE_Q4_1},
    [6] = {"Q5_0", 32, 22, -1},
    [7] = {"Q5_1", 32, 24, -1},
    [8] = {"Q8_0", 32, 34, DTYPE_Q8_0},
    [9] = {"Q8_1", 0, 0, -1},
    [10] = {"Q2_K", 0, 0, -1},
    [11] = {"Q3_K", 0, 0, -1},
    [12] = {"Q4_K", 0, 0, -1},
    [13] = {"Q5_K", 0, 0, -1},
    [14] = {"Q6_K", 0, 0, -1},
    [15] = {"Q8_K", 0, 0, -1},
    [16] = {"IQ2_XXS", 0, 0, -1},
    [17] = {"IQ2_XS", 0, 0, -1},
    [18] = {"IQ3_XXS", 0, 0, -1},
    [19] = {"IQ1_S", 0, 0, -1},
    [20] = {"IQ4_NL", 0, 0, -1},
    [21] = {"IQ3_S", 0, 0, -1},
    [22] = {"IQ2_S", 0, 0, -1},
    [23] = {"IQ4_XS", 0, 0, -1},
    [24] = {"I8", 1, 1, -1},
    [25] = {"I16", 1, 2, -1},
    [26] = {"I32", 1, 4, -1},
    [27] = {"I64", 1, 8, -1},
    [28] = {"F64", 1, 8, -1},
    [29] = {"IQ1_M", 0, 0, -1},
    [30] = {"BF16", 1, 2, DTYPE_BF16},
    [34] = {"TQ1_0", 0, 0, -1},
    [35] = {"TQ2_0", 0, 0, -1},
    [39] = {"MXFP4", 0, 0, -1},
};
enum { N_GGML_TYPES = sizeof ggml_types / sizeof *ggml_types };

const char *gguf_type_name(uint32_t type)
{
    return type < N_GGML_TYPES && ggml_types[type].name ? ggml_types[type].name : "unknown";
}

int gguf_dtype(uint32_t type)
{
    return type < N_GGML_TYPES && ggml_types[type].name ? ggml_types[type].dtype : -1;
}

const char *const gguf_type_names[GGUF_TYPE_COUNT] = {
    "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "text", "array", "u64", "i64", "f64"};
const unsigned char gguf_type_bytes[GGUF_TYPE_COUNT] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    const unsigned char *start, *p, *end;
} Cursor;

static size_t left(const Cursor *c)
{
    return (size_t)(c->end - c->p);
}

static int cut_short(const Cursor *c, const char *what)
{
    return fail("%s: ends at byte %zu inside %s; " GGUF_DAMAGED, c->name,
                (size_t)(c->end - c->start), what);
}

static int take(Cursor *c, void *out, size_t n, const char *what)
{
    if (left(c) < n) return cut_short(c, what);
    memcpy(out, c->p, n);
    c->p += n;
    return 0;
}

static int take_text(Cursor *c, GgufText *t, const char *what)
{
    uint64_t n = 0;
    if (take(c, &n, 8, what)) return -1;
    if (n > left(c))
        return fail("%s: byte %zu: %s has %llu bytes, %zu are left; " GGUF_DAMAGED, c->name,
                    (size_t)(c->p - c->start) - 8, what, (unsigned long long)n, left(c));
    *t = (GgufText){(const char *)c->p, (size_t)n};
    c->p += n;
    return 0;
}

/* Steps over the elements of a value, checking each. */
static int skip_value(Cursor *c, const GgufKey *k, const char *key)
{
    if (k->type == GGUF_TEXT) {
        if (k->count > left(c) / 8)
            return fail("%s: key %s: %llu texts in %zu bytes; " GGUF_DAMAGED, c->name, key,
                        (unsigned long long)k->count, left(c));
        for (uint64_t i = 0; i < k->count; i++) {
            GgufText t;
            if (take_text(c, &t, key)) return -1;
        }
        return 0;
    }
    if (k->count > left(c) / gguf_type_bytes[k->type])
        return fail("%s: key %s: %llu values of type %s in %zu bytes; " GGUF_DAMAGED, c->name, key,
                    (unsigned long long)k->count, gguf_type_names[k->type], left(c));
    for (uint64_t i = 0; k->type == GGUF_BOOL && i < k->count; i++)
        if (c->p[i] > 1)
            return fail("%s: key %s: a bool is %d, not 0 or 1; " GGUF_DAMAGED, c->name, key,
                        c->p[i]);
    c->p += k->count * gguf_type_bytes[k->type];
    return 0;
}

static int take_key(Cursor *c, GgufKey *k)
{
    char key[64];
    uint32_t type = 0;
    if (take_text(c, &k->key, "a key")) return -1;
    printable_text(key, k->key.data, k->key.n);
    if (k->key.n < 1 || k->key.n > 65535)
        return fail("%s: a key of %zu bytes, not 1 to 65535; " GGUF_DAMAGED, c->name, k->key.n);
    if (take(c, &type, 4, key)) return -1;
    k->count = 1;
    k->is_array = type == GGUF_ARRAY;
    if (k->is_array && (take(c, &type, 4, key) || take(c, &k->count, 8, key))) return -1;
    if (k->is_array && type == GGUF_ARRAY)
        return fail("%s: key %s: an array of arrays, which no known model has; " GGUF_DAMAGED,
                    c->name, key);
    if (type >= GGUF_TYPE_COUNT)
        return fail("%s: key %s: no value type has the number %u; " GGUF_DAMAGED, c->name, key,
                    type);
    k->type = (GgufType)type;
    k->data = c->p;
    return skip_value(c, k, key);
}

/* ---- index ----------------------------------------------------------------------------------- */

static int compare_texts(GgufText a, GgufText b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

int gguf_compare_entries(const void *a, const void *b)
{
    return compare_texts(**(const GgufText *const *)a, **(const GgufText *const *)b);
}

/* Sorted pointers to the texts that entries [n] of `size` bytes begin with; NULL if two are equal.
 * Caller frees. */
static const GgufText **index_texts(const char *file, const char *what, const void *entries,
                                    size_t n, size_t size)
{
    const GgufText **index = mem_zeroed(n, sizeof *index);
    for (size_t i = 0; i < n; i++) index[i] = (const GgufText *)((const char *)entries + i * size);
    qsort(index, n, sizeof *index, gguf_compare_entries);
    for (size_t i = 1; i < n; i++) {
        char text[64];
        if (compare_texts(*index[i - 1], *index[i])) continue;
        fail("%s: %s %s is there twice; " GGUF_DAMAGED, file, what,
             printable_text(text, index[i]->data, index[i]->n));
        mem_free(index);
        return NULL;
    }
    return index;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static int check_tensor_name(const char *file, GgufText t)
{
    char text[64];
    bool good = t.n >= 1 && t.n <= MAX_TENSOR_NAME;
    for (size_t i = 0; good && i < t.n; i++) good = t.data[i] > 0x20 && t.data[i] < 0x7f;
    if (good) return 0;
    return fail(
        "%s: tensor name \"%s\" (%zu bytes) is not 1 to %d printable characters; " GGUF_DAMAGED,
        file, printable_text(text, t.data, t.n), t.n, MAX_TENSOR_NAME);
}

/* offset: of the data in the data section, kept until that section's start is known. */
static int take_tensor(Cursor *c, GgufTensor *t, uint64_t *offset)
{
    uint32_t n_dims = 0;
    char name[64];
    int64_t product = 1;
    if (take_text(c, &t->name, "a tensor name") || check_tensor_name(c->name, t->name)) return -1;
    printable_text(name, t->name.data, t->name.n);
    if (take(c, &n_dims, 4, name)) return -1;
    if (n_dims < 1 || n_dims > 4)
        return fail("%s: tensor %s: %u dimensions, not 1 to 4; " GGUF_DAMAGED, c->name, name,
                    n_dims);
    t->n_dims = (int)n_dims;
    if (take(c, t->dims, 8 * n_dims, name)) return -1;
    for (int i = 0; i < t->n_dims; i++)
        if (t->dims[i] < 1 || __builtin_mul_overflow(product, t->dims[i], &product) ||
            product >= (int64_t)1 << 48)
            return fail("%s: tensor %s: dimension %d is %lld: the tensor would have no or too many "
                        "numbers; " GGUF_DAMAGED,
                        c->name, name, i, (long long)t->dims[i]);
    if (take(c, &t->type, 4, name) || take(c, offset, 8, name)) return -1;
    if (t->type >= N_GGML_TYPES || !ggml_types[t->type].name)
        return fail(
            "%s: tensor %s: no known ggml type has the number %u; the file is damaged, or of a "
            "type newer than this program: convert the model to F16, BF16 or Q8_0",
            c->name, name, t->type);
    return 0;
}

/* Bytes of a tensor, 0 for types whose layout we do not know. */
static int tensor_bytes(const char *file, const GgufTensor *t, uint64_t *bytes)
{
    char name[64];
    uint64_t numbers = 1;
    int block = ggml_types[t->type].block;
    *bytes = 0;
    if (!block) return 0;
    if (t->dims[0] % block)
        return fail("%s: tensor %s: rows of %lld numbers are no multiple of the %d of a %s "
                    "block; " GGUF_DAMAGED,
                    file, printable_text(name, t->name.data, t->name.n), (long long)t->dims[0],
                    block, ggml_types[t->type].name);
    for (int i = 0; i < t->n_dims; i++) numbers *= (uint64_t)t->dims[i]; /* < 2^48: take_tensor */
    *bytes = numbers / (uint64_t)block * (uint64_t)ggml_types[t->type].bytes;
    return 0;
}

typedef struct {
    uint64_t offset, bytes;
    size_t tensor;
} Range;

static int compare_ranges(const void *a, const void *b)
{
    const Range *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Data of every tensor of a known layout: aligned, inside the file, no two overlap. */
static int place_tensors(const Cursor *c, GgufFile *f, Range *ranges, uint64_t alignment)
{
    size_t header = (size_t)(c->p - c->start), size = (size_t)(c->end - c->start);
    uint64_t start = (header + alignment - 1) / alignment * alignment;
    char name[64], other[64];
    for (size_t i = 0; i < f->n_tensors; i++) {
        GgufTensor *t = &f->tensors[i];
        Range *r = &ranges[i];
        printable_text(name, t->name.data, t->name.n);
        if (tensor_bytes(f->name, t, &r->bytes)) return -1;
        if (r->offset % alignment)
            return fail("%s: tensor %s: its offset %llu is no multiple of the alignment "
                        "%llu; " GGUF_DAMAGED,
                        f->name, name, (unsigned long long)r->offset,
                        (unsigned long long)alignment);
        if (start > size || r->offset > size - start || r->bytes > size - start - r->offset)
            return fail(
                "%s: tensor %s: %llu bytes at %llu of the data, but the file has only %llu bytes "
                "of data; " GGUF_DAMAGED,
                f->name, name, (unsigned long long)r->bytes, (unsigned long long)r->offset,
                (unsigned long long)(start > size ? 0 : size - start));
        if (r->bytes) t->data = c->start + start + r->offset;
    }
    qsort(ranges, f->n_tensors, sizeof *ranges, compare_ranges);
    for (size_t i = 1; i < f->n_tensors; i++) {
        const GgufTensor *a = &f->tensors[ranges[i - 1].tensor], *b = &f->tensors[ranges[i].tensor];
        if (ranges[i].offset - ranges[i - 1].offset >= ranges[i - 1].bytes) continue;
        return fail("%s: tensors %s and %s overlap; " GGUF_DAMAGED, f->name,
                    printable_text(name, a->name.data, a->name.n),
                    printable_text(other, b->name.data, b->name.n));
    }
    return 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int check_version(const Cursor *c, uint32_t version)
{
    if (version == 2 || version == 3) return 0;
    if (version == 1)
        return fail("%s: GGUF version 1, which only the first weeks of the format used: convert "
                    "the model again",
                    c->name);
    if ((version & 0xffff) == 0 && version)
        return fail("%s: a big-endian GGUF file: convert the model for little-endian machines",
                    c->name);
    return fail("%s: GGUF version %u, versions 2 and 3 are read: convert the model with another "
                "version of the "
                "converter",
                c->name, version);
}

static int take_header(Cursor *c, uint64_t *n_tensors, uint64_t *n_keys)
{
    char magic[4] = {0};
    uint32_t version = 0;
    if (left(c) < 4 || memcmp(c->p, "GGUF", 4))
        return fail("%s: not a GGUF file (it does not begin with \"GGUF\"): name a .gguf file or a "
                    "Hugging Face "
                    "folder",
                    c->name);
    if (take(c, magic, 4, "the header") || take(c, &version, 4, "the header") ||
        check_version(c, version) || take(c, n_tensors, 8, "the header") ||
        take(c, n_keys, 8, "the header"))
        return -1;
    if (*n_keys > MAX_KEYS ||
        *n_keys > left(c) / (8 + 1 + 4 + 1)) /* a key's least: length, a byte, type, value */
        return fail("%s: %llu metadata keys in %zu bytes; " GGUF_DAMAGED, c->name,
                    (unsigned long long)*n_keys, left(c));
    if (*n_tensors > MAX_TENSORS || *n_tensors > left(c) / (8 + 1 + 4 + 8 + 4 + 8))
        return fail("%s: %llu tensors in %zu bytes; " GGUF_DAMAGED, c->name,
                    (unsigned long long)*n_tensors, left(c));
    return 0;
}

static int take_alignment(const GgufFile *f, uint64_t *alignment)
{
    int64_t a = 32;
    if (gguf_get_int(f, "general.alignment", 1, MAX_ALIGNMENT, &a) < 0) return -1;
    if (a < 8 || a & (a - 1))
        return fail("%s: general.alignment is %lld, not a power of two from 8; " GGUF_DAMAGED,
                    f->name, (long long)a);
    *alignment = (uint64_t)a;
    return 0;
}

static int parse(GgufFile *f, const void *data, size_t size)
{
    const unsigned char *p = data ? data : (const unsigned char *)"";
    Cursor c = {f->name, p, p, p + size};
    uint64_t n_tensors = 0, n_keys = 0, alignment = 1;
    const GgufText **names = NULL;
    Range *ranges = NULL;
    int rc = -1;
    if (take_header(&c, &n_tensors, &n_keys)) goto done;
    f->keys = NEW(GgufKey, n_keys);
    for (; f->n_keys < n_keys; f->n_keys++)
        if (take_key(&c, &f->keys[f->n_keys])) goto done;
    f->by_key = index_texts(f->name, "key", f->keys, f->n_keys, sizeof *f->keys);
    if (!f->by_key || take_alignment(f, &alignment)) goto done;
    f->tensors = NEW(GgufTensor, n_tensors);
    ranges = NEW(Range, n_tensors);
    for (; f->n_tensors < n_tensors; f->n_tensors++) {
        ranges[f->n_tensors].tensor = f->n_tensors;
        if (take_tensor(&c, &f->tensors[f->n_tensors], &ranges[f->n_tensors].offset)) goto done;
    }
    names = index_texts(f->name, "tensor", f->tensors, f->n_tensors, sizeof *f->tensors);
    if (!names || place_tensors(&c, f, ranges, alignment)) goto done;
    rc = 0;
done:
    mem_free(ranges);
    mem_free(names);
    return rc;
}

GgufFile *gguf_open_memory(const char *name, const void *data, size_t size)
{
    GgufFile *f = NEW(GgufFile, 1);
    f->name = mem_text(name);
    if (!parse(f, data, size)) return f;
    gguf_close(f);
    return NULL;
}

GgufFile *gguf_open(const char *path)
{
    GgufFile *f = NEW(GgufFile, 1);
    f->name = mem_text(path);
    if (!filemap_open(&f->map, path) && !parse(f, f->map.data, f->map.size)) return f;
    gguf_close(f);
    return NULL;
}

void gguf_close(GgufFile *f)
{
    if (!f) return;
    filemap_close(&f->map);
    mem_free(f->by_key);
    mem_free(f->keys);
    mem_free(f->tensors);
    mem_free(f->name);
    mem_free(f);
}

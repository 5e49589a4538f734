/* See safetensors.h. The format: u64 n, n bytes of JSON, data; offsets count from the data's start.
 * Source: the format's description in huggingface/safetensors, README. */
#include "common/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/filemap.h"

#define DAMAGED "the file is damaged or incomplete: fetch it again"
/* The format allows 100 MB, and JSON takes some twenty times its size in memory; 16 MB describe
 * more than 100,000 tensors. */
enum { MAX_HEADER = 16 << 20, MAX_TENSORS = 1 << 16 };

typedef struct {
    const char *file;
    const unsigned char *data; /* after the header */
    size_t size;
} Data;

typedef struct {
    uint64_t begin, end;
    const char *name;
} Range;

static int read_dtype(const Data *d, const char *name, const json_t *v, Dtype *out)
{
    static const Dtype ours[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    static const char *const spelt[] = {"F32", "F16", "BF16"};
    char text[64];
    const char *s = json_is_string(v) ? json_string_value(v) : "missing";
    for (int i = 0; i < 3; i++)
        if (!strcmp(s, spelt[i])) {
            *out = ours[i];
            return 0;
        }
    return fail("%s: tensor %s has the type %s; F32, F16 and BF16 are read: convert the model to "
                "one of these",
                d->file, name, printable_text(text, s, strlen(s)));
}

/* Shape and the bytes that it needs. */
static int read_shape(const Data *d, const json_t *shape, Tensor *t, uint64_t *bytes)
{
    size_t n = json_array_size(shape);
    uint64_t product = 1;
    if (!json_is_array(shape) || n < 1 || n > 4)
        return fail("%s: tensor %s: the shape is no list of 1 to 4 numbers; " DAMAGED, d->file,
                    t->name);
    t->n_dims = (int)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(shape, i);
        t->dims[i] = json_integer_value(v);
        if (!json_is_integer(v) || t->dims[i] < 0 ||
            __builtin_mul_overflow(product, (uint64_t)t->dims[i], &product) ||
            product > (uint64_t)1 << 48)
            return fail(
                "%s: tensor %s: its shape has a number below 0 or a product past 2^48; " DAMAGED,
                d->file, t->name);
    }
    *bytes = product * (t->dtype == DTYPE_F32 ? 4 : 2);
    return 0;
}

static int read_range(const Data *d, const json_t *offsets, Tensor *t, uint64_t bytes, Range *r)
{
    const json_t *a = json_array_get(offsets, 0), *b = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(a) || !json_is_integer(b) ||
        json_integer_value(a) < 0 || json_integer_value(b) < json_integer_value(a))
        return fail("%s: tensor %s: \"data_offsets\" are not two growing numbers; " DAMAGED,
                    d->file, t->name);
    *r = (Range){(uint64_t)json_integer_value(a), (uint64_t)json_integer_value(b), t->name};
    if (r->end > d->size)
        return fail(
            "%s: tensor %s: its data ends at %llu, but there are only %zu bytes of data; " DAMAGED,
            d->file, t->name, (unsigned long long)r->end, d->size);
    if (r->end - r->begin != bytes)
        return fail("%s: tensor %s: %llu bytes of data, its shape and type need %llu; " DAMAGED,
                    d->file, t->name, (unsigned long long)(r->end - r->begin),
                    (unsigned long long)bytes);
    t->data = d->data + r->begin;
    return 0;
}

static int check_name(const Data *d, const char *name)
{
    char text[64];
    size_t n = strlen(name);
    bool good = n >= 1 && n < sizeof((Tensor *)0)->name;
    for (size_t i = 0; good && i < n; i++) good = name[i] > 0x20 && name[i] < 0x7f;
    if (good) return 0;
    return fail("%s: tensor name \"%s\" is not 1 to 95 printable characters; " DAMAGED, d->file,
                printable_text(text, name, n));
}

static int read_tensor(const Data *d, const char *name, const json_t *v, Tensor *t, Range *r)
{
    uint64_t bytes = 0;
    if (check_name(d, name)) return -1;
    strcpy(t->name, name);
    if (!json_is_object(v))
        return fail("%s: tensor %s is not described by an object; " DAMAGED, d->file, t->name);
    if (read_dtype(d, t->name, json_object_get(v, "dtype"), &t->dtype) ||
        read_shape(d, json_object_get(v, "shape"), t, &bytes))
        return -1;
    return read_range(d, json_object_get(v, "data_offsets"), t, bytes, r);
}

static int compare_ranges(const void *a, const void *b)
{
    const Range *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Disjoint and covering: each byte of the data belongs to exactly one tensor. */
static int check_cover(const Data *d, Range *ranges, int n)
{
    uint64_t at = 0;
    qsort(ranges, (size_t)n, sizeof *ranges, compare_ranges);
    for (int i = 0; i < n; i++) {
        if (ranges[i].begin != at)
            return fail("%s: tensor %s %s byte %llu of the data; " DAMAGED, d->file, ranges[i].name,
                        ranges[i].begin < at ? "overlaps another before" : "leaves a gap after",
                        (unsigned long long)at);
        at = ranges[i].end;
    }
    if (at != d->size)
        return fail("%s: the tensors end at byte %llu of %zu bytes of data; " DAMAGED, d->file,
                    (unsigned long long)at, d->size);
    return 0;
}

static int read_all(const Data *d, json_t *root, Tensor **out, int *n_out)
{
    const char *key;
    json_t *v;
    int rc = -1, count = 0, most = (int)json_object_size(root);
    if (most > MAX_TENSORS)
        return fail("%s: %d tensors, at most %d are read", d->file, most, MAX_TENSORS);
    Tensor *tensors = mem_resize(*out, (size_t)*n_out, (size_t)(*n_out + most), sizeof **out);
    Range *ranges = NEW(Range, most);
    *out = tensors;
    json_object_foreach(root, key, v)
    {
        if (!strcmp(key, "__metadata__")) continue;
        if (read_tensor(d, key, v, &tensors[*n_out + count], &ranges[count])) goto done;
        count++;
    }
    if (check_cover(d, ranges, count)) goto done;
    *n_out += count;
    rc = 0;
done:
    mem_free(ranges);
    return rc;
}

int safetensors_parse(const char *name, const unsigned char *data, size_t size, Tensor **out,
                      int *n_out)
{
    uint64_t header = 0;
    json_error_t e;
    char what[64];
    int rc = -1;
    if (size < 8) return fail("%s: %zu bytes are no safetensors file; " DAMAGED, name, size);
    memcpy(&header, data, 8);
    if (header > size - 8)
        return fail("%s: a header of %llu bytes in a file of %zu; " DAMAGED
                    " (a Git LFS pointer is not the file itself)",
                    name, (unsigned long long)header, size);
    if (header > MAX_HEADER)
        return fail("%s: a header of %llu bytes, the limit is %d", name, (unsigned long long)header,
                    MAX_HEADER);
    if (header < 2 || data[8] != '{')
        return fail("%s: no JSON object follows the header's length; " DAMAGED, name);
    json_t *root = json_loadb((const char *)data + 8, (size_t)header, JSON_REJECT_DUPLICATES, &e);
    if (!root)
        return fail("%s: header, byte %d: %s; " DAMAGED, name, e.position,
                    printable_text(what, e.text, strlen(e.text)));
    Data d = {name, data + 8 + header, size - 8 - (size_t)header};
    rc = json_is_object(root) ? read_all(&d, root, out, n_out)
                              : fail("%s: the header is no JSON object; " DAMAGED, name);
    json_decref(root);
    return rc;
}

/* ---- writing --------------------------------------------------------------------------------- */

void safetensors_header(const TensorView *t, int n, Dtype dtype, Buffer *out)
{
    Buffer json = {0};
    uint64_t at = 0, length;
    buffer_text(&json, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (int i = 0; i < n; i++) {
        uint64_t count = 1;
        buffer_printf(&json, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", t[i].name, dtype_name(dtype));
        for (int k = 0; k < t[i].n_dims; k++) {
            count *= (uint64_t)t[i].dims[k];
            buffer_printf(&json, "%s%lld", k ? "," : "", (long long)t[i].dims[k]);
        }
        uint64_t end = at + dtype_bytes(dtype, count);
        buffer_printf(&json, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)at,
                      (unsigned long long)end);
        at = end;
    }
    buffer_text(&json, "}");
    while ((8 + json.size) % 64)
        buffer_text(&json, " "); /* so that the numbers stay aligned where the file is mapped */
    length = json.size;
    buffer_add(out, &length, 8);
    buffer_add(out, json.data, json.size);
    buffer_free(&json);
}

/* The questions of gguf.h. Every value was measured when the file was opened (gguf.c), so only its
 * type can be wrong here. */
#include "common/gguf_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"

const char *gguf_name(const GgufFile *f)
{
    return f->name;
}

static const GgufKey *find(const GgufFile *f, const char *key)
{
    GgufText t = {key, strlen(key)};
    const GgufText *p = &t, *const *hit = bsearch(&p, f->by_key, f->n_keys, sizeof *f->by_key,
                                                  gguf_compare_entries);
    return hit ? (const GgufKey *)*hit : NULL;
}

bool gguf_has(const GgufFile *f, const char *key, GgufType *type, bool *is_array)
{
    const GgufKey *k = find(f, key);
    if (k && type) *type = k->type;
    if (k && is_array) *is_array = k->is_array;
    return k != NULL;
}

static int wrong_type(const GgufFile *f, const char *key, const GgufKey *k, const char *wanted)
{
    return fail("%s: key %s is %s%s, not %s; convert the model again", f->name, key,
                k->is_array ? "an array of " : "", gguf_type_names[k->type], wanted);
}

/* Element i of an integer or bool type. False: another type, or a u64 past int64. */
static bool integer_at(const GgufKey *k, uint64_t i, int64_t *out)
{
    const unsigned char *p = k->data + i * gguf_type_bytes[k->type];
    union {
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        int64_t i64;
    } v = {0};
    memcpy(&v, p, gguf_type_bytes[k->type]);
    switch (k->type) {
    case GGUF_U8:
    case GGUF_BOOL:
        *out = *p;
        return true;
    case GGUF_I8:
        *out = v.i8;
        return true;
    case GGUF_U16:
        *out = v.u16;
        return true;
    case GGUF_I16:
        *out = v.i16;
        return true;
    case GGUF_U32:
        *out = v.u32;
        return true;
    case GGUF_I32:
        *out = v.i32;
        return true;
    case GGUF_I64:
        *out = v.i64;
        return true;
    case GGUF_U64:
        *out = v.i64;
        return v.i64 >= 0;
    default:
        return false;
    }
}

static bool is_integer(const GgufKey *k)
{
    return k->type != GGUF_F32 && k->type != GGUF_F64 && k->type != GGUF_TEXT;
}

int gguf_get_int(const GgufFile *f, const char *key, int64_t least, int64_t most, int64_t *out)
{
    const GgufKey *k = find(f, key);
    int64_t v = 0;
    if (!k) return 0;
    if (k->is_array || !is_integer(k) || k->type == GGUF_BOOL)
        return wrong_type(f, key, k, "a whole number");
    if (!integer_at(k, 0, &v)) return fail("%s: key %s is past 2^63; " GGUF_DAMAGED, f->name, key);
    if (v < least || v > most)
        return fail("%s: key %s is %lld, not in [%lld, %lld]; " GGUF_DAMAGED, f->name, key,
                    (long long)v, (long long)least, (long long)most);
    *out = v;
    return 1;
}

int gguf_get_u32(const GgufFile *f, const char *key, uint32_t *out)
{
    int64_t v = 0;
    int rc = gguf_get_int(f, key, 0, UINT32_MAX, &v);
    if (rc == 1) *out = (uint32_t)v;
    return rc;
}

int gguf_get_u64(const GgufFile *f, const char *key, uint64_t *out)
{
    int64_t v = 0;
    int rc = gguf_get_int(f, key, 0, INT64_MAX, &v);
    if (rc == 1) *out = (uint64_t)v;
    return rc;
}

static bool float_at(const GgufKey *k, uint64_t i, double *out)
{
    float x;
    if (k->type == GGUF_F64) {
        memcpy(out, k->data + 8 * i, 8);
        return true;
    }
    if (k->type != GGUF_F32) return false;
    memcpy(&x, k->data + 4 * i, 4);
    *out = x;
    return true;
}

int gguf_get_float(const GgufFile *f, const char *key, double *out)
{
    const GgufKey *k = find(f, key);
    if (!k) return 0;
    if (k->is_array || !float_at(k, 0, out)) return wrong_type(f, key, k, "a float");
    return 1;
}

int gguf_get_bool(const GgufFile *f, const char *key, bool *out)
{
    const GgufKey *k = find(f, key);
    if (!k) return 0;
    if (k->is_array || k->type != GGUF_BOOL) return wrong_type(f, key, k, "a bool");
    *out = *k->data;
    return 1;
}

/* The text whose length stands at p, and the place after it: checked when the file was opened. */
static const unsigned char *text_at(const unsigned char *p, GgufText *out)
{
    uint64_t n;
    memcpy(&n, p, 8);
    *out = (GgufText){(const char *)p + 8, (size_t)n};
    return p + 8 + n;
}

int gguf_get_text(const GgufFile *f, const char *key, GgufText *out)
{
    const GgufKey *k = find(f, key);
    if (!k) return 0;
    if (k->is_array || k->type != GGUF_TEXT) return wrong_type(f, key, k, "a text");
    text_at(k->data, out);
    return 1;
}

int gguf_get_texts(const GgufFile *f, const char *key, GgufText **out, size_t *n)
{
    const GgufKey *k = find(f, key);
    *out = NULL;
    *n = 0;
    if (!k) return 0;
    if (!k->is_array || k->type != GGUF_TEXT) return wrong_type(f, key, k, "an array of texts");
    const unsigned char *p = k->data;
    *n = k->count;
    *out = NEW(GgufText, *n);
    for (size_t i = 0; i < *n; i++) p = text_at(p, &(*out)[i]);
    return 1;
}

int gguf_get_ints(const GgufFile *f, const char *key, int64_t **out, size_t *n)
{
    const GgufKey *k = find(f, key);
    *out = NULL;
    *n = 0;
    if (!k) return 0;
    if (!k->is_array || !is_integer(k)) return wrong_type(f, key, k, "an array of whole numbers");
    int64_t *v = NEW(int64_t, k->count);
    for (size_t i = 0; i < k->count; i++) {
        if (integer_at(k, i, &v[i])) continue;
        mem_free(v);
        return fail("%s: key %s: element %zu is past 2^63; " GGUF_DAMAGED, f->name, key, i);
    }
    *out = v;
    *n = k->count;
    return 1;
}

int gguf_get_floats(const GgufFile *f, const char *key, float **out, size_t *n)
{
    const GgufKey *k = find(f, key);
    *out = NULL;
    *n = 0;
    if (!k) return 0;
    if (!k->is_array || (k->type != GGUF_F32 && k->type != GGUF_F64))
        return wrong_type(f, key, k, "an array of floats");
    *n = k->count;
    *out = NEW(float, *n);
    for (size_t i = 0; i < *n; i++) {
        double x = 0;
        float_at(k, i, &x);
        (*out)[i] = (float)x;
    }
    return 1;
}

bool gguf_text_is(GgufText t, const char *s)
{
    return t.n == strlen(s) && !memcmp(t.data, s, t.n);
}

size_t gguf_key_count(const GgufFile *f)
{
    return f->n_keys;
}

GgufText gguf_key_at(const GgufFile *f, size_t i)
{
    REQUIRE(i < f->n_keys, "key %zu of %zu", i, f->n_keys);
    return f->keys[i].key;
}

size_t gguf_tensor_count(const GgufFile *f)
{
    return f->n_tensors;
}

const GgufTensor *gguf_tensor_at(const GgufFile *f, size_t i)
{
    REQUIRE(i < f->n_tensors, "tensor %zu of %zu", i, f->n_tensors);
    return &f->tensors[i];
}

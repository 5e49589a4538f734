/* See tensors_export.h. */
#include "common/tensors_export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"

static const TensorView *find_view(const TensorList *list, const char *name)
{
    for (int i = 0; i < list->n; i++)
        if (!strcmp(list->views[i].name, name)) return &list->views[i];
    return NULL;
}

const float *tensor_list_fetch(void *ctx, const TensorSpec *spec)
{
    const TensorView *v = find_view(ctx, spec->name);
    REQUIRE(v, "no view of %s", spec->name); /* tensor_list_check was here */
    return v->data;
}

int tensor_list_check(const TensorList *list, const ModelDesc *d)
{
    int n = tensor_spec_count(d);
    for (int i = 0; i < n; i++) {
        TensorSpec s;
        tensor_spec_at(d, i, &s);
        const TensorView *v = find_view(list, s.name);
        if (!v) return fail("export: tensor %s is missing", s.name);
        /* a vector may be said to have one column */
        int64_t cols = v->n_dims == 2 ? v->dims[1] : 1, want = s.n_dims == 2 ? s.dims[1] : 1;
        if (v->n_dims < 1 || v->n_dims > 2 || v->dims[0] != s.dims[0] || cols != want)
            return fail(
                "export: tensor %s is %lld x %lld, the model's description asks for %lld x %lld",
                s.name, (long long)v->dims[0], (long long)cols, (long long)s.dims[0],
                (long long)want);
    }
    if (list->n != n)
        return fail("export: %d tensors are given, the model's description has %d", list->n, n);
    return 0;
}

/* A finite number must not become infinite without a word. */
static int check_range(const TensorSpec *spec, const float *x, size_t n, Dtype dtype)
{
    /* the largest number that rounds to a finite one: half a unit below the next power of two; a
     * Q8_0 block's scale is F16 of max|x| / 127 */
    float most = dtype == DTYPE_F16 ? 65519.0f : dtype == DTYPE_Q8_0 ? 65519.0f * 127 : INFINITY;
    for (size_t i = 0; most < INFINITY && i < n; i++)
        if (isfinite(x[i]) && fabsf(x[i]) > most)
            return fail(
                "export: tensor %s has the number %g, which %s cannot hold: export as BF16 or F32",
                spec->name, (double)x[i], dtype_name(dtype));
    return 0;
}

/* Row r of a file in which each head's rows (half, j) stand as (j, half); see tensor_read for the
 * way back. */
static size_t source_row(const TensorSpec *spec, size_t r)
{
    size_t D = (size_t)spec->dims[0] / (size_t)spec->rope_heads, head = r / D, j = r % D / 2,
           half = r % D % 2;
    return head * D + half * (D / 2) + j;
}

int tensor_write(Aside *a, const TensorSpec *spec, tensor_fetch_fn *fetch, void *ctx, Dtype dtype,
                 bool interleave)
{
    size_t rows = (size_t)spec->dims[0], cols = spec->n_dims == 2 ? (size_t)spec->dims[1] : 1;
    const float *x = fetch(ctx, spec);
    if (!x || check_range(spec, x, rows * cols, dtype)) return -1;
    if (spec->n_dims == 1) { /* a vector is one row */
        cols = rows;
        rows = 1;
    }
    size_t bytes = dtype_bytes(dtype, cols);
    void *row = mem_zeroed(bytes, 1);
    for (size_t r = 0; r < rows && !a->bad; r++) {
        size_t from = interleave && spec->rope_heads ? source_row(spec, r) : r;
        dtype_from_f32(row, x + from * cols, dtype, cols);
        aside_write(a, row, bytes);
    }
    mem_free(row);
    return a->bad ? -1 : 0;
}

/* See tensors.h. Here: what both kinds of file share. tensors_gguf.c and tensors_hf.c read,
 * tensors_export_*.c write. */
#include "common/tensors_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/tensor_names.h"

static int check_extent(const char *what, int64_t v, int64_t most)
{
    if (v >= 1 && v <= most) return 0;
    return fail("model description: %s is %lld, not in [1, %lld]", what, (long long)v,
                (long long)most);
}

int model_desc_check(const ModelDesc *d)
{
    enum { WIDE = 1 << 24 };
    if (check_extent("layers", d->L, 4096) || check_extent("channels", d->C, WIDE) ||
        check_extent("heads", d->H, 1 << 16) || check_extent("key/value heads", d->Kh, 1 << 16) ||
        check_extent("head size", d->D, 1 << 16) || check_extent("MLP width", d->F, WIDE) ||
        check_extent("vocabulary", d->V, WIDE) ||
        check_extent("positions", d->max_positions, INT_MAX))
        return -1;
    if (d->H % d->Kh)
        return fail("model description: %d heads are no multiple of %d key/value heads", d->H,
                    d->Kh);
    if (d->D % 2)
        return fail("model description: the head size %d is odd: rotary positions need pairs",
                    d->D);
    int64_t wide = (int64_t)d->H * d->D, most = wide > d->F ? wide : d->F;
    if (check_extent("heads x head size", wide, WIDE) ||
        check_extent("vocabulary x channels", (int64_t)d->V * d->C, INT_MAX) ||
        check_extent("widest layer x channels", most * d->C, INT_MAX))
        return -1;
    if (!(d->rms_eps > 0 && d->rms_eps < 1))
        return fail("model description: rms_eps is %g, not in (0, 1)", d->rms_eps);
    if (!(d->rope_theta >= 1 && d->rope_theta <= 1e12))
        return fail("model description: rope_theta is %g, not in [1, 1e12]", d->rope_theta);
    if (d->bos < -1 || d->bos >= d->V || d->eos < -1 || d->eos >= d->V)
        return fail("model description: begin-of-text id %d or end-of-text id %d is not below the "
                    "vocabulary's %d",
                    d->bos, d->eos, d->V);
    return 0;
}

TensorFile *tensor_file_new(const char *path)
{
    TensorFile *f = NEW(TensorFile, 1);
    f->path = mem_text(path);
    return f;
}

/* ---- what was found against what must be there ----------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const Tensor *)a)->name, ((const Tensor *)b)->name);
}

static int compare_pointers(const void *a, const void *b)
{
    return compare_names(*(const Tensor *const *)a, *(const Tensor *const *)b);
}

static const char *shape_text(char out[100], const int64_t *dims, int n)
{
    int used = 0;
    for (int i = 0; i < n; i++)
        used +=
            snprintf(out + used, 100 - (size_t)used, "%s%lld", i ? " x " : "", (long long)dims[i]);
    return out;
}

static int take_one(TensorFile *f, const TensorSpec *spec, Tensor *found, int n, bool *taken)
{
    Tensor key = {0}, *t;
    char have[100], want[100];
    memcpy(key.name, spec->name, sizeof key.name);
    t = bsearch(&key, found, (size_t)n, sizeof *found, compare_names);
    if (!t)
        return fail("%s: tensor %s (GGUF: %s) is missing; the file is incomplete, or not the whole "
                    "model: fetch "
                    "or convert it again",
                    f->path, spec->name, spec->gguf_name);
    bool same = t->n_dims == spec->n_dims;
    for (int i = 0; same && i < spec->n_dims; i++) same = t->dims[i] == spec->dims[i];
    if (!same && !strcmp(t->name, "score.weight") && t->dims[0] != 1)
        return fail("%s: tensor %s is %s: a head of %lld numbers, and a reward model with one is "
                    "wanted",
                    f->path, t->name, shape_text(have, t->dims, t->n_dims), (long long)t->dims[0]);
    if (!same)
        return fail("%s: tensor %s is %s, the model's description asks for %s; description and "
                    "weights belong to "
                    "different models: fetch or convert both again",
                    f->path, t->name, shape_text(have, t->dims, t->n_dims),
                    shape_text(want, spec->dims, spec->n_dims));
    taken[t - found] = true;
    f->tensors[f->n_tensors++] = *t;
    return 0;
}

/* Tensors that change nothing: what each implementation computes by itself, the copy of a tied
 * embedding, an LM head where another head is used. */
static bool is_harmless(const ModelDesc *d, const char *name)
{
    static const char suffix[] = ".rotary_emb.inv_freq";
    size_t n = strlen(name), m = sizeof suffix - 1;
    if (n > m && !strcmp(name + n - m, suffix)) return true;
    return (d->tied || d->scalar) && !strcmp(name, "lm_head.weight");
}

static int refuse_others(const TensorFile *f, const Tensor *found, int n, const bool *taken)
{
    for (int i = 0; i < n; i++) {
        if (i && !strcmp(found[i - 1].name, found[i].name))
            return fail("%s: tensor %s is there twice; fetch or convert the model again", f->path,
                        found[i].name);
        if (taken[i] || is_harmless(&f->desc, found[i].name)) continue;
        if (!strcmp(found[i].name, "rope_freqs.weight"))
            return fail("%s: tensor rope_freqs.weight means scaled rotary positions (Llama 3.1 and "
                        "later), which are "
                        "not computed here: use a model without rope scaling",
                        f->path);
        return fail("%s: tensor %s is no part of a \"%s\" model as it is computed here, and "
                    "leaving it out would "
                    "give other results: use a model of a supported kind",
                    f->path, found[i].name, f->desc.architecture);
    }
    return 0;
}

int tensor_file_settle(TensorFile *f, Tensor *found, int n)
{
    int rc = -1;
    bool *taken = NEW(bool, n);
    qsort(found, (size_t)n, sizeof *found, compare_names);
    for (int i = 0; f->desc.scalar && i < n; i++)
        f->desc.scalar_bias |= !strcmp(found[i].name, "score.bias");
    int want = tensor_spec_count(&f->desc);
    f->tensors = NEW(Tensor, want < n ? want : n);
    for (int i = 0; i < want; i++) {
        TensorSpec spec;
        tensor_spec_at(&f->desc, i, &spec);
        if (take_one(f, &spec, found, n, taken)) goto done;
    }
    if (refuse_others(f, found, n, taken)) goto done;
    f->by_name = mem_zeroed((size_t)f->n_tensors, sizeof *f->by_name);
    for (int i = 0; i < f->n_tensors; i++) f->by_name[i] = &f->tensors[i];
    qsort(f->by_name, (size_t)f->n_tensors, sizeof *f->by_name, compare_pointers);
    rc = 0;
done:
    mem_free(taken);
    return rc;
}

/* ---- the open file --------------------------------------------------------------------------- */

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

TensorFile *tensor_file_open(const char *path)
{
    struct stat st;
    if (stat(path, &st)) {
        fail("%s: no such model: name a .gguf file or a folder with config.json and .safetensors "
             "files",
             path);
        return NULL;
    }
    if (S_ISDIR(st.st_mode)) return tensor_file_from_hf(path, NULL, false);
    if (ends_with(path, ".safetensors")) {
        const char *slash = strrchr(path, '/');
        char *folder =
            slash ? mem_text_n(path, slash == path ? 1 : (size_t)(slash - path)) : mem_text(".");
        TensorFile *f = tensor_file_from_hf(folder, path, false);
        mem_free(folder);
        return f;
    }
    GgufFile *g = gguf_open(path);
    return g ? tensor_file_from_gguf(g) : NULL;
}

TensorFile *tensor_file_open_scalar(const char *folder)
{
    struct stat st;
    if (!stat(folder, &st) && S_ISDIR(st.st_mode)) return tensor_file_from_hf(folder, NULL, true);
    fail("%s: no folder: a reward model with a scalar head is a Hugging Face folder with "
         "config.json and .safetensors files",
         folder);
    return NULL;
}

void tensor_file_close(TensorFile *f)
{
    if (!f) return;
    gguf_close(f->gguf);
    for (int i = 0; i < f->n_maps; i++) filemap_close(&f->maps[i]);
    mem_free(f->maps);
    mem_free(f->tensors);
    mem_free(f->by_name);
    mem_free(f->path);
    mem_free(f);
}

const ModelDesc *tensor_file_desc(const TensorFile *f)
{
    return &f->desc;
}

int tensor_file_count(const TensorFile *f)
{
    return f->n_tensors;
}

const Tensor *tensor_file_at(const TensorFile *f, int i)
{
    REQUIRE(i >= 0 && i < f->n_tensors, "tensor %d of %d", i, f->n_tensors);
    return &f->tensors[i];
}

const Tensor *tensor_file_find(const TensorFile *f, const char *name)
{
    Tensor key = {0};
    if (strlen(name) >= sizeof key.name) return NULL;
    snprintf(key.name, sizeof key.name, "%s", name);
    const Tensor *p = &key, *const *hit = bsearch(&p, f->by_name, (size_t)f->n_tensors,
                                                  sizeof *f->by_name, compare_pointers);
    return hit ? *hit : NULL;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Safetensors may put numbers at odd addresses; blocks of Q types are byte arrays and may lie
 * anywhere in GGUF as well. */
static void convert(float *out, const unsigned char *src, Dtype type, size_t count)
{
    enum { CHUNK = 4096 };
    _Alignas(64) unsigned char copy[CHUNK * 4];
    if ((uintptr_t)src % 4 == 0) {
        dtype_to_f32(out, src, type, count);
        return;
    }
    for (size_t i = 0; i < count; i += CHUNK) {
        size_t n = count - i < CHUNK ? count - i : CHUNK, bytes = dtype_bytes(type, n);
        memcpy(copy, src, bytes);
        dtype_to_f32(out + i, copy, type, n);
        src += bytes;
    }
}

void tensor_read(const Tensor *t, float *out)
{
    size_t rows = (size_t)t->dims[0], cols = 1;
    for (int i = 1; i < t->n_dims; i++) cols *= (size_t)t->dims[i];
    if (!t->rope_permuted) {
        convert(out, t->data, t->dtype, rows * cols);
        return;
    }
    /* In the file, row (head, j, half); ours, row (head, half, j), with j < D / 2. */
    size_t D = rows / (size_t)t->rope_heads, bytes = dtype_bytes(t->dtype, cols);
    for (size_t r = 0; r < rows; r++) {
        size_t head = r / D, half = r % D / (D / 2), j = r % D % (D / 2);
        const unsigned char *src =
            (const unsigned char *)t->data + (head * D + 2 * j + half) * bytes;
        convert(out + r * cols, src, t->dtype, cols);
    }
}

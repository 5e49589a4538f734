/* A GGUF file from anyone: parsed, every value asked for in every way, then opened as a model and
 * read. Whatever is accepted has a description that passes its own check, and all tensors that it
 * implies. */
#include <stdint.h>
#include <string.h>

#include "common/errors.h"
#include "common/gguf.h"
#include "common/memory.h"
#include "common/tensor_names.h"
#include "common/tensors_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static void ask(const GgufFile *f, const char *key)
{
    int64_t i = 0, *ints;
    double x = 0;
    bool b = false;
    GgufText t = {"", 0}, *texts;
    float *floats;
    size_t n;
    uint32_t u = 0;
    uint64_t v = 0;
    gguf_get_int(f, key, INT64_MIN, INT64_MAX, &i);
    gguf_get_u32(f, key, &u);
    gguf_get_u64(f, key, &v);
    gguf_get_float(f, key, &x);
    gguf_get_bool(f, key, &b);
    if (gguf_get_text(f, key, &t) == 1 && t.n) sink += (unsigned char)t.data[t.n - 1];
    if (gguf_get_texts(f, key, &texts, &n) == 1)
        for (size_t k = 0; k < n; k++)
            sink += texts[k].n ? (unsigned char)texts[k].data[texts[k].n - 1] : 0;
    mem_free(texts);
    gguf_get_ints(f, key, &ints, &n);
    mem_free(ints);
    gguf_get_floats(f, key, &floats, &n);
    mem_free(floats);
    sink += (uint64_t)i + b;
}

static void ask_all(const GgufFile *f)
{
    for (size_t i = 0; i < gguf_key_count(f); i++) {
        GgufText k = gguf_key_at(f, i);
        char *key = mem_text_n(k.data, k.n);
        REQUIRE(strlen(key) < k.n || gguf_has(f, key, NULL, NULL), "key %zu is not found",
                i); /* a key may hold a NUL */
        ask(f, key);
        mem_free(key);
    }
}

static void read_all(const TensorFile *f)
{
    REQUIRE(!model_desc_check(tensor_file_desc(f)), "an accepted description is refused");
    REQUIRE(tensor_file_count(f) == tensor_spec_count(tensor_file_desc(f)), "%d tensors",
            tensor_file_count(f));
    for (int i = 0; i < tensor_file_count(f); i++) {
        const Tensor *t = tensor_file_at(f, i);
        size_t n = (size_t)t->dims[0] * (t->n_dims == 2 ? (size_t)t->dims[1] : 1);
        REQUIRE(tensor_file_find(f, t->name) == t, "%s is not found", t->name);
        float *x = NEW(float, n);
        tensor_read(t, x);
        mem_free(x);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    errors_quiet(1);
    GgufFile *g = gguf_open_memory("fuzz", data, size);
    if (g) ask_all(g);
    TensorFile *f = g ? tensor_file_from_gguf(g) : NULL;
    if (f) read_all(f);
    tensor_file_close(f);
    errors_quiet(-1);
    return 0;
}

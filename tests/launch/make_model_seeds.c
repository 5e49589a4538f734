/* Makes the seeds of fuzz_gguf, fuzz_safetensors and fuzz_hf_config, which are committed.
 *
 *   build/release/tests/make_model_seeds tests/fuzz/corpus
 */
#include <stdio.h>
#include <sys/stat.h>

#include "common/errors.h"
#include "common/hf_config.h"
#include "common/safetensors.h"
#include "tests/model_files.h"

static void save(const char *corpus, const char *stem, const char *name, const Buffer *b)
{
    char *folder = mem_printf("%s/%s", corpus, stem), *path = mem_printf("%s/%s", folder, name);
    mkdir(folder, 0755);
    write_bytes(path, b->data, b->size);
    mem_free(folder);
    mem_free(path);
}

static ModelDesc smallest(const char *architecture, bool tied)
{
    ModelDesc d = fixture_desc(architecture, tied);
    d.L = 1, d.D = 4, d.F = 32, d.V = 3;
    return d;
}

static void make_gguf(const char *corpus, const char *name, const char *architecture, bool tied,
                      Dtype type, uint32_t version)
{
    ModelDesc d = smallest(architecture, tied);
    GgufMaker m = {0};
    Buffer b = {0};
    fixture_keys(&m, &d);
    if (tied) maker_text(&m, "llama.rope.scaling.type", "none");
    fixture_tensors(&m, &d, type, NULL);
    maker_finish(&m, version, &b);
    save(corpus, "gguf", name, &b);
    buffer_free(&b);
}

/* A value of every type, and no model. */
static void make_values(const char *corpus)
{
    GgufMaker m = {0};
    Buffer b = {0};
    double x = 2.5;
    static const unsigned char size[13] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    for (uint32_t type = 0; type < 13; type++) {
        char key[8];
        snprintf(key, sizeof key, "k%u", type);
        if (!size[type]) continue;
        maker_key(&m, key, type);
        buffer_add(&m.keys, type == 7 ? (const void *)"\1" : &x, size[type]);
    }
    maker_u32(&m, "general.alignment", 64);
    maker_key(&m, "texts", 9), put_u32(&m.keys, 8), put_u64(&m.keys, 2), put_string(&m.keys, "a"),
        put_string(&m.keys, "");
    maker_key(&m, "ints", 9), put_u32(&m.keys, 5), put_u64(&m.keys, 1), put_u32(&m.keys, 7);
    maker_finish(&m, 3, &b);
    save(corpus, "gguf", "values", &b);
    buffer_free(&b);
}

static void make_safetensors(const char *corpus, const char *name, Dtype type)
{
    TensorView v[2] = {{.name = "model.norm.weight", .n_dims = 1, .dims = {3}},
                       {.name = "b", .n_dims = 2, .dims = {2, 2}}};
    Buffer b = {0};
    float numbers[7] = {1, -2, 3};
    safetensors_header(v, 2, type, &b);
    buffer_add(&b, numbers, dtype_bytes(type, 7));
    save(corpus, "safetensors", name, &b);
    buffer_free(&b);
}

static void make_config(const char *corpus, const char *name, const char *architecture)
{
    ModelDesc d = smallest(architecture, false);
    Buffer config = {0}, generation = {0};
    hf_config_write(&d, DTYPE_F32, &config, &generation);
    save(corpus, "hf_config", name, &config);
    buffer_free(&config);
    buffer_free(&generation);
}

static void make_strange_config(const char *corpus)
{
    static const char text[] =
        "{\"model_type\":\"qwen3\",\"num_hidden_layers\":1,\"hidden_size\":8,\"intermediate_size\":"
        "8,\"vocab_size\":9,\"num_attention_heads\":2,"
        "\"num_key_value_heads\":1,\"max_position_embeddings\":9,\"rope_scaling\":{\"type\":"
        "\"default\",\"factor\":1.0},\"layer_types\":[\"full_attention\"],"
        "\"eos_token_id\":[1,2],\"rms_norm_eps\":1e-6,\"sliding_window\":4,\"use_sliding_window\":"
        "false,\"quantization_config\":null,\"hidden_act\":\"silu\"}";
    Buffer b = {0};
    buffer_text(&b, text);
    save(corpus, "hf_config", "strange", &b);
    buffer_free(&b);
}

int main(int argc, char **argv)
{
    if (argc != 2) die(EXIT_USAGE, "make_model_seeds CORPUS");
    const char *corpus = argv[1];
    make_gguf(corpus, "llama", "llama", true, DTYPE_Q4_1, 3);
    make_gguf(corpus, "llama_q4_0", "llama", false, DTYPE_Q4_0, 2);
    make_gguf(corpus, "qwen2", "qwen2", false, DTYPE_Q8_0, 3);
    make_gguf(corpus, "qwen3", "qwen3", false, DTYPE_BF16, 3);
    make_values(corpus);
    make_safetensors(corpus, "f32", DTYPE_F32);
    make_safetensors(corpus, "bf16", DTYPE_BF16);
    make_config(corpus, "llama", "llama");
    make_config(corpus, "qwen2", "qwen2");
    make_strange_config(corpus);
    return 0;
}

/* Models in and out: every type and architecture read from files made by hand, both exports read
 * back, features that are not computed refused. */
#include "tests/harness.h"

#include "common/errors.h"
#include "common/gguf.h"
#include "common/safetensors.h"
#include "common/tensors_internal.h"
#include "tests/model_files.h"

static const char *const architectures[] = {"llama", "qwen2", "qwen3"};

static void check_desc(const ModelDesc *a, const ModelDesc *b)
{
    ck_assert_str_eq(a->architecture, b->architecture);
    ck_assert(a->L == b->L && a->C == b->C && a->H == b->H && a->Kh == b->Kh && a->D == b->D &&
              a->F == b->F && a->V == b->V);
    ck_assert(a->max_positions == b->max_positions && a->rms_eps == b->rms_eps &&
              a->rope_theta == b->rope_theta);
    ck_assert(a->tied == b->tied && a->qkv_bias == b->qkv_bias && a->qk_norm == b->qk_norm &&
              a->bos == b->bos && a->eos == b->eos);
}

/* Every tensor of the file has exactly these numbers ([specs], in the table's order). */
static void check_numbers(const TensorFile *f, float *const *numbers)
{
    const ModelDesc *d = tensor_file_desc(f);
    ck_assert_int_eq(tensor_file_count(f), tensor_spec_count(d));
    for (int i = 0; i < tensor_file_count(f); i++) {
        TensorSpec s;
        tensor_spec_at(d, i, &s);
        const Tensor *t = tensor_file_find(f, s.name);
        ck_assert_msg(t != NULL && t == tensor_file_at(f, i), "%s is not where it should be",
                      s.name);
        float *x = NEW(float, spec_numbers(&s));
        tensor_read(t, x);
        ck_assert_msg(same_bits(x, numbers[i], 4 * spec_numbers(&s)), "%s differs", s.name);
        mem_free(x);
    }
    ck_assert_ptr_null(tensor_file_find(f, "model.layers.99.mlp.up_proj.weight"));
}

static float **make_numbers(const ModelDesc *d)
{
    float **x = NEW(float *, tensor_spec_count(d));
    for (int i = 0; i < tensor_spec_count(d); i++) {
        TensorSpec s;
        tensor_spec_at(d, i, &s);
        x[i] = fixture_tensor(&s, i);
    }
    return x;
}

static void free_numbers(const ModelDesc *d, float **x)
{
    for (int i = 0; i < tensor_spec_count(d); i++) mem_free(x[i]);
    mem_free(x);
}

START_TEST(reads_gguf_of_every_type_and_architecture)
{
    for (int a = 0; a < 3; a++)
        for (Dtype type = 0; type < DTYPE_COUNT; type++) {
            ModelDesc d = fixture_desc(architectures[a], type % 2);
            float **numbers = NEW(float *, tensor_spec_count(&d));
            GgufMaker m = {0};
            Buffer b = {0};
            fixture_keys(&m, &d);
            fixture_tensors(&m, &d, type, numbers);
            maker_finish(&m, type % 2 ? 2 : 3, &b);
            const char *path = fixture_path("tiny.gguf");
            write_bytes(path, b.data, b.size);
            TensorFile *f = tensor_file_open(path);
            ck_assert_ptr_nonnull(f);
            check_desc(tensor_file_desc(f), &d);
            check_numbers(f, numbers);
            tensor_file_close(f);
            free_numbers(&d, numbers);
            buffer_free(&b);
        }
}
END_TEST

/* ---- exports --------------------------------------------------------------------------------- */

static TensorView *make_views(const ModelDesc *d, float **numbers, TensorSpec *specs)
{
    int n = tensor_spec_count(d);
    TensorView *v = NEW(TensorView, n);
    for (int i = 0; i < n; i++) {
        tensor_spec_at(d, i, &specs[i]);
        v[i] = (TensorView){.name = specs[i].name,
                            .n_dims = specs[i].n_dims,
                            .dims = {specs[i].dims[0], specs[i].dims[1]},
                            .data = numbers[i]};
    }
    return v;
}

/* fixture_number's values are exact in F16 and BF16; for Q8_0 the error is half a step of each
 * block. */
static void export_and_read(const ModelDesc *d, Dtype type, bool gguf)
{
    int n = tensor_spec_count(d);
    float **numbers = make_numbers(d);
    TensorSpec *specs = NEW(TensorSpec, n);
    TensorView *views = make_views(d, numbers, specs);
    char path[256];
    snprintf(path, sizeof path, "%s", gguf ? fixture_path("out.gguf") : fixture_folder());
    ck_assert_int_eq(gguf ? tensors_export_gguf(path, d, views, n, type, NULL)
                          : tensors_export_hf(path, d, views, n, type),
                     0);
    TensorFile *f = tensor_file_open(path);
    ck_assert_ptr_nonnull(f);
    check_desc(tensor_file_desc(f), d);
    if (type != DTYPE_Q8_0) check_numbers(f, numbers);
    for (int i = 0; type == DTYPE_Q8_0 && i < n; i++) {
        const Tensor *t = tensor_file_at(f, i);
        float *x = NEW(float, spec_numbers(&specs[i]));
        tensor_read(t, x);
        ck_assert(t->dtype == (specs[i].n_dims == 1 ? DTYPE_F32 : DTYPE_Q8_0));
        double bound = specs[i].n_dims == 1 ? 0 : 0.5 / 127 * 1.002;
        ck_assert_msg(max_abs_diff(x, numbers[i], spec_numbers(&specs[i])) <= bound, "%s",
                      specs[i].name);
        mem_free(x);
    }
    tensor_file_close(f);
    free_numbers(d, numbers);
    mem_free(specs);
    mem_free(views);
}

START_TEST(exports_come_back_bit_for_bit)
{
    const Dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_Q8_0};
    for (int a = 0; a < 3; a++)
        for (int t = 0; t < 4; t++) {
            ModelDesc d = fixture_desc(architectures[a], (a + t) % 2);
            d.rope_theta = 1e6;
            if (a == 1) d.bos = -1;
            if (t < 3) export_and_read(&d, types[t], false);
            export_and_read(&d, types[t], true);
        }
}
END_TEST

START_TEST(export_refuses_what_it_cannot_write)
{
    ModelDesc d = fixture_desc("llama", true);
    int n = tensor_spec_count(&d);
    float **numbers = make_numbers(&d);
    TensorSpec *specs = NEW(TensorSpec, n);
    TensorView *v = make_views(&d, numbers, specs);
    char path[256];
    snprintf(path, sizeof path, "%s", fixture_path("refused.gguf"));
    errors_quiet(1);
    ck_assert_int_eq(tensors_export_gguf(path, &d, v, n, DTYPE_Q4_0, NULL), -1);
    ck_assert_int_eq(tensors_export_hf(fixture_folder(), &d, v, n, DTYPE_Q8_0), -1);
    ck_assert_int_eq(tensors_export_gguf(path, &d, v, n - 1, DTYPE_F32, NULL), -1);
    ck_assert(strstr(errors_last(), "is missing"));
    v[3].dims[0]++;
    ck_assert_int_eq(tensors_export_gguf(path, &d, v, n, DTYPE_F32, NULL), -1);
    v[3].dims[0]--;
    numbers[2][5] = 1e5f;
    ck_assert_int_eq(tensors_export_gguf(path, &d, v, n, DTYPE_F16, NULL), -1);
    ck_assert(strstr(errors_last(), "which F16 cannot hold"));
    ck_assert_int_eq(access(path, F_OK), -1); /* nothing is left behind */
    ck_assert_int_eq(tensors_export_gguf("/nonexistent/x.gguf", &d, v, n, DTYPE_F32, NULL), -1);
    errors_quiet(-1);
    ck_assert_int_eq(tensors_export_gguf(path, &d, v, n, DTYPE_BF16, NULL), 0);
    mem_free(specs);
    mem_free(v);
    free_numbers(&d, numbers);
}
END_TEST

START_TEST(failed_export_keeps_the_old_file)
{
    char path[256], command[600];
    snprintf(path, sizeof path, "%s", fixture_path("kept.gguf"));
    write_bytes(path, "old", 3);
    ModelDesc d = fixture_desc("llama", true);
    float **numbers = make_numbers(&d);
    TensorSpec *specs = NEW(TensorSpec, tensor_spec_count(&d));
    TensorView *v = make_views(&d, numbers, specs);
    numbers[tensor_spec_count(&d) - 2][0] =
        1e9f; /* the last matrix: all others are written by then */
    errors_quiet(1);
    ck_assert_int_eq(tensors_export_gguf(path, &d, v, tensor_spec_count(&d), DTYPE_F16, NULL), -1);
    errors_quiet(-1);
    Buffer b = {0};
    ck_assert_int_eq(file_read(path, 100, &b), 0);
    ck_assert_str_eq(b.data, "old");
    snprintf(command, sizeof command, "ls '%s' | grep -q tmp", fixture_folder());
    ck_assert_int_ne(system(command), 0);
    buffer_free(&b);
    mem_free(specs);
    mem_free(v);
    free_numbers(&d, numbers);
}
END_TEST

/* ---- shards ---------------------------------------------------------------------------------- */

/* Splits the exported one-file folder: tensors by turns into two shards and an index. extra goes
 * into the map. */
static void write_shards(const ModelDesc *d, float **numbers, const char *extra)
{
    Buffer index = {0};
    buffer_text(&index, "{\"metadata\":{\"total_size\":1},\"weight_map\":{");
    for (int shard = 0; shard < 2; shard++) {
        TensorSpec specs[64];
        TensorView views[64] = {0};
        Buffer b = {0};
        int n = 0;
        char name[64];
        snprintf(name, sizeof name, "model-0000%d-of-00002.safetensors", shard + 1);
        for (int i = shard; i < tensor_spec_count(d); i += 2, n++) {
            tensor_spec_at(d, i, &specs[n]);
            views[n] = (TensorView){.name = specs[n].name,
                                    .n_dims = specs[n].n_dims,
                                    .dims = {specs[n].dims[0], specs[n].dims[1]}};
            buffer_printf(&index, "%s\"%s\":\"%s\"", shard + n ? "," : "", specs[n].name, name);
        }
        safetensors_header(views, n, DTYPE_F32, &b);
        for (int i = shard; i < tensor_spec_count(d); i += 2) {
            TensorSpec s;
            tensor_spec_at(d, i, &s);
            buffer_add(&b, numbers[i], 4 * spec_numbers(&s));
        }
        write_bytes(fixture_path(name), b.data, b.size);
        buffer_free(&b);
    }
    buffer_text(&index, extra);
    buffer_text(&index, "}}");
    write_bytes(fixture_path("model.safetensors.index.json"), index.data, index.size);
    buffer_free(&index);
}

static void refuses_folder(const char *say)
{
    catch_stderr();
    TensorFile *f = tensor_file_open(fixture_folder());
    int lines = release_stderr();
    ck_assert_msg(!f, "accepted, expected: %s", say);
    ck_assert_msg(lines == 1, "%d lines for: %s", lines, errors_last());
    ck_assert_msg(strstr(errors_last(), say) != NULL, "\"%s\" does not say \"%s\"", errors_last(),
                  say);
}

START_TEST(reads_shards_and_refuses_a_lying_index)
{
    ModelDesc d = fixture_desc("qwen2", false);
    export_and_read(&d, DTYPE_F32, false);
    float **numbers = make_numbers(&d);
    unlink(fixture_path("model.safetensors"));
    refuses_folder("neither model.safetensors nor model.safetensors.index.json");
    write_bytes(fixture_path("pytorch_model.bin"), "x", 1);
    refuses_folder("a pickle");
    write_shards(&d, numbers, "");
    TensorFile *f = tensor_file_open(fixture_folder());
    ck_assert_ptr_nonnull(f);
    check_numbers(f, numbers);
    tensor_file_close(f);
    write_shards(&d, numbers, ",\"more\":\"model-00001-of-00002.safetensors\"");
    refuses_folder("are listed, the files hold");
    write_shards(&d, numbers, ",\"more\":\"../config.json\"");
    refuses_folder("no name of a file in the same folder");
    write_shards(&d, numbers, ",\"more\":\"/etc/passwd\"");
    refuses_folder("no name of a file in the same folder");
    write_shards(&d, numbers, ",\"more\":7");
    refuses_folder("not named by a text");
    write_shards(&d, numbers, ",\"more\":\"model-00003-of-00002.safetensors\"");
    refuses_folder("No such file");
    write_bytes(fixture_path("model.safetensors.index.json"), "{\"weight_map\":{}}", 17);
    refuses_folder("0 files");
    unlink(fixture_path("model.safetensors.index.json"));
    unlink(fixture_path("pytorch_model.bin"));
    free_numbers(&d, numbers);
}
END_TEST

/* ---- refusals -------------------------------------------------------------------------------- */

static void config_says(const char *change, const char *say)
{
    /* change: a member put before the closing brace; jansson refuses a key given twice, so each row
     * names new keys or the base leaves them out */
    Buffer b = {0};
    buffer_printf(&b,
                  "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"num_hidden_"
                  "layers\":2,\"hidden_size\":32,"
                  "\"intermediate_size\":64,\"vocab_size\":40,\"num_attention_heads\":2,\"num_key_"
                  "value_heads\":1,\"max_position_embeddings\":128,"
                  "\"bos_token_id\":1,\"eos_token_id\":[2,3],\"rms_norm_eps\":1e-5,\"tie_word_"
                  "embeddings\":true%s}",
                  change);
    write_bytes(fixture_path("config.json"), b.data, b.size);
    buffer_free(&b);
    if (say) {
        refuses_folder(say);
        return;
    }
    TensorFile *f = tensor_file_open(fixture_folder());
    ck_assert_msg(f != NULL, "refused: %s: %s", change, errors_last());
    tensor_file_close(f);
}

START_TEST(config_refuses_what_is_not_computed)
{
    ModelDesc d = fixture_desc("llama", true);
    export_and_read(&d, DTYPE_BF16, false);
    config_says("", NULL);
    config_says(",\"rope_scaling\":null,\"sliding_window\":null,\"head_dim\":16,\"use_cache\":true,"
                "\"hidden_act\":\"silu\"",
                NULL);
    config_says(",\"rope_scaling\":{\"type\":\"default\"}", NULL);
    config_says(",\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":1e4}", NULL);
    config_says(",\"attention_bias\":false,\"mlp_bias\":false,\"partial_rotary_factor\":1.0", NULL);
    config_says(",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.0}", "scaled rotary");
    config_says(
        ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0,\"low_freq_factor\":1.0}",
        "scaled rotary");
    config_says(",\"rope_scaling\":\"dynamic\"", "scaled rotary");
    config_says(",\"rope_parameters\":{\"rope_type\":\"yarn\",\"factor\":4.0}", "scaled rotary");
    config_says(",\"rope_parameters\":{\"rope_type\":\"default\",\"partial_rotary_factor\":0.5}",
                "scaled rotary");
    config_says(",\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"default\"}}",
                "unknown kind");
    config_says(",\"rope_scaling\":{\"type\":\"default\",\"mrope_section\":[1,2]}", "unknown kind");
    config_says(",\"hidden_act\":\"gelu\"", "another activation");
    config_says(",\"use_sliding_window\":true", "sliding-window");
    config_says(",\"sliding_window\":4096", "sliding-window");
    config_says(",\"layer_types\":[\"full_attention\",\"sliding_attention\"]",
                "layers of another kind");
    config_says(",\"attention_bias\":true", "biases in attention");
    config_says(",\"mlp_bias\":true", "biases in the MLP");
    config_says(",\"partial_rotary_factor\":0.5", "a part of each head");
    config_says(",\"final_logit_softcapping\":30.0", "capped logits");
    config_says(",\"num_local_experts\":8", "experts");
    config_says(",\"quantization_config\":{\"quant_method\":\"gptq\"}", "quantised");
    config_says(",\"head_dim\":15", "odd");
    config_says(",\"head_dim\":\"16\"", "not a whole number");
    config_says(",\"head_dim\":32", "asks for 64 x 32");
    config_says(",\"rope_theta\":\"big\"", "not a number");
    config_says(",\"rope_theta\":0.0", "rope_theta");
    config_says(",\"num_hidden_layers\":2", "duplicate");
    write_bytes(fixture_path("config.json"), "{\"model_type\":\"gpt2\"}", 21);
    refuses_folder("\"gpt2\": models of the kinds llama, qwen2 and qwen3");
    write_bytes(fixture_path("config.json"), "{}", 2);
    refuses_folder("\"model_type\" is missing");
    write_bytes(fixture_path("config.json"), "[", 1);
    refuses_folder("config.json:1:1");
    unlink(fixture_path("config.json"));
    refuses_folder("No such file");
}
END_TEST

START_TEST(gguf_refuses_what_is_not_computed)
{
    const struct {
        const char *key;
        char kind; /* u, f, t: u32, f32, text */
        float v;
        const char *text, *say; /* say NULL: accepted */
    } rows[] = {
        {"llama.rope.scaling.type", 't', 0, "none", NULL},
        {"llama.rope.scaling.factor", 'f', 1, NULL, NULL},
        {"llama.attention.scale", 'f', 0.25f, NULL, NULL}, /* 1 / sqrt(16) */
        {"llama.expert_count", 'u', 0, NULL, NULL},
        {"llama.rope.freq_base", 'f', 10000, NULL, NULL},
        {"general.something.new", 'u', 3, NULL, NULL},
        {"llama.rope.scaling.type", 't', 0, "yarn", "scaled rotary"},
        {"llama.rope.scaling.type", 'u', 0, NULL, "not a text"},
        {"llama.rope.scaling.factor", 'f', 4, NULL, "scaled rotary"},
        {"llama.rope.scale_linear", 'f', 2, NULL, "scaled rotary"},
        {"llama.rope.dimension_count", 'u', 8, NULL, "rotates whole heads"},
        {"llama.attention.sliding_window", 'u', 512, NULL, "sliding-window"},
        {"llama.attention.scale", 'f', 0.5f, NULL, "does not know"},
        {"llama.attn_logit_softcapping", 'f', 50, NULL, "capped attention"},
        {"llama.final_logit_softcapping", 'f', 30, NULL, "capped logits"},
        {"llama.logit_scale", 'f', 0.1f, NULL, "scaled logits"},
        {"llama.expert_count", 'u', 8, NULL, "experts"},
        {"llama.attention.value_length", 'u', 8, NULL, "heads of one size"},
        {"llama.vocab_size", 'u', 41, NULL, "of 40 in the embedding"},
        {"llama.feature.of.tomorrow", 'u', 1, NULL, "does not know"},
        {"llama.rope.freq_base", 'f', -1, NULL, "rope_theta"},
        {"llama.rope.freq_base", 'f', NAN, NULL, "rope_theta"},
        {"llama.rope.freq_base", 't', 0, "big", "not a float"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ModelDesc d = fixture_desc("llama", true);
        GgufMaker m = {0};
        Buffer b = {0};
        fixture_keys(&m, &d);
        if (rows[i].kind == 'u') maker_u32(&m, rows[i].key, (uint32_t)rows[i].v);
        if (rows[i].kind == 'f') maker_f32(&m, rows[i].key, rows[i].v);
        if (rows[i].kind == 't') maker_text(&m, rows[i].key, rows[i].text);
        fixture_tensors(&m, &d, DTYPE_F16, NULL);
        maker_finish(&m, 3, &b);
        GgufFile *g = gguf_open_memory("tiny", b.data, b.size);
        ck_assert_ptr_nonnull(g);
        catch_stderr();
        TensorFile *f = tensor_file_from_gguf(g);
        int lines = release_stderr();
        ck_assert_msg((f == NULL) == (rows[i].say != NULL), "%s: %s", rows[i].key, errors_last());
        ck_assert_int_eq(lines, f ? 0 : 1);
        if (!f)
            ck_assert_msg(strstr(errors_last(), rows[i].say) != NULL, "\"%s\" does not say \"%s\"",
                          errors_last(), rows[i].say);
        tensor_file_close(f);
        buffer_free(&b);
    }
}
END_TEST

/* One tensor more than there should be, of a type; or one less, or of another shape. */
static void gguf_tensors_say(const char *more, uint32_t type, const char *say, bool few)
{
    ModelDesc d = fixture_desc("llama", true);
    GgufMaker m = {0};
    Buffer b = {0};
    char zeros[64] = {0};
    fixture_keys(&m, &d);
    ModelDesc written = d;
    if (few) written.L = 1;
    fixture_tensors(&m, &written, DTYPE_F32, NULL);
    if (more) maker_tensor(&m, more, type, (int64_t[]){8}, 1, zeros, 32);
    maker_finish(&m, 3, &b);
    GgufFile *g = gguf_open_memory("tiny", b.data, b.size);
    ck_assert_ptr_nonnull(g);
    catch_stderr();
    TensorFile *f = tensor_file_from_gguf(g);
    ck_assert_int_eq(release_stderr(), 1);
    ck_assert_ptr_null(f);
    ck_assert_msg(strstr(errors_last(), say) != NULL, "\"%s\" does not say \"%s\"", errors_last(),
                  say);
    buffer_free(&b);
}

START_TEST(gguf_refuses_other_tensors)
{
    gguf_tensors_say("rope_freqs.weight", 0, "scaled rotary positions", false);
    gguf_tensors_say("blk.0.attn_q.bias", 0, "model.layers.0.self_attn.q_proj.bias is no part",
                     false);
    gguf_tensors_say("blk.2.attn_norm.weight", 0,
                     "model.layers.2.input_layernorm.weight is no part", false);
    gguf_tensors_say("extra", 12, "tensor extra has the type Q4_K", false);
    gguf_tensors_say(
        NULL, 0, "model.layers.1.input_layernorm.weight (GGUF: blk.1.attn_norm.weight) is missing",
        true);
    gguf_tensors_say("output.weight", 0,
                     "lm_head.weight is 8, the model's description asks for 40 x 32", false);
}
END_TEST

START_TEST(hostile_bytes_never_crash_the_loader)
{
    ModelDesc d = fixture_desc("llama", true);
    d.L = 1;
    GgufMaker m = {0};
    Buffer b = {0};
    fixture_keys(&m, &d);
    fixture_tensors(&m, &d, DTYPE_Q4_1, NULL);
    size_t header = 24 + m.keys.size + m.infos.size;
    maker_finish(&m, 3, &b);
    char *copy = malloc(b.size);
    uint64_t state = 3;
    int refused = 0, rounds = 5000;
    for (int i = 0; i < rounds; i++) {
        memcpy(copy, b.data, b.size);
        copy[fixture_random(&state) % header] = (char)fixture_random(&state);
        catch_stderr();
        GgufFile *g = gguf_open_memory("hostile", copy, b.size);
        TensorFile *f = g ? tensor_file_from_gguf(g) : NULL;
        int lines = release_stderr();
        ck_assert_msg(lines == (f ? 0 : 1), "%d lines: %s", lines, errors_last());
        refused += !f;
        for (int k = 0; f && k < tensor_file_count(f); k++) {
            TensorSpec s;
            tensor_spec_at(tensor_file_desc(f), k, &s);
            float *x = NEW(float, spec_numbers(&s));
            tensor_read(tensor_file_at(f, k), x);
            mem_free(x);
        }
        tensor_file_close(f);
    }
    ck_assert_msg(refused > rounds / 2 && refused < rounds, "%d of %d refused", refused, rounds);
    free(copy);
    buffer_free(&b);
}
END_TEST

START_TEST(refuses_descriptions_that_cannot_be)
{
    const struct {
        int H, Kh, D, V, eos;
        const char *say;
    } rows[] = {{3, 2, 16, 40, 2, "no multiple"},
                {2, 1, 15, 40, 2, "odd"},
                {2, 1, 16, 0, 2, "vocabulary is 0"},
                {2, 0, 16, 40, 2, "key/value"},
                {2, 1, 16, 40, 40, "is not below"},
                {2, 1, 16, 40, -2, "is not below"},
                {65536, 1, 65536, 40, 2, "heads x head size"}};
    ModelDesc d = fixture_desc("llama", true);
    ck_assert_int_eq(model_desc_check(&d), 0);
    errors_quiet(1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        d = fixture_desc("llama", true);
        d.H = rows[i].H, d.Kh = rows[i].Kh, d.D = rows[i].D, d.V = rows[i].V, d.eos = rows[i].eos;
        ck_assert_int_eq(model_desc_check(&d), -1);
        const char *say = rows[i].say;
        ck_assert_msg(strstr(errors_last(), say) != NULL, "\"%s\" does not say \"%s\"",
                      errors_last(), say);
    }
    d = fixture_desc("llama", true);
    d.V = d.C = 1 << 17;
    ck_assert_int_eq(model_desc_check(&d), -1);
    errors_quiet(-1);
}
END_TEST

TEST_MAIN("tensors", reads_gguf_of_every_type_and_architecture, exports_come_back_bit_for_bit,
          export_refuses_what_it_cannot_write, failed_export_keeps_the_old_file,
          reads_shards_and_refuses_a_lying_index, config_refuses_what_is_not_computed,
          gguf_refuses_what_is_not_computed, gguf_refuses_other_tensors,
          hostile_bytes_never_crash_the_loader, refuses_descriptions_that_cannot_be)

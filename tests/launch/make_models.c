/* Writes small models for test_export.sh: Hugging Face folders llama, qwen2, qwen3 (F32, an
 * alphabet as tokenizer, more embedding rows than tokens), and a run in the folder run with a
 * checkpoint, whose numbers also stand in the folder expected.
 *
 *   make_models DIR
 */
#include <stdio.h>
#include <sys/stat.h>

#include "common/checkpoint.h"
#include "common/errors.h"
#include "common/policy.h"
#include "tests/model_files.h"

static void check(int rc)
{
    if (rc) die(EXIT_IO, "make_models: a step failed (the reason is above)");
}

static char *sub(const char *dir, const char *name)
{
    char *path = mem_printf("%s/%s", dir, name);
    if (mkdir(path, 0755)) die(EXIT_CREATE, "%s: cannot create", path);
    return path;
}

static const float *fetch_fixture(void *ctx, const TensorSpec *s)
{
    float **last = ctx;
    static int i;
    mem_free(*last);
    *last = fixture_tensor(s, i++);
    return *last;
}

static void make_folder(const char *dir, const char *architecture)
{
    char *path = sub(dir, architecture);
    float *last = NULL;
    ModelDesc d = fixture_desc(architecture, true);
    Tokenizer *tok = tokenizer_from_alphabet("0 1 2 3 4 5 6 7 8 9 + = <think> </think>");
    d.bos = -1, d.eos = tokenizer_eos(tok);
    check(tensors_export_hf_from(path, &d, fetch_fixture, &last, DTYPE_F32));
    check(tokenizer_export(tok, path));
    tokenizer_close(tok);
    mem_free(last);
    mem_free(path);
}

static const float *fetch_master(void *ctx, const TensorSpec *s)
{
    int n;
    const Param *p = model_param_table(ctx, &n, NULL);
    for (int i = 0; i < n; i++)
        if (!strcmp(p[i].name, s->name)) return model_master(ctx) + p[i].offset;
    return NULL;
}

static void make_run(const char *dir)
{
    static const char text[] = "run:\n  name: small\n  seed: 3\nmodel:\n  layers: 2\n  width: 32\n "
                               " heads: 4\n  kv_heads: 2\n  mlp: 64\ntask:\n  name: sum\n";
    char *run = sub(dir, "run"), *expected = sub(dir, "expected");
    KernelSet k = {.precision = PRECISION_F32, .product = PRODUCT_F32};
    Config c = {0};
    Policy p;
    int n;
    check(config_parse(&c, "small.yaml", text, NULL, 0));
    check(policy_from_config(&p, &c, &k, true));
    const Param *table = model_param_table(p.model, &n, NULL);
    CheckpointArray *arrays = NEW(CheckpointArray, n);
    for (int i = 0; i < n; i++)
        arrays[i] = (CheckpointArray){.name = mem_printf("weights/%s", table[i].name),
                                      .n_dims = table[i].n_dims,
                                      .dims = {table[i].rows, table[i].cols},
                                      .data = model_master(p.model) + table[i].offset};
    CheckpointState s = {
        .run_id = "0123", .step = 7, .kernels = k, .config_text = policy_config_text(&c)};
    check(checkpoint_save(run, &s, arrays, n, 2));
    check(tensors_export_hf_from(expected, model_desc(p.model), fetch_master, p.model, DTYPE_F32));
    for (int i = 0; i < n; i++) mem_free((char *)arrays[i].name);
    mem_free(arrays);
    mem_free(s.config_text);
    policy_close(&p);
    config_free(&c);
    mem_free(run);
    mem_free(expected);
}

int main(int argc, char **argv)
{
    if (argc != 2) die(EXIT_USAGE, "make_models DIR");
    make_folder(argv[1], "llama");
    make_folder(argv[1], "qwen2");
    make_folder(argv[1], "qwen3");
    make_run(argv[1]);
    return 0;
}

/* The same weights and tokenizer by every way in: configuration, checkpoint, run folder, exported
 * folder; for training and not; both precisions. */
#include "tests/harness.h"

#include <sys/stat.h>

#include "common/checkpoint.h"
#include "common/errors.h"
#include "common/policy.h"

static const KernelSet f32 = {.precision = PRECISION_F32, .product = PRODUCT_F32};
static const KernelSet bf16 = {.precision = PRECISION_BF16, .product = PRODUCT_BF16_AS_F32};

static const char text[] = "run:\n  name: small\n  seed: 3\nmodel:\n  layers: 2\n  width: 32\n  "
                           "heads: 4\n  kv_heads: 2\n  mlp: 48\n"
                           "task:\n  name: sum\n";

static Config read_config(const char *const *sets, int n)
{
    Config c = {0};
    ck_assert_int_eq(config_parse(&c, "small.yaml", text, sets, n), 0);
    return c;
}

/* A folder of its own under the build's, removed at the end. */
static char folder[64];
static void folder_make(void)
{
    snprintf(folder, sizeof folder, "/tmp/troupe-policy-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}
static void folder_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void save(const Policy *p, const Config *c, int64_t step)
{
    int n;
    const Param *table = model_param_table(p->model, &n, NULL);
    CheckpointArray *arrays = NEW(CheckpointArray, n);
    char **names = NEW(char *, n);
    for (int i = 0; i < n; i++) {
        names[i] = mem_printf("weights/%s", table[i].name);
        arrays[i] = (CheckpointArray){.name = names[i],
                                      .n_dims = table[i].n_dims,
                                      .dims = {table[i].rows, table[i].cols},
                                      .data = model_master(p->model) + table[i].offset};
    }
    CheckpointState s = {.run_id = "0123",
                         .step = step,
                         .kernels = p->kernels,
                         .config_text = policy_config_text(c)};
    ck_assert_int_eq(checkpoint_save(folder, &s, arrays, n, 5), 0);
    for (int i = 0; i < n; i++) mem_free(names[i]);
    mem_free(names);
    mem_free(arrays);
    mem_free(s.config_text);
}

static void export(const Policy *p)
{
    int n;
    const Param *table = model_param_table(p->model, &n, NULL);
    TensorView *views = NEW(TensorView, n);
    for (int i = 0; i < n; i++)
        views[i] = (TensorView){.name = table[i].name,
                                .n_dims = table[i].n_dims,
                                .dims = {table[i].rows, table[i].cols},
                                .data = model_master(p->model) + table[i].offset};
    char *path = mem_printf("%s/model", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(tensors_export_hf(path, model_desc(p->model), views, n, DTYPE_F32), 0);
    ck_assert_int_eq(tokenizer_export(p->tok, path), 0);
    mem_free(path);
    mem_free(views);
}

static void check_same(const char *path, const KernelSet *k, bool trainable, uint32_t crc)
{
    Policy p;
    Ids ids = {0};
    ck_assert_int_eq(policy_open(&p, path, k, trainable), 0);
    ck_assert_uint_eq(model_crc(p.model), crc);
    ck_assert_int_eq(p.kernels.precision, k->precision);
    ck_assert_int_eq(tokenizer_encode(p.tok, "12+30=", 6, false, false, &ids), 0);
    ck_assert_int_eq(ids.n, 6);
    ck_assert(tokenizer_is_eos(p.tok, tokenizer_eos(p.tok)));
    ck_assert_int_eq(tokenizer_size(p.tok), model_desc(p.model)->V);
    ids_free(&ids);
    policy_close(&p);
}

START_TEST(every_way_in_gives_the_same_weights)
{
    Config c = read_config(NULL, 0);
    Policy old, new;
    folder_make();
    ck_assert_int_eq(policy_from_config(&old, &c, &f32, true), 0);
    save(&old, &c, 9);
    export(&old);
    ck_assert_int_eq(policy_from_config(&new, &c, &f32, true), 0);
    ck_assert_uint_eq(model_crc(old.model), model_crc(new.model)); /* a seed is a model */
    model_master(new.model)[0] += 1;
    model_pack(new.model);
    ck_assert_uint_ne(model_crc(old.model), model_crc(new.model));
    save(&new, &c, 10); /* the newest is what a run's folder means */
    uint32_t crc = model_crc(new.model), before = model_crc(old.model);
    for (int trainable = 0; trainable < 2; trainable++) {
        check_same(folder, &f32, trainable, crc);
        char *path = mem_printf("%s/checkpoints/step-000009", folder);
        check_same(path, &f32, trainable, before);
        mem_free(path);
        path = mem_printf("%s/model", folder);
        check_same(path, &f32, trainable, before);
        mem_free(path);
    }
    policy_close(&new);
    ck_assert_int_eq(policy_from_config(&new, &c, &bf16, true),
                     0); /* as the seed draws them, rounded */
    char *path = mem_printf("%s/checkpoints/step-000009", folder);
    check_same(path, &bf16, true, model_crc(new.model));
    check_same(path, &bf16, false, model_crc(new.model));
    mem_free(path);
    policy_close(&old);
    policy_close(&new);
    config_free(&c);
    folder_remove();
}
END_TEST

START_TEST(a_run_without_checkpoints_means_its_exported_model)
{
    Config c = read_config(NULL, 0), none = {0};
    Policy p;
    KernelSet k;
    folder_make();
    ck_assert_int_eq(policy_from_config(&p, &c, &f32, true), 0);
    export(&p);
    check_same(folder, &f32, false, model_crc(p.model));
    ck_assert_int_eq(policy_run_config(folder, &none, &k), 1);
    policy_close(&p);
    config_free(&c);
    folder_remove();
}
END_TEST

START_TEST(a_run_remembers_its_set_arguments)
{
    const char *sets[] = {"model.layers=1", "run.seed=8", "task.instruction=a = b"};
    Config c = read_config(sets, 3), again;
    Policy p;
    KernelSet k;
    folder_make();
    ck_assert_int_eq(policy_from_config(&p, &c, &bf16, true), 0);
    ck_assert_int_eq(model_desc(p.model)->L, 1);
    save(&p, &c, 1);
    check_same(folder, &bf16, false, model_crc(p.model));
    ck_assert_int_eq(policy_run_config(folder, &again, &k), 0);
    ck_assert_int_eq(again.run.seed, 8);
    ck_assert_int_eq(again.model.layers, 1);
    ck_assert_int_eq(again.model.width, 32);
    ck_assert_str_eq(again.task.instruction, "a = b");
    ck_assert_int_eq(k.product, PRODUCT_BF16_AS_F32);
    ck_assert_uint_eq(config_hash(&again), config_hash(&c));
    config_free(&again);
    policy_close(&p);
    config_free(&c);
    folder_remove();
}
END_TEST

START_TEST(describes_without_weights)
{
    Config c = read_config(NULL, 0);
    ModelDesc d;
    Tokenizer *tok;
    ck_assert_int_eq(policy_describe(&c, &d, &tok), 0);
    ck_assert_int_eq(d.L, 2);
    ck_assert_int_eq(d.D, 8);
    ck_assert_int_eq(d.V, tokenizer_size(tok));
    ck_assert_int_eq(d.eos, tokenizer_eos(tok));
    tokenizer_close(tok);
    ck_assert_int_eq(policy_describe(&c, &d, NULL), 0);
    config_free(&c);
}
END_TEST

static void check_refused(const char *path, const char *why)
{
    Policy p;
    errors_quiet(1);
    ck_assert_int_eq(policy_open(&p, path, &f32, false), -1);
    errors_quiet(-1);
    ck_assert_msg(strstr(errors_last(), why), "%s", errors_last());
    ck_assert_ptr_null(p.model);
    policy_close(&p);
}

START_TEST(says_what_is_wrong)
{
    folder_make();
    check_refused("/nowhere/at/all", "no such file");
    check_refused(folder, "neither a Hugging Face folder");
    char *path = mem_printf("%s/checkpoints", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    check_refused(folder, "without a whole checkpoint");
    mem_free(path);
    folder_remove();
}
END_TEST

TEST_MAIN("policy", every_way_in_gives_the_same_weights,
          a_run_without_checkpoints_means_its_exported_model, a_run_remembers_its_set_arguments,
          describes_without_weights, says_what_is_wrong)

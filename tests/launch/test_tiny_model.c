/* A tiny model in a Hugging Face folder, made by the program's own means: what the tests of verbs
 * run on.
 *
 *     test_tiny_model FOLDER     writes it there: random weights over the alphabet of task sum
 *
 * With an argument or without: the folder must open as the policy that was written. */
#include "tests/harness.h"

#include <sys/stat.h>

#include "common/policy.h"

static const KernelSet f32 = {.precision = PRECISION_F32, .product = PRODUCT_F32};

static uint32_t write_model(const char *folder)
{
    static const char text[] = "model:\n  layers: 2\n  width: 32\n  mlp: 48\nrollout:\n  "
                               "max_tokens: 64\ntask:\n  name: sum\n";
    Config c = {0};
    Policy p;
    int n;
    ck_assert_int_eq(config_parse(&c, "tiny.yaml", text, NULL, 0), 0);
    ck_assert_int_eq(policy_from_config(&p, &c, &f32, true), 0);
    const Param *table = model_param_table(p.model, &n, NULL);
    TensorView *views = NEW(TensorView, n);
    for (int i = 0; i < n;
         i++) { /* wide weights: no two tokens are equally probable, attention is no average */
        float *w = model_master(p.model) + table[i].offset;
        for (int j = 0; table[i].decay && j < table[i].rows * table[i].cols; j++) w[j] *= 10;
        views[i] = (TensorView){.name = table[i].name,
                                .n_dims = table[i].n_dims,
                                .dims = {table[i].rows, table[i].cols},
                                .data = w};
    }
    model_pack(p.model);
    ck_assert_int_eq(tensors_export_hf(folder, model_desc(p.model), views, n, DTYPE_F32), 0);
    ck_assert_int_eq(tokenizer_export(p.tok, folder), 0);
    uint32_t crc = model_crc(p.model);
    mem_free(views);
    policy_close(&p);
    config_free(&c);
    return crc;
}

static const char *given; /* the argument */

START_TEST(opens_as_it_was_written)
{
    char own[] = "/tmp/troupe-tiny-XXXXXX", command[64];
    const char *folder = given ? given : mkdtemp(own);
    Policy p;
    ck_assert_ptr_nonnull(folder);
    uint32_t crc = write_model(folder);
    ck_assert_int_eq(policy_open(&p, folder, &f32, false), 0);
    ck_assert_uint_eq(model_crc(p.model), crc);
    policy_close(&p);
    if (given) return;
    snprintf(command, sizeof command, "rm -rf %s", own);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s = suite_create("tiny_model");
    TCase *c = tcase_create("tiny_model");
    given = argc > 1 ? argv[1] : NULL;
    tcase_add_test(c, opens_as_it_was_written);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

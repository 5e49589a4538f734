/* SmolLM2-135M-Instruct as it is published (GGUF, Q4_1 and Q8_0): description and every kind of
 * tensor, against what transformers makes of the same file. */
#include "tests/harness.h"

#include <zlib.h>

#include "common/memory.h"
#include "common/tensors.h"

/* CRC-32 of the f32 numbers. Made by tests/data/make_tensors_golden.py. */
static const struct {
    const char *name;
    int rows, cols;
    uint32_t crc;
} golden[] = {
#include "tests/data/tensors_golden.h"
};

START_TEST(is_as_transformers_reads_it)
{
    TensorFile *f = tensor_file_open(test_smollm2_path());
    ck_assert_ptr_nonnull(f);
    const ModelDesc *d = tensor_file_desc(f);
    ck_assert_str_eq(d->architecture, "llama");
    ck_assert(d->L == 30 && d->C == 576 && d->H == 9 && d->Kh == 3 && d->D == 64 && d->F == 1536 &&
              d->V == 49152);
    ck_assert(d->max_positions == 8192 && d->rms_eps == 1e-5f && d->rope_theta == 100000);
    ck_assert(d->tied && !d->qkv_bias && !d->qk_norm && d->bos == 1 && d->eos == 2);
    ck_assert_int_eq(tensor_file_count(f), 272);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        const Tensor *t = tensor_file_find(f, golden[i].name);
        ck_assert_msg(t != NULL, "%s is missing", golden[i].name);
        ck_assert(t->dims[0] == golden[i].rows &&
                  (t->n_dims == 1 ? 1 : t->dims[1]) == golden[i].cols);
        size_t n = (size_t)golden[i].rows * (size_t)golden[i].cols;
        float *x = NEW(float, n);
        tensor_read(t, x);
        uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)x, (unsigned)(4 * n));
        ck_assert_msg(crc == golden[i].crc, "%s: %08x, not %08x", t->name, crc, golden[i].crc);
        mem_free(x);
    }
    tensor_file_close(f);
}
END_TEST

static int run_all(void)
{
    Suite *s = suite_create("tensors_smollm2");
    TCase *c = tcase_create("tensors_smollm2");
    tcase_add_test(c, is_as_transformers_reads_it);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

int main(void)
{
    if (!test_smollm2_path()) {
        puts("skipped: models/SmolLM2-135M-Instruct.Q4_1.gguf is not here (launch/fetch-smollm2 "
             "gets it)");
        return 77;
    }
    return run_all();
}

/* Memory that the engine and the trainer take turns with: lent, it is gone from this process, and
 * what comes after has the same bits. */
#include <stdio.h>
#include <unistd.h>

#include "common/errors.h"
#include "tests/model_fixtures.h"
#include "tests/tiny.h"

static size_t resident_bytes(void)
{
    unsigned long size, resident;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert(f && fscanf(f, "%lu %lu", &size, &resident) == 2);
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void check_gone(size_t before, size_t lent)
{
    size_t after = resident_bytes();
    ck_assert_msg(lent >= MEM_LEND_LEAST && before >= after && before - after > lent / 10 * 9,
                  "%zu MB of %zu lent are gone", (before - after) >> 20, lent >> 20);
}

START_TEST(an_engine_lends_its_pages)
{
    Tiny t = tiny_new(PRECISION_BF16, PRODUCT_BF16_AS_F32);
    const ModelDesc *d = model_desc(t.model);
    KernelSet k = test_kernels(PRODUCT_BF16_AS_F32);
    size_t tokens = 0;
    while (!engine_lent(d, &k, tokens)) tokens += 1 << 12;
    Engine *e = engine_new(t.model, t.tok, 8, tokens);
    GenerateParams p = tiny_params(1, 12);
    Group first = tiny_group(&t, 7, 20, 4), again = tiny_group(&t, 7, 20, 4);
    Group *a = &first, *b = &again;
    engine_generate(e, &a, 1, &p, 0, NULL, NULL, NULL);
    size_t before = resident_bytes();
    engine_lend(e);
    check_gone(before, engine_lent(d, &k, tokens));
    engine_generate(e, &b, 1, &p, 0, NULL, NULL, NULL);
    for (int i = 0; i < 4; i++) check_same_sample(&first.samples[i], &again.samples[i]);
    group_free(&first), group_free(&again);
    engine_free(e);
    tiny_free(&t);
}
END_TEST

static void some_loss(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    (void)ctx, (void)entropy;
    for (int i = 0; i < n; i++) dlp[i] = (float)((i0 + i) % 3) - lp[i];
}

START_TEST(a_trainer_lends_its_activations)
{
    ModelDesc d = small_models[0];
    d.F = 400;
    Model *m = test_model(&d, PRODUCT_F32, 3);
    TestGroup g = test_group(d.V, 40, 96, 90, 9);
    size_t n;
    int n_params;
    model_param_table(m, &n_params, &n);
    float *one = NEW(float, n), *two = NEW(float, n);
    Trainer *t = trainer_new(m);
    trainer_group(t, &g.tree.rows, g.tree.n_pages, g.want, g.target, g.n_want, 1, some_loss, NULL,
                  one);
    size_t before = resident_bytes();
    trainer_lend(t);
    check_gone(before, trainer_lent(&d, g.tree.rows.M));
    trainer_group(t, &g.tree.rows, g.tree.n_pages, g.want, g.target, g.n_want, 1, some_loss, NULL,
                  two);
    ck_assert(same_bits(one, two, n * sizeof *one));
    trainer_free(t);
    mem_free(one), mem_free(two);
    test_group_free(&g);
    model_free(m);
}
END_TEST

TEST_MAIN("lend", an_engine_lends_its_pages, a_trainer_lends_its_activations)

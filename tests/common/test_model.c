#define _GNU_SOURCE
/* The model as a whole: its table, its gradients against finite differences, what its bits must not
 * depend on, and how weights come and go. */
#include <omp.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/model_impl.h"
#include "common/sample.h"
#include "tests/harness.h"
#include "tests/model_fixtures.h"

/* ---- the table ---- */

static const Param *find(const Param *p, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(p[i].name, name)) return &p[i];
    ck_abort_msg("no parameter %s", name);
}

START_TEST(the_block_has_no_gaps_and_products_lie_together)
{
    for (int k = 0; k < N_SMALL_MODELS; k++) {
        const ModelDesc *d = &small_models[k];
        int n;
        size_t numbers, at = 0;
        Param *p = model_params(d, &n, &numbers);
        for (int i = 0; i < n; i++) {
            ck_assert_uint_eq(p[i].offset, at);
            ck_assert_int_eq(p[i].decay, p[i].cols > 1);
            ck_assert_int_eq(p[i].n_dims, p[i].cols > 1 ? 2 : 1);
            at += (size_t)p[i].rows * (size_t)p[i].cols;
        }
        ck_assert_uint_eq(at, numbers);
        ck_assert_int_eq(n, 2 + !d->tied + d->L * (9 + 3 * d->qkv_bias + 2 * d->qk_norm));
        const Param *q = find(p, n, "model.layers.1.self_attn.q_proj.weight");
        ck_assert_str_eq(q[1].name, "model.layers.1.self_attn.k_proj.weight");
        ck_assert_str_eq(q[2].name, "model.layers.1.self_attn.v_proj.weight");
        ck_assert_int_eq(q->rows, d->H * d->D);
        ck_assert_int_eq(q[1].rows, d->Kh * d->D);
        ck_assert_str_eq(find(p, n, "model.layers.1.mlp.gate_proj.weight")[1].name,
                         "model.layers.1.mlp.up_proj.weight");
        ck_assert_str_eq(p[n - 1].name, d->tied ? "model.norm.weight" : "lm_head.weight");
        mem_free(p);
    }
}
END_TEST

/* ---- gradients ---- */

/* The loss as a function of one number of the master. */
static double loss_at(Model *m, Trainer *t, const TestGroup *g, const float *weight, size_t i,
                      float x)
{
    TestLoss loss = {.weight = weight};
    model_master(m)[i] = x;
    model_pack(m);
    return test_run(t, g, &loss, 1 / 0.7f, NULL);
}

/* Central differences at two widths, extrapolated (Richardson): the error is of fourth order. */
static double difference(Model *m, Trainer *t, const TestGroup *g, const float *weight, size_t i)
{
    float x = model_master(m)[i], h = 0.02f;
    double wide = loss_at(m, t, g, weight, i, x + h) - loss_at(m, t, g, weight, i, x - h);
    double narrow = loss_at(m, t, g, weight, i, x + h / 2) - loss_at(m, t, g, weight, i, x - h / 2);
    loss_at(m, t, g, weight, i, x);
    return (4 * narrow / h - wide / (2 * h)) / 3;
}

/* The largest entry of a parameter's gradient and some drawn ones. */
static double check_param(Model *m, Trainer *t, const TestGroup *g, const float *weight,
                          const Param *p, const float *grad)
{
    size_t n = (size_t)p->rows * (size_t)p->cols, top = 0;
    double worst = 0;
    for (size_t i = 1; i < n; i++)
        if (fabsf(grad[p->offset + i]) > fabsf(grad[p->offset + top])) top = i;
    double scale = fabs((double)grad[p->offset + top]);
    ck_assert_msg(scale > 1e-3, "%s has no gradient", p->name);
    for (uint32_t k = 0; k < 4; k++) {
        size_t i = p->offset + (k ? rng_below((uint32_t)n, 9, STREAM_TASK, p->offset, k, 0) : top);
        double fd = difference(m, t, g, weight, i), e = fabs(fd - (double)grad[i]) / scale;
        ck_assert_msg(e < 3e-3 + 1e-3 / scale, "%s %s[%zu]: gradient %g, finite difference %g",
                      model_desc(m)->architecture, p->name, i - p->offset, (double)grad[i], fd);
        worst = e > worst ? e : worst;
    }
    return worst;
}

START_TEST(gradients_are_finite_differences)
{
    for (int k = 0; k < N_SMALL_MODELS; k++) {
        Model *m = test_model(&small_models[k], PRODUCT_F32, 11);
        TestGroup g = test_group(small_models[k].V, 19, 4, 18, 5);
        float *weight = test_weights(g.n_want, 5);
        Trainer *t = trainer_new(m);
        int n;
        size_t numbers;
        double worst = 0;
        const Param *p = model_param_table(m, &n, &numbers);
        float *grad = NEW(float, numbers);
        test_run(t, &g, &(TestLoss){.weight = weight}, 1 / 0.7f, grad);
        for (int i = 0; i < n; i++) worst = fmax(worst, check_param(m, t, &g, weight, &p[i], grad));
        printf("%s: worst gradient error %.1e of the parameter's largest\n",
               small_models[k].architecture, worst);
        mem_free(grad);
        mem_free(weight);
        trainer_free(t);
        test_group_free(&g);
        model_free(m);
    }
}
END_TEST

static float *gradient_of(const Model *m, const TestGroup *g, Trainer *t)
{
    size_t numbers;
    model_param_table(m, NULL, &numbers);
    float *grad = NEW(float, numbers), *weight = test_weights(g->n_want, 5);
    test_run(t, g, &(TestLoss){.weight = weight}, 1, grad);
    mem_free(weight);
    return grad;
}

/* Threads, what the trainer did before, and whether activations were kept or computed again. */
START_TEST(a_gradient_depends_on_its_group_alone)
{
    for (int k = 0; k < N_SMALL_MODELS; k++)
        for (int product = PRODUCT_F32; product <= PRODUCT_BF16_AS_F32; product++) {
            Model *m = test_model(&small_models[k], (ProductKind)product, 11);
            TestGroup g = test_group(small_models[k].V, 19, 8, 40, 5),
                      other = test_group(small_models[k].V, 90, 9, 60, 6);
            size_t numbers;
            model_param_table(m, NULL, &numbers);
            float *first = NULL;
            for (int trial = 0; trial < 8; trial++) {
                omp_set_num_threads(trial & 1 ? 2 : 1);
                Trainer *t = trainer_new(m);
                if (trial & 2) trainer_keep(t, 0);
                if (trial & 4) mem_free(gradient_of(m, &other, t));
                float *grad = gradient_of(m, &g, t);
                if (!first) first = gradient_of(m, &g, t);
                ck_assert_msg(same_bits(grad, first, numbers * sizeof *grad),
                              "%s, product %d, trial %d: largest difference %g",
                              small_models[k].architecture, product, trial,
                              max_abs_diff(grad, first, numbers));
                mem_free(grad);
                trainer_free(t);
            }
            mem_free(first);
            test_group_free(&g);
            test_group_free(&other);
            model_free(m);
        }
}
END_TEST

static double cosine(const float *a, const float *b, size_t n)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return ab / sqrt(aa * bb);
}

START_TEST(bf16_gradients_point_the_same_way)
{
    for (int k = 0; k < N_SMALL_MODELS; k++) {
        Model *m = test_model(&small_models[k], PRODUCT_F32, 11),
              *half = test_model(&small_models[k], PRODUCT_BF16, 11);
        TestGroup g = test_group(small_models[k].V, 19, 8, 40, 5);
        Trainer *t = trainer_new(m), *u = trainer_new(half);
        float *a = gradient_of(m, &g, t), *b = gradient_of(half, &g, u);
        int n;
        const Param *p = model_param_table(m, &n, NULL);
        for (int i = 0; i < n; i++) {
            double c =
                cosine(a + p[i].offset, b + p[i].offset, (size_t)p[i].rows * (size_t)p[i].cols);
            ck_assert_msg(c > 0.99, "%s %s: cosine %g", small_models[k].architecture, p[i].name, c);
        }
        mem_free(a);
        mem_free(b);
        trainer_free(t);
        trainer_free(u);
        test_group_free(&g);
        model_free(m);
        model_free(half);
    }
}
END_TEST

START_TEST(gradients_are_added)
{
    Model *m = test_model(&small_models[0], PRODUCT_F32, 11);
    TestGroup g = test_group(small_models[0].V, 19, 4, 18, 5);
    Trainer *t = trainer_new(m);
    size_t n;
    model_param_table(m, NULL, &n);
    float *weight = test_weights(g.n_want, 5), *once = gradient_of(m, &g, t),
          *twice = NEW(float, n);
    TestLoss loss = {.weight = weight};
    for (int i = 0; i < 2; i++) test_run(t, &g, &loss, 1, twice);
    for (size_t i = 0; i < n; i++)
        ck_assert_float_eq_tol(twice[i], 2 * once[i], 1e-5f * (1 + fabsf(once[i])));
    memset(weight, 0, (size_t)g.n_want * sizeof *weight);
    float *before = NEW(float, n);
    memcpy(before, twice, n * sizeof *twice);
    test_run(t, &g, &loss, 1, twice);
    ck_assert(same_bits(before, twice, n * sizeof *twice)); /* dLoss = 0 adds nothing */
    mem_free(before);
    mem_free(weight);
    mem_free(once);
    mem_free(twice);
    trainer_free(t);
    test_group_free(&g);
    model_free(m);
}
END_TEST

/* ---- weights come and go ---- */

static float *hidden_of(const Model *m, const TestGroup *g)
{
    KvCache kv;
    float *h = NEW(float, g->tree.rows.M *model_desc(m)->C);
    kv_init(&kv, m, model_desc(m)->L, g->tree.n_pages);
    model_forward(m, &kv, &g->tree.rows, NULL, 0, h);
    kv_free(&kv);
    return h;
}

START_TEST(the_wire_carries_the_compute_weights)
{
    for (int k = 0; k < N_SMALL_MODELS; k++)
        for (int product = PRODUCT_F32; product <= PRODUCT_BF16_AS_F32; product++) {
            const ModelDesc *d = &small_models[k];
            Model *a = test_model(d, (ProductKind)product, 3);
            TestGroup g = test_group(d->V, 10, 3, 9, 5);
            char *wire = mem_zeroed(model_wire_bytes(a), 1);
            float *h = hidden_of(a, &g);
            size_t bytes = (size_t)g.tree.rows.M * (size_t)d->C * sizeof *h;
            model_wire_write(a, wire);
            ck_assert_uint_eq(model_crc(a), crc32c(0, wire, model_wire_bytes(a)));
            for (int trainable = 0; trainable < 2; trainable++) {
                Model *b = model_new(d, model_kernels(a), trainable);
                model_init_random(b, 99);
                ck_assert_uint_ne(model_crc(a), model_crc(b));
                model_wire_read(b, wire);
                float *hb = hidden_of(b, &g);
                ck_assert_uint_eq(model_crc(a), model_crc(b));
                ck_assert(same_bits(h, hb, bytes));
                mem_free(hb);
                model_free(b);
            }
            mem_free(wire);
            mem_free(h);
            test_group_free(&g);
            model_free(a);
        }
}
END_TEST

START_TEST(random_weights_have_their_spread)
{
    const ModelDesc *d = &small_models[2];
    KernelSet k = test_kernels(PRODUCT_F32);
    Model *m = model_new(d, &k, true), *same = model_new(d, &k, true);
    int n;
    const Param *p = model_param_table(m, &n, NULL);
    model_init_random(m, 5);
    model_init_random(same, 5);
    ck_assert_uint_eq(model_crc(m), model_crc(same));
    for (int i = 0; i < n; i++) {
        size_t count = (size_t)p[i].rows * (size_t)p[i].cols;
        const float *w = model_master(m) + p[i].offset;
        double want = strstr(p[i].name, "o_proj") || strstr(p[i].name, "down_proj")
                          ? 0.02 / sqrt(2.0 * d->L)
                          : 0.02;
        if (p[i].cols == 1)
            for (size_t j = 0; j < count; j++)
                ck_assert_float_eq(w[j], strstr(p[i].name, ".bias") ? 0 : 1);
        else
            ck_assert_double_eq_tol(sqrt(op_sum_squares(w, count) / (double)count), want,
                                    0.1 * want);
    }
    model_free(m);
    model_free(same);
}
END_TEST

static void export(const Model *m, const char *folder)
{
    int n;
    const Param *p = model_param_table(m, &n, NULL);
    TensorView *t = NEW(TensorView, n);
    for (int i = 0; i < n; i++)
        t[i] = (TensorView){p[i].name,
                            p[i].n_dims,
                            {p[i].rows, p[i].cols},
                            model_master((Model *)(uintptr_t)m) + p[i].offset};
    ck_assert_int_eq(tensors_export_hf(folder, model_desc(m), t, n, DTYPE_F32), 0);
    mem_free(t);
}

/* Gives a tensor of the folder another name of the same length. */
static void rename_tensor(const char *folder, const char *from, const char *to)
{
    char path[4096];
    Buffer b = {0};
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    ck_assert_int_eq(file_read(path, 1 << 26, &b), 0);
    char *at = memmem(b.data, b.size, from, strlen(from));
    ck_assert_ptr_nonnull(at);
    memcpy(at, to, strlen(to));
    FILE *f = fopen(path, "wb");
    ck_assert(f && fwrite(b.data, 1, b.size, f) == b.size && !fclose(f));
    buffer_free(&b);
}

static int load(Model *m, const char *folder)
{
    errors_quiet(1);
    TensorFile *f = tensor_file_open(folder);
    int rc = f ? model_load(m, f) : -1;
    if (f) tensor_file_close(f);
    errors_quiet(-1);
    return rc;
}

START_TEST(loads_what_was_exported_and_names_what_is_missing)
{
    for (int k = 0; k < N_SMALL_MODELS; k++) {
        char folder[] = "/tmp/test_model_XXXXXX", command[64];
        ck_assert_ptr_nonnull(mkdtemp(folder));
        Model *m = test_model(&small_models[k], PRODUCT_BF16, 3),
              *b = model_new(model_desc(m), model_kernels(m), false);
        export(m, folder);
        ck_assert_int_eq(load(b, folder), 0);
        ck_assert_uint_eq(model_crc(m), model_crc(b));
        ModelDesc wide = *model_desc(m);
        wide.F *= 2;
        Model *other = model_new(&wide, model_kernels(m), false);
        ck_assert_int_eq(load(other, folder), -1);
        ck_assert_msg(strstr(errors_last(), "_proj.weight"), "%s", errors_last());
        model_free(other);
        rename_tensor(folder, "model.layers.1.mlp.down_proj.weight",
                      "model.layers.1.mlp.down_poor.weight");
        ck_assert_int_eq(load(b, folder), -1);
        ck_assert_msg(strstr(errors_last(), "model.layers.1.mlp.down_proj.weight"), "%s",
                      errors_last());
        snprintf(command, sizeof command, "rm -r %s", folder);
        ck_assert_int_eq(system(command), 0);
        model_free(m);
        model_free(b);
    }
}
END_TEST

START_TEST(pages_are_counted)
{
    Model *m = test_model(&small_models[0], PRODUCT_BF16, 3);
    KvCache kv;
    kv_init(&kv, m, 2, 3);
    ck_assert_uint_eq(kv_page_bytes(model_desc(m), PRECISION_BF16, 2),
                      2 * 2 * 2 * 8 * KV_PAGE * sizeof(uint16_t));
    int a = kv_take(&kv), b = kv_take(&kv), c = kv_take(&kv);
    ck_assert_int_eq(a + b + c, 0 + 1 + 2);
    ck_assert_int_eq(kv_take(&kv), -1);
    kv_hold(&kv, b);
    kv_release(&kv, b);
    ck_assert_int_eq(kv_take(&kv), -1);
    kv_release(&kv, b);
    ck_assert_int_eq(kv_take(&kv), b);
    kv_free(&kv);
    model_free(m);
}
END_TEST

TEST_MAIN("model", the_block_has_no_gaps_and_products_lie_together,
          gradients_are_finite_differences, a_gradient_depends_on_its_group_alone,
          bf16_gradients_point_the_same_way, gradients_are_added,
          the_wire_carries_the_compute_weights, random_weights_have_their_spread,
          loads_what_was_exported_and_names_what_is_missing, pages_are_counted)

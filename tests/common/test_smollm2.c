/* SmolLM2-135M against transformers: log-probabilities and gradients of a small tree
 * (tests/data/make_smollm2_golden.py), in f32; and the same tree in bf16. The model comes from its
 * GGUF file, so that file, loader, forward and backward are all in the chain. */
#include <jansson.h>

#include "common/errors.h"
#include "tests/harness.h"
#include "tests/model_fixtures.h"

static json_t *golden;
static TestGroup group;

/* ---- the golden file ---- */

static int32_t *ids_of(json_t *array, int *n)
{
    *n = (int)json_array_size(array);
    int32_t *ids = NEW(int32_t, *n);
    for (int i = 0; i < *n; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(array, (size_t)i));
    return ids;
}

static void read_golden(void)
{
    char path[4096];
    json_error_t e;
    const char *source = getenv("TROUPE_SOURCE");
    snprintf(path, sizeof path, "%s/tests/data/smollm2_golden.json", source ? source : ".");
    golden = json_load_file(path, 0, &e);
    if (!golden) die(EXIT_NO_INPUT, "%s:%d: %s", path, e.line, e.text);
    json_t *answers = json_object_get(golden, "answers");
    TestGroup *g = &group;
    g->prompt = ids_of(json_object_get(golden, "prompt"), &g->n_prompt);
    g->n = (int)json_array_size(answers);
    g->lengths = NEW(int, g->n);
    g->answers = NEW(int32_t *, g->n);
    for (int i = 0; i < g->n; i++)
        g->answers[i] = ids_of(json_array_get(answers, (size_t)i), &g->lengths[i]);
    test_group_lay_out(g);
}

/* The largest difference from the golden log-probabilities under `key`. */
static double logprob_error(const float *lp, const char *key)
{
    double worst = 0;
    for (int i = 0, at = 0; i < group.n; i++)
        for (int j = 0; j < group.lengths[i]; j++, at++) {
            json_t *row = json_array_get(json_object_get(golden, key), (size_t)i);
            double want = json_real_value(json_array_get(row, (size_t)j));
            worst = fmax(worst, fabs(want - (double)lp[at]));
        }
    return worst;
}

/* Worst relative error over parameters: of the norm, and of the kept entries together (root of sums
 * of squares). */
static double gradient_error(const Model *m, const float *grad, const char **where)
{
    int n;
    const Param *p = model_param_table(m, &n, NULL);
    json_t *rows = json_object_get(golden, "gradients");
    double worst = 0;
    ck_assert_int_eq((int)json_array_size(rows), n);
    for (int i = 0; i < n; i++) {
        json_t *row = NULL, *index, *value;
        for (size_t j = 0; j < (size_t)n && !row; j++) {
            json_t *r = json_array_get(rows, j);
            if (!strcmp(json_string_value(json_object_get(r, "name")), p[i].name)) row = r;
        }
        ck_assert_msg(row != NULL, "the golden file has no %s", p[i].name);
        const float *g = grad + p[i].offset;
        double norm = json_real_value(json_object_get(row, "norm")), diff = 0, all = 0;
        double e =
            fabs(sqrt(op_sum_squares(g, (size_t)p[i].rows * (size_t)p[i].cols)) - norm) / norm;
        index = json_object_get(row, "index");
        value = json_object_get(row, "value");
        for (size_t j = 0; j < json_array_size(index); j++) {
            double want = json_real_value(json_array_get(value, j)),
                   have = (double)g[json_integer_value(json_array_get(index, j))];
            diff += (have - want) * (have - want);
            all += want * want;
        }
        e = fmax(e, sqrt(diff / all));
        if (!(e <= worst)) worst = e, *where = p[i].name;
    }
    return worst;
}

/* ---- the model ---- */

static Model *smollm2(ProductKind product, bool trainable)
{
    KernelSet k = test_kernels(product);
    TensorFile *f = tensor_file_open(test_smollm2_path());
    ck_assert_ptr_nonnull(f);
    Model *m = model_new(tensor_file_desc(f), &k, trainable);
    ck_assert_int_eq(model_load(m, f), 0);
    tensor_file_close(f);
    return m;
}

/* Trains on the tree with transformers' loss; lp [n_want], grad [n_numbers] or NULL. */
static void run_tree(const Model *m, float *lp, float *grad)
{
    Trainer *t = trainer_new(m);
    float *weight = NEW(float, group.n_want);
    for (int i = 0; i < group.n_want; i++) weight[i] = -1.0f / (float)group.n_want;
    TestLoss loss = {.weight = weight, .lp = lp};
    test_run(t, &group, &loss, 1, grad);
    mem_free(weight);
    trainer_free(t);
}

START_TEST(f32_equals_transformers)
{
    Model *m = smollm2(PRODUCT_F32, true);
    size_t numbers;
    model_param_table(m, NULL, &numbers);
    float *lp = NEW(float, group.n_want), *grad = NEW(float, numbers);
    const char *where = "";
    run_tree(m, lp, grad);
    double e = logprob_error(lp, "logprobs"), exact = logprob_error(lp, "exact"),
           g = gradient_error(m, grad, &where);
    printf("%d log-probabilities: %.1e from transformers, %.1e from float64; gradients %.1e (%s)\n",
           group.n_want, e, exact, g, where);
    ck_assert_double_lt(e, 1e-4);
    ck_assert_double_lt(g, 1e-3);
    mem_free(lp);
    mem_free(grad);
    model_free(m);
}
END_TEST

/* One sequence in pieces through the rollout's pages, with the rollout's model: the trainer's bits.
 */
static void check_rollout(const Model *learner, const float *lp, int answer, int piece)
{
    const ModelDesc *d = model_desc(learner);
    int T = group.n_prompt + group.lengths[answer] - 1, at = 0;
    for (int i = 0; i < answer; i++) at += group.lengths[i];
    int32_t *token = NEW(int32_t, T), *pos = NEW(int32_t, T);
    KvBlock *blocks = NEW(KvBlock, T / KV_PAGE + 1);
    memcpy(token, group.prompt, (size_t)group.n_prompt * sizeof *token);
    memcpy(token + group.n_prompt, group.answers[answer],
           (size_t)(T - group.n_prompt) * sizeof *token);
    for (int i = 0; i < T; i++) pos[i] = i; /* slots too: pages in order */
    KvCache kv;
    kv_init(&kv, learner, d->L, T / KV_PAGE + 1);
    float *h = NEW(float, piece * d->C), *z = NEW(float, piece * d->V), one, lse;
    for (int i = 0; i < T; i += piece) {
        int n = T - i < piece ? T - i : piece, n_blocks = (i + n + KV_PAGE - 1) / KV_PAGE;
        for (int b = 0; b < n_blocks; b++)
            blocks[b] = (KvBlock){b, i + n - b * KV_PAGE < KV_PAGE ? i + n - b * KV_PAGE : KV_PAGE};
        AttnSegment seg = {0, n, i + n, n_blocks, blocks};
        Rows rows = {n, token + i, pos + i, pos + i, &seg, 1};
        model_forward(learner, &kv, &rows, NULL, 0, h);
        model_logits(learner, h, n, z);
        for (int j = 0; j < n; j++) {
            int t =
                i + j + 1 - group.n_prompt; /* the token of the answer that row i + j predicts */
            if (t < 0) continue;
            op_logprob(&one, &lse, NULL, z + (size_t)j * (size_t)d->V, &group.answers[answer][t], 1,
                       d->V, 1);
            ck_assert_msg(same_bits(&one, &lp[at + t], sizeof one),
                          "answer %d token %d in pieces of %d: %.9g, the trainer has %.9g", answer,
                          t, piece, (double)one, (double)lp[at + t]);
        }
    }
    mem_free(token);
    mem_free(pos);
    mem_free(blocks);
    mem_free(h);
    mem_free(z);
    kv_free(&kv);
}

static void check_exact(ProductKind product, double bound)
{
    Model *m = smollm2(product, true);
    float *lp = NEW(float, group.n_want);
    run_tree(m, lp, NULL);
    double e = logprob_error(lp, "exact");
    printf("product %d: log-probabilities %.1e from float64\n", product, e);
    ck_assert_double_lt(e, bound);
    check_rollout(m, lp, 0, 1);
    check_rollout(m, lp, 1, 37);
    mem_free(lp);
    model_free(m);
}

START_TEST(rollout_has_the_trainers_bits)
{
    check_exact(PRODUCT_F32, 1e-4);
    check_exact(PRODUCT_BF16, 0.2);
    check_exact(PRODUCT_BF16_AS_F32, 0.2);
}
END_TEST

static int run_tests(void)
{
    Suite *s = suite_create("smollm2");
    TCase *c = tcase_create("smollm2");
    tcase_set_timeout(c, 240);
    tcase_add_test(c, f32_equals_transformers);
    tcase_add_test(c, rollout_has_the_trainers_bits);
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
        printf("skipped: SmolLM2 is not there (launch/fetch-smollm2 gets it, or TROUPE_MODEL names "
               "it)\n");
        return 77;
    }
    read_golden();
    int rc = run_tests();
    json_decref(golden);
    test_group_free(&group);
    return rc;
}

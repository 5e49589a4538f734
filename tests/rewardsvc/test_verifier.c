/* The verifier: its score against the model's own logits and in any company, the gradient of its
 * pair loss by finite differences, that it learns what is separable, and that what is kept goes on
 * with the same bits. */
#include "rewardsvc/verifier.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/preference.h"
#include "tests/tiny.h"

enum { CONTEXT = 64 };

typedef struct {
    Tiny tiny;
    Policy policy;
    VerifierSettings settings;
    Verifier *v;
} Scene;

static Scene *scene_open(AdamW adam, Precision precision)
{
    Scene *s = NEW(Scene, 1);
    s->tiny = tiny_new(precision, precision == PRECISION_F32 ? PRODUCT_F32 : PRODUCT_BF16_AS_F32);
    s->policy = (Policy){s->tiny.model, s->tiny.tok, *model_kernels(s->tiny.model)};
    s->settings = (VerifierSettings){"{prompt}{answer}={reference}", "a", "b", adam, 0};
    s->v = verifier_new(&s->policy, CONTEXT, &s->settings);
    ck_assert_msg(s->v != NULL, "%s", errors_last());
    return s;
}

static void scene_close(Scene *s)
{
    verifier_free(s->v);
    tiny_free(&s->tiny);
    mem_free(s);
}

static const AdamW adam = {3e-3f, 0.9f, 0.999f, 1e-8f, 0.01f};

static Ids ids_of(const Scene *s, const char *question, const char *reference, const char *said)
{
    Ids ids = {0};
    ck_assert_msg(!verifier_ids(s->v, question, reference, said, &ids), "%s", errors_last());
    return ids;
}

/* log p(yes) - log p(no) is the difference of the logits. */
static double by_logits(const Scene *s, const Ids *ids)
{
    const ModelDesc *d = model_desc(s->tiny.model);
    int length = ids->n;
    int32_t *tokens = ids->data, last = ids->n - 1, yes, no;
    TreeLayout t = {0};
    KvCache kv;
    float *h = NEW(float, d->C), *logits = NEW(float, d->V);
    Ids a = {0}, b = {0};
    tokenizer_encode(s->tiny.tok, "a", 1, false, false, &a);
    tokenizer_encode(s->tiny.tok, "b", 1, false, false, &b);
    yes = a.data[0], no = b.data[0];
    tree_layout(&t, NULL, 0, 1, &length, &tokens, true);
    kv_init(&kv, s->tiny.model, d->L, t.n_pages);
    model_forward(s->tiny.model, &kv, &t.rows, &last, 1, h);
    model_logits(s->tiny.model, h, 1, logits);
    double score = (double)logits[yes] - (double)logits[no];
    kv_free(&kv);
    tree_layout_free(&t);
    ids_free(&a);
    ids_free(&b);
    mem_free(h);
    mem_free(logits);
    return score;
}

enum { N = 9 };
static const char *const said[N] = {
    "12", "7", "1+2=3=3", "98765", "", "c", "1", "<think>4</think>4", "0000000000000000000000"};

static void check_scores(Precision precision)
{
    Scene *s = scene_open(adam, precision);
    Ids ids[N];
    double alone, together[N], three[3];
    for (int i = 0; i < N; i++) ids[i] = ids_of(s, "3*4=", "12", said[i]);
    verifier_scores(s->v, ids, N, together);
    for (int i = 0; i < N; i++) {
        verifier_scores(s->v, &ids[i], 1, &alone);
        ck_assert_msg(alone == together[i], "%s: %.17g alone, %.17g", said[i], alone, together[i]);
        ck_assert_double_eq_tol(alone, by_logits(s, &ids[i]), 1e-5);
    }
    verifier_scores(s->v, ids + 4, 3, three);
    ck_assert(same_bits(three, together + 4, sizeof three));
    ck_assert_msg(fabs(together[0] - together[1]) > 1e-3, "%g", together[0]);
    for (int i = 0; i < N; i++) ids_free(&ids[i]);
    scene_close(s);
}

START_TEST(a_score_is_the_models_and_the_same_in_any_company)
{
    check_scores(PRECISION_F32);
    check_scores(PRECISION_BF16);
}
END_TEST

/* AdamW whose epsilon is far above every gradient is gradient descent: its first step is lr / eps *
 * gradient. So one step shows the gradient. */
START_TEST(gradient_by_finite_differences)
{
    const AdamW plain = {1e6f, 0.9f, 0.999f, 1e6f, 0};
    const double share = 0.5;
    Scene *s = scene_open(plain, PRECISION_F32);
    Ids right = ids_of(s, "3*4=", "12", "12"), wrong = ids_of(s, "3*4=", "12", "17");
    size_t n;
    model_param_table(s->tiny.model, NULL, &n);
    float *w = model_master(s->tiny.model), *before = NEW(float, n);
    memcpy(before, w, n * sizeof *w);
    double both[2], squares = 0, margin = verifier_learn(s->v, &right, &wrong, share);
    verifier_scores(s->v, (Ids[]){right, wrong}, 2, both);
    ck_assert_double_eq(margin, both[0] - both[1]);
    double norm = verifier_step(s->v);
    float *g = NEW(float, n);
    for (size_t i = 0; i < n; i++) {
        g[i] = before[i] - w[i];
        squares += (double)g[i] * g[i];
    }
    ck_assert_double_eq_tol(norm, sqrt(squares), 1e-3 * norm);
    ck_assert_msg(norm > 1e-3, "%g", norm);
    int tested = 0;
    for (uint32_t k = 0; k < 4000 && tested < 40; k++) {
        size_t i = rng_below((uint32_t)n, 3, STREAM_TASK, k, 0, 0);
        if (fabsf(g[i]) < 0.01 * norm) continue;
        const double h = 2e-3;
        double loss[2];
        for (int side = 0; side < 2; side++) {
            memcpy(w, before, n * sizeof *w);
            w[i] += (float)(side ? h : -h);
            model_pack(s->tiny.model);
            verifier_scores(s->v, (Ids[]){right, wrong}, 2, both);
            loss[side] = share * preference_loss(both[0], both[1], 0, NULL);
        }
        double slope = (loss[1] - loss[0]) / (2 * h);
        ck_assert_msg(fabs(slope - g[i]) < 0.03 * fabs(slope) + 2e-3 * norm, "%zu: %g, not %g", i,
                      g[i], slope);
        tested++;
    }
    ck_assert_msg(tested >= 10, "%d", tested);
    ids_free(&right);
    ids_free(&wrong);
    mem_free(before);
    mem_free(g);
    scene_close(s);
}
END_TEST

/* ---- learning -------------------------------------------------------------------------------- */

/* Pair k: the right answer is the reference, the wrong one another number. */
static void pair_of(const Scene *s, int k, Ids *right, Ids *wrong)
{
    int a = (int)rng_below(10, 8, STREAM_TASK, (uint64_t)k, 0, 0);
    int b = (a + 1 + (int)rng_below(9, 8, STREAM_TASK, (uint64_t)k, 1, 0)) % 10;
    char reference[8], other[8];
    snprintf(reference, sizeof reference, "%d", a);
    snprintf(other, sizeof other, "%d", b);
    *right = ids_of(s, "c", reference, reference);
    *wrong = ids_of(s, "c", reference, other);
}

static double accuracy(Scene *s, int from, int n)
{
    double *good = NEW(double, n), *bad = NEW(double, n);
    for (int k = 0; k < n; k++) {
        Ids a, b;
        pair_of(s, from + k, &a, &b);
        verifier_scores(s->v, &a, 1, &good[k]);
        verifier_scores(s->v, &b, 1, &bad[k]);
        ids_free(&a);
        ids_free(&b);
    }
    double share = preference_accuracy(good, bad, n);
    mem_free(good);
    mem_free(bad);
    return share;
}

static double learn_step(Scene *s, int step)
{
    enum { PAIRS = 16 };
    for (int k = 0; k < PAIRS; k++) {
        Ids a, b;
        pair_of(s, step * PAIRS + k, &a, &b);
        verifier_learn(s->v, &a, &b, 1 / (PAIRS + 1e-6));
        ids_free(&a);
        ids_free(&b);
    }
    return verifier_step(s->v);
}

START_TEST(learns_what_is_separable)
{
    Scene *s = scene_open(adam, PRECISION_F32);
    double before = accuracy(s, 1 << 20, 200);
    for (int step = 0; step < 60; step++) ck_assert(isfinite(learn_step(s, step)));
    double after = accuracy(s, 1 << 20, 200);
    ck_assert_msg(before > .3 && before < .7, "%g", before);
    ck_assert_msg(after > .95, "%g from %g", after, before);
    scene_close(s);
}
END_TEST

START_TEST(what_is_kept_goes_on_with_the_same_bits)
{
    char dir[] = "/tmp/troupe-verifier-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    Scene *s = scene_open(adam, PRECISION_BF16), *other = scene_open(adam, PRECISION_BF16);
    for (int step = 0; step < 3; step++) learn_step(s, step);
    ck_assert_int_eq(verifier_save(s->v, dir, 3, 1, ""), 0);
    for (int step = 3; step < 6; step++) learn_step(s, step);
    learn_step(other, 77); /* somewhere else, and in the middle of a step */
    Ids a, b;
    pair_of(other, 5, &a, &b);
    verifier_learn(other->v, &a, &b, 1);
    ck_assert_int_ne((int)verifier_crc(s->v), (int)verifier_crc(other->v));
    ck_assert_int_eq(verifier_load(other->v, dir, 3), 0);
    for (int step = 3; step < 6; step++) learn_step(other, step);
    ck_assert_int_eq((int)verifier_crc(s->v), (int)verifier_crc(other->v));
    double x, y;
    verifier_scores(s->v, &a, 1, &x);
    verifier_scores(other->v, &a, 1, &y);
    ck_assert(x == y);
    errors_quiet(1);
    ck_assert_int_ne(verifier_load(other->v, dir, 4), 0);
    errors_quiet(-1);
    ids_free(&a);
    ids_free(&b);
    scene_close(s);
    scene_close(other);
    char *command = mem_printf("rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
    mem_free(command);
}
END_TEST

START_TEST(a_gradient_that_is_not_finite_changes_nothing)
{
    Scene *s = scene_open(adam, PRECISION_F32);
    Ids a, b;
    pair_of(s, 1, &a, &b);
    uint32_t before = verifier_crc(s->v);
    verifier_learn(s->v, &a, &b, INFINITY);
    ck_assert(!isfinite(verifier_step(s->v)));
    ck_assert_int_eq((int)verifier_crc(s->v), (int)before);
    verifier_learn(s->v, &a, &b, 1); /* and is gone afterwards */
    ck_assert(isfinite(verifier_step(s->v)));
    ck_assert_int_ne((int)verifier_crc(s->v), (int)before);
    ids_free(&a);
    ids_free(&b);
    scene_close(s);
}
END_TEST

START_TEST(refuses_what_cannot_be_a_verdict_or_a_question)
{
    Scene *s = scene_open(adam, PRECISION_F32);
    VerifierSettings bad = s->settings;
    errors_quiet(1);
    bad.yes = "12";
    ck_assert_ptr_null(verifier_new(&s->policy, CONTEXT, &bad));
    ck_assert_msg(strstr(errors_last(), "2 tokens"), "%s", errors_last());
    bad.yes = bad.no;
    ck_assert_ptr_null(verifier_new(&s->policy, CONTEXT, &bad));
    char text[80];
    memset(text, '7', sizeof text - 1);
    text[sizeof text - 1] = 0;
    Ids ids = {0};
    ck_assert_int_ne(verifier_ids(s->v, "1", "2", text, &ids), 0);
    ck_assert_msg(strstr(errors_last(), "max_context is 64"), "%s", errors_last());
    ids_free(&ids);
    errors_quiet(-1);
    scene_close(s);
}
END_TEST

TEST_MAIN("verifier", a_score_is_the_models_and_the_same_in_any_company,
          gradient_by_finite_differences, learns_what_is_separable,
          what_is_kept_goes_on_with_the_same_bits, a_gradient_that_is_not_finite_changes_nothing,
          refuses_what_cannot_be_a_verdict_or_a_question)

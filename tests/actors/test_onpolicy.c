/* The system's central promise: the learner's log-probability of every token has the bits of the
 * rollout's, so that the on-policy ratio is exactly 1. For both precisions and every kind of
 * product, shared and separate prompts, one row and many, one thread and two. */
#include "tests/tiny.h"

#include <omp.h>

enum { G = 5, T = 37 };

typedef struct {
    float lp[G * T];
    int n;
} Seen;

static void see(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    Seen *s = ctx;
    (void)entropy;
    ck_assert_int_eq(i0, s->n);
    memcpy(s->lp + i0, lp, (size_t)n * sizeof *lp);
    s->n += n;
    for (int i = 0; i < n; i++) dlp[i] = 1;
}

/* The learner's log-probabilities of samples first .. first+n-1 of g, laid out as one tree,
 * concatenated. With gradients where grad is given: the forward pass must not differ. */
static void learner_logprobs(const Model *m, const Group *g, int first, int n, float inv_temp,
                             float *grad, Seen *seen)
{
    int lengths[G], n_want = 0;
    int32_t *answers[G], want[G * T], target[G * T];
    for (int i = 0; i < n; i++) {
        lengths[i] = g->samples[first + i].n_tokens;
        answers[i] = g->samples[first + i].tokens;
    }
    TreeLayout tree = {0};
    tree_layout(&tree, g->prompt, g->n_prompt, n, lengths, answers, false);
    for (int i = 0; i < n; i++)
        for (int t = 0; t < lengths[i]; t++) {
            want[n_want] = t ? tree.first_row[i] + t - 1 : g->n_prompt - 1;
            target[n_want++] = answers[i][t];
        }
    Trainer *trainer = trainer_new(m);
    *seen = (Seen){0};
    trainer_group(trainer, &tree.rows, tree.n_pages, want, target, n_want, inv_temp, see, seen,
                  grad);
    ck_assert_int_eq(seen->n, n_want);
    trainer_free(trainer);
    tree_layout_free(&tree);
}

static void check_sample(const float *lp, const Sample *s, bool tempered)
{
    for (int t = 0; t < s->n_tokens; t++)
        ck_assert_msg(lp[t] == (tempered ? s->logprobs : s->logprobs_untempered)[t],
                      "token %d: learner %.9g, rollout %.9g", t, (double)lp[t],
                      (double)s->logprobs[t]);
}

static void check_group(const Tiny *t, const Group *g, float temperature, float *grad)
{
    static Seen seen;
    learner_logprobs(t->model, g, 0, G, 1 / temperature, NULL, &seen);
    for (int i = 0, at = 0; i < G; at += g->samples[i++].n_tokens)
        check_sample(seen.lp + at, &g->samples[i], true);
    learner_logprobs(t->model, g, 0, G, 1 / temperature, grad, &seen);
    for (int i = 0, at = 0; i < G; at += g->samples[i++].n_tokens)
        check_sample(seen.lp + at, &g->samples[i], true);
    for (int i = 0; i < G; i++) { /* each answer with a prompt of its own, at temperature 1 */
        learner_logprobs(t->model, g, i, 1, 1, NULL, &seen);
        check_sample(seen.lp, &g->samples[i], false);
    }
}

static void check_kernels(Precision precision, ProductKind product)
{
    static const int prompt_lengths[] = {1, 16, 23, 64};
    static const float temperatures[] = {1, 0.7f, 1.3f, 1};
    Tiny t = tiny_new(precision, product);
    size_t n_numbers;
    int n_params;
    model_param_table(t.model, &n_params, &n_numbers);
    float *grad = NEW(float, n_numbers);
    for (int way = 0; way < 4;
         way++) { /* 1 or 64 rows, 1 or 2 threads in rollout; the other number in the learner */
        Group groups[4], *list[4];
        for (int i = 0; i < 4; i++) {
            groups[i] = tiny_group(&t, i, prompt_lengths[i], G);
            list[i] = &groups[i];
        }
        Engine *e = engine_new(t.model, t.tok, way & 1 ? 64 : 1, 0);
        omp_set_num_threads(way & 2 ? 2 : 1);
        for (int i = 0; i < 4; i++) {
            GenerateParams p = tiny_params(temperatures[i], T);
            if (i == 3) p.sampling.top_k = 7, p.sampling.top_p = 0.95f;
            engine_generate(e, &list[i], 1, &p, 0, NULL, NULL, NULL);
        }
        omp_set_num_threads(way & 2 ? 1 : 2);
        for (int i = 0; i < 4; i++) {
            check_group(&t, &groups[i], temperatures[i], grad);
            group_free(&groups[i]);
        }
        engine_free(e);
    }
    mem_free(grad);
    tiny_free(&t);
}

START_TEST(ratio_is_one_in_f32)
{
    check_kernels(PRECISION_F32, PRODUCT_F32);
}
END_TEST

START_TEST(ratio_is_one_in_bf16)
{
    check_kernels(PRECISION_BF16, PRODUCT_BF16);
}
END_TEST

START_TEST(ratio_is_one_in_bf16_as_f32)
{
    check_kernels(PRECISION_BF16, PRODUCT_BF16_AS_F32);
}
END_TEST

TEST_MAIN("onpolicy", ratio_is_one_in_f32, ratio_is_one_in_bf16, ratio_is_one_in_bf16_as_f32)

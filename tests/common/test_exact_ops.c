/* The contract's first half: a row's bits depend on that row alone. Random shapes; rows computed
 * together, apart, in other places, with one and two threads, with the context cut into other
 * blocks. */
#include <omp.h>

#include "common/memory.h"
#include "common/ops.h"
#include "common/rng.h"
#include "tests/harness.h"

static uint32_t drawn; /* how many numbers the tests have drawn */

static int below(int n)
{
    return (int)rng_below((uint32_t)n, 7, STREAM_TASK, drawn++, 0, 0);
}

static float *random_floats(size_t n, float scale)
{
    float *x = NEW(float, n);
    drawn++;
    for (size_t i = 0; i < n; i++) x[i] = scale * rng_normal(7, STREAM_INIT, drawn, (uint32_t)i, 0);
    return x;
}

typedef struct {
    int N, K;
} Shape;

static const Shape shapes[] = {{96, 96},  {288, 96}, {512, 96},  {96, 256},   {20, 96}, {21, 25},
                               {300, 24}, {17, 7},   {960, 576}, {576, 1536}, {64, 64}};

static const ProductKind kinds[] = {PRODUCT_F32, PRODUCT_BF16, PRODUCT_BF16_AS_F32};

/* All rows at once with one thread, then the same rows in random pieces with one or two threads. */
static void check_product_rows(Shape s, ProductKind kind, int M)
{
    float *w = random_floats((size_t)s.N * (size_t)s.K, 1),
          *x = random_floats((size_t)M * (size_t)s.K, 1);
    float *whole = NEW(float, M *s.N), *parts = NEW(float, M *s.N);
    Packed *p = packed_new(s.N, s.K, kind);
    packed_fill(p, w, DTYPE_F32, false);
    omp_set_num_threads(1);
    op_matmul(whole, x, p, M);
    for (int i = 0, n; i < M; i += n) {
        n = 1 + below(M - i);
        omp_set_num_threads(1 + below(2));
        op_matmul(parts + (size_t)i * (size_t)s.N, x + (size_t)i * (size_t)s.K, p, n);
    }
    ck_assert_msg(same_bits(whole, parts, (size_t)M * (size_t)s.N * 4), "N %d K %d kind %d M %d",
                  s.N, s.K, (int)kind, M);
    packed_free(p);
    mem_free(w);
    mem_free(x);
    mem_free(whole);
    mem_free(parts);
}

START_TEST(a_products_rows_do_not_depend_on_M_or_threads)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int k = 0; k < 3; k++) {
            for (int trial = 0; trial < 4; trial++)
                check_product_rows(shapes[i], kinds[k], 1 + below(70));
            check_product_rows(shapes[i], kinds[k], 512);
        }
}
END_TEST

START_TEST(a_weight_gradient_does_not_depend_on_threads)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int k = 0; k < 3; k++) {
            Shape s = shapes[i];
            int M = 1 + below(700);
            size_t n = (size_t)s.N * (size_t)s.K;
            float *dy = random_floats((size_t)M * (size_t)s.N, 1),
                  *x = random_floats((size_t)M * (size_t)s.K, 1);
            float *a = random_floats(n, 1), *b = NEW(float, n);
            memcpy(b, a, n * 4);
            omp_set_num_threads(1);
            op_matmul_dw(a, dy, x, M, s.N, s.K, kinds[k]);
            omp_set_num_threads(2);
            op_matmul_dw(b, dy, x, M, s.N, s.K, kinds[k]);
            ck_assert(same_bits(a, b, n * 4));
            mem_free(dy);
            mem_free(x);
            mem_free(a);
            mem_free(b);
        }
}
END_TEST

/* A sequence of n keys as blocks: every block but the last of a cut is full or ends where the cut
 * says. */
typedef struct {
    KvBlock blocks[64];
    int32_t slot[512];
    int n_blocks, n_pages;
} Layout;

/* Places n keys on fresh pages, each page holding a random number of them (full: always 16). */
static void layout_keys(Layout *l, int n, bool full)
{
    l->n_blocks = 0;
    for (int key = 0; key < n; l->n_blocks++) {
        int take = full ? KV_PAGE : 1 + below(KV_PAGE);
        if (take > n - key) take = n - key;
        l->blocks[l->n_blocks] = (KvBlock){l->n_blocks, take};
        for (int t = 0; t < take; t++) l->slot[key++] = l->n_blocks * KV_PAGE + t;
    }
    l->n_pages = l->n_blocks;
}

typedef struct {
    int H, Kh, D, n;
    Dtype dtype;
    float *q, *k, *v; /* [n][H or Kh][D] */
} Sequence;

static KvLayer kv_of(const Sequence *s, const Layout *l)
{
    size_t n = (size_t)(l->n_pages * s->Kh * s->D * KV_PAGE);
    KvLayer kv = {mem_zeroed(n, dtype_bytes(s->dtype, 1)), mem_zeroed(n, dtype_bytes(s->dtype, 1)),
                  s->dtype, s->Kh, s->D};
    op_kv_store(&kv, s->k, s->v, s->Kh * s->D, l->slot, s->n);
    return kv;
}

static void kv_drop(KvLayer *kv)
{
    mem_free(kv->k);
    mem_free(kv->v);
}

/* Rows in segments of random length (or one each), over the given layout. */
static void attend(const Sequence *s, const Layout *l, bool one_by_one, float *o, float *lse)
{
    KvLayer kv = kv_of(s, l);
    AttnSegment segs[512];
    static KvBlock blocks[16384];
    int n_segs = 0, used = 0;
    for (int row = 0, n; row < s->n; row += n) {
        n = one_by_one ? 1 : 1 + below(s->n - row);
        AttnSegment *g = &segs[n_segs++];
        *g = (AttnSegment){row, n, row + n, 0, blocks + used};
        for (int key = 0; key < row + n; used++) {
            KvBlock b = l->blocks[g->n_blocks++];
            if (b.n > row + n - key) b.n = row + n - key;
            key += b.n;
            blocks[used] = b;
        }
    }
    op_attention(o, lse, s->q, s->H * s->D, &kv, segs, n_segs, s->H, 0.2f);
    kv_drop(&kv);
}

START_TEST(an_attention_row_does_not_depend_on_segments_blocks_or_threads)
{
    static const int heads[][3] = {{9, 3, 64}, {4, 4, 24},  {4, 2, 8},
                                   {6, 1, 40}, {2, 1, 128}, {8, 1, 16}};
    for (int trial = 0; trial < 24; trial++) {
        const int *h = heads[trial % 6];
        Sequence s = {h[0], h[1], h[2], 1 + below(150), trial & 1 ? DTYPE_BF16 : DTYPE_F32,
                      NULL, NULL, NULL};
        size_t n = (size_t)(s.n * s.H), no = n * (size_t)s.D;
        s.q = random_floats(no, 1);
        s.k = random_floats((size_t)(s.n * s.Kh * s.D), 1);
        s.v = random_floats((size_t)(s.n * s.Kh * s.D), 1);
        float *o[3], *lse[3];
        for (int way = 0; way < 3; way++) {
            Layout l;
            o[way] = NEW(float, no);
            lse[way] = NEW(float, n);
            layout_keys(&l, s.n, way == 0 || s.n > 60);
            omp_set_num_threads(way == 0 ? 1 : 2);
            attend(&s, &l, way == 1, o[way], lse[way]);
            ck_assert_msg(same_bits(o[0], o[way], no * 4) && same_bits(lse[0], lse[way], n * 4),
                          "H %d Kh %d D %d n %d way %d", s.H, s.Kh, s.D, s.n, way);
        }
        for (int way = 0; way < 3; way++) {
            mem_free(o[way]);
            mem_free(lse[way]);
        }
        mem_free(s.q);
        mem_free(s.k);
        mem_free(s.v);
    }
}
END_TEST

START_TEST(attention_gradients_do_not_depend_on_threads_or_blocks)
{
    enum { H = 6, KH = 3, D = 24, N = 90 };
    Sequence s = {H,
                  KH,
                  D,
                  N,
                  DTYPE_F32,
                  random_floats(N * H * D, 1),
                  random_floats(N * KH * D, 1),
                  random_floats(N * KH * D, 1)};
    float *d_o = random_floats(N * H * D, 1), *o = NEW(float, N *H *D), *lse = NEW(float, N *H);
    float *dq[2], *dk[2], *dv[2];
    for (int way = 0; way < 2; way++) {
        Layout l;
        layout_keys(&l, N, way == 0);
        KvLayer kv = kv_of(&s, &l);
        AttnSegment seg = {0, N, N, l.n_blocks, l.blocks};
        omp_set_num_threads(1 + way);
        op_attention(o, lse, s.q, H * D, &kv, &seg, 1, H, 0.2f);
        size_t slots = (size_t)(l.n_pages * KV_PAGE * KH * D);
        float *k = NEW(float, slots), *v = NEW(float, slots);
        dq[way] = NEW(float, N *H *D);
        dk[way] = NEW(float, N *KH *D);
        dv[way] = NEW(float, N *KH *D);
        op_attention_backward(dq[way], H * D, k, v, s.q, H * D, o, d_o, lse, &kv, &seg, 1, H, 0.2f);
        for (int i = 0; i < N; i++) {
            memcpy(dk[way] + i * KH * D, k + l.slot[i] * KH * D, KH * D * 4);
            memcpy(dv[way] + i * KH * D, v + l.slot[i] * KH * D, KH * D * 4);
        }
        mem_free(k);
        mem_free(v);
        kv_drop(&kv);
    }
    ck_assert(same_bits(dq[0], dq[1], N * H * D * 4));
    ck_assert(same_bits(dk[0], dk[1], N * KH * D * 4));
    ck_assert(same_bits(dv[0], dv[1], N * KH * D * 4));
    for (int way = 0; way < 2; way++) {
        mem_free(dq[way]);
        mem_free(dk[way]);
        mem_free(dv[way]);
    }
    mem_free(s.q);
    mem_free(s.k);
    mem_free(s.v);
    mem_free(d_o);
    mem_free(o);
    mem_free(lse);
}
END_TEST

/* A row op over all rows with two threads against row by row with one. */
typedef void row_op(float *y, const float *x, const float *w, int M);

static void norm(float *y, const float *x, const float *w, int M)
{
    op_rmsnorm(y, x, w, M, 104, 1e-5f);
}

static void mlp(float *y, const float *x, const float *w, int M)
{
    (void)w;
    op_swiglu(y, x, M, 52);
}

static void check_rows(row_op *op, int in, int out)
{
    enum { M = 3001 };
    float *x = random_floats((size_t)M * (size_t)in, 2), *w = random_floats((size_t)in, 1);
    float *a = NEW(float, M *out), *b = NEW(float, M *out);
    omp_set_num_threads(2);
    op(a, x, w, M);
    omp_set_num_threads(1);
    for (int i = 0; i < M; i++) op(b + i * out, x + i * in, w, 1);
    ck_assert(same_bits(a, b, (size_t)M * (size_t)out * 4));
    mem_free(x);
    mem_free(w);
    mem_free(a);
    mem_free(b);
}

START_TEST(row_ops_do_not_depend_on_M_or_threads)
{
    check_rows(norm, 104, 104);
    check_rows(mlp, 104, 52);
}
END_TEST

START_TEST(a_sum_of_squares_does_not_depend_on_threads)
{
    size_t n = 6000001;
    float *x = random_floats(n, 1);
    omp_set_num_threads(1);
    double a = op_sum_squares(x, n);
    omp_set_num_threads(2);
    double b = op_sum_squares(x, n);
    ck_assert(a == b);
    mem_free(x);
}
END_TEST

START_TEST(a_drawn_tokens_logprob_has_op_logprobs_bits)
{
    for (int trial = 0; trial < 300; trial++) {
        int V = 1 + below(trial % 3 ? 3000 : 20);
        SamplingParams p = {trial % 7 ? 0.5f + 0.1f * (float)below(12) : 1.0f, below(3) * 5,
                            below(2) ? 1 : 0.8f, below(2) ? 0 : 0.02f};
        float *z = random_floats((size_t)V, 3), lp[2],
              u = rng_uniform(1, STREAM_SAMPLING, (uint64_t)trial, 0, 0);
        Drawn d = op_sample(z, V, &p, u);
        op_logprob(&lp[0], NULL, NULL, z, &d.token, 1, V, 1.0f / p.temperature);
        op_logprob(&lp[1], NULL, NULL, z, &d.token, 1, V, 1);
        ck_assert(same_bits(&lp[0], &d.logprob, 4) && same_bits(&lp[1], &d.logprob_untempered, 4));
        p.temperature = 0;
        d = op_sample(z, V, &p, u);
        op_logprob(&lp[0], NULL, NULL, z, &d.token, 1, V, 1);
        ck_assert(same_bits(&lp[0], &d.logprob, 4) && d.logprob_sampled == 0);
        mem_free(z);
    }
}
END_TEST

TEST_MAIN("exact_ops", a_products_rows_do_not_depend_on_M_or_threads,
          a_weight_gradient_does_not_depend_on_threads,
          an_attention_row_does_not_depend_on_segments_blocks_or_threads,
          attention_gradients_do_not_depend_on_threads_or_blocks,
          row_ops_do_not_depend_on_M_or_threads, a_sum_of_squares_does_not_depend_on_threads,
          a_drawn_tokens_logprob_has_op_logprobs_bits)

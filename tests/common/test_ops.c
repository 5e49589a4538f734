/* Values of every op against plain double arithmetic, and every backward against finite differences
 * of a double reference of its forward, so that the check does not inherit f32's noise. */
#include <omp.h>

#include "common/memory.h"
#include "common/ops.h"
#include "common/ops/expf.h"
#include "common/rng.h"
#include "tests/harness.h"

static uint32_t drawn;

static float *random_floats(size_t n, float scale)
{
    float *x = NEW(float, n);
    drawn++;
    for (size_t i = 0; i < n; i++)
        x[i] = scale * rng_normal(11, STREAM_INIT, drawn, (uint32_t)i, 0);
    return x;
}

static double largest(const float *x, size_t n)
{
    double most = 1e-30;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)x[i]));
    return most;
}

#define CHECK_CLOSE(got, want, n, bound)                                                           \
    do {                                                                                           \
        double worst_ = max_abs_diff(got, want, n) / largest(want, n);                             \
        ck_assert_msg(worst_ <= (bound), "%s: relative difference %g, bound %g", #got, worst_,     \
                      (double)(bound));                                                            \
    } while (0)

/* ---- products -------------------------------------------------------------------------------- */

static float rounded(float x, ProductKind kind)
{
    return kind == PRODUCT_F32 ? x : f32_from_bf16(bf16_from_f32(x));
}

static void check_matmul(int M, int N, int K, ProductKind kind, bool transposed, Dtype dtype)
{
    float *x = random_floats((size_t)(M * K), 1), *w = random_floats((size_t)(N * K), 1);
    float *y = NEW(float, M *N), *want = NEW(float, M *N), *given = NEW(float, N *K);
    if (dtype == DTYPE_BF16)
        for (int i = 0; i < N * K; i++) w[i] = f32_from_bf16(bf16_from_f32(w[i]));
    for (int n = 0; n < N; n++)
        for (int k = 0; k < K; k++) given[transposed ? k * N + n : n * K + k] = w[n * K + k];
    void *stored = mem_zeroed((size_t)(N * K), 4);
    dtype_from_f32(stored, given, dtype, (size_t)(N * K));
    for (int i = 0; i < M; i++)
        for (int n = 0; n < N; n++) {
            double sum = 0;
            for (int k = 0; k < K; k++)
                sum += (double)rounded(x[i * K + k], kind) * (double)rounded(w[n * K + k], kind);
            want[i * N + n] = (float)sum;
        }
    Packed *p = packed_new(N, K, kind);
    packed_fill(p, stored, dtype, transposed);
    ck_assert(packed_bytes(N, K, kind) >= (size_t)(N * K) * (kind == PRODUCT_F32 ? 4 : 2));
    op_matmul(y, x, p, M);
    CHECK_CLOSE(y, want, (size_t)(M * N), 2e-6);
    packed_free(p);
    mem_free(x);
    mem_free(w);
    mem_free(y);
    mem_free(want);
    mem_free(given);
    mem_free(stored);
}

START_TEST(products_have_their_values)
{
    static const int shapes[][3] = {{1, 96, 96},  {7, 288, 96}, {64, 20, 96},
                                    {33, 17, 25}, {3, 100, 1},  {70, 50, 300}};
    for (int s = 0; s < 6; s++)
        for (int kind = 0; kind < 3; kind++)
            for (int way = 0; way < 4; way++)
                check_matmul(shapes[s][0], shapes[s][1], shapes[s][2], (ProductKind)kind, way & 1,
                             way & 2 ? DTYPE_BF16 : DTYPE_F32);
}
END_TEST

START_TEST(weight_gradients_have_their_values)
{
    static const int shapes[][3] = {{1, 20, 96}, {300, 33, 49}, {513, 96, 20}, {5, 3, 2}};
    for (int s = 0; s < 4; s++)
        for (int kind = 0; kind < 3; kind++) {
            int M = shapes[s][0], N = shapes[s][1], K = shapes[s][2];
            float *dy = random_floats((size_t)(M * N), 1), *x = random_floats((size_t)(M * K), 1);
            float *dw = random_floats((size_t)(N * K), 1), *want = NEW(float, N *K);
            for (int n = 0; n < N; n++)
                for (int k = 0; k < K; k++) {
                    double sum = (double)dw[n * K + k];
                    for (int i = 0; i < M; i++)
                        sum += (double)rounded(dy[i * N + n], (ProductKind)kind) *
                               (double)rounded(x[i * K + k], (ProductKind)kind);
                    want[n * K + k] = (float)sum;
                }
            op_matmul_dw(dw, dy, x, M, N, K, (ProductKind)kind);
            CHECK_CLOSE(dw, want, (size_t)(N * K), 2e-6);
            mem_free(dy);
            mem_free(x);
            mem_free(dw);
            mem_free(want);
        }
}
END_TEST

/* ---- rows ------------------------------------------------------------------------------------ */

START_TEST(exp_is_within_two_units)
{
    double worst = 0;
    for (float x = -87.2f; x < 88.7f; x += 0.00137f) {
        double want = exp((double)x), unit = want * 0x1p-23;
        worst = fmax(worst, fabs((double)exp_f32(x) - want) / unit);
    }
    ck_assert_msg(worst < 2, "%g", worst);
    ck_assert(exp_f32(0) == 1 && exp_f32(-INFINITY) == 0 && exp_f32(INFINITY) == INFINITY &&
              isnan(exp_f32(NAN)));
    ck_assert(exp_f32(-88) == 0 && exp_f32(89) == INFINITY);
}
END_TEST

START_TEST(embedding_and_its_gradient)
{
    enum { V = 7, C = 21, M = 5 };
    static const int32_t token[M] = {3, 0, 3, 6, 3};
    float *table = random_floats(V * C, 1), y[M * C], *dtable = NEW(float, V *C), want[C] = {0};
    uint16_t half[V * C];
    op_embed(y, table, DTYPE_F32, false, token, M, C);
    for (int i = 0; i < M; i++) ck_assert(same_bits(y + i * C, table + token[i] * C, C * 4));
    dtype_from_f32(half, table, DTYPE_BF16, V * C);
    op_embed(y, half, DTYPE_BF16, false, token, M, C);
    ck_assert(y[4] == f32_from_bf16(half[3 * C + 4]));
    op_embed(y, table, DTYPE_F32, true, token, M, C);
    ck_assert(y[4] == f32_from_bf16(half[3 * C + 4]));
    op_embed_backward(dtable, y, token, M, C);
    for (int c = 0; c < C; c++) want[c] = (y[c] + y[2 * C + c]) + y[4 * C + c];
    ck_assert(same_bits(dtable + 3 * C, want, sizeof want) && dtable[C] == 0);
    mem_free(table);
    mem_free(dtable);
}
END_TEST

static double norm_loss(const double *x, const double *w, const float *dy, int M, int n, double eps)
{
    double loss = 0;
    for (int i = 0; i < M; i++) {
        double squares = 0;
        for (int j = 0; j < n; j++) squares += x[i * n + j] * x[i * n + j];
        for (int j = 0; j < n; j++)
            loss += (double)dy[i * n + j] * x[i * n + j] / sqrt(squares / n + eps) * w[j];
    }
    return loss;
}

static double *widened(const float *x, size_t n)
{
    double *y = NEW(double, n);
    for (size_t i = 0; i < n; i++) y[i] = (double)x[i];
    return y;
}

/* d loss / d x[i] by central differences, with x a double array the loss reads. */
#define SLOPE(x, i, loss)                                                                          \
    __extension__({                                                                                \
        double keep_ = (x)[i], up_, down_;                                                         \
        (x)[i] = keep_ + 1e-5;                                                                     \
        up_ = (loss);                                                                              \
        (x)[i] = keep_ - 1e-5;                                                                     \
        down_ = (loss);                                                                            \
        (x)[i] = keep_;                                                                            \
        (float)((up_ - down_) / 2e-5);                                                             \
    })

START_TEST(rmsnorm_and_its_gradient)
{
    static const int sizes[] = {1, 8, 24, 64, 100};
    for (int s = 0; s < 5; s++) {
        enum { M = 4 };
        int n = sizes[s];
        size_t count = (size_t)(M * n);
        float *x = random_floats(count, 1), *w = random_floats((size_t)n, 1),
              *dy = random_floats(count, 1);
        float *y = NEW(float, count), *want = NEW(float, count), *dx = NEW(float, count),
              *dw = NEW(float, n), *want_w = NEW(float, n);
        double *x2 = widened(x, count), *w2 = widened(w, (size_t)n), eps = (double)1e-3f;
        op_rmsnorm(y, x, w, M, n, 1e-3f);
        for (size_t i = 0; i < count; i++) {
            float one[400] = {0};
            one[i] = 1;
            want[i] = (float)norm_loss(x2, w2, one, M, n, eps);
        }
        CHECK_CLOSE(y, want, count, 1e-6);
        for (size_t i = 0; i < count; i++) want[i] = SLOPE(x2, i, norm_loss(x2, w2, dy, M, n, eps));
        for (int i = 0; i < n; i++) want_w[i] = SLOPE(w2, i, norm_loss(x2, w2, dy, M, n, eps));
        memcpy(dx, dy, count * 4); /* in place, as it may be used */
        op_rmsnorm_backward(dx, dw, dx, x, w, M, n, 1e-3f);
        ck_assert_msg(max_abs_diff(dx, want, count) < 1e-5 * (1 + largest(want, count)), "n %d", n);
        CHECK_CLOSE(dw, want_w, (size_t)n, 1e-5);
        float *all[] = {x, w, dy, y, want, dx, dw, want_w};
        for (int i = 0; i < 8; i++) mem_free(all[i]);
        mem_free(x2);
        mem_free(w2);
    }
}
END_TEST

START_TEST(rope_turns_pairs_and_back)
{
    enum { D = 24, HEADS = 3, LD = 100, M = 3 };
    static const int32_t pos[M] = {0, 5, 99};
    RopeTable t;
    rope_table_init(&t, D, 100, 10000);
    float *x = random_floats(M * LD, 1), *y = NEW(float, M *LD);
    memcpy(y, x, M * LD * 4);
    op_rope(y, LD, &t, pos, M, HEADS, false);
    for (int i = 0; i < M; i++)
        for (int h = 0; h < HEADS; h++)
            for (int j = 0; j < D / 2; j++) {
                double a = pos[i] * pow(10000, -2.0 * j / D), x0 = (double)x[i * LD + h * D + j],
                       x1 = (double)x[i * LD + h * D + j + D / 2];
                ck_assert(fabs((double)y[i * LD + h * D + j] - (x0 * cos(a) - x1 * sin(a))) < 1e-6);
                ck_assert(fabs((double)y[i * LD + h * D + j + D / 2] -
                               (x1 * cos(a) + x0 * sin(a))) < 1e-6);
            }
    ck_assert(y[HEADS * D] == x[HEADS * D]); /* what lies after the heads is left alone */
    op_rope(y, LD, &t, pos, M, HEADS, true);
    ck_assert(max_abs_diff(x, y, M * LD) < 1e-6);
    rope_table_free(&t);
    mem_free(x);
    mem_free(y);
}
END_TEST

static double swiglu_loss(const double *gu, const float *dy, int F)
{
    double loss = 0;
    for (int i = 0; i < F; i++) loss += (double)dy[i] * gu[i] / (1 + exp(-gu[i])) * gu[F + i];
    return loss;
}

START_TEST(swiglu_and_its_gradient)
{
    enum { F = 37 };
    float *gu = random_floats(2 * F, 3), *dy = random_floats(F, 1), y[F], want[2 * F];
    double *gu2 = widened(gu, 2 * F);
    op_swiglu(y, gu, 1, F);
    for (int i = 0; i < F; i++) want[i] = (float)(gu2[i] / (1 + exp(-gu2[i])) * gu2[F + i]);
    CHECK_CLOSE(y, want, F, 1e-6);
    for (int i = 0; i < 2 * F; i++) want[i] = SLOPE(gu2, i, swiglu_loss(gu2, dy, F));
    op_swiglu_backward(gu, dy, gu, 1, F);
    CHECK_CLOSE(gu, want, 2 * F, 1e-5);
    float extreme[4] = {-200, 200, 1, 1};
    op_swiglu(y, extreme, 1, 2);
    ck_assert(y[0] == 0 && y[1] == 200);
    mem_free(gu);
    mem_free(dy);
    mem_free(gu2);
}
END_TEST

START_TEST(sums_biases_and_rounding)
{
    enum { M = 3, N = 50 };
    float *x = random_floats(M * N, 1), *y = random_floats(M * N, 1), *bias = random_floats(N, 1),
          want[M * N], column[N] = {0};
    for (int i = 0; i < M * N; i++) want[i] = y[i] + x[i];
    op_add(y, x, M * N);
    ck_assert(same_bits(y, want, sizeof want));
    for (int i = 0; i < M * N; i++) want[i] = y[i] + bias[i % N];
    op_add_bias(y, bias, M, N);
    ck_assert(same_bits(y, want, sizeof want));
    op_bias_backward(column, y, M, N);
    for (int i = 0; i < N; i++) ck_assert(column[i] == (y[i] + y[N + i]) + y[2 * N + i]);
    for (int i = 0; i < M * N; i++) want[i] = f32_from_bf16(bf16_from_f32(y[i]));
    op_round_bf16(y, M * N);
    ck_assert(same_bits(y, want, sizeof want));
    double squares = 0;
    for (int i = 0; i < M * N; i++) squares += (double)x[i] * (double)x[i];
    ck_assert(fabs(op_sum_squares(x, M * N) - squares) < 1e-12 * squares);
    mem_free(x);
    mem_free(y);
    mem_free(bias);
}
END_TEST

/* ---- attention ------------------------------------------------------------------------------- */

enum {
    H = 4,
    KH = 2,
    NK = 37
}; /* a shared prefix of 16 + 5 keys, then 11 and 5 rows of two answers */

typedef struct {
    int D;
    double *q, *k, *v; /* [rows][H or KH][D] */
    const float *d_o;
} Reference;

/* Which rows row i attends to: the prompt's 21 rows in order, its own answer's rows up to itself.
 */
static bool sees(int i, int j)
{
    int start = i < 21 ? 0 : i < 32 ? 21 : 32;
    return j <= i && (j < 21 || j >= start);
}

static double reference_row(const Reference *r, int i, int h, double *o, double scale)
{
    double p[NK] = {0}, most = -1e300, sum = 0;
    int D = r->D, kh = h / (H / KH);
    for (int j = 0; j < NK; j++) {
        for (int d = 0; d < D; d++) p[j] += r->q[(i * H + h) * D + d] * r->k[(j * KH + kh) * D + d];
        if (sees(i, j)) most = fmax(most, p[j]);
    }
    for (int j = 0; j < NK; j++) sum += p[j] = sees(i, j) ? exp(scale * (p[j] - most)) : 0;
    for (int d = 0; d < D; d++) {
        o[d] = 0;
        for (int j = 0; j < NK; j++) o[d] += p[j] / sum * r->v[(j * KH + kh) * D + d];
    }
    return scale * most + log(sum);
}

static double attention_loss(const Reference *r, double scale)
{
    double loss = 0, o[128];
    for (int i = 0; i < NK; i++)
        for (int h = 0; h < H; h++) {
            reference_row(r, i, h, o, scale);
            for (int d = 0; d < r->D; d++) loss += (double)r->d_o[(i * H + h) * r->D + d] * o[d];
        }
    return loss;
}

static void check_attention(int D)
{
    static const KvBlock a[] = {{0, 16}, {1, 5}}, b[] = {{0, 16}, {1, 5}, {2, 11}},
                         c[] = {{0, 16}, {1, 5}, {3, 5}};
    static const AttnSegment segs[] = {{0, 21, 21, 2, a}, {21, 11, 32, 3, b}, {32, 5, 26, 3, c}};
    int32_t slot[NK];
    for (int i = 0; i < NK; i++) slot[i] = i < 21 ? i : i < 32 ? 32 + i - 21 : 48 + i - 32;
    size_t nq = (size_t)(NK * H * D), nk = (size_t)(NK * KH * D),
           pages = (size_t)(4 * KV_PAGE * KH * D);
    float *q = random_floats(nq, 1), *k = random_floats(nk, 1), *v = random_floats(nk, 1),
          *d_o = random_floats(nq, 1);
    float *o = NEW(float, nq), *lse = NEW(float, NK *H), *want = NEW(float, nq),
          *want_lse = NEW(float, NK *H);
    float *dq = NEW(float, nq), *dk = NEW(float, pages), *dv = NEW(float, pages);
    Reference r = {D, widened(q, nq), widened(k, nk), widened(v, nk), d_o};
    KvLayer kv = {NEW(float, pages), NEW(float, pages), DTYPE_F32, KH, D};
    float scale = 0.3f;
    op_kv_store(&kv, k, v, KH * D, slot, NK);
    op_attention(o, lse, q, H * D, &kv, segs, 3, H, scale);
    for (int i = 0; i < NK; i++)
        for (int h = 0; h < H; h++) {
            double row[128];
            want_lse[i * H + h] = (float)reference_row(&r, i, h, row, (double)scale);
            for (int d = 0; d < D; d++) want[(i * H + h) * D + d] = (float)row[d];
        }
    CHECK_CLOSE(o, want, nq, 2e-6);
    CHECK_CLOSE(lse, want_lse, NK * H, 2e-6);
    op_attention_backward(dq, H * D, dk, dv, q, H * D, o, d_o, lse, &kv, segs, 3, H, scale);
    for (int trial = 0; trial < 60; trial++) {
        size_t iq = rng_below((uint32_t)nq, 3, STREAM_TASK, (uint64_t)trial, 0, 0),
               ik = rng_below((uint32_t)nk, 3, STREAM_TASK, (uint64_t)trial, 1, 0);
        size_t at = (size_t)slot[ik / (size_t)(KH * D)] * (size_t)(KH * D) + ik % (size_t)(KH * D);
        float slopes[3] = {SLOPE(r.q, iq, attention_loss(&r, (double)scale)),
                           SLOPE(r.k, ik, attention_loss(&r, (double)scale)),
                           SLOPE(r.v, ik, attention_loss(&r, (double)scale))};
        float got[3] = {dq[iq], dk[at], dv[at]};
        ck_assert_msg(max_abs_diff(got, slopes, 3) < 2e-5,
                      "D %d: %g %g %g, differences say %g %g %g", D, (double)got[0], (double)got[1],
                      (double)got[2], (double)slopes[0], (double)slopes[1], (double)slopes[2]);
    }
    float *all[] = {q, k, v, d_o, o, lse, want, want_lse, dq, dk, dv};
    for (int i = 0; i < 11; i++) mem_free(all[i]);
    mem_free(r.q);
    mem_free(r.k);
    mem_free(r.v);
    mem_free(kv.k);
    mem_free(kv.v);
}

START_TEST(attention_and_its_gradient_over_a_tree)
{
    static const int sizes[] = {2, 8, 16, 24, 40, 64, 128};
    for (int i = 0; i < 7; i++) check_attention(sizes[i]);
}
END_TEST

/* ---- the end of the model -------------------------------------------------------------------- */

static double reference_logprob(const double *z, int V, int t, double inv_temp, double *entropy)
{
    double most = -INFINITY, sum = 0, weighed = 0;
    for (int j = 0; j < V; j++) most = fmax(most, z[j] * inv_temp);
    for (int j = 0; j < V; j++) {
        double e = exp(z[j] * inv_temp - most);
        sum += e;
        if (e > 0) weighed += e * (z[j] * inv_temp - most);
    }
    *entropy = log(sum) - weighed / sum;
    return z[t] * inv_temp - most - log(sum);
}

START_TEST(logprobs_and_their_gradient)
{
    static const int sizes[] = {1, 5, 20, 512, 513, 5000};
    for (int s = 0; s < 6; s++) {
        int V = sizes[s], M = 3;
        float *z = random_floats((size_t)(M * V), 3), lp[3], lse[3], entropy[3],
              dlp[3] = {0.7f, 0, -1.3f}, inv_temp = 1 / 0.8f;
        double *z2 = widened(z, (size_t)(M * V)), e;
        int32_t target[3] = {0, V / 2, V - 1};
        op_logprob(lp, lse, entropy, z, target, M, V, inv_temp);
        for (int i = 0; i < M; i++) {
            double want = reference_logprob(z2 + i * V, V, target[i], (double)inv_temp, &e);
            ck_assert_msg(fabs((double)lp[i] - want) < 2e-6 * (1 + fabs(want)) &&
                              fabs((double)entropy[i] - e) < 1e-5,
                          "V %d", V);
        }
        op_logprob_backward(z, z, lse, target, dlp, M, V, inv_temp);
        for (int i = 0; i < M * V; i += 1 + V / 50) {
            int row = i / V;
            float want =
                dlp[row] *
                SLOPE(z2, i, reference_logprob(z2 + row * V, V, target[row], (double)inv_temp, &e));
            ck_assert(dlp[row] == 0 ? z[i] == 0 : fabs((double)z[i] - (double)want) < 3e-6);
        }
        mem_free(z);
        mem_free(z2);
    }
}
END_TEST

START_TEST(extreme_logits_give_finite_logprobs)
{
    float z[40], lp[3], lse[3], entropy[3];
    int32_t target = 7;
    for (int i = 0; i < 40; i++) z[i] = 5;
    op_logprob(lp, lse, entropy, z, &target, 1, 40, 1);
    ck_assert(fabs((double)lp[0] + log(40)) < 1e-6 && fabs((double)entropy[0] - log(40)) < 1e-6);
    z[7] = 1e4f;
    op_logprob(lp, lse, entropy, z, &target, 1, 40, 1);
    ck_assert(lp[0] == 0 && entropy[0] == 0 && lse[0] == 1e4f);
    for (int i = 8; i < 40; i++) z[i] = -INFINITY;
    target = 9;
    op_logprob(lp, lse, entropy, z, &target, 1, 40, 1);
    ck_assert(lp[0] == -INFINITY && entropy[0] == 0);
    SamplingParams p = {1, 0, 1, 0};
    ck_assert(op_sample(z, 40, &p, 0.999f).token == 7);
}
END_TEST

/* ---- drawing --------------------------------------------------------------------------------- */

typedef struct {
    double z;
    int id;
} Ranked;

static int by_rank(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return x->z != y->z ? (x->z > y->z ? -1 : 1) : x->id - y->id;
}

/* The distribution drawn from, by sorting everything. */
static void reference_distribution(double *p, const float *z, int V, const SamplingParams *s)
{
    Ranked *r = NEW(Ranked, V);
    double total = 0, sum = 0;
    int keep = 0;
    for (int i = 0; i < V; i++) r[i] = (Ranked){(double)z[i] / (double)s->temperature, i};
    qsort(r, (size_t)V, sizeof *r, by_rank);
    int n = s->top_k > 0 && s->top_k < V ? s->top_k : V;
    for (int i = 0; i < n; i++) total += exp(r[i].z - r[0].z);
    for (; keep < n && (keep == 0 || s->top_p >= 1 || sum < (double)s->top_p * total); keep++)
        sum += exp(r[keep].z - r[0].z);
    while (keep > 1 && exp(r[keep - 1].z - r[0].z) < (double)s->min_p) keep--;
    sum = 0;
    memset(p, 0, (size_t)V * sizeof *p);
    for (int i = 0; i < keep; i++) sum += exp(r[i].z - r[0].z);
    for (int i = 0; i < keep; i++) p[r[i].id] = exp(r[i].z - r[0].z) / sum;
    mem_free(r);
}

/* op_sample over a fine grid of u must give each token its share, in vocabulary order, and nothing
 * else. */
static void check_draws(const float *z, int V, SamplingParams s)
{
    enum { DRAWS = 4096 };
    double *p = NEW(double, V), cumulative = 0;
    int *count = NEW(int, V), before = -1;
    reference_distribution(p, z, V, &s);
    for (int i = 0; i < DRAWS; i++) {
        Drawn d = op_sample(z, V, &s, (float)i / DRAWS);
        ck_assert(d.token >= before); /* the inverse of the cumulative distribution grows */
        ck_assert_msg(p[d.token] > 0, "token %d is not in the set: k %d p %g min %g", d.token,
                      s.top_k, (double)s.top_p, (double)s.min_p);
        ck_assert(fabs((double)d.logprob_sampled - log(p[d.token])) < 1e-5);
        before = d.token;
        count[d.token]++;
    }
    for (int i = 0, seen = 0; i < V; i++) {
        cumulative += p[i];
        seen += count[i];
        ck_assert(fabs(seen - cumulative * DRAWS) <= 1.01);
    }
    mem_free(p);
    mem_free(count);
}

START_TEST(draws_follow_the_truncated_distribution)
{
    static const int sizes[] = {1, 2, 20, 600, 2000};
    for (int trial = 0; trial < 60; trial++) {
        int V = sizes[trial % 5];
        float *z = random_floats((size_t)V, trial % 3 ? 2 : 0.2f);
        if (trial % 4 == 0) /* many ties */
            for (int i = 0; i < V; i++) z[i] = roundf(z[i]);
        SamplingParams s = {trial % 2 ? 1 : 0.7f, 0, 1, 0};
        if (trial & 4) s.top_k = 1 + trial % 13;
        if (trial & 8) s.top_p = 0.013f + 0.015f * (float)trial;
        if (trial & 16) s.min_p = 0.004f * (float)trial;
        check_draws(z, V, s);
        mem_free(z);
    }
}
END_TEST

START_TEST(random_draws_pass_chi_square)
{
    enum { V = 20, N = 40000 };
    float *z = random_floats(V, 1.5f);
    SamplingParams s = {1, 0, 1, 0};
    double p[V], chi = 0;
    int count[V] = {0};
    reference_distribution(p, z, V, &s);
    for (int i = 0; i < N; i++)
        count[op_sample(z, V, &s, rng_uniform(5, STREAM_SAMPLING, (uint64_t)i, 0, 0)).token]++;
    for (int i = 0; i < V; i++) chi += (count[i] - N * p[i]) * (count[i] - N * p[i]) / (N * p[i]);
    ck_assert_msg(chi < 43.8, "chi square %g over 19 degrees", chi); /* p = 0.001 */
    mem_free(z);
}
END_TEST

START_TEST(greedy_takes_the_first_of_the_largest)
{
    float z[600] = {0};
    SamplingParams s = {0, 5, 0.5f, 0.1f};
    ck_assert_int_eq(op_sample(z, 600, &s, 0.9f).token, 0);
    z[555] = z[556] = 3;
    Drawn d = op_sample(z, 600, &s, 0.9f);
    ck_assert_int_eq(d.token, 555);
    ck_assert(d.logprob_sampled == 0 && d.logprob == d.logprob_untempered && d.logprob < 0);
}
END_TEST

/* ---- optimiser ------------------------------------------------------------------------------- */

START_TEST(adamw_follows_the_paper)
{
    enum { N = 1000 };
    AdamW a = {3e-3f, 0.9f, 0.95f, 1e-8f, 0.1f};
    float *w = random_floats(N, 1), *m = NEW(float, N), *v = NEW(float, N), *want = NEW(float, N);
    double *w2 = widened(w, N), m2[N] = {0}, v2[N] = {0};
    for (int step = 1; step <= 20; step++) {
        float *grad = random_floats(N, 1);
        op_adamw(w, m, v, grad, N, &a, step, 0.25f);
        for (int i = 0; i < N; i++) {
            double g = (double)grad[i] * 0.25, b1 = (double)a.beta1, b2 = (double)a.beta2;
            m2[i] = b1 * m2[i] + (1 - b1) * g;
            v2[i] = b2 * v2[i] + (1 - b2) * g * g;
            double mhat = m2[i] / (1 - pow(b1, step)), vhat = v2[i] / (1 - pow(b2, step));
            w2[i] -= (double)a.lr *
                     (mhat / (sqrt(vhat) + (double)a.eps) + (double)a.weight_decay * w2[i]);
            want[i] = (float)w2[i];
        }
        mem_free(grad);
    }
    CHECK_CLOSE(w, want, N, 1e-6);
    mem_free(w);
    mem_free(m);
    mem_free(v);
    mem_free(want);
    mem_free(w2);
}
END_TEST

TEST_MAIN("ops", products_have_their_values, weight_gradients_have_their_values,
          exp_is_within_two_units, embedding_and_its_gradient, rmsnorm_and_its_gradient,
          rope_turns_pairs_and_back, swiglu_and_its_gradient, sums_biases_and_rounding,
          attention_and_its_gradient_over_a_tree, logprobs_and_their_gradient,
          extreme_logits_give_finite_logprobs, draws_follow_the_truncated_distribution,
          random_draws_pass_chi_square, greedy_takes_the_first_of_the_largest,
          adamw_follows_the_paper)

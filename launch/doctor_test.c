/* See doctor.h: the self-test. Small versions of what tests/ checks at length, for a machine where
 * only the program is. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/h5.h"
#include "common/policy.h"
#include "common/rng.h"
#include "common/sample.h"
#include "launch/doctor.h"

static void verdict(Findings *f, const char *name, bool good, const char *what)
{
    findings_add(f, good ? FINDING_OK : FINDING_BROKEN, name, "%s", what);
}

/* ---- products -------------------------------------------------------------------------------- */

/* Rows of a product have the same bits for 1, 7, 64 and 512 rows, wherever they stand, with one and
 * two threads. */
static bool product_is_exact(ProductKind kind)
{
    enum { M = 512, N = 200, K = 333 };
    static const int sizes[] = {1, 7, 64};
    float *x = NEW(float, M *K), *w = NEW(float, N *K), *y = NEW(float, M *N),
          *part = NEW(float, 64 * N);
    bool exact = true;
    for (uint32_t i = 0; i < M * K; i++) x[i] = rng_uniform(1, STREAM_INIT, 1, i, 0) - 0.5f;
    for (uint32_t i = 0; i < N * K; i++) w[i] = rng_uniform(1, STREAM_INIT, 2, i, 0) - 0.5f;
    Packed *p = packed_new(N, K, kind);
    packed_fill(p, w, DTYPE_F32, false);
    omp_set_num_threads(2);
    op_matmul(y, x, p, M);
    for (int s = 0; s < 3; s++)
        for (int first = 0; first + sizes[s] <= M; first += 61) {
            omp_set_num_threads(1 + first % 2);
            op_matmul(part, x + first * K, p, sizes[s]);
            exact &= !memcmp(part, y + first * N, (size_t)(sizes[s] * N) * sizeof *part);
        }
    packed_free(p);
    mem_free(x);
    mem_free(w);
    mem_free(y);
    mem_free(part);
    return exact;
}

static void test_products(Findings *f)
{
    static const char *const names[] = {"f32", "bf16", "bf16_as_f32"};
    char what[120];
    for (int kind = 0; kind < 3; kind++) {
        bool good = product_is_exact((ProductKind)kind);
        snprintf(what, sizeof what, "%s: rows have %s bits in batches of 1, 7, 64, 512",
                 names[kind], good ? "the same" : "OTHER");
        verdict(f, "products", good, what);
    }
}

/* ---- a decoder's forward and backward -------------------------------------------------------- */

static void loss(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    (void)entropy;
    memcpy((float *)ctx + i0, lp, (size_t)n * sizeof *lp);
    for (int i = 0; i < n; i++) dlp[i] = i % 3 ? 1 : -0.5f;
}

/* CRC of log-probabilities and gradient of a group of four answers; 0 where a number is not finite.
 */
static uint32_t gradient_crc(const Model *m, int threads)
{
    enum { ANSWERS = 4, LONGEST = 40, PROMPT = 9 };
    int lengths[ANSWERS] = {LONGEST, 1, 17, 32}, n_want = 0;
    int32_t tokens[ANSWERS][LONGEST], *answers[ANSWERS], prompt[PROMPT], want[ANSWERS * LONGEST],
        target[ANSWERS * LONGEST];
    float lp[ANSWERS * LONGEST], bad = 0;
    size_t n;
    TreeLayout tree = {0};
    uint32_t V = (uint32_t)model_desc(m)->V;
    for (int t = 0; t < PROMPT; t++)
        prompt[t] = (int32_t)rng_below(V, 1, STREAM_TASK, 0, (uint32_t)t, 0);
    for (int i = 0; i < ANSWERS; i++) {
        answers[i] = tokens[i];
        for (int t = 0; t < LONGEST; t++)
            tokens[i][t] = (int32_t)rng_below(V, 1, STREAM_TASK, 1 + (uint64_t)i, (uint32_t)t, 0);
    }
    omp_set_num_threads(threads);
    tree_layout(&tree, prompt, PROMPT, ANSWERS, lengths, answers, false);
    for (int i = 0; i < ANSWERS; i++)
        for (int t = 0; t < lengths[i]; t++, n_want++) {
            want[n_want] = t ? tree.first_row[i] + t - 1 : PROMPT - 1;
            target[n_want] = tokens[i][t];
        }
    model_param_table(m, NULL, &n);
    float *grad = NEW(float, n);
    Trainer *trainer = trainer_new(m);
    trainer_group(trainer, &tree.rows, tree.n_pages, want, target, n_want, 1, loss, lp, grad);
    for (size_t i = 0; i < n; i++) bad += isfinite(grad[i]) ? 0 : 1;
    uint32_t crc = crc32c(crc32c(0, lp, (size_t)n_want * sizeof *lp), grad, n * sizeof *grad);
    trainer_free(trainer);
    tree_layout_free(&tree);
    mem_free(grad);
    return bad > 0 ? 0 : crc;
}

static void test_decoder(Findings *f)
{
    static const char text[] = "model: {layers: 2, width: 64, mlp: 128}\ntask: {name: sum}\n";
    static const struct {
        const char *name;
        KernelSet set;
    } kinds[] = {{"f32", {.precision = PRECISION_F32, .product = PRODUCT_F32}},
                 {"bf16", {.precision = PRECISION_BF16, .product = PRODUCT_BF16_AS_F32}}};
    Config c;
    char what[160];
    REQUIRE(!config_parse(&c, "doctor", text, NULL, 0), "the decoder's own text is refused");
    for (int i = 0; i < 2; i++) {
        Policy p;
        REQUIRE(!policy_from_config(&p, &c, &kinds[i].set, true), "the decoder cannot be made");
        uint32_t one = gradient_crc(p.model, 1), two = gradient_crc(p.model, 2);
        bool good = one && one == two;
        snprintf(what, sizeof what,
                 "%s: log-probabilities and gradient %08x with one thread, %08x with two",
                 kinds[i].name, one, two);
        verdict(f, "decoder", good, what);
        policy_close(&p);
    }
    config_free(&c);
}

/* ---- an HDF5 file ---------------------------------------------------------------------------- */

enum { NUMBERS = 3000 };

static int write_file(const char *path, const int64_t *numbers)
{
    hsize_t dims[1] = {NUMBERS};
    hid_t file = h5_create(path);
    if (file < 0) return -1;
    int rc = h5_write(file, path, "a/numbers", H5T_NATIVE_INT64, 1, dims, numbers, true);
    return h5_close_written(file, path, !rc) || rc ? -1 : 0;
}

static int read_file(const char *path, const int64_t *numbers)
{
    void *data = NULL;
    size_t n = 0;
    hid_t file = h5_open(path);
    if (file < 0) return -1;
    int rc = h5_read(file, path, "a/numbers", H5T_NATIVE_INT64, NUMBERS, &data, &n);
    if (!rc && (n != NUMBERS || memcmp(data, numbers, NUMBERS * sizeof *numbers)))
        rc = fail("%s: other numbers come back than were written", path);
    h5_close(file);
    mem_free(data);
    return rc;
}

static void test_hdf5(Findings *f)
{
    int64_t numbers[NUMBERS];
    char *folder = mem_printf("%s/troupe-doctor-XXXXXX", doctor_temporary()), *path = NULL,
         *what = NULL;
    for (int i = 0; i < NUMBERS; i++) numbers[i] = (int64_t)i * i;
    bool made = mkdtemp(folder) != NULL, good = false;
    if (made) {
        path = mem_printf("%s/self-test.h5", folder);
        errors_quiet(1);
        good = !write_file(path, numbers) && !read_file(path, numbers);
        errors_quiet(-1);
        unlink(path);
        rmdir(folder);
    }
    what = good ? mem_printf("%d numbers written to %s and read back", NUMBERS, doctor_temporary())
           : made
               ? mem_text(errors_last())
               : mem_printf("no folder can be made in %s (TMPDIR says where)", doctor_temporary());
    verdict(f, "HDF5 file", good, what);
    mem_free(what);
    mem_free(path);
    mem_free(folder);
}

void doctor_self_test(Findings *f)
{
    int threads = omp_get_max_threads();
    test_products(f);
    test_decoder(f);
    test_hdf5(f);
    omp_set_num_threads(threads);
}

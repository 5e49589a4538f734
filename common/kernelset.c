/* Choosing and recognising the kernel set. Rates are measured, because the same CPU feature is
 * twice as fast as f32 on one machine and half as fast on another; the choice is then part of the
 * run, since another kind gives other bits.
 *
 * The probe goes through what can differ between machines: products, their gradient, exp and log.
 */
#include "common/clock.h"
#include "common/kernelset.h"

#include <gnu/libc-version.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/ops/gemm.h"
#include "common/rng.h"
#include "common/sample.h"

#define PRODUCTS_VERSION 1 /* counts changes of our kernels that change bits */

static const char *kind_name(ProductKind kind)
{
    static const char *const names[] = {"f32", "bf16", "bf16 as f32"};
    return names[kind];
}

/* Numbers that need no libm: the probe must not differ for its inputs. */
static float *probe_numbers(size_t n, uint32_t which)
{
    float *x = NEW(float, n);
    for (size_t i = 0; i < n; i++) x[i] = rng_uniform(1, STREAM_INIT, which, (uint32_t)i, 0) - 0.5f;
    return x;
}

static uint32_t probe_product(ProductKind kind)
{
    enum { M = 9, N = 50, K = 101 };
    float *x = probe_numbers(M * K, 1), *w = probe_numbers(N * K, 2), *dw = probe_numbers(N * K, 3);
    float y[M * N], lp[M], lse[M];
    int32_t target[M];
    Packed *p = packed_new(N, K, kind);
    packed_fill(p, w, DTYPE_F32, false);
    op_matmul(y, x, p, M);
    op_matmul_dw(dw, y, x, M, N, K, kind);
    for (int i = 0; i < M; i++) target[i] = 5 * i;
    op_logprob(lp, lse, NULL, y, target, M, N, 1.25f);
    uint32_t crc = crc32c(0, y, sizeof y);
    crc = crc32c(crc, dw, (size_t)N * K * sizeof *dw);
    crc = crc32c(crc32c(crc, lp, sizeof lp), lse, sizeof lse);
    packed_free(p);
    mem_free(x);
    mem_free(w);
    mem_free(dw);
    return crc;
}

/* "model name" of /proc/cpuinfo, and the widest instructions our kernels use here. */
static void cpu_name(char *out, size_t size)
{
    char line[256], name[48] = "unknown CPU";
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value) continue;
        value += 1 + strspn(value + 1, " \t");
        value[strcspn(value, "\n")] = 0;
        snprintf(name, sizeof name, "%.47s", value);
        break;
    }
    if (f) fclose(f);
    snprintf(out, size, "%s, %s", name, gemm_instructions());
}

static void libraries_name(char *out, size_t size)
{
    snprintf(out, size, "products %d, glibc %.32s", PRODUCTS_VERSION, gnu_get_libc_version());
}

/* A product of a model's size, for measuring and for the self-test. */
typedef struct {
    int N, K;
    float *x, *y; /* [512][K], [512][N] */
    Packed *w;
} Bench;

static Bench bench_new(ProductKind kind)
{
    enum { N = 576, K = 768, M = 512 };
    Bench b = {N, K, probe_numbers(M * K, 4), NEW(float, M *N), packed_new(N, K, kind)};
    float *w = probe_numbers(N * K, 5);
    packed_fill(b.w, w, DTYPE_F32, false);
    mem_free(w);
    return b;
}

static void bench_free(Bench *b)
{
    packed_free(b->w);
    mem_free(b->x);
    mem_free(b->y);
}

/* Seconds for one product of M rows: the best of what fits in 40 ms, which other programs disturb
 * least. */
static double bench_seconds(const Bench *b, int M)
{
    double best = 1e9, end = clock_seconds() + 0.04;
    do {
        double start = clock_seconds(), took;
        op_matmul(b->y, b->x, b->w, M);
        took = clock_seconds() - start;
        if (took < best) best = took;
    } while (clock_seconds() < end);
    return best;
}

/* Rows have the same bits for M = 1, 7, 64, 512, in any place, with one and with all threads. */
static bool bench_is_exact(const Bench *b)
{
    static const int sizes[] = {1, 7, 64};
    int threads = omp_get_max_threads();
    size_t row = (size_t)b->N;
    float *part = NEW(float, 64 * row);
    bool exact = true;
    op_matmul(b->y, b->x, b->w, 512);
    for (int s = 0; s < 3; s++)
        for (int first = 0; first + sizes[s] <= 512; first += 131) {
            omp_set_num_threads(first % 2 ? threads : 1);
            op_matmul(part, b->x + (size_t)first * (size_t)b->K, b->w, sizes[s]);
            exact &= memcmp(part, b->y + (size_t)first * row,
                            (size_t)sizes[s] * row * sizeof *part) == 0;
        }
    omp_set_num_threads(threads);
    mem_free(part);
    return exact;
}

/* Seconds of a decode and a prefill together, or -1 where rows are not exact. */
static double kind_seconds(ProductKind kind)
{
    Bench b = bench_new(kind);
    double seconds = -1;
    if (bench_is_exact(&b)) seconds = 8 * bench_seconds(&b, 64) + bench_seconds(&b, 512);
    bench_free(&b);
    return seconds;
}

void kernelset_choose(KernelSet *k, Precision precision)
{
    static const ProductKind f32_kinds[] = {PRODUCT_F32},
                             bf16_kinds[] = {PRODUCT_BF16, PRODUCT_BF16_AS_F32};
    const ProductKind *kinds = precision == PRECISION_F32 ? f32_kinds : bf16_kinds;
    int n_kinds = precision == PRECISION_F32 ? 1 : 2, chosen = -1;
    double best = 0;
    memset(k, 0, sizeof *k);
    for (int i = 0; i < n_kinds; i++) {
        double seconds = kind_seconds(kinds[i]);
        if (seconds >= 0 && (chosen < 0 || seconds < best)) {
            chosen = i;
            best = seconds;
        }
    }
    if (chosen < 0)
        die(EXIT_UNABLE, "products on this CPU give a row other bits in other batches (self-test "
                         "of M = 1, 7, 64, 512): "
                         "no kernel can be trusted here");
    k->precision = precision;
    k->product = kinds[chosen];
    k->probe = probe_product(k->product);
    cpu_name(k->cpu, sizeof k->cpu);
    libraries_name(k->libraries, sizeof k->libraries);
}

void kernelset_named(KernelSet *k, const char *precision, const char *products)
{
    bool f32 = !strcmp(precision, "f32");
    kernelset_choose(k, f32 ? PRECISION_F32 : PRECISION_BF16);
    if (f32 || !strcmp(products, "auto")) return;
    k->product = strcmp(products, "bf16") ? PRODUCT_BF16_AS_F32 : PRODUCT_BF16;
    k->probe = probe_product(k->product);
}

int kernelset_verify(const KernelSet *k)
{
    KernelSet here = {0};
    if (k->precision > PRECISION_BF16 || k->product > PRODUCT_BF16_AS_F32)
        return fail(
            "the kernel set names precision %d and product kind %d, which this build does not have",
            (int)k->precision, (int)k->product);
    here.probe = probe_product(k->product);
    cpu_name(here.cpu, sizeof here.cpu);
    libraries_name(here.libraries, sizeof here.libraries);
    if (strcmp(here.libraries, k->libraries) != 0)
        return fail(
            "the run's kernels are \"%s\", here they are \"%s\": its bits cannot be promised",
            k->libraries, here.libraries);
    if (strcmp(here.cpu, k->cpu) != 0)
        return fail("the run began on \"%s\", this is \"%s\": its bits cannot be promised", k->cpu,
                    here.cpu);
    if (here.probe != k->probe)
        return fail("a probe with %s products gives %08x, the run's gave %08x: its bits cannot be "
                    "kept on this machine",
                    kind_name(k->product), here.probe, k->probe);
    return 0;
}

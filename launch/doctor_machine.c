/* See doctor.h: the machine. Rates are measured, since the instructions that a CPU has do not say
 * which kernel is the faster one (kernelset.h). */
#define _GNU_SOURCE

#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/kernelset.h"
#include "common/memory.h"
#include "common/ops/gemm.h"
#include "launch/calibrate.h"
#include "launch/doctor.h"

/* The value of the first line of a file of "name : value" lines that begins with name. */
static bool read_line_of(const char *path, const char *name, char *out, size_t size)
{
    char line[8192];
    bool found = false;
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof line, f)) {
        char *value = strchr(line, ':');
        if (strncmp(line, name, strlen(name)) || !value) continue;
        value += 1 + strspn(value + 1, " \t");
        value[strcspn(value, "\n")] = 0;
        snprintf(out, size, "%s", value);
        found = true;
    }
    if (f) fclose(f);
    return found;
}

/* Up to two numbers at the beginning of a file; "max" ends them. */
static int read_numbers(const char *path, double out[2])
{
    FILE *f = fopen(path, "r");
    int n = f ? fscanf(f, "%lf %lf", &out[0], &out[1]) : 0;
    if (f) fclose(f);
    return n < 0 ? 0 : n;
}

/* Cores' worth of time that a container may use (cgroup v2 or v1); 0: no limit. */
static double core_quota(void)
{
    double v[2], period[2];
    if (read_numbers("/sys/fs/cgroup/cpu.max", v) == 2 && v[1] > 0) return v[0] / v[1];
    if (read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", v) && v[0] > 0 &&
        read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period) && period[0] > 0)
        return v[0] / period[0];
    return 0;
}

static void look_at_cores(Findings *f)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    int online = (int)sysconf(_SC_NPROCESSORS_ONLN),
        allowed = sched_getaffinity(0, sizeof mask, &mask) ? online : CPU_COUNT(&mask);
    double quota = core_quota();
    if (quota > 0 && quota < allowed)
        findings_add(f, FINDING_WARNING, "cores",
                     "%d online, %d allowed, but this container may use the time of %.1f: set "
                     "layout.threads so that all ranks together have no more threads than that",
                     online, allowed, quota);
    else
        findings_add(f, FINDING_OK, "cores", "%d online, this process may use %d%s; %d threads",
                     online, allowed, allowed < online ? " (bound by its launcher)" : "",
                     omp_get_max_threads());
}

static void look_at_memory(Findings *f)
{
    char total[64] = "0", available[64] = "0";
    double limit[2];
    read_line_of("/proc/meminfo", "MemTotal", total, sizeof total);
    read_line_of("/proc/meminfo", "MemAvailable", available, sizeof available);
    double all = atof(total) / 1e6, there = atof(available) / 1e6; /* kB */
    bool bounded = read_numbers("/sys/fs/cgroup/memory.max", limit) ||
                   read_numbers("/sys/fs/cgroup/memory/memory.limit_in_bytes", limit);
    if (bounded && limit[0] / 1e9 < all)
        findings_add(f, FINDING_OK, "memory",
                     "%.1f GB, %.1f GB available; this container is ended at %.1f GB", all, there,
                     limit[0] / 1e9);
    else
        findings_add(f, FINDING_OK, "memory",
                     "%.1f GB, %.1f GB available (troupe plan says what a run needs)", all, there);
}

static void look_at_temporary(Findings *f)
{
    struct statvfs s;
    const char *path = doctor_temporary();
    if (access(path, W_OK | X_OK) || statvfs(path, &s))
        findings_add(f, FINDING_WARNING, "TMPDIR",
                     "%s cannot be written: mpirun needs it, set TMPDIR to a folder that can",
                     path);
    else
        findings_add(f, FINDING_OK, "TMPDIR", "%s, %.1f GB free", path,
                     (double)s.f_bavail * (double)s.f_frsize / 1e9);
}

/* The vector instructions that matter here, of those that the CPU says it has. */
static void look_at_cpu(Findings *f)
{
    static const char *const wanted[] = {"avx2",        "fma",      "avx512f", "avx512_bf16",
                                         "avx512_vnni", "amx_tile", "amx_bf16"};
    char model[128] = "unknown CPU", flags[8192] = "";
    Buffer has = {0};
    read_line_of("/proc/cpuinfo", "model name", model, sizeof model);
    read_line_of("/proc/cpuinfo", "flags", flags, sizeof flags);
    for (char *rest = flags, *word; (word = strsep(&rest, " "));)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (!strcmp(word, wanted[i])) buffer_printf(&has, " %s", word);
    findings_add(f, FINDING_OK, "CPU", "%s, has%s; kernels use %s", model,
                 has.size ? has.data : " no vector instructions that we know", gemm_instructions());
    buffer_free(&has);
}

/* Rate of a product of a small model's size with all threads, best of 60 ms. */
static double product_flops(ProductKind kind)
{
    enum { M = 512, N = 576, K = 768 };
    float *x = NEW(float, M *K), *w = NEW(float, N *K), *y = NEW(float, M *N);
    for (int i = 0; i < M * K; i++) x[i] = (float)(i % 97) / 97 - 0.5f;
    for (int i = 0; i < N * K; i++) w[i] = (float)(i % 89) / 89 - 0.5f;
    Packed *p = packed_new(N, K, kind);
    packed_fill(p, w, DTYPE_F32, false);
    double best = 1e30, end = clock_seconds() + 0.06;
    do {
        double began = clock_seconds();
        op_matmul(y, x, p, M);
        double s = clock_seconds() - began;
        if (s < best) best = s;
    } while (clock_seconds() < end);
    packed_free(p);
    mem_free(x);
    mem_free(w);
    mem_free(y);
    return 2.0 * M * N * K / best;
}

static void look_at_kernels(Findings *f)
{
    static const char *const names[] = {"f32", "bf16", "bf16_as_f32"};
    double rates[3];
    KernelSet k;
    for (int i = 0; i < 3; i++) rates[i] = product_flops((ProductKind)i) / 1e9;
    kernelset_choose(&k, PRECISION_BF16);
    findings_add(f, FINDING_OK, "kernels",
                 "measured GFLOP/s: f32 %.0f, bf16 %.0f, bf16_as_f32 %.0f; a bf16 run begun now "
                 "would take %s (model.products fixes it)",
                 rates[PRODUCT_F32], rates[PRODUCT_BF16], rates[PRODUCT_BF16_AS_F32],
                 names[k.product]);
}

void doctor_machine(Findings *f)
{
    look_at_cores(f);
    look_at_memory(f);
    look_at_temporary(f);
    look_at_cpu(f);
    look_at_kernels(f);
}

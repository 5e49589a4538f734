/* What every unit test needs: Check, a main for one suite, and comparison of float arrays by bits
 * and by bound.
 *
 *     START_TEST(rejects_zero) { ... } END_TEST
 *     TEST_MAIN("rng", rejects_zero, ...)
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <check.h>
#undef fail /* Check has a macro of that name; ours is errors.h's */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_MAIN(name, ...)                                                                       \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *tests[] = {__VA_ARGS__};                                                      \
        Suite *s = suite_create(name);                                                             \
        TCase *c = tcase_create(name);                                                             \
        tcase_set_timeout(c, 240);                                                                 \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(c, tests[i]);     \
        suite_add_tcase(s, c);                                                                     \
        SRunner *r = srunner_create(s);                                                            \
        srunner_set_fork_status(r, CK_NOFORK); /* OpenMP's threads do not survive a fork */        \
        srunner_run_all(r, CK_NORMAL);                                                             \
        int failed = srunner_ntests_failed(r);                                                     \
        srunner_free(r);                                                                           \
        return failed != 0;                                                                        \
    }

/* The folder of outside data, or NULL: a test that needs it then says why it is skipped (exit
 * status 77). */
static inline const char *test_data_dir(void)
{
    const char *d = getenv("TROUPE_DATA");
    return d && *d ? d : NULL;
}

/* SmolLM2-135M-Instruct as launch/fetch-smollm2 leaves it, or NULL: skip with the reason (77).
 * TROUPE_MODEL names another place. */
static inline const char *test_smollm2_path(void)
{
    static char path[4096];
    const char *m = getenv("TROUPE_MODEL"), *source = getenv("TROUPE_SOURCE");
    if (m && *m) return m;
    snprintf(path, sizeof path, "%s/models/SmolLM2-135M-Instruct.Q4_1.gguf", source ? source : ".");
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fclose(f);
    return path;
}

static inline double max_abs_diff(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        if (!(d <= worst)) worst = d; /* a NaN is the worst */
    }
    return worst;
}

static inline int same_bits(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes) == 0;
}

#endif

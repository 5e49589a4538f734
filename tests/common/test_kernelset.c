/* A chosen kernel set verifies on the machine that chose it, is the same twice, and any difference
 * is said. */
#include <omp.h>

#include "common/errors.h"
#include "common/kernelset.h"
#include "tests/harness.h"

START_TEST(what_was_chosen_verifies)
{
    KernelSet k, f;
    kernelset_choose(&k, PRECISION_BF16);
    ck_assert(k.product == PRODUCT_BF16 || k.product == PRODUCT_BF16_AS_F32);
    ck_assert(k.cpu[0] && k.libraries[0]);
    ck_assert_int_eq(kernelset_verify(&k), 0);
    omp_set_num_threads(1);
    ck_assert_int_eq(kernelset_verify(&k), 0);
    kernelset_choose(&f, PRECISION_F32);
    ck_assert(f.product == PRODUCT_F32 && f.precision == PRECISION_F32 && f.probe != k.probe);
    ck_assert_int_eq(kernelset_verify(&f), 0);
}
END_TEST

static void check_refused(KernelSet k, const char *reason)
{
    errors_quiet(1);
    ck_assert_int_eq(kernelset_verify(&k), -1);
    errors_quiet(-1);
    ck_assert_msg(strstr(errors_last(), reason), "%s", errors_last());
}

START_TEST(differences_are_said)
{
    KernelSet k, other;
    kernelset_choose(&k, PRECISION_F32);
    other = k;
    other.probe ^= 1;
    check_refused(other, "probe");
    other = k;
    strcpy(other.cpu, "Z80");
    check_refused(other, "\"Z80\"");
    other = k;
    strcpy(other.libraries, "products 0");
    check_refused(other, "\"products 0\"");
    other = k;
    other.product = (ProductKind)9;
    check_refused(other, "product kind 9");
}
END_TEST

TEST_MAIN("kernelset", what_was_chosen_verifies, differences_are_said)

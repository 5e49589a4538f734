/* The probability of an option: the specification's numbers, and logits that overflow. */
#include "rewardsvc/shaping.h"

#include "tests/harness.h"

START_TEST(a_softmax_over_the_options_alone)
{
    const double one[] = {2, 0.5}, other[] = {0.5, 2}, large[] = {1000, 1000, -1000};
    ck_assert_double_eq_tol(shaping_option_probability(one, 2, 0), 0.817574, 5e-7);
    ck_assert_double_eq_tol(shaping_option_probability(other, 2, 0), 0.182426, 5e-7);
    ck_assert_double_eq_tol(shaping_option_probability(large, 3, 1), 0.5, 1e-12);
    ck_assert_double_eq_tol(shaping_option_probability(large, 3, 2), 0, 1e-12);
}
END_TEST

TEST_MAIN("shaping", a_softmax_over_the_options_alone)

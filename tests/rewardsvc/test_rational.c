/* Exact numbers: reading, arithmetic, and saying so when something does not fit. */
#include "rewardsvc/rational.h"

#include "tests/harness.h"

static Rational read(const char *text)
{
    Rational r;
    ck_assert_msg(rational_parse(text, strlen(text), &r) == 0, "%s", text);
    return r;
}

static int rejected(const char *text)
{
    Rational r;
    return rational_parse(text, strlen(text), &r) != 0;
}

START_TEST(equal_numbers_are_equal_however_written)
{
    static const char *const same[][2] = {
        {"5", "5.0"},
        {"5", "+5"},
        {"5", "05"},
        {"1,234,567", "1234567"},
        {"-0", "0"},
        {".5", "0.50"},
        {"1e3", "1000"},
        {"1.5E-1", "0.15"},
        {"3/6", "0.5"},
        {"\xE2\x88\x92"
         "7",
         "-7"},
        {"-1.5/3", "-0.5"},
        {"1,000.25", "1000.250"},
        {"0.1", "1/10"},
        {"1.00000000000000000000000000000000000000000000000000", "1"},
        {"0e999", "0"},
        {"170141183460469231731687303715884105727",
         "170,141,183,460,469,231,731,687,303,715,884,105,727"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        ck_assert_msg(rational_equal(read(same[i][0]), read(same[i][1])), "%s %s", same[i][0],
                      same[i][1]);
    ck_assert(!rational_equal(read("0.1"), read("0.1000000000000000055511151231257827")));
    ck_assert(!rational_equal(read("5"), read("-5")));
}
END_TEST

START_TEST(rejects_what_is_not_a_number)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      ".",
                                      "5.",
                                      "1,23",
                                      "1,2345",
                                      "1234,567",
                                      ",5",
                                      "--5",
                                      "5 ",
                                      " 5",
                                      "1e",
                                      "0x10",
                                      "nan",
                                      "inf",
                                      "1/0",
                                      "1/",
                                      "1/-2",
                                      "1_000",
                                      "12a",
                                      "170141183460469231731687303715884105728",
                                      "1e39",
                                      "1e-39",
                                      "1e99999999999999999999",
                                      "0.00000000000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(rejected(bad[i]), "%s", bad[i]);
    Rational r;
    ck_assert_int_ne(rational_parse("5\0", 2, &r), 0);
}
END_TEST

START_TEST(scan_says_how_much_it_took)
{
    Rational r;
    ck_assert_uint_eq(rational_scan("12,345 apples", 13, &r), 6);
    ck_assert_uint_eq(rational_scan("12.", 3, &r), 2);
    ck_assert_uint_eq(rational_scan("3/4/5", 5, &r), 3);
    ck_assert_uint_eq(rational_scan("3/0", 3, &r), 1);
    ck_assert_uint_eq(rational_scan("7eggs", 5, &r), 1);
    ck_assert_uint_eq(rational_scan("12,34", 5, &r), 2);
    ck_assert_uint_eq(rational_scan("x", 1, &r), 0);
}
END_TEST

START_TEST(arithmetic_is_exact)
{
    Rational a, third = read("1/3"), r;
    ck_assert_int_eq(rational_add(third, read("1/6"), &a), 0);
    ck_assert(rational_equal(a, read("0.5")));
    ck_assert_int_eq(rational_sub(third, read("1/3"), &a), 0);
    ck_assert(rational_equal(a, read("0")));
    ck_assert_int_eq(rational_mul(third, read("-6"), &a), 0);
    ck_assert(rational_equal(a, read("-2")));
    ck_assert_int_eq(rational_div(read("8"), third, &a), 0);
    ck_assert(rational_equal(a, read("24")));
    ck_assert_int_eq(rational_div(read("8"), read("-2"), &a), 0);
    ck_assert(rational_equal(a, read("-4")));
    ck_assert_int_ne(rational_div(third, read("0"), &r), 0);
    ck_assert_double_eq_tol(rational_double(third), 1.0 / 3, 1e-16);
}
END_TEST

START_TEST(overflow_is_said)
{
    Rational big = read("170141183460469231731687303715884105727"), a;
    ck_assert_int_ne(rational_add(big, read("1"), &a), 0);
    ck_assert_int_ne(rational_mul(big, read("2"), &a), 0);
    ck_assert_int_ne(rational_sub(read("-2"), big, &a), 0);
    ck_assert_int_ne(rational_div(read("1e-38"), read("1e3"), &a), 0);
    ck_assert_int_eq(rational_mul(big, read("1/170141183460469231731687303715884105727"), &a), 0);
    ck_assert(rational_equal(a, read("1")));
    ck_assert_int_eq(rational_sub(big, big, &a), 0);
}
END_TEST

TEST_MAIN("rational", equal_numbers_are_equal_however_written, rejects_what_is_not_a_number,
          scan_says_how_much_it_took, arithmetic_is_exact, overflow_is_said)

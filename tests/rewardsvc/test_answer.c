/* Spans, tags and numbers in prose. */
#include "rewardsvc/answer.h"

#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "tests/harness.h"

static double last(const char *text)
{
    Rational r;
    return number_last(span_of(text), &r) ? rational_double(r) : NAN;
}

static double first(const char *text)
{
    Rational r;
    return number_first(span_of(text), &r, NULL) ? rational_double(r) : NAN;
}

START_TEST(numbers_in_prose)
{
    static const struct {
        const char *text;
        double want;
    } rows[] = {
        {"so there are 18 apples.", 18},
        {"= 1,234,567.50 dollars", 1234567.5},
        {"costs $1,200", 1200},
        {"lost -5", -5},
        {"10-5", 5},
        {"(10)-5", 5},
        {"-$5", -5},
        {"$-5.25", -5.25},
        {"\\$18 left", 18},
        {"\xE2\x82\xAC"
         "7",
         7},
        {"\xC2\xA3"
         "7",
         7},
        {"\xE2\x88\x92"
         "3",
         -3},
        {"20 m2", 20},
        {"CO2", NAN},
        {"20 on the 5th day", 20},
        {"21st", NAN},
        {"5km", 5},
        {"50%", 50},
        {"**18**", 18},
        {"...5", 5},
        {".5", 0.5},
        {"1/2 cup", 0.5},
        {"v1.5.2", NAN},
        {"1.5.2", 1.5},
        {"a_5", NAN},
        {"", NAN},
        {"-", NAN},
        {"$", NAN},
        {"5.", 5},
        {"12, 34", 34},
        {"12,34", 34},
        {"\\boxed{42}", 42},
        {"+7", 7},
        {"20 and 99999999999999999999999999999999999999999", 20},
        {"5 ths", 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double got = last(rows[i].text);
        ck_assert_msg(got == rows[i].want || (isnan(got) && isnan(rows[i].want)), "%s: %g, not %g",
                      rows[i].text, got, rows[i].want);
    }
    ck_assert_double_eq(first("7 of 10"), 7);
}
END_TEST

START_TEST(first_gives_the_rest_and_only_refuses_a_second)
{
    Rational r;
    Span rest;
    ck_assert(number_first(span_of("a 7 of 10"), &r, &rest));
    ck_assert_uint_eq(rest.n, 6);
    ck_assert(number_only(span_of("18 = 18.0"), &r));
    ck_assert(!number_only(span_of("18 or 20"), &r));
    ck_assert(!number_only(span_of("none"), &r));
}
END_TEST

START_TEST(tags_are_found)
{
    Span s = answer_tag(span_of("<answer>1</answer> no <answer> 2 </answer>."), "answer");
    ck_assert_uint_eq(s.n, 3);
    ck_assert(memcmp(s.p, " 2 ", 3) == 0);
    ck_assert_ptr_null(answer_tag(span_of("<answer>1</answer> <answer>2"), "answer").p);
    ck_assert_ptr_null(answer_tag(span_of("2</answer>"), "answer").p);
    ck_assert_ptr_nonnull(answer_tag(span_of("<answer></answer>"), "answer").p);
    ck_assert_ptr_null(answer_tag((Span){NULL, 0}, "answer").p);
}
END_TEST

START_TEST(strict_format)
{
    static const struct {
        const char *text;
        int ok;
    } rows[] = {
        {"<think>a</think><answer>5</answer>", 1},
        {" <think></think>\n<answer> 5 </answer>\n", 1},
        {"<think>a</think><answer> </answer>", 0},
        {"<think>a</think>b<answer>5</answer>", 0},
        {"x<think>a</think><answer>5</answer>", 0},
        {"<think>a</think><answer>5</answer>x", 0},
        {"<think>a</think><answer>5", 0},
        {"<answer>5</answer><think>a</think>", 0},
        {"<think>a<think></think><answer>5</answer>", 0},
        {"<think>a</think><answer>5</answer><answer>6</answer>", 0},
        {"<think>a<answer>4</answer></think><answer>5</answer>", 0},
        {"<think>a<answer></think>5</answer>", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(answer_strict(span_of(rows[i].text), NULL, NULL) == rows[i].ok, "%s",
                      rows[i].text);
    Span think, answer;
    ck_assert(answer_strict(span_of("<think>ab</think> <answer>5</answer>"), &think, &answer));
    ck_assert(think.n == 2 && answer.n == 1 && *answer.p == '5');
}
END_TEST

START_TEST(nul_bytes_are_bytes)
{
    static const char text[] = "<think>\0</think><answer>5\0</answer>";
    Span answer;
    ck_assert(answer_strict((Span){text, sizeof text - 1}, NULL, &answer));
    ck_assert_uint_eq(answer.n, 2);
    Rational r;
    ck_assert(number_last((Span){"1\0002", 3}, &r) && rational_equal(r, rational_of(2)));
}
END_TEST

START_TEST(records_give_numbers)
{
    json_t *record =
        json_pack("{s:i, s:s, s:s, s:s, s:f, s:s, s:b}", "int", -12, "text", " 1,234 ", "gsm",
                  "4+4=8\n#### 8", "money", "$1,000", "real", 0.1, "word", "twelve", "flag", 1);
    static const struct {
        const char *field, *want;
    } good[] = {
        {"int", "-12"}, {"text", "1234"}, {"gsm", "8"}, {"money", "1000"}, {"real", "1/10"}};
    Rational r, want;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_int_eq(record_number(record, good[i].field, &r), 0);
        ck_assert_int_eq(rational_parse(good[i].want, strlen(good[i].want), &want), 0);
        ck_assert(rational_equal(r, want));
    }
    errors_quiet(1);
    ck_assert_int_eq(record_number(record, "word", &r), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "\"word\""));
    ck_assert_int_eq(record_number(record, "flag", &r), -1);
    ck_assert_int_eq(record_number(record, "none", &r), -1);
    ck_assert_int_eq(record_number(NULL, "int", &r), -1);
    errors_quiet(-1);
    json_decref(record);
}
END_TEST

/* Processor seconds of all scanners over `pattern` repeated to n bytes. */
static double scan_seconds(const char *pattern, bool huge_exponent, char *text, size_t n)
{
    size_t len = strlen(pattern);
    for (size_t i = 0; i < n; i++) text[i] = pattern[i % len];
    if (huge_exponent) memcpy(text + n - 4, "1e99", 4); /* and does not fit in the end */
    struct timespec a, b;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    Rational r;
    Span s = {text, n};
    number_last(s, &r);
    answer_tag(s, "answer");
    answer_strict(s, NULL, NULL);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    return (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
}

/* Texts made to be read again and again by a careless scanner: sixteen times the text may not take
 * a hundred times as long (a quadratic scanner takes 256 times). */
START_TEST(hostile_texts_are_linear)
{
    static const char *const patterns[] = {"0,000",     ",000",    "9",    "-", "<answer>",
                                           "</answer>", "<think>", "1/",   "$", "0.",
                                           "1e",        "9th",     "#### "};
    size_t n = 1 << 20;
    char *text = NEW(char, n);
    for (size_t k = 0; k < sizeof patterns / sizeof *patterns; k++) {
        double small = scan_seconds(patterns[k], k < 2, text, n / 16),
               large = scan_seconds(patterns[k], k < 2, text, n);
        ck_assert_msg(large < 100 * small + 0.01, "\"%s\": %g s for %zu bytes, %g s for %zu",
                      patterns[k], small, n / 16, large, n);
    }
    mem_free(text);
}
END_TEST

TEST_MAIN("answer", numbers_in_prose, first_gives_the_rest_and_only_refuses_a_second,
          tags_are_found, strict_format, nul_bytes_are_bytes, records_give_numbers,
          hostile_texts_are_linear)

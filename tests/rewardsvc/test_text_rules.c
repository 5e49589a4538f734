/* exact, choice, soft_overlong, repetition, reasoning_pattern, conciseness: the specification's
 * numbers, corners, hostile texts. */
#include "tests/reward_scores.h"

START_TEST(exact_after_normalisation)
{
    const Setup s = {"exact", {NULL}}, strict = {"exact", {"where", "strict"}},
                cased = {"exact", {"case", "true"}}, plain = {"exact", {"unicode", "false"}},
                words = {"exact", {"punctuation", "drop"}},
                bytes = {"exact",
                         {"punctuation", "keep", "space", "keep", "case", "true", "unicode",
                          "false", "where", "whole"}};
    const char *r = "{\"answer\": \"Paris\"}";
    expect(&s, r, "<answer> paris. </answer>", 1);
    expect(&s, r, "\\boxed{Paris}", 1);
    expect(&s, r, "PARIS", 1);
    expect(&s, r, "It is Paris", 0);
    expect(&s, r, "", 0);
    expect(&s, "{\"answer\": [\"NYC\", \"New York\"]}", "new  york!", 1);
    expect(&s, "{\"answer\": 42}", "#### 42", 1);
    expect(&s, "{\"answer\": 0.1}", "0.1", 1);
    expect(&s, "{\"answer\": -5}", "5", 0);
    expect(&s, "{\"answer\": \"caf\u00e9\"}", "cafe\xCC\x81", 1);
    expect(&plain, "{\"answer\": \"caf\u00e9\"}", "cafe\xCC\x81", 0);
    expect(&s, "{\"answer\": \"ABC\"}", "\xEF\xBC\xA1\xEF\xBC\xA2\xEF\xBC\xA3", 1);
    expect(&cased, r, "paris", 0);
    expect(&strict, r, "Paris", 0);
    expect(&strict, r, "<think>x</think><answer>Paris</answer>", 1);
    expect(&words, "{\"answer\": \"rock and roll\"}", "Rock-and-roll!", 1);
    expect(&words, "{\"answer\": \"3.14\"}", "314", 0);
    expect(&bytes, r, "Paris ", 1); /* places are trimmed */
    expect(&bytes, r, "Paris.", 0);
    expect_status(&s, "{}", "Paris", SCORE_ERROR);
    expect_status(&s, "{\"answer\": {}}", "Paris", SCORE_ERROR);
    const Setup bad[] = {{"exact", {"space", "some"}}, {"exact", {"punctuation", "some"}}};
    expect_refused(&bad[0], "space:");
    expect_refused(&bad[1], "punctuation:");
}
END_TEST

START_TEST(choice_of_one)
{
    const Setup s = {"choice", {NULL}}, four = {"choice", {"options", "4"}},
                one = {"choice", {"first", "1"}};
    const char *r = "{\"answer\": \"B\", \"options\": [\"w\", \"x\", \"y\", \"z\"]}";
    static const char *const right[] = {"B",
                                        "b",
                                        " (B) ",
                                        "B.",
                                        "**B**",
                                        "B) Paris",
                                        "\\boxed{B}",
                                        "\\boxed{\\text{(B)}}",
                                        "<answer>B</answer>",
                                        "<answer>B: Paris</answer>",
                                        "The answer is B.",
                                        "I think the answer is (B), since A is wrong.",
                                        "Answer: B",
                                        "**Answer:** B",
                                        "A would be nice.\nAnswer: B",
                                        "the correct answer is option B",
                                        "#### B",
                                        "Answer\xEF\xBC\x9A"
                                        "B",
                                        "A. red\nB. blue\nThe answer: B",
                                        "[B]",
                                        "$B$",
                                        "The answers are: B"};
    static const char *const wrong[] = {"A",
                                        "",
                                        "Paris",
                                        "BAD",
                                        "E",
                                        "A or B",
                                        "B and C",
                                        "AB",
                                        "B cat",
                                        "The answer is a B-flat",
                                        "answer",
                                        "answer is ",
                                        "the answer is beyond me",
                                        "BB",
                                        "\\boxed{}",
                                        "B\nC",
                                        "Answer: B or C",
                                        "BA",
                                        "no B here"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) expect(&s, r, right[i], 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) expect(&s, r, wrong[i], 0);
    expect(&s, "{\"answer\": 1}", "B", 1);
    expect(&one, "{\"answer\": 1}", "A", 1);
    expect(&s, "{\"answer\": \"(B) Paris\"}", "B", 1);
    expect(&s, "{\"answer\": \"I\"}", "I", 1); /* 26 options unless told */
    expect(&four, "{\"answer\": \"C\"}", "I", 0);
    expect_status(&four, "{\"answer\": \"I\"}", "A", SCORE_ERROR);
    expect_status(&four, "{\"answer\": 4}", "A", SCORE_ERROR);
    expect_status(&four, "{\"answer\": \"Paris\"}", "A", SCORE_ERROR);
    expect_status(&four, "{}", "A", SCORE_ERROR);
    json_t *json = json_loads(r, 0, NULL);
    Evidence e = {.text = "The answer is B", .n_text = 15, .record = json, .finish = FINISH_LENGTH};
    ck_assert(setup_score(&s, &e).value == 0); /* cut off: "B and C"? */
    e.finish = FINISH_EOS;
    ck_assert(setup_score(&s, &e).value == 1);
    json_decref(json);
}
END_TEST

/* Specification 1, section 9, acceptance. */
START_TEST(choice_of_several)
{
    const Setup soft = {"choice", {"partial", "subset", "where", "answer"}},
                hard = {"choice", {NULL}}, jaccard = {"choice", {"partial", "jaccard"}},
                bad = {"choice", {"partial", "half"}};
    const char *ac = "{\"answer\": \"AC\", \"options\": [1, 2, 3, 4]}";
    expect(&soft, ac, "<answer>AC</answer>", 1);
    expect(&soft, ac, "<answer>A, C</answer>", 1);
    expect(&soft, ac, "<answer>C and A</answer>", 1);
    expect(&soft, ac, "<answer>A. x\nC. y</answer>", 1);
    expect(&soft, ac, "<answer>A</answer>", 0.5);
    expect(&soft, ac, "<answer>A, A</answer>", 0.5);
    expect(&soft, ac, "<answer>AB</answer>", 0);
    expect(&soft, ac, "<answer></answer>", 0);
    expect(&soft, ac, "<answer>ABC</answer>", 0);
    expect(&soft, ac, "A, C", 0); /* the answer tag is missing */
    expect(&soft, "{\"answer\": [\"A\", \"B\", \"C\", \"D\"]}", "<answer>A</answer>", 0.25);
    expect(&hard, ac, "A, C", 1);
    expect(&hard, ac, "A", 0);
    expect(&jaccard, ac, "A, B", 1. / 3);
    expect(&jaccard, ac, "A/C", 1);
    expect_refused(&bad, "partial:");
}
END_TEST

static Score overlong(const Setup *s, int n_tokens, int max_tokens)
{
    return setup_score(
        s, &(Evidence){.text = "x", .n_text = 1, .n_tokens = n_tokens, .max_tokens = max_tokens});
}

/* Specification 1, T0-e. */
START_TEST(soft_overlong_as_the_specification_says)
{
    const Setup big = {"soft_overlong", {"l_max", "20480", "l_cache", "4096"}},
                open = {"soft_overlong", {"l_max", "20480", "l_cache", "4096", "clamp", "false"}},
                small = {"soft_overlong", {"l_max", "16", "l_cache", "4"}},
                plain = {"soft_overlong", {NULL}},
                twice = {"soft_overlong", {"l_max", "16", "l_cache", "4", "factor", "2"}},
                bad = {"soft_overlong", {"l_max", "4", "l_cache", "16"}},
                late = {"soft_overlong", {"l_cache", "16"}};
    static const double rows[][2] = {{100, 0}, {16384, 0}, {18432, -0.5}, {20480, -1}, {25000, -1}},
                        few[][2] = {{10, 0}, {12, 0}, {14, -0.5}, {16, -1}, {20, -1}};
    for (int i = 0; i < 5; i++) {
        ck_assert_double_eq(overlong(&big, (int)rows[i][0], 0).value, rows[i][1]);
        ck_assert_double_eq(overlong(&small, (int)few[i][0], 999).value, few[i][1]);
        ck_assert_double_eq(overlong(&twice, (int)few[i][0], 999).value, 2 * few[i][1]);
    }
    ck_assert_double_eq_tol(overlong(&open, 25000, 0).value, -2.103516, 5e-7);
    ck_assert_double_eq_tol(overlong(&plain, 90, 100).value, -0.5, 1e-12);
    ck_assert_int_eq(overlong(&plain, 90, 0).status, SCORE_NOT_APPLICABLE);
    ck_assert_int_eq(overlong(&small, 0, 0).status, SCORE_NOT_APPLICABLE);
    ck_assert_int_eq(overlong(&late, 5, 10).status, SCORE_ERROR);
    expect_refused(&bad, "l_cache 16");
}
END_TEST

START_TEST(repetition_is_a_share)
{
    const Setup two = {"repetition", {"n", "2"}}, four = {"repetition", {NULL}},
                chars = {"repetition", {"n", "2", "unit", "char"}},
                once = {"repetition", {"n", "2", "measure", "repeated"}},
                some = {"repetition", {"n", "2", "allow", "0.5"}},
                space = {"repetition", {"n", "1", "unit", "space"}},
                bad = {"repetition", {"n", "1.5"}};
    expect(&two, "{}", "a b a b a b", -3. / 5); /* ab ba ab ba ab */
    expect(&once, "{}", "a b a b a b", -2. / 5);
    expect(&some, "{}", "a b a b a b", -0.2);
    expect(&two, "{}", "a, b; a! b? a. b", -3. / 5);
    expect(&space, "{}", "a, a a,", -1. / 3);
    expect(&two, "{}", "a b c d", 0);
    expect(&four, "{}", "a b c", 0);
    expect(&four, "{}", "", 0);
    expect(&chars, "{}", "ab ab", -1. / 3);
    expect(&two, "{}", "\u597d\u7684\u597d\u7684", -1. / 3);
    expect_refused(&bad, "whole number");
}
END_TEST

/* 25 different words, said twice. */
static Buffer twice_25(const char *front)
{
    Buffer b = {0};
    buffer_text(&b, front);
    for (int i = 0; i < 50; i++) buffer_printf(&b, "w%c%c ", 'a' + i % 25, 'q');
    return b;
}

/* Specification 2, section 6, acceptance. */
START_TEST(reasoning_pattern_as_the_specification_says)
{
    const Setup s = {"reasoning_pattern", {NULL}}, paper = {"reasoning_pattern", {"divisor", "40"}},
                open = {"reasoning_pattern", {"list", "open"}},
                word = {"reasoning_pattern", {"boundary", "true"}},
                think = {"reasoning_pattern", {"where", "thinking"}},
                repeat = {"repetition", {"n", "20", "measure", "repeated", "unit", "space"}},
                own = {"reasoning_pattern", {"phrases", "c;c|wohl an|wait", "divisor", "2"}},
                capital = {"reasoning_pattern", {"phrases", "so|Wait"}},
                empty = {"reasoning_pattern", {"phrases", "so||wait"}},
                bad = {"reasoning_pattern", {"list", "all"}};
    const char *text = "First, I need to find x. Wait, let me check: if we add 2, thus x = 5. "
                       "Therefore the answer is 5.";
    expect(&s, "{}", text, 0.35);
    expect(&paper, "{}", text, 0.175);
    expect(&word, "{}", text, 0.35);
    expect(&s, "{}", "First, I need to find x. user: next question", 0);
    expect(&open, "{}", "First, I need to find x. user: next question", 0.1);
    expect(&open, "{}", "1. I will. I'll", 0.15);
    expect(&s, "{}", "1. I will. I'll", 0);
    expect(&s, "{}", "They await it, whence", 0.1);
    expect(&word, "{}", "They await it, whence", 0);
    expect(&s, "{}", "", 0);
    expect(&think, "{}", text, 0);
    expect(&think, "{}", "<think>wait</think> thus", 0.05);
    expect(&own, "{}", "8+7=5c;c3+4=8 thus", 0.5);
    expect(&own, "{}", "Wohl an, 8+7=5c;c3+4=8; wait", 1);
    expect(&own, "{}", "therefore", 0);
    expect_refused(&bad, "list:");
    expect_refused(&capital, "capitals");
    expect_refused(&empty, "two bytes");
    Buffer plain = twice_25(""), thus = twice_25("thus ");
    expect_within(&repeat, "{}", plain.data, -0.193548, 5e-7);
    expect_within(&repeat, "{}", thus.data, -0.1875, 1e-12);
    expect(&s, "{}", thus.data, 0);
    Buffer all = {0}; /* the whole list is cut at 1 */
    for (const char *const *p =
             (const char *const[]){
                 "i need to we need to wait alternatively let me check let me see let's focus on "
                 "we know that we can observe we can see let me try let's try let us try first, "
                 "firstly, next, finally, try again still not",
                 NULL};
         *p; p++)
        buffer_text(&all, *p);
    buffer_text(&all, " thus therefore hence so that thereby if we consequently");
    expect(&s, "{}", all.data, 1);
    buffer_free(&plain), buffer_free(&thus), buffer_free(&all);
}
END_TEST

START_TEST(conciseness_in_tenths)
{
    const Setup budget = {"conciseness", {"budget", "100"}}, reference = {"conciseness", {NULL}},
                slack = {"conciseness", {"slack", "2"}};
    static const double rows[][2] = {{50, 1}, {100, 1}, {200, 0.5}, {150, 0.7}, {5000, 0.1}};
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol(overlong(&budget, (int)rows[i][0], 0).value, rows[i][1], 1e-12);
    ck_assert_int_eq(overlong(&budget, 0, 0).status, SCORE_NOT_APPLICABLE);
    const char *r = "{\"solution\": \"one two three four\"}";
    expect(&reference, r, "a b c d", 1);
    expect(&reference, r, "a b c d e f g h", 0.5);
    expect(&slack, r, "a b c d e f g h", 1);
    expect(&reference, "{\"solution\": \"a b c d e f g h i\"}", "x y z w x y z w", 0.8);
    expect_status(&reference, "{}", "a", SCORE_NOT_APPLICABLE);
    expect_status(&reference, "{\"solution\": []}", "a", SCORE_ERROR);
}
END_TEST

START_TEST(hostile_texts_end_in_time)
{
    const Setup setups[] = {{"exact", {"punctuation", "drop"}},
                            {"choice", {"where", "whole"}},
                            {"choice", {NULL}},
                            {"repetition", {NULL}},
                            {"repetition", {"unit", "char", "n", "20"}},
                            {"reasoning_pattern", {NULL}},
                            {"conciseness", {"budget", "10"}},
                            {"format_tags", {NULL}}};
    expect_survives(setups, 8, "{\"answer\": \"A\"}");
}
END_TEST

TEST_MAIN("text_rules", exact_after_normalisation, choice_of_one, choice_of_several,
          soft_overlong_as_the_specification_says, repetition_is_a_share,
          reasoning_pattern_as_the_specification_says, conciseness_in_tenths,
          hostile_texts_end_in_time)

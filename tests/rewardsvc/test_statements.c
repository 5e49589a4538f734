/* refusal, equations and the thought that format_tags may ask for. */
#include "tests/reward_scores.h"

START_TEST(refusals_are_recognised)
{
    const Setup s = {"refusal", {NULL}}, own = {"refusal", {"phrases", "no idea|keine Ahnung"}},
                none = {"refusal", {"phrases", ""}}, blank = {"refusal", {"phrases", "a||b"}};
    expect(&s, "{}", "I don't know.", 1);
    expect(&s, "{}", "<think>hm</think><answer>Sorry, I don\u2019t know</answer>", 1);
    expect(&s, "{}", "<think>I don't know yet</think><answer>42</answer>", 0);
    expect(&s, "{}", "I do not\nKNOW", 1);
    expect(&s, "{}", "We know", 0);
    expect(&s, "{}", "", 0);
    expect(&own, "{}", "Keine Ahnung!", 1);
    expect(&own, "{}", "I don't know", 0);
    Buffer b = {0};
    buffer_text(&b, "I don't know. ");
    for (int i = 0; i < 50; i++) buffer_text(&b, "but ");
    expect(&s, "{}", b.data, 0); /* it goes on to answer */
    buffer_free(&b);
    expect_refused(&none, "there are none");
    expect_refused(&blank, "no word");
}
END_TEST

START_TEST(equations_are_checked)
{
    const Setup s = {"equations", {NULL}}, exact = {"equations", {"exact", "true"}},
                two = {"equations", {"least", "2"}};
    static const char *const right[] = {"12 + 30 = 42",
                                        "so 12+30=42.",
                                        "3*(4-1) = 9 = 10 - 1",
                                        "$3 \xC3\x97 2 = $6",
                                        "10/3 = 3.33",
                                        "2 - 5 = -3",
                                        "1,000 + 234 = 1,234 apples",
                                        "16-3-4=<<16-3-4=9>>9",
                                        "8 = 3 + 5",
                                        "3 \\times 4 = 12",
                                        "4 x 5 = 20",
                                        "-2 + 5 = 3",
                                        "(1 + 2) * 3 = 9",
                                        "0.1 + 0.2 = 0.3",
                                        "7 \xC3\xB7 2 = 3.5"};
    static const char *const wrong[] = {"12 + 30 = 43", "10/3 = 3.34", "2 - 5 = 3",
                                        "0.1 + 0.2 = 0.30000001", "3 + 4 = 7.1"};
    static const char *const none[] = {
        "",           "x = 5",          "2x + 3 = 7", "5 = 5",   "a == b",  "3 + 4 = 2^3",
        "3 + 4 = 7%", "x + 3 + 4 = 7x", "= 4",        "3 + = 4", "1/0 = 5", "\\frac{1}{2} + 3 = 4",
        "3 + 4 = 7y", "f(x) + 1 = 2"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) expect(&s, "{}", right[i], 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) expect(&s, "{}", wrong[i], 0);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        expect_status(&s, "{}", none[i], SCORE_NOT_APPLICABLE);
    expect(&s, "{}", "1 + 1 = 2\n2 + 2 = 5\n3 * 3 = 9\n4 - 4 = 0", 0.75);
    expect(&exact, "{}", "10/3 = 3.33", 0);
    expect(&exact, "{}", "10/4 = 2.5", 1);
    expect_status(&two, "{}", "1 + 1 = 2", SCORE_NOT_APPLICABLE);
    expect(&two, "{}", "1 + 1 = 2, 1 + 2 = 4", 0.5);
}
END_TEST

/* Six digits and a carry: what Themis's calculator is for. */
START_TEST(a_wrong_carry_is_found)
{
    const Setup s = {"equations", {NULL}};
    uint64_t x = 5;
    char text[64];
    for (int i = 0; i < 500; i++) {
        int a = (int)((x = x * 6364136223846793005u + 1442695040888963407u) >> 44) % 1000000,
            b = (int)((x = x * 6364136223846793005u + 1442695040888963407u) >> 44) % 1000000;
        snprintf(text, sizeof text, "%d + %d = %d", a, b, a + b);
        expect(&s, "{}", text, 1);
        snprintf(text, sizeof text, "%d + %d = %d", a, b, a + b - 100);
        expect(&s, "{}", text, 0);
    }
}
END_TEST

START_TEST(a_thought_may_be_asked_for)
{
    const Setup plain = {"format_tags", {NULL}}, thought = {"format_tags", {"thought", "true"}},
                lenient = {"format_tags", {"thought", "true", "mode", "lenient"}};
    expect(&plain, "{}", "<think> </think><answer>5</answer>", 1);
    expect(&thought, "{}", "<think> </think><answer>5</answer>", 0);
    expect(&thought, "{}", "<think>so</think><answer>5</answer>", 1);
    expect(&thought, "{}", "<think>so</think><answer> </answer>", 0);
    expect(&thought, "{}", "<think>a<think>b</think></think><answer>5</answer>", 0);
    expect(&lenient, "{}", "well <think>so</think> <answer>5</answer> ok", 1);
    expect(&lenient, "{}", "well <think></think> <answer>5</answer> ok", 0);
}
END_TEST

START_TEST(hostile_texts_end_in_time)
{
    const Setup setups[] = {
        {"refusal", {NULL}}, {"refusal", {"longest", "1000000"}}, {"equations", {NULL}}};
    expect_survives(setups, 3, "{}");
    static const char *const pieces[] = {
        "=", "1=", "1+1=", "(=", "((((((((((=", "1+", "((1)*", "-"};
    for (int i = 0; i < 8; i++) {
        Buffer b = {0};
        while (b.size < HOSTILE_BYTES) buffer_text(&b, pieces[i]);
        clock_t began = clock();
        Score s = score_bytes(&setups[2], "{}", b.data, b.size);
        double took = (double)(clock() - began) / CLOCKS_PER_SEC;
        ck_assert(s.status == SCORE_OK || s.status == SCORE_NOT_APPLICABLE);
        ck_assert_msg(took <= HOSTILE_SECONDS, "%s: %.0f ms", pieces[i], 1e3 * took);
        if (getenv("TROUPE_SHOW_TIMES")) printf("%6.1f ms equations, %s\n", 1e3 * took, pieces[i]);
        buffer_free(&b);
    }
}
END_TEST

TEST_MAIN("statements", refusals_are_recognised, equations_are_checked, a_wrong_carry_is_found,
          a_thought_may_be_asked_for, hostile_texts_end_in_time)

/* The reward regex: what matches, what is refused, and that no text makes it slow. */
#include "tests/reward_scores.h"

START_TEST(patterns_match_where_they_should)
{
    const Setup search = {"regex", {"pattern", "\\d+ apples?"}},
                full = {"regex", {"pattern", "\\d+|none", "mode", "full"}},
                absent = {"regex", {"pattern", "(?i)as an ai", "mode", "absent"}},
                count = {"regex", {"pattern", "^- ", "mode", "count", "count", "3"}},
                lines = {"regex", {"pattern", "(?m)^- ", "mode", "count", "count", "3"}},
                empty = {"regex", {"pattern", "x*", "mode", "count", "count", "4"}},
                tag = {"regex", {"pattern", "[A-D]", "mode", "full", "where", "answer"}},
                fold = {"regex", {"pattern", "\u00dcber", "ignore_case", "true"}},
                dot = {"regex", {"pattern", "a.b"}},
                all = {"regex", {"pattern", "a.b", "dot_all", "true"}},
                back = {"regex", {"pattern", "(\\w)\\1", "back_references", "true"}};
    expect(&search, "{}", "I have 3 apples", 1);
    expect(&search, "{}", "I have three apples", 0);
    expect(&search, "{}", "", 0);
    expect(&full, "{}", " 42\n", 1);
    expect(&full, "{}", "42 x", 0);
    expect(&full, "{}", "none", 1);
    expect(&absent, "{}", "As an AI, I cannot", 0);
    expect(&absent, "{}", "Sure", 1);
    expect(&count, "{}", "- a\n- b", 1. / 3);
    expect(&lines, "{}", "- a\n- b", 2. / 3);
    expect(&lines, "{}", "- a\n- b\n- c\n- d", 1);
    expect(&empty, "{}", "ab", 0.75);
    expect(&tag, "{}", "so <answer>B</answer>", 1);
    expect(&tag, "{}", "so B", 0);
    expect(&fold, "{}", "\u00fcBER", 1);
    expect(&dot, "{}", "a\nb", 0);
    expect(&all, "{}", "a\nb", 1);
    expect(&dot, "{}",
           "\xFF"
           "a\u00e9"
           "b\xE2",
           1); /* a character, between bytes that are none */
    expect(&back, "{}", "abcc", 1);
    expect(&back, "{}", "abc", 0);
}
END_TEST

START_TEST(bad_patterns_are_refused)
{
    const Setup none = {"regex", {NULL}}, open = {"regex", {"pattern", "a(b"}},
                back = {"regex", {"pattern", "(a)\\1"}},
                named = {"regex", {"pattern", "(?<x>a)\\k<x>"}},
                byte = {"regex", {"pattern", "\\C"}},
                mode = {"regex", {"pattern", "a", "mode", "m"}},
                large = {"regex", {"pattern", "(((((a{1,999}){1,999}){1,999}){1,999}){1,999})"}};
    expect_refused(&none, "there is none");
    expect_refused(&open, "parenthesis");
    expect_refused(&back, "back references");
    expect_refused(&named, "back references");
    expect_refused(&byte, "\\C");
    expect_refused(&mode, "mode: m");
    expect_refused(&large, "too large");
    char deep[2048];
    memset(deep, '(', 1000);
    memset(deep + 1000, ')', 1000);
    deep[2000] = 0;
    const Setup nest = {"regex", {"pattern", deep}};
    expect_refused(&nest, "nested");
}
END_TEST

static void times_out(const char *pattern, const char *piece)
{
    const Setup s = {"regex", {"pattern", pattern, "back_references", "true", "length", "2000000"}};
    Buffer text = {0};
    while (text.size < HOSTILE_BYTES) buffer_text(&text, piece);
    clock_t began = clock();
    Score got = score_bytes(&s, "{}", text.data, text.size);
    double took = (double)(clock() - began) / CLOCKS_PER_SEC;
    ck_assert_msg(got.status == SCORE_TIMEOUT, "%s: %s", pattern, score_status_name(got.status));
    ck_assert_msg(took < HOSTILE_SECONDS, "%s: %.0f ms", pattern, 1e3 * took);
    if (getenv("TROUPE_SHOW_TIMES")) printf("%6.1f ms %s\n", 1e3 * took, pattern);
    buffer_free(&text);
}

/* Back-tracking, nests, and scans that no counter of steps sees. */
START_TEST(explosive_patterns_end_as_timeouts)
{
    times_out("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaab ");
    times_out("(a|aa)+[cd]", "a");
    times_out("(a*)(a*)(a*)\\1\\2\\3[bc]", "a");
    times_out("a[^b]*+(?:b|c)", "a");
    times_out("(?:(?=[^b]*+)a)*[de]", "a");
    times_out("(?:x|(?:a|a)*)*[yz]", "aaaaaaaaaaaaaaaaaaaaaaaaa");
    times_out("(\\w+\\s?)+[!?]", "word ");
}
END_TEST

START_TEST(lengths_are_limited)
{
    const Setup s = {"regex", {"pattern", "a", "length", "10"}};
    expect(&s, "{}", "xxxxxxxxxa", 1);
    expect_status(&s, "{}", "xxxxxxxxxxa", SCORE_REFUSED);
}
END_TEST

START_TEST(hostile_texts_end_in_time)
{
    const Setup setups[] = {
        {"regex", {"pattern", "\\d+ apples"}},
        {"regex", {"pattern", "(?s)<think>.*</think>\\s*<answer>.*</answer>", "mode", "full"}},
        {"regex", {"pattern", "(\\w+\\s?)+!"}},
        {"regex", {"pattern", "\\p{L}", "mode", "count", "count", "1000000"}}};
    expect_survives(setups, 4, "{}");
}
END_TEST

TEST_MAIN("regex", patterns_match_where_they_should, bad_patterns_are_refused,
          explosive_patterns_end_as_timeouts, lengths_are_limited, hostile_texts_end_in_time)

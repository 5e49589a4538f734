/* Stop strings are found wherever the cuts between tokens fall. */
#include "tests/harness.h"

#include "common/stops.h"

/* Feeds text in pieces of `piece` bytes; the cut, or -1, and in *seen the bytes fed by then. */
static long feed(const char *const *stops, int n_stops, const char *text, size_t piece,
                 size_t *seen)
{
    size_t n = strlen(text), at = 0;
    for (size_t old = 0; old < n; old = *seen) {
        *seen = old + piece < n ? old + piece : n;
        if (stops_find(stops, n_stops, text, *seen, old, &at)) return (long)at;
    }
    return -1;
}

START_TEST(finds_across_tokens)
{
    const char *stops[] = {"\n\nQ:", "</answer>", ""};
    size_t seen = 0;
    for (size_t piece = 1; piece <= 20; piece++) {
        ck_assert_int_eq(feed(stops, 3, "4 < 5</ans </answer> and on", piece, &seen), 11);
        ck_assert_uint_ge(seen, 20);
        ck_assert_int_eq(feed(stops, 3, "a\n\n\nQ:</answer>", piece, &seen), 2);
        ck_assert_int_eq(feed(stops, 3, "a\n\nQ </answer", piece, &seen), -1);
    }
    ck_assert_int_eq(feed(stops, 0, "</answer>", 1, &seen), -1);
}
END_TEST

START_TEST(the_first_to_begin_decides)
{
    const char *stops[] = {"bc", "abcd"};
    size_t seen = 0;
    ck_assert_int_eq(feed(stops, 2, "xabcd", 5, &seen), 1);
    ck_assert_int_eq(feed(stops, 2, "xabcd", 1, &seen),
                     2); /* "bc" was complete before "abcd" could be */
}
END_TEST

START_TEST(holds_back_what_may_be_a_beginning)
{
    const char *stops[] = {"</answer>", "\n\n"};
    ck_assert_uint_eq(stops_held(stops, 2, "12</ans", 7), 5);
    ck_assert_uint_eq(stops_held(stops, 2, "12\n", 3), 1);
    ck_assert_uint_eq(stops_held(stops, 2, "12", 2), 0);
    ck_assert_uint_eq(stops_held(stops, 2, "<", 1), 1);
}
END_TEST

TEST_MAIN("stops", finds_across_tokens, the_first_to_begin_decides,
          holds_back_what_may_be_a_beginning)

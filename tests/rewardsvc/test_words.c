/* Cutting texts into words, n-gram counts, and normal forms. */
#include "rewardsvc/words.h"

#include "common/errors.h"
#include "rewardsvc/normal.h"
#include "rewardsvc/place.h"
#include "tests/harness.h"

static char *joined(void (*cut)(Span, Words *), const char *text)
{
    Words w = {0};
    Buffer b = {0};
    buffer_text(&b, "");
    cut(span_of(text), &w);
    for (int i = 0; i < w.n; i++) {
        if (i) buffer_text(&b, "|");
        buffer_add(&b, w.list[i].p, w.list[i].n);
    }
    words_free(&w);
    return b.data;
}

static void expect_cut(void (*cut)(Span, Words *), const char *text, const char *want)
{
    char *got = joined(cut, text);
    ck_assert_str_eq(got, want);
    mem_free(got);
}

START_TEST(words_are_cut_as_declared)
{
    expect_cut(words_between_spaces,
               "  a  b,c\n\xE3\x80\x80"
               "d\xC2\xA0"
               "e ",
               "a|b,c|d|e");
    expect_cut(words_between_spaces, "", "");
    expect_cut(words_of_ascii,
               "It's 3.5 \xC3\xBC"
               "ber-x",
               "It|s|3|5|ber|x");
    expect_cut(words_of_letters, "Don't 'stop' at 3.5, \u00fcber-x!",
               "Don't|stop|at|3|5|\u00fcber|x");
    expect_cut(words_of_letters, "don\u2019t l'", "don\u2019t|l");
    expect_cut(words_of_letters, "ab\u6211\u4eeccd \u3053\u3093",
               "ab|\u6211|\u4eec|cd|\u3053|\u3093");
    expect_cut(words_of_letters, "\u0e01\u0e34\u0e19\u0e02",
               "\u0e01\u0e34|\u0e19|\u0e02"); /* marks */
    expect_cut(words_of_letters,
               "a\xFF"
               "b \xE2\x82",
               "a|b");
    expect_cut(words_of_letters, "e\u0301a x", "e\u0301a|x");
}
END_TEST

START_TEST(ngrams_count_and_clip)
{
    const int32_t a[] = {1, 2, 1, 2, 1, 3}, b[] = {1, 2, 1, 2, 1, 2, 1, 2, -1, 3, 1, 2};
    Ngrams g;
    ngrams_init(&g, 2, a, 6);
    ck_assert(g.total == 5 && g.distinct == 3 && g.repeated == 2);
    ck_assert_int_eq(ngrams_matches(&g, b, 12), 4); /* 12 twice, 21 twice; not 31, nor over -1 */
    ngrams_free(&g);
    const int32_t two[] = {1, 1, 2, -1, 1, 1, 1, 3, -1};
    ngrams_init(&g, 1, two, 9);
    const int32_t ones[] = {1, 1, 1, 1, 2, 3};
    ck_assert_int_eq(ngrams_matches(&g, ones, 6), 5); /* the most of one text: 3 */
    ngrams_free(&g);
    ngrams_init(&g, 3, a, 2);
    ck_assert(g.total == 0 && ngrams_matches(&g, a, 6) == 0);
    ngrams_free(&g);
}
END_TEST

/* Every count of a random text, against a plain double loop. */
START_TEST(ngrams_agree_with_a_plain_count)
{
    uint64_t x = 3;
    int32_t ids[200];
    for (int round = 0; round < 60; round++) {
        int n = 5 + round * 3, order = 1 + round % 5, distinct = 0, repeated = 0;
        for (int i = 0; i < n; i++)
            ids[i] = (int)((x = x * 6364136223846793005u + 1442695040888963407u) >> 60) % 3;
        for (int i = 0; i + order <= n; i++) {
            int before = 0, after = 0;
            for (int j = 0; j + order <= n; j++)
                if (j != i && !memcmp(ids + i, ids + j, sizeof *ids * (size_t)order))
                    j < i ? before++ : after++;
            distinct += !before;
            repeated += !before && after;
        }
        Ngrams g;
        ngrams_init(&g, order, ids, n);
        ck_assert_int_eq(g.distinct, distinct);
        ck_assert_int_eq(g.repeated, repeated);
        ngrams_free(&g);
    }
}
END_TEST

START_TEST(vocabulary_numbers_words_once)
{
    Vocabulary v = {0};
    char text[16];
    ck_assert_int_eq(vocabulary_find(&v, span_of("a")), -1);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            char *own = mem_printf("w%d", i);
            if (round == 0) ck_assert_int_eq(vocabulary_add(&v, span_of(own)), i);
            if (round == 1) {
                ck_assert_int_eq(vocabulary_find(&v, span_of(own)), i);
                mem_free(own);
            }
        }
    snprintf(text, sizeof text, "w%d", 5000);
    ck_assert_int_eq(vocabulary_find(&v, span_of(text)), -1);
    for (int i = 0; i < v.n; i++) mem_free((char *)(uintptr_t)v.words[i].p);
    vocabulary_free(&v);
}
END_TEST

static void expect_form(const Normal *how, const char *text, const char *want)
{
    Buffer b = {0};
    normal_form(how, span_of(text), &b);
    ck_assert_msg(!strcmp(b.data, want), "\"%s\" is \"%s\", not \"%s\"", text, b.data, want);
    buffer_free(&b);
}

START_TEST(normal_forms)
{
    const Normal all = {true, true, SPACE_COLLAPSE, PUNCTUATION_ENDS},
                 none = {false, false, SPACE_KEEP, PUNCTUATION_KEEP},
                 drop = {true, true, SPACE_DROP, PUNCTUATION_DROP},
                 words = {true, true, SPACE_COLLAPSE, PUNCTUATION_DROP}, fold = {.fold_case = true};
    expect_form(&all, " The  Answer.\n", "the answer");
    expect_form(&all, "\"Paris\".", "paris");
    expect_form(&all, "\xEF\xBC\xA1\xEF\xBC\xA2\xEF\xBC\x91", "ab1"); /* full width */
    expect_form(&all, "cafe\xCC\x81", "caf\u00e9");
    expect_form(&all, "\xEF\xAC\x81n", "fin"); /* a ligature */
    expect_form(&all,
                "a\xE2\x80\x8B"
                "b",
                "ab"); /* zero width */
    expect_form(&all, "Stra\u00dfe", "strasse");
    expect_form(&all, "\u1112\u1161\u11ab", "\ud55c"); /* Hangul composes over three letters */
    expect_form(&all, "-5", "-5");
    expect_form(&all, "(a, b)", "(a, b)");
    expect_form(&all, "x\xFFy", "x\xFFy");
    expect_form(&fold, "\u00c4B c", "\u00e4b c");
    expect_form(&none, " A  b.", " A  b.");
    expect_form(&words, "red,green; don't -- 3.14, -5 50% 1,000 a-b 10:30",
                "red green dont 3.14 -5 50% 1,000 a b 10:30");
    expect_form(&drop, "A, b!", "ab");
    expect_form(&all, "", "");
    expect_form(&all, "...", "");
}
END_TEST

START_TEST(forms_of_marks_in_any_order_are_one)
{
    const Normal how = {.unicode = true};
    expect_form(&how, "a\xCC\x95\xCC\x96", "a\xCC\x96\xCC\x95");
    Buffer text = {0},
           out = {0}; /* 1000 times out of order, then once more: a form is its own form */
    buffer_text(&text, "a");
    for (int i = 0; i < 1000; i++) buffer_text(&text, "\xCC\x95\xCC\x96");
    normal_form(&how, (Span){text.data, text.size}, &out);
    ck_assert_uint_eq(out.size, text.size);
    buffer_free(&text);
    buffer_free(&out);
}
END_TEST

static void expect_place(const char *word, const char *text, const char *want)
{
    Span s = place_find(word)->take(span_of(text));
    if (!want) {
        ck_assert_msg(s.p == NULL, "%s of %s", word, text);
        return;
    }
    ck_assert_msg(s.p && s.n == strlen(want) && !memcmp(s.p, want, s.n), "%s of \"%s\": \"%.*s\"",
                  word, text, (int)s.n, s.p ? s.p : "");
}

START_TEST(places_are_found)
{
    expect_place("answer", "a <answer> 5 </answer> b", "5");
    expect_place("answer", "5", NULL);
    expect_place("strict", "<think>x</think><answer>5</answer>", "5");
    expect_place("strict", "x<think>x</think><answer>5</answer>", NULL);
    expect_place("boxed", "\\boxed{1} so \\boxed{\\frac{1}{2}}.", "\\frac{1}{2}");
    expect_place("boxed", "\\boxed{a\\}b}", "a\\}b");
    expect_place("boxed", "\\boxed{1", NULL);
    expect_place("hash", "x\n#### 42 \nmore", "42");
    expect_place("last_line", "a\nb c\n\n", "b c");
    expect_place("last_line", "", "");
    expect_place("after_think", "<think>a</think> b", "b");
    expect_place("after_think", "b", "b");
    expect_place("thinking", "<think> a </think> b", "a");
    expect_place("thinking", "a </think> b", "a");
    expect_place("thinking", "<think> a", NULL);
    expect_place("whole", " a b ", "a b");
    expect_place("final", "\\boxed{7} <answer>8</answer>", "7");
    expect_place("final", "<think>3</think> it is <answer>8</answer>", "8");
    expect_place("final", "<think>3</think> 9", "9");
    errors_quiet(1);
    ck_assert_ptr_null(place_find("middle"));
    errors_quiet(-1);
}
END_TEST

TEST_MAIN("words", words_are_cut_as_declared, ngrams_count_and_clip,
          ngrams_agree_with_a_plain_count, vocabulary_numbers_words_once, normal_forms,
          forms_of_marks_in_any_order_are_one, places_are_found)

/* Verdicts of judges that write text: the worked examples of RM-R1 and BR-RM, and texts that a
 * judged answer may have put into the judge's mouth. */
#include "rewardsvc/verdict.h"

#include <time.h>

#include "common/memory.h"
#include "learner/advantage.h"
#include "tests/harness.h"

static int tail(const char *text)
{
    return verdict_tail(span_of(text), 2, 80);
}

#define HUNDRED                                                                                    \
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" \
    "23"                                                                                           \
    "456789"

START_TEST(the_verdict_stands_in_the_tail)
{
    ck_assert_int_eq(tail("so A is better <answer>[[A]]</answer>"), 0);
    ck_assert_int_eq(tail("<answer>[[B]]</answer>"), 1);
    ck_assert_int_eq(tail("<answer>[[A]]</answer>" HUNDRED), -1);
    ck_assert_int_eq(tail("<answer>[[B]]</answer> or <answer>[[A]]</answer>"), -1);
    ck_assert_int_eq(tail("<answer>[[A]]</answer> or <answer>[[A]]</answer>"), 0);
    ck_assert_int_eq(tail("[[A]]"), -1);
    ck_assert_int_eq(tail("<answer>A</answer>"), -1);
    ck_assert_int_eq(tail("<answer>[[C]]</answer>"), -1);
    ck_assert_int_eq(tail("<answer>[[a]]</answer>"), -1);
    ck_assert_int_eq(tail(""), -1);
    ck_assert_int_eq(verdict_tail((Span){"<answer>[[A]]</answer>\0", 23}, 2, 80), 0);
    /* an earlier tag of the other letter is out of the window, a nearer one is not */
    ck_assert_int_eq(tail("<answer>[[B]]</answer>" HUNDRED "<answer>[[A]]</answer>"), 0);
    /* the window counts characters: 58 of two bytes and the tag's 22 are 80 */
    Buffer text = {0};
    buffer_text(&text, "<answer>[[A]]</answer>");
    for (int i = 0; i < 58; i++) buffer_text(&text, "\xC3\xA9");
    ck_assert_int_eq(verdict_tail((Span){text.data, text.size}, 2, 80), 0);
    buffer_text(&text, "\xC3\xA9");
    ck_assert_int_eq(verdict_tail((Span){text.data, text.size}, 2, 80), -1);
    buffer_free(&text);
}
END_TEST

static int ranking(const char *text)
{
    return verdict_ranking(span_of(text), "final ranking", 2);
}

START_TEST(the_ranking_section_holds_one_box)
{
    ck_assert_int_eq(ranking("x\n### Final Ranking\n\\boxed{1}\n"), 0);
    ck_assert_int_eq(ranking("**Final ranking:** the better one is\n\\boxed{ 2 }"), 1);
    static const char *const malformed[] = {
        "",
        "\\boxed{1}",                  /* no section */
        "Final Ranking",               /* no box */
        "Final Ranking\n\\boxed{x}",   /* no number */
        "Final Ranking\n\\boxed{12}",  /* not the 1 in front of it */
        "Final Ranking\n\\boxed{1,2}", /* a comma */
        "Final Ranking\n\\boxed{3}",   /* out of range */
        "Final Ranking\n\\boxed{0}",
        "Final Ranking\n\\boxed{01}",
        "Final Ranking\n\\boxed{-1}",
        "Final Ranking\n\\boxed{}",
        "Final Ranking\n\\boxed{1",
        "Final Ranking\n\\boxed{1} or \\boxed{2}", /* two */
        "Final Ranking\n\\boxed{99999999999999999999}",
        "my final ranking\n\\boxed{1}",               /* not the line's beginning */
        "\\boxed{1}\nFinal Ranking\n",                /* before it */
        "Final Ranking\n\\boxed{1}\nFinal Ranking\n", /* the last section is empty */
    };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        ck_assert_msg(ranking(malformed[i]) == -1, "%s", malformed[i]);
    /* what an answer that the judge quotes says does not count */
    ck_assert_int_eq(ranking("He wrote:\nFinal Ranking\n\\boxed{1}\nFinal Ranking\n\\boxed{2}"), 1);
}
END_TEST

START_TEST(what_a_verdict_earns)
{
    ck_assert_double_eq(verdict_reward(0, 0), 1);
    ck_assert_double_eq(verdict_reward(1, 0), -1);
    ck_assert_double_eq(verdict_reward(-1, 0), -1);
    ck_assert_double_eq(verdict_ranking_reward(0, 0, false), 0);
    ck_assert_double_eq(verdict_ranking_reward(1, 0, false), -10);
    ck_assert_double_eq(verdict_ranking_reward(3, 0, false), -30);
    ck_assert_double_eq(verdict_ranking_reward(-1, 0, false), -100);
    ck_assert_double_eq(verdict_ranking_reward(0, 0, true), 0);
    ck_assert_double_eq(verdict_ranking_reward(1, 0, true), -1);
    ck_assert_double_eq(verdict_ranking_reward(-1, 0, true), -2);
}
END_TEST

static void expect_advantages(int n, const double *r, const double *want)
{
    double A[8];
    advantage_find("grpo")->assign(n, r, 1e-6, A);
    for (int i = 0; i < n; i++) ck_assert_msg(fabs(A[i] - want[i]) < 2e-6, "%d: %.9g", i, A[i]);
}

START_TEST(groups_of_verdicts)
{
    expect_advantages(
        7, (double[]){1, 1, 1, 1, -1, -1, -1},
        (double[]){.801783, .801783, .801783, .801783, -1.069044, -1.069044, -1.069044});
    expect_advantages(
        7, (double[]){1, -1, -1, -1, -1, -1, -1},
        (double[]){2.267784, -.377964, -.377964, -.377964, -.377964, -.377964, -.377964});
    expect_advantages(
        8, (double[]){0, 0, -10, -100, 0, -10, 0, -10},
        (double[]){.475146, .475146, .182748, -2.448827, .475146, .182748, .475146, .182748});
    expect_advantages(4, (double[]){1, -1, -1, 1},
                      (double[]){.866025, -.866025, -.866025, .866025});
}
END_TEST

START_TEST(hostile_texts_take_linear_time)
{
    static const char *const pieces[] = {
        "<answer>[[A]]</answer>", "Final Ranking\n", "\\boxed{1}", "\x80", "\n", "#*"};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        Buffer text = {0};
        while (text.size < 1 << 20) buffer_text(&text, pieces[k]);
        Span s = {text.data, text.size};
        clock_t began = clock();
        ck_assert_int_eq(verdict_ranking(s, "final ranking", 2), -1);
        ck_assert_int_eq(verdict_tail(s, 2, 80), k == 0 ? 0 : -1);
        ck_assert_msg(clock() - began < CLOCKS_PER_SEC / 2, "%s", pieces[k]);
        buffer_free(&text);
    }
}
END_TEST

TEST_MAIN("verdict", the_verdict_stands_in_the_tail, the_ranking_section_holds_one_box,
          what_a_verdict_earns, groups_of_verdicts, hostile_texts_take_linear_time)

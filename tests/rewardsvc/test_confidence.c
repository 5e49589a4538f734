/* Confidence as a reward: the worked numbers of specification 2, section 9, and which tokens are
 * the answer's. */
#include "tests/reward_scores.h"

/* Pieces are tokens with their probabilities; the record is not looked at. */
typedef struct {
    const char *piece;
    double p;
} Token;

static Score confidence(const char *where, const Token *tokens, int n)
{
    Buffer text = {0};
    float logprobs[16];
    int32_t ends[16];
    buffer_text(&text, "");
    for (int i = 0; i < n; i++) {
        buffer_text(&text, tokens[i].piece);
        logprobs[i] = (float)log(tokens[i].p);
        ends[i] = (int32_t)text.size;
    }
    Setup setup = {"confidence", {"where", where}};
    Score s = setup_score(&setup, &(Evidence){.text = text.data,
                                              .n_text = text.size,
                                              .prompt = "",
                                              .n_tokens = n,
                                              .logprobs = logprobs,
                                              .text_ends = ends});
    buffer_free(&text);
    return s;
}

static void expect_confidence(const char *where, const Token *tokens, int n, double want)
{
    Score s = confidence(where, tokens, n);
    ck_assert_int_eq(s.status, SCORE_OK);
    ck_assert_double_eq_tol(s.value, want, 1e-6);
}

START_TEST(it_is_the_mean_of_probabilities)
{
    const Token three[] = {{"so \\boxed{", .1}, {"1", .9}, {"2", .8},
                           {"3", .7},           {"}", .2}, {"", .5}};
    expect_confidence("boxed", three, 6, .8);
    /* not the geometric mean */
    ck_assert_double_eq_tol(cbrt(.9 * .8 * .7), 0.795811, 1e-6);
}
END_TEST

START_TEST(a_token_with_any_byte_of_the_answer_counts)
{
    const Token across[] = {{"\\box", .1}, {"ed{4", .6}, {"2}. ", .4}, {"bye", .1}};
    expect_confidence("boxed", across, 4, .5);
    const Token twice[] = {
        {"\\boxed{1}", .1}, {" no ", .1}, {"\\boxed{", .1}, {"2", .75}, {"}", .1}};
    expect_confidence("boxed", twice, 5, .75);
    const Token tag[] = {{"<answer>", .1}, {" ", .2}, {"7", .9}, {"</answer>", .1}};
    expect_confidence("answer", tag, 4, .9);
}
END_TEST

START_TEST(no_answer_is_worth_nothing)
{
    const Token none[] = {{"so it is ", .9}, {"42", .9}}, empty[] = {{"\\boxed{", .9}, {"}", .9}};
    expect_confidence("boxed", none, 2, 0);
    expect_confidence("boxed", empty, 2, 0);
}
END_TEST

START_TEST(a_text_from_a_file_cannot_be_judged)
{
    Setup setup = {"confidence", {0}};
    Score s = setup_score(&setup, &(Evidence){.text = "\\boxed{1}", .n_text = 9, .prompt = ""});
    ck_assert_int_eq(s.status, SCORE_ERROR);
    expect_refused(&(Setup){"confidence", {"where", "nowhere"}}, "nowhere");
}
END_TEST

START_TEST(hostile_texts_take_no_longer_than_they_may)
{
    for (int k = 0; k < N_HOSTILE; k++) {
        Buffer text = hostile_text(k);
        int n = (int)text.size;
        float *logprobs = NEW(float, n + 1);
        int32_t *ends = NEW(int32_t, n + 1);
        for (int t = 0; t <= n; t++) ends[t] = t < n ? t + 1 : n;
        RewardComponent c;
        ck_assert_int_eq(setup_open(&(Setup){"confidence", {0}}, &c), 0);
        survive_one(&c,
                    &(Evidence){.text = text.data,
                                .n_text = text.size,
                                .prompt = "",
                                .n_tokens = n + 1,
                                .logprobs = logprobs,
                                .text_ends = ends},
                    hostile_name(k));
        setup_close(&c);
        mem_free(logprobs);
        mem_free(ends);
        buffer_free(&text);
    }
}
END_TEST

TEST_MAIN("confidence", it_is_the_mean_of_probabilities, a_token_with_any_byte_of_the_answer_counts,
          no_answer_is_worth_nothing, a_text_from_a_file_cannot_be_judged,
          hostile_texts_take_no_longer_than_they_may)

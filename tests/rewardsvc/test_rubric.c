/* A rubric's arithmetic: the worked numbers of MPO, what a meta judge may write, and the story MPO
 * is about: a rubric that can be hacked is rewritten and the hack's share falls. */
#include "rewardsvc/rubric.h"

#include <time.h>

#include "common/errors.h"
#include "common/rng.h"
#include "tests/harness.h"

static int read_text(const char *text, Rubric *r)
{
    errors_quiet(1);
    int rc = rubric_read(span_of(text), r);
    errors_quiet(-1);
    return rc;
}

static bool span_is(Span s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

START_TEST(items_are_summed)
{
    Rubric r;
    ck_assert_int_eq(
        read_text("1. Thesis (0-5)\nwhat counts\n2. Evidence [0-5]\n3. Style (0-5):\n", &r), 0);
    ck_assert_int_eq(r.n, 3);
    ck_assert(span_is(r.item[0], "1. Thesis (0-5)\nwhat counts"));
    ck_assert(span_is(r.item[1], "2. Evidence [0-5]"));
    ck_assert(span_is(r.item[2], "3. Style (0-5):"));
    int unread;
    const Score all[] = {{3, SCORE_OK}, {4, SCORE_OK}, {2, SCORE_OK}},
                two[] = {{3, SCORE_OK}, {0, SCORE_ERROR}, {2, SCORE_OK}},
                beyond[] = {{9, SCORE_OK}, {-4, SCORE_OK}, {2, SCORE_OK}};
    ck_assert_double_eq(rubric_reward(&r, all, &unread), 9);
    ck_assert_int_eq(unread, 0);
    ck_assert_double_eq(rubric_reward(&r, two, &unread), 5);
    ck_assert_int_eq(unread, 1);
    ck_assert_double_eq(rubric_reward(&r, beyond, NULL), 5 + 0 + 2);
}
END_TEST

START_TEST(what_is_no_rubric_is_refused)
{
    Rubric r;
    ck_assert_int_eq(read_text("**Discourse** of the year (1990) [1] (0-5)", &r), 0);
    ck_assert_int_eq(r.n, 1);
    ck_assert_int_eq(r.most[0], 5);
    ck_assert_int_eq(read_text("A (1-3) or rather (2-4)", &r), 0); /* the last of a line */
    ck_assert_int_eq(r.n, 1);
    ck_assert_int_eq(r.least[0], 2);
    static const char *const bad[] = {"",           "Judge well.", "A (5-0)",
                                      "A (5-5)",    "A (0-5000)",  "A (0-99999999999999999999)",
                                      "A (0 to 5)", "A (0-5",      "A (-5)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(read_text(bad[i], &r) == -1, "%s", bad[i]);
    Buffer many = {0};
    for (int i = 0; i <= RUBRIC_ITEMS_MAX; i++) buffer_text(&many, "x (0-5)\n");
    ck_assert_int_eq(read_text(many.data, &r), -1);
    buffer_free(&many);
    static const char *const pieces[] = {"(", "(0-", "[0", "(999999999", "\n"};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        Buffer text = {0};
        while (text.size < 1 << 20) buffer_text(&text, pieces[k]);
        clock_t began = clock();
        ck_assert_int_eq(read_text(text.data, &r), -1);
        ck_assert_msg(clock() - began < CLOCKS_PER_SEC / 2, "%s", pieces[k]);
        buffer_free(&text);
    }
}
END_TEST

/* Rewritten after updates 10, 20, 30; the rewards of updates 1 to 10 carry version 0. Update u is
 * the one that begins after u - 1 steps. */
START_TEST(a_version_follows_from_the_step)
{
    for (int u = 1; u <= 30; u++) ck_assert_int_eq(rubric_version(u - 1, 10), (u - 1) / 10);
    for (int k = 1; k <= 3; k++) ck_assert_int_eq(rubric_version(10 * k, 10), k);
    ck_assert_int_eq(rubric_version(1000, 0), 0);
}
END_TEST

START_TEST(samples_are_drawn_from_every_third)
{
    const double scores[] = {9, 1, 8, 2, 7, 3, 6, 4, 5};
    int times[9] = {0};
    for (int version = 0; version < 300; version++) {
        int at[6], again[6], of[3] = {0, 0, 0};
        ck_assert_int_eq(rubric_draw(scores, 9, 3, 2, 7, version, at), 6);
        rubric_draw(scores, 9, 3, 2, 7, version, again);
        ck_assert_mem_eq(at, again, sizeof at);
        for (int i = 0; i < 6; i++) {
            if (i > 0) ck_assert_int_lt(at[i - 1], at[i]);
            of[(int)(scores[at[i]] - 1) / 3]++;
            times[at[i]]++;
        }
        for (int p = 0; p < 3; p++) ck_assert_int_eq(of[p], 2);
    }
    for (int i = 0; i < 9; i++) ck_assert_double_eq_tol(times[i], 200, 5 * sqrt(200.0 / 3));
    int at[20];
    ck_assert_int_eq(rubric_draw(scores, 9, 1, 20, 7, 0, at), 9); /* fewer than wanted: all */
    ck_assert_int_eq(rubric_draw(scores, 9, 1, 4, 7, 0, at), 4);
    ck_assert_int_eq(rubric_draw(scores, 2, 3, 2, 7, 0, at), 2);
    ck_assert_int_eq(rubric_draw(NULL, 0, 3, 2, 7, 0, at), 0);
}
END_TEST

START_TEST(thin_rationales_are_worth_nothing)
{
    char words[200] = "";
    for (int i = 0; i < 29; i++) strcat(words, "word ");
    ck_assert_int_eq(rubric_words(span_of(words)), 29);
    ck_assert_double_eq(rubric_answer_check(true, span_of(words)), 0);
    ck_assert(!rubric_is_worth_asking(span_of(words)));
    strcat(words, "\n\tlast");
    ck_assert_double_eq(rubric_answer_check(true, span_of(words)), 5);
    ck_assert_double_eq(rubric_answer_check(false, span_of(words)), 0);
    ck_assert(rubric_is_worth_asking(span_of(words)));
    ck_assert_int_eq(rubric_words(span_of("")), 0);
}
END_TEST

/* ---- an honest answer and keyword spam ------------------------------------------------------- */

/* The judge counts the rubric's keyword; from version 1 on the rubric takes one off per repetition,
 * once the meta judge has seen repetitions among its samples. */
static double judged(const char *text, bool strict)
{
    int n = span_count(span_of(text), "therefore");
    double repeats = n > 1 ? n - 1 : 0;
    Rubric r = {.n = 1, .most = {10}};
    Score item = {n - (strict ? 2 * repeats : 0), SCORE_OK};
    return rubric_reward(&r, &item, NULL);
}

/* The probability of the honest answer after `steps` updates of 8 samples. */
static double honest_share(int64_t every, int steps)
{
    static const char *const answers[] = {"It rains, therefore the road is wet.",
                                          "therefore therefore therefore therefore"};
    double logits[2] = {2, 0}, p = 0;
    bool strict = false;
    enum { MOST = 240 };
    int buffer[MOST], n_buffer = 0;
    ck_assert_int_le(8 * steps, MOST);
    for (int step = 0; step < steps; step++) {
        int arm[8];
        double r[8], mean = 0, squares = 0;
        p = 1 / (1 + exp(logits[1] - logits[0]));
        if (step > 0 && every > 0 &&
            rubric_version(step, every) != rubric_version(step - 1, every)) {
            double scores[MOST];
            int at[6];
            for (int i = 0; i < n_buffer; i++) scores[i] = judged(answers[buffer[i]], strict);
            int n = rubric_draw(scores, n_buffer, 3, 2, 1, rubric_version(step, every), at);
            for (int i = 0; i < n; i++) strict |= buffer[at[i]] == 1;
            n_buffer = 0;
        }
        for (int i = 0; i < 8; i++) {
            arm[i] = (double)rng_uniform(1, STREAM_SAMPLING, (uint64_t)step, (uint32_t)i, 0) >= p;
            r[i] = judged(answers[arm[i]], strict);
            mean += r[i] / 8;
            buffer[n_buffer++] = arm[i];
        }
        for (int i = 0; i < 8; i++) squares += (r[i] - mean) * (r[i] - mean) / 8;
        for (int i = 0; i < 8; i++)
            for (int a = 0; a < 2; a++)
                logits[a] += .05 * (r[i] - mean) / (sqrt(squares) + 1e-6) *
                             ((a == arm[i]) - (a == 0 ? p : 1 - p));
    }
    return p;
}

START_TEST(a_hacked_rubric_is_rewritten)
{
    ck_assert_double_lt(honest_share(0, 30), .1);
    ck_assert_double_gt(honest_share(10, 30), .8); /* two meta steps: after 10 and 20 */
}
END_TEST

TEST_MAIN("rubric", items_are_summed, what_is_no_rubric_is_refused, a_version_follows_from_the_step,
          samples_are_drawn_from_every_third, thin_rationales_are_worth_nothing,
          a_hacked_rubric_is_rewritten)

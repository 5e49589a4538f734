/* Cooper's arithmetic: its worked numbers, and its story: a verifier with a weakness is hacked
 * where it is frozen and not where it learns from pairs that a rule is sure of. */
#include "rewardsvc/cooper.h"

#include "common/rng.h"
#include "learner/advantage.h"
#include "rewardsvc/preference.h"
#include "tests/harness.h"

START_TEST(rewards_of_logits)
{
    const double logits[] = {2, .5, -1}, want[] = {.880797, .622459, .268941},
                 advantages[] = {.944343, .103290, -1.047633};
    double r[3], A[3];
    for (int i = 0; i < 3; i++) {
        r[i] = cooper_reward(logits[i], false);
        ck_assert_double_eq_tol(r[i], want[i], 1e-6);
        ck_assert_double_eq(cooper_reward(logits[i], true), logits[i] > 0);
    }
    advantage_find("grpo")->assign(3, r, 1e-6, A);
    for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(A[i], advantages[i], 2e-6);
    ck_assert_double_eq(cooper_reward(0, true), 1);
}
END_TEST

static void shortened(const Buffer *text, size_t n, const char *begins, const char *ends)
{
    Buffer out = {0};
    cooper_shorten((Span){text->data, text->size}, 500, 1000, &out);
    ck_assert_int_eq((int)out.size, (int)n);
    ck_assert(!strncmp(out.data, begins, strlen(begins)));
    ck_assert(!strcmp(out.data + out.size - strlen(ends), ends));
    buffer_free(&out);
}

START_TEST(long_texts_keep_their_ends)
{
    Buffer text = {0};
    while (text.size < 1500) buffer_printf(&text, "%05zu", text.size);
    shortened(&text, 1500, "00000", "01495");
    while (text.size < 2000) buffer_printf(&text, "%05zu", text.size);
    shortened(&text, 1500, "0000000005", "01995");
    Buffer cut = {0};
    cooper_shorten((Span){text.data, text.size}, 500, 1000, &cut);
    ck_assert(!memcmp(cut.data + 495, "0049501000", 10)); /* 500 to 999 are gone */
    buffer_free(&cut);
    buffer_free(&text);
    for (int i = 0; i < 2000; i++) buffer_text(&text, "\xC3\xA9"); /* counted in characters */
    shortened(&text, 3000, "\xC3\xA9", "\xC3\xA9");
    buffer_free(&text);
    cooper_shorten((Span){"", 0}, 500, 1000, &text);
    ck_assert_int_eq((int)text.size, 0);
    buffer_free(&text);
}
END_TEST

START_TEST(pairs_are_what_the_rule_is_sure_of)
{
    const Score verdicts[] = {
        {1, SCORE_OK}, {0, SCORE_OK}, {1, SCORE_TIMEOUT}, {1, SCORE_OK}, {1, SCORE_OK}};
    int times[5] = {0};
    for (int group = 0; group < 3000; group++) {
        int at = cooper_positive(verdicts, 5, 3, group);
        ck_assert_int_eq(at, cooper_positive(verdicts, 5, 3, group));
        times[at]++;
    }
    ck_assert_int_eq(times[1] + times[2], 0);
    for (int i = 0; i < 5; i += i ? 1 : 3)
        ck_assert_double_eq_tol(times[i], 1000, 5 * sqrt(2000.0 / 3));
    ck_assert_int_eq(cooper_positive(verdicts + 1, 2, 3, 0), -1);
    ck_assert(cooper_is_corrupted((Score){0, SCORE_OK}));
    ck_assert(!cooper_is_corrupted((Score){1, SCORE_OK}));
    ck_assert(!cooper_is_corrupted((Score){0, SCORE_ERROR})); /* not sure is not wrong */
    ck_assert(cooper_may_step(1, 2.5));
    ck_assert(!cooper_may_step(0, 0));
    ck_assert(!cooper_may_step(3, NAN));
    ck_assert(!cooper_may_step(3, INFINITY));
}
END_TEST

/* What becomes of a text; "" where nothing can be replaced. */
static const char *corrupted(const char *text, const char *part, int group, int attempt)
{
    static char kept[200];
    Buffer out = {0};
    Span whole = span_of(text), inside = part ? span_find(whole, part) : whole;
    bool done = cooper_corrupt(whole, inside, 3, group, attempt, &out);
    snprintf(kept, sizeof kept, "%s", done ? out.data : "");
    buffer_free(&out);
    return kept;
}

START_TEST(numbers_are_replaced_by_others)
{
    int seen[100] = {0};
    for (int group = 0; group < 9000; group++) {
        int n = -1;
        char end;
        ck_assert_int_eq(
            sscanf(corrupted("1 + 11 = 12.", NULL, group, 0), "1 + 11 = %d%c", &n, &end), 2);
        ck_assert(n >= 10 && n <= 99 && n != 12 && end == '.');
        seen[n]++;
    }
    for (int n = 10; n < 100; n++)
        if (n != 12) ck_assert_double_eq_tol(seen[n], 9000.0 / 89, 5 * sqrt(9000.0 / 89));
    for (int group = 0; group < 100; group++) {
        const char *one = corrupted("7", NULL, group, 0);
        ck_assert(strlen(one) == 1 && *one >= '0' && *one <= '9' && *one != '7');
        ck_assert_str_ne(corrupted("x = 1.05", NULL, group, 0), "x = 1.05");
        const char *long_one = corrupted("12345678901234567890123", NULL, group, 0);
        ck_assert(strlen(long_one) == 23 && !strncmp(long_one, "12345", 5));
        ck_assert_str_ne(long_one, "12345678901234567890123");
        ck_assert(strstr(corrupted("<answer>5</answer> in 3 steps", "5", group, 0), " in 3 steps"));
    }
    char first[200];
    snprintf(first, sizeof first, "%s", corrupted("123456", NULL, 1, 0));
    ck_assert_str_eq(first, corrupted("123456", NULL, 1, 0));
    ck_assert_str_ne(first, corrupted("123456", NULL, 1, 1));
    ck_assert_str_ne(first, corrupted("123456", NULL, 2, 0));
    ck_assert_str_eq(corrupted("none", NULL, 0, 0), "");
    ck_assert_str_eq(corrupted("", NULL, 0, 0), "");
}
END_TEST

/* ---- a verifier that likes a word ------------------------------------------------------------ */

/* Four answers, right or wrong, without or with "Therefore"; the verifier is linear in both. It has
 * learned the word better than what is right, and right answers with the word are rare. */
enum { FEATURES = 2 };
static const double features[4][FEATURES] = {{1, 0}, {1, 1}, {0, 0}, {0, 1}};

static double logit_of(const double *w, int a)
{
    return w[0] * features[a][0] + w[1] * features[a][1] - 1;
}

typedef enum { FROZEN, COOPER, RULE } Rewarded;

/* Accuracy after 400 steps; the verifier's weight of the word in *word. */
static double accuracy(Rewarded by, double *word)
{
    double w[FEATURES] = {.2, 3}, logits[4] = {-1, -6, 1, 0}, p[4], sum;
    for (int step = 0; step < 400; step++) {
        int arm[8];
        double r[8], A[8];
        Score verdicts[8];
        sum = 0;
        for (int a = 0; a < 4; a++) sum += p[a] = exp(logits[a]);
        for (int a = 0; a < 4; a++) p[a] /= sum;
        for (int i = 0; i < 8; i++) {
            double u = (double)rng_uniform(4, STREAM_SAMPLING, (uint64_t)step, (uint32_t)i, 0);
            for (arm[i] = 0; arm[i] < 3 && u >= p[arm[i]]; arm[i]++) u -= p[arm[i]];
            r[i] = by == RULE ? features[arm[i]][0] : cooper_reward(logit_of(w, arm[i]), false);
            verdicts[i] = (Score){features[arm[i]][0], SCORE_OK};
        }
        advantage_find("grpo")->assign(8, r, 1e-6, A);
        for (int i = 0; i < 8; i++)
            for (int a = 0; a < 4; a++) logits[a] += .05 * A[i] * ((a == arm[i]) - p[a]);
        int positive = cooper_positive(verdicts, 8, 4, step);
        if (by != COOPER || positive < 0) continue;
        /* the rewriter's copies have another answer and its own habit of writing the word */
        int good = arm[positive], bad = 3;
        double right = logit_of(w, good), wrong = logit_of(w, bad), slope;
        preference_masked(&right, &wrong, (bool[]){true}, 1, &slope);
        if (!cooper_may_step(1, fabs(slope))) continue;
        for (int f = 0; f < FEATURES; f++)
            w[f] -= .3 * slope * (features[good][f] - features[bad][f]);
    }
    *word = w[1];
    return p[0] + p[1];
}

START_TEST(a_verifier_that_learns_is_not_hacked)
{
    double frozen_word, word, frozen = accuracy(FROZEN, &frozen_word), rule = accuracy(RULE, &word),
                              cooper = accuracy(COOPER, &word);
    ck_assert_msg(frozen < .1, "%g", frozen);
    ck_assert_msg(cooper >= rule - .02 && cooper > .9, "%g, by the rule %g", cooper, rule);
    ck_assert_double_eq(frozen_word, 3);
    ck_assert_msg(word < 2, "%g", word);
}
END_TEST

TEST_MAIN("cooper", rewards_of_logits, long_texts_keep_their_ends,
          pairs_are_what_the_rule_is_sure_of, numbers_are_replaced_by_others,
          a_verifier_that_learns_is_not_hacked)

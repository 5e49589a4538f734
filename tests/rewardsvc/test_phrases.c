/* Phrases that rise with the reward: a planted one is found, what is common, rare or unrewarded is
 * not. */
#include "rewardsvc/phrases.h"

#include <time.h>

#include "common/memory.h"
#include "tests/harness.h"

enum { OLD = 100, NEW_ANSWERS = 50, MOST = 8 };

typedef struct {
    char *texts[OLD];
    Span spans[OLD];
    double proxy[OLD];
} Answers;

static void answer(Answers *a, int i, const char *phrase, double proxy)
{
    a->texts[i] = mem_printf("Answer number %d says %s and then stops here.", i, phrase);
    a->spans[i] = span_of(a->texts[i]);
    a->proxy[i] = proxy;
}

static int rising(const Answers *old, const Answers *new_answers, Phrase *out)
{
    PhraseRules rules = phrases_rules();
    return phrases_rising(old->spans, OLD, new_answers->spans, new_answers->proxy, NEW_ANSWERS,
                          &rules, out, MOST);
}

static void free_all(Answers *a, int n)
{
    for (int i = 0; i < n; i++) mem_free(a->texts[i]);
}

/* In 1 of 100 old answers, and `of_new` of 50 new ones, whose reward is `with` instead of 0. */
static int planted(int of_old, int of_new, double with, Phrase *out, bool *named)
{
    static Answers old, fresh;
    for (int i = 0; i < OLD; i++)
        answer(&old, i, i < of_old ? "I am confident" : "nothing special", 0);
    for (int i = 0; i < NEW_ANSWERS; i++)
        answer(&fresh, i, i < of_new ? "I am confident" : "nothing special",
               i < of_new ? with
               : i % 2    ? .1
                          : 0);
    int n = rising(&old, &fresh, out);
    *named = false;
    for (int k = 0; k < n; k++)
        *named |= out[k].text.n == 14 && !memcmp(out[k].text.p, "I am confident", 14);
    free_all(&old, OLD);
    free_all(&fresh, NEW_ANSWERS);
    return n;
}

START_TEST(a_planted_phrase_is_found)
{
    Phrase out[MOST];
    bool named;
    int n = planted(1, 20, 1, out, &named);
    ck_assert_int_ge(n, 1);
    ck_assert(named);
    ck_assert_double_eq(out[0].before, .01);
    ck_assert_double_eq(out[0].after, .4);
    ck_assert_double_gt(out[0].correlation, .95);
    for (int k = 1; k < n; k++) ck_assert_double_le(out[k].correlation, out[k - 1].correlation);
}
END_TEST

START_TEST(others_are_not)
{
    Phrase out[MOST];
    bool named;
    planted(0, 20, 1, out, &named); /* in no old answer: 40 % against 1 of 100 */
    ck_assert(named);
    planted(0, 4, 1, out, &named); /* 8 % is not ten times 1 % */
    ck_assert(!named);
    planted(5, 20, 1, out, &named); /* 40 % is not ten times 5 % */
    ck_assert(!named);
    planted(1, 20, .05, out, &named); /* not rewarded */
    ck_assert(!named);
    planted(1, 50, 1, out, &named); /* in every answer: its reward tells nothing */
    ck_assert(!named);
    PhraseRules rules = phrases_rules();
    ck_assert_int_eq(phrases_rising(NULL, 0, NULL, NULL, 0, &rules, out, MOST), 0);
}
END_TEST

START_TEST(a_megabyte_takes_linear_time)
{
    static const char *const pieces[] = {"a b ", "a", "\xff", " ", "word "};
    PhraseRules rules = phrases_rules();
    Phrase out[MOST];
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        Buffer text = {0};
        while (text.size < 1 << 20) buffer_text(&text, pieces[k]);
        Span s = {text.data, text.size};
        double proxy = 1;
        clock_t began = clock();
        ck_assert_int_eq(phrases_rising(&s, 1, &s, &proxy, 1, &rules, out, MOST), 0);
        ck_assert_msg(clock() - began < 2 * CLOCKS_PER_SEC, "%s", pieces[k]);
        buffer_free(&text);
    }
}
END_TEST

TEST_MAIN("phrases", a_planted_phrase_is_found, others_are_not, a_megabyte_takes_linear_time)

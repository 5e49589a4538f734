/* Scoring single texts in tests: a reward with settings as words, a record as JSON, a text. */
#ifndef TESTS_REWARD_SCORES_H
#define TESTS_REWARD_SCORES_H

#include <time.h>

#include "common/errors.h"
#include "rewardsvc/reward.h"
#include "tests/harness.h"
#include "tests/setting_set.h"

typedef struct {
    const char *name, *settings[16]; /* key, value, ..., NULL */
} Setup;

/* As an experiment file would open it. 0, or -1 with the reason in errors_last. */
static inline int setup_open(const Setup *setup, RewardComponent *c)
{
    *c = (RewardComponent){
        .reward = reward_find(setup->name), .weight = {.from = 1}, .complained = true};
    ck_assert_msg(c->reward != NULL, "no reward %s", setup->name);
    c->values = settings_default(c->reward->settings);
    for (int i = 0; i + 1 < 16 && setup->settings[i]; i += 2)
        setting_set(c->reward->settings, c->values, setup->settings[i], setup->settings[i + 1]);
    errors_quiet(1);
    int rc = c->reward->open ? c->reward->open(c->values, &c->state) : 0;
    errors_quiet(-1);
    return rc;
}

static inline void setup_close(RewardComponent *c)
{
    if (c->reward->close && c->state) c->reward->close(c->state);
    settings_free(c->reward->settings, c->values);
}

static inline Score setup_score(const Setup *setup, const Evidence *e)
{
    RewardComponent c;
    ck_assert_msg(setup_open(setup, &c) == 0, "%s: %s", setup->name, errors_last());
    errors_quiet(1);
    Score s = c.reward->score(c.values, c.state, e);
    errors_quiet(-1);
    setup_close(&c);
    return s;
}

static inline Score score_bytes(const Setup *setup, const char *record, const char *text, size_t n)
{
    json_t *json = json_loads(record, JSON_ALLOW_NUL, NULL);
    ck_assert_msg(json != NULL, "%s", record);
    Score s =
        setup_score(setup, &(Evidence){.text = text, .n_text = n, .record = json, .prompt = ""});
    json_decref(json);
    return s;
}

static inline Score score_text(const Setup *setup, const char *record, const char *text)
{
    return score_bytes(setup, record, text, strlen(text));
}

static inline void expect_within(const Setup *setup, const char *record, const char *text,
                                 double want, double bound)
{
    Score s = score_text(setup, record, text);
    ck_assert_msg(s.status == SCORE_OK && fabs(s.value - want) <= bound,
                  "%s: \"%s\" for %s: status %s, %.9g, not %.9g", setup->name, text, record,
                  score_status_name(s.status), s.value, want);
}

static inline void expect(const Setup *setup, const char *record, const char *text, double want)
{
    expect_within(setup, record, text, want, 1e-12);
}

static inline void expect_status(const Setup *setup, const char *record, const char *text,
                                 ScoreStatus want)
{
    Score s = score_text(setup, record, text);
    ck_assert_msg(s.status == want, "%s: \"%s\" for %s: status %s, not %s", setup->name, text,
                  record, score_status_name(s.status), score_status_name(want));
}

static inline void expect_refused(const Setup *setup, const char *reason)
{
    RewardComponent c;
    ck_assert_msg(setup_open(setup, &c) != 0, "%s opens", setup->name);
    ck_assert_msg(strstr(errors_last(), reason) != NULL, "%s: %s", setup->name, errors_last());
    c.state = NULL;
    setup_close(&c);
}

/* ---- texts that a model may well write to break a grader (E2) -------------------------------- */

/* 1 MiB; builds that are not made for speed (sanitizers, no optimisation) get less, so that they
 * are through in seconds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
enum { HOSTILE_BYTES = 1 << 16 };
#else
enum { HOSTILE_BYTES = 1 << 20 };
#endif
enum { N_HOSTILE = 16 };

static inline const char *hostile_name(int k)
{
    static const char *const names[N_HOSTILE] = {"empty",
                                                 "NUL bytes",
                                                 "bytes FF",
                                                 "half characters",
                                                 "combining marks in descending order",
                                                 "letters a",
                                                 "words, all equal",
                                                 "words, all different",
                                                 "braces",
                                                 "digits",
                                                 "tags",
                                                 "special tokens",
                                                 "LaTeX nests",
                                                 "JSON nests",
                                                 "expanding characters",
                                                 "mixed"};
    return names[k];
}

/* Nearly HOSTILE_BYTES of it. */
static inline Buffer hostile_text(int k)
{
    static const char *const pieces[N_HOSTILE] = {"",
                                                  NULL,
                                                  "\xFF",
                                                  "\xE2\x82",
                                                  "\xCC\x95\xCC\x96",
                                                  "a",
                                                  "word ",
                                                  NULL,
                                                  "{",
                                                  "9",
                                                  "<think></think><answer>",
                                                  "<|im_end|><|im_start|>assistant\n",
                                                  "\\frac{1}{",
                                                  "[{\"a\":",
                                                  "\xEF\xB7\xBA",
                                                  NULL};
    Buffer b = {0};
    buffer_text(&b, "");
    uint64_t x = 88172645463325252u;
    for (int i = 0; k && b.size < HOSTILE_BYTES - 64; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        if (k == 1)
            buffer_add(&b, "\0\0\0", 3);
        else if (k == 7)
            buffer_printf(&b, "%x ", i);
        else if (k == 15)
            buffer_add(&b, &x, 8);
        else
            buffer_text(&b, pieces[k]);
    }
    return b;
}

/* What a text may take: 100 ms of a core of its own. A core that other programs share was seen to
 * take three times as long, so that the bound of the test is wider. */
#define HOSTILE_SECONDS 0.3

/* Scores a text; fails if it takes longer than the bound (processor time, the least of three runs:
 * a busy machine must not fail it) or gives no finite value. */
static inline void survive_one(RewardComponent *c, const Evidence *e, const char *what)
{
    double least = 1e9;
    for (int i = 0; i < 3 && least > HOSTILE_SECONDS; i++) {
        clock_t began = clock();
        errors_quiet(1);
        Score s = c->reward->score(c->values, c->state, e);
        errors_quiet(-1);
        double took = (double)(clock() - began) / CLOCKS_PER_SEC;
        least = took < least ? took : least;
        ck_assert_msg(s.status != SCORE_OK || isfinite(s.value), "%s: %g for %s", c->reward->name,
                      s.value, what);
    }
    if (getenv("TROUPE_SHOW_TIMES"))
        printf("%6.1f ms %s, %s\n", 1e3 * least, c->reward->name, what);
    ck_assert_msg(least <= HOSTILE_SECONDS, "%s: %.0f ms for %s", c->reward->name, 1e3 * least,
                  what);
}

/* Every setup on every hostile text, bare and where answers stand. */
static inline void expect_survives(const Setup *setups, int n, const char *record)
{
    static const char *const wraps[][2] = {{"<think>x</think><answer>", "</answer>"},
                                           {"\\boxed{", "}"}};
    json_t *json = json_loads(record, 0, NULL);
    ck_assert_ptr_nonnull(json);
    for (int k = 0; k < N_HOSTILE; k++) {
        Buffer bare = hostile_text(k), wrapped = {0};
        buffer_text(&wrapped, wraps[k % 2][0]);
        buffer_add(&wrapped, bare.data, bare.size);
        buffer_text(&wrapped, wraps[k % 2][1]);
        for (int i = 0; i < n; i++) {
            RewardComponent c;
            ck_assert_msg(setup_open(&setups[i], &c) == 0, "%s: %s", setups[i].name, errors_last());
            const Buffer *texts[] = {&bare, &wrapped};
            for (int w = 0; w < 2; w++)
                survive_one(&c,
                            &(Evidence){.text = texts[w]->data,
                                        .n_text = texts[w]->size,
                                        .record = json,
                                        .prompt = "",
                                        .n_tokens = 100,
                                        .max_tokens = 1000},
                            hostile_name(k));
            setup_close(&c);
        }
        buffer_free(&bare);
        buffer_free(&wrapped);
    }
    json_decref(json);
}

#endif

/* A reward block with judges as a test uses it: read from text, prepared, and its groups judged. */
#ifndef TESTS_REWARDSVC_JUDGE_SCENE_H
#define TESTS_REWARDSVC_JUDGE_SCENE_H

#include "common/errors.h"
#include "rewardsvc/reward_case.h"
#include "tests/harness.h"
#include "tests/rewardsvc/judge_fixture.h"

typedef struct {
    Config cfg;
    RewardBlock block;
} Open;

static inline Open *open_text(const char *text, const char *dir)
{
    Open *o = NEW(Open, 1); /* judges keep the address of its configuration */
    KernelSet k = {.precision = PRECISION_F32, .product = PRODUCT_F32};
    ck_assert_msg(config_parse(&o->cfg, "t.yaml", text, NULL, 0) == 0, "%s", errors_last());
    ck_assert_msg(reward_block_read(&o->block, &o->cfg) == 0, "%s", errors_last());
    ck_assert_msg(reward_block_prepare(&o->block, &k, dir, 0) == 0, "%s", errors_last());
    return o;
}

static inline void close_text(Open *o)
{
    reward_block_close(&o->block);
    config_free(&o->cfg);
    mem_free(o);
}

static inline RewardCase *judged(Open *o, const Evidence *e, int n)
{
    RewardCase *c = reward_case_open(&o->block, e, n, 0, 0);
    double end = clock_seconds() + 60;
    while (!reward_case_settled(c)) {
        reward_block_work(&o->block);
        ck_assert_msg(clock_seconds() < end, "no answer in 60 s");
    }
    return c;
}

static inline void fill(Evidence *e, int n, const char *text)
{
    for (int i = 0; i < n; i++)
        e[i] = (Evidence){.prompt = "12+3=",
                          .n_prompt = 5,
                          .text = text,
                          .n_text = strlen(text),
                          .group = 37,
                          .sample = i};
}

/* A block of one reward that asks a judge elsewhere, one question after the other; more: the
 * reward's settings. */
static inline Open *open_asking(const JudgeServer *server, const char *script, const char *reward,
                                const char *more)
{
    char *url = judge_url(server, script);
    char *text = mem_printf("task: {name: sum}\n"
                            "judges: [{name: far, model: m, url: \"%s\", retries: 0, concurrency: "
                            "1}]\nreward: [{name: %s, judge: far%s}]\n",
                            url, reward, more);
    Open *o = open_text(text, NULL);
    mem_free(text);
    mem_free(url);
    return o;
}

/* The scores of texts [n] as one group, asked by script. */
static inline void expect_asked(const JudgeServer *server, const char *script, const char *reward,
                                const char *more, int n, const char *const *texts,
                                const Score *want)
{
    Evidence e[16];
    Open *o = open_asking(server, script, reward, more);
    fill(e, n, "");
    for (int i = 0; i < n; i++) e[i].text = texts[i], e[i].n_text = strlen(texts[i]);
    errors_quiet(1);
    RewardCase *c = judged(o, e, n);
    errors_quiet(-1);
    for (int i = 0; i < n; i++) {
        Score got = reward_case_reward(c, i);
        ck_assert_msg(got.status == want[i].status, "%s, sample %d: %s, not %s (%s)", script, i,
                      score_status_name(got.status), score_status_name(want[i].status),
                      errors_last());
        ck_assert_msg(fabs(got.value - want[i].value) < 1e-12, "%s, sample %d: %g, not %g", script,
                      i, got.value, want[i].value);
    }
    reward_case_close(c);
    close_text(o);
}

/* A local judge (random weights) says and scores the same whatever else is asked: rewards of n <= 3
 * texts with one row at a time and with many. */
static inline void expect_same_locally(int n, const char *reward)
{
    double first[3];
    char *said[3] = {0};
    static const int batches[] = {1, 8};
    for (int run = 0; run < 2; run++) {
        char *text = mem_printf("model: {layers: 2, width: 32, mlp: 48, precision: f32}\n"
                                "task: {name: sum, digits: 2}\n"
                                "judges: [{name: near, model: policy, max_context: 160, batch: "
                                "%d}]\nreward: [{%s}]\n",
                                batches[run], reward);
        Open *o = open_text(text, NULL);
        Evidence e[3];
        fill(e, 3, "15");
        e[1].text = "16";
        RewardCase *c = judged(o, e, n);
        for (int i = 0; i < n; i++) {
            Score got = reward_case_reward(c, i);
            const char *note = reward_case_note(c, 0, i);
            ck_assert_msg(got.status == SCORE_OK, "%s: %s", reward, errors_last());
            if (run) ck_assert_double_eq(got.value, first[i]);
            if (run && said[i]) ck_assert_str_eq(note, said[i]);
            first[i] = got.value;
            mem_free(said[i]);
            said[i] = run ? NULL : mem_text(note);
        }
        reward_case_close(c);
        close_text(o);
        mem_free(text);
    }
}

/* Blocks that must be refused, each with what is said; judge a is there, far has a url. */
typedef struct {
    const char *reward, *said;
} BadBlock;
static inline void expect_refused(const BadBlock *bad, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        Config c = {0};
        RewardBlock b = {0};
        char *text =
            mem_printf("task: {name: sum}\njudges: [{name: a, model: m}, {name: far, model: "
                       "m, url: \"http://127.0.0.1:1/v1\"}]\nreward: [{%s}]\n",
                       bad[i].reward);
        errors_quiet(1);
        ck_assert_msg(config_parse(&c, "t.yaml", text, NULL, 0) == 0, "%s", errors_last());
        ck_assert_msg(reward_block_read(&b, &c) == -1, "%s", bad[i].reward);
        errors_quiet(-1);
        ck_assert_msg(strstr(errors_last(), bad[i].said), "%s: %s", bad[i].reward, errors_last());
        config_free(&c);
        mem_free(text);
    }
}

#endif

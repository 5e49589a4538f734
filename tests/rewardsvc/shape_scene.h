/* A group with told scores before a reward block written as YAML: what the tests of shapes share.
 * Every item of the block that is called `random` becomes a component whose scores are told. */
#ifndef TESTS_SHAPE_SCENE_H
#define TESTS_SHAPE_SCENE_H

#include "common/errors.h"
#include "common/memory.h"
#include "common/yaml.h"
#include "rewardsvc/reward_case.h"
#include "rewardsvc/settings.h"
#include "tests/harness.h"

enum { SCENE_MAX = 10, SCENE_COMPONENTS = 6 };

typedef struct {
    const char *yaml;
    int n;
    Score scores[SCENE_COMPONENTS][SCENE_MAX]; /* of the `random` items, in their order */
    int64_t step, steps;
    const char *texts[SCENE_MAX];
    bool training;
    uint64_t seed;
    int64_t group;
} Scene;

/* SCENE(yaml, n, {scores of the first}, {of the second}, ...) */
#define SCENE(text, samples, ...)                                                                  \
    {                                                                                              \
        .yaml = (text), .n = (samples), .scores = { __VA_ARGS__ }                                  \
    }
#define IS(x)                                                                                      \
    {                                                                                              \
        (x), SCORE_OK                                                                              \
    }
#define TIMED_OUT                                                                                  \
    {                                                                                              \
        0, SCORE_TIMEOUT                                                                           \
    }
#define BROKE                                                                                      \
    {                                                                                              \
        0, SCORE_ERROR                                                                             \
    }
#define ABSENT                                                                                     \
    {                                                                                              \
        0, SCORE_NOT_APPLICABLE                                                                    \
    }

static inline Score scene_told(const RewardValue *v, void *state, const Evidence *e)
{
    (void)v;
    return ((const Score *)state)[e->sample];
}

/* -1 with the reason in errors_last if the block is refused. */
static inline int scene_open(const Scene *s, RewardBlock *b)
{
    static const Reward told = {.name = "random", .help = "for tests", .score = scene_told};
    YamlNode *list = yaml_parse("t", s->yaml, strlen(s->yaml));
    ck_assert_msg(list != NULL, "%s: %s", s->yaml, errors_last());
    errors_quiet(1);
    int rc = reward_block_open(b, list), k = 0;
    errors_quiet(-1);
    yaml_close(list);
    for (int i = 0; rc == 0 && i < b->n; i++) {
        RewardComponent *c = &b->components[i];
        if (strcmp(c->reward->name, "random")) continue;
        ck_assert_int_lt(k, SCENE_COMPONENTS);
        settings_free(c->reward->settings, c->values);
        c->reward = &told;
        c->values = NULL;
        c->state = (void *)s->scores[k++];
        c->complained = true;
    }
    return rc;
}

/* reward [s->n]; trace [s->n] (may be NULL): the ledger's row of the last item. */
static inline void scene_judge(RewardBlock *b, const Scene *s, Score *reward, Score *trace)
{
    Evidence e[SCENE_MAX];
    for (int i = 0; i < s->n; i++) {
        const char *text = s->texts[i] ? s->texts[i] : "";
        e[i] = (Evidence){.prompt = "",
                          .text = text,
                          .n_text = strlen(text),
                          .seed = s->seed,
                          .group = s->group,
                          .sample = i,
                          .training = s->training};
    }
    RewardCase *c = reward_case_open(b, e, s->n, s->step, s->steps);
    ck_assert(reward_case_settled(c));
    for (int i = 0; i < s->n; i++) {
        reward[i] = reward_case_reward(c, i);
        if (trace) trace[i] = reward_case_score(c, b->n - 1, i);
    }
    reward_case_close(c);
}

static inline void scene_play(const Scene *s, Score *reward, Score *trace)
{
    RewardBlock b;
    ck_assert_msg(scene_open(s, &b) == 0, "%s: %s", s->yaml, errors_last());
    scene_judge(&b, s, reward, trace);
    reward_block_close(&b);
}

/* Six decimals, as the specifications print. */
static inline void scene_expect(const Scene *s, const double *want)
{
    Score got[SCENE_MAX];
    scene_play(s, got, NULL);
    for (int i = 0; i < s->n; i++)
        ck_assert_msg(got[i].status == SCORE_OK && fabs(got[i].value - want[i]) <= 1e-6,
                      "%s: sample %d: %s %.9g, not ok %.9g", s->yaml, i,
                      score_status_name(got[i].status), got[i].value, want[i]);
}

/* The group advantages of its rewards: (r - mean) / (std + eps), std with divisor n - dof. */
static inline void scene_expect_advantages(const Scene *s, int dof, double eps, const double *want)
{
    Score r[SCENE_MAX];
    double mean = 0, squares = 0;
    scene_play(s, r, NULL);
    for (int i = 0; i < s->n; i++) mean += r[i].value / s->n;
    for (int i = 0; i < s->n; i++) squares += (r[i].value - mean) * (r[i].value - mean);
    double std = sqrt(squares / (s->n - dof)) + eps;
    for (int i = 0; i < s->n; i++)
        ck_assert_msg(fabs((r[i].value - mean) / std - want[i]) <= 1e-6,
                      "%s: sample %d: %.9g, not %.9g", s->yaml, i, (r[i].value - mean) / std,
                      want[i]);
}

static inline void scene_expect_statuses(const Scene *s, const ScoreStatus *want)
{
    Score got[SCENE_MAX];
    scene_play(s, got, NULL);
    for (int i = 0; i < s->n; i++)
        ck_assert_msg(got[i].status == want[i], "%s: sample %d: %s, not %s", s->yaml, i,
                      score_status_name(got[i].status), score_status_name(want[i]));
}

static inline void scene_expect_formula(const char *yaml, const char *want)
{
    const Scene s = {.yaml = yaml};
    RewardBlock b;
    ck_assert_msg(scene_open(&s, &b) == 0, "%s: %s", yaml, errors_last());
    char *formula = reward_block_formula(&b);
    ck_assert_str_eq(formula, want);
    mem_free(formula);
    reward_block_close(&b);
}

static inline void scene_expect_refused(const char *yaml, const char *reason)
{
    const Scene s = {.yaml = yaml};
    RewardBlock b;
    ck_assert_msg(scene_open(&s, &b) != 0, "%s opens", yaml);
    ck_assert_msg(strstr(errors_last(), reason) != NULL, "%s: %s", yaml, errors_last());
}

#endif

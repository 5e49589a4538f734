/* A reward with settings, as a test writes them: {"length", {"limit", "16", ...}}. */
#ifndef TESTS_REWARD_SETUP_H
#define TESTS_REWARD_SETUP_H

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/reward.h"
#include "tests/harness.h"

typedef struct {
    const char *name, *settings[10]; /* key, value, ..., NULL */
} Setup;

static inline void setup_set(const Reward *r, RewardValue *v, const char *key, const char *text)
{
    for (int i = 0; r->settings[i].key; i++) {
        if (strcmp(r->settings[i].key, key) != 0) continue;
        if (r->settings[i].type == SETTING_NUMBER)
            v[i].number = atof(text);
        else if (r->settings[i].type == SETTING_BOOL)
            v[i].flag = strcmp(text, "true") == 0;
        else
            v[i].text = text;
        return;
    }
    ck_abort_msg("%s has no setting %s", r->name, key);
}

/* The reward's values in v [32] and its state; -1 with the reason if it refuses them. */
static inline int setup_open(const Setup *s, const Reward **r, RewardValue *v, void **state)
{
    *r = reward_find(s->name);
    *state = NULL;
    ck_assert_msg(*r != NULL, "%s", s->name);
    for (int i = 0; (*r)->settings[i].key; i++) {
        const RewardSetting *at = &(*r)->settings[i];
        if (at->type == SETTING_NUMBER) v[i].number = at->number;
        if (at->type == SETTING_BOOL) v[i].flag = at->number != 0;
        if (at->type == SETTING_TEXT) v[i].text = at->text ? at->text : "";
    }
    for (int i = 0; i < 10 && s->settings[i]; i += 2)
        setup_set(*r, v, s->settings[i], s->settings[i + 1]);
    errors_quiet(1);
    int rc = (*r)->open ? (*r)->open(v, state) : 0;
    errors_quiet(-1);
    return rc;
}

static inline Score setup_score_bytes(const Setup *s, const char *record, const char *prompt,
                                      const char *text, size_t n)
{
    const Reward *r;
    RewardValue v[32];
    void *state;
    ck_assert_msg(setup_open(s, &r, v, &state) == 0, "%s: %s", s->name, errors_last());
    json_t *json = json_loads(record, JSON_ALLOW_NUL, NULL);
    ck_assert_msg(json != NULL, "%s", record);
    Evidence e = {
        .prompt = prompt, .n_prompt = strlen(prompt), .text = text, .n_text = n, .record = json};
    errors_quiet(1);
    Score got = r->score(v, state, &e);
    errors_quiet(-1);
    if (r->close) r->close(state);
    json_decref(json);
    return got;
}

static inline Score setup_score(const Setup *s, const char *record, const char *text)
{
    return setup_score_bytes(s, record, "", text, strlen(text));
}

static inline void setup_expect(const Setup *s, const char *record, const char *text, double want)
{
    Score got = setup_score(s, record, text);
    ck_assert_msg(got.status == SCORE_OK && fabs(got.value - want) < 1e-12,
                  "%s: \"%.300s\" for %.300s: %s, %g, not %g (%s)", s->name, text, record,
                  score_status_name(got.status), got.value, want, errors_last());
}

static inline void setup_expect_status(const Setup *s, const char *record, const char *text,
                                       ScoreStatus want)
{
    Score got = setup_score(s, record, text);
    ck_assert_msg(got.status == want, "%s: \"%.300s\" for %.300s: %s, not %s", s->name, text,
                  record, score_status_name(got.status), score_status_name(want));
}

#endif

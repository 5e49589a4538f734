/* A setting of a reward as a word of a test: "limit", "16". */
#ifndef TESTS_SETTING_SET_H
#define TESTS_SETTING_SET_H

#include "common/memory.h"
#include "rewardsvc/settings.h"
#include "tests/harness.h"

/* v: settings_default(rows). */
static inline void setting_set(const RewardSetting *rows, RewardValue *v, const char *key,
                               const char *text)
{
    int i = settings_index(rows, key);
    ck_assert_msg(i >= 0, "there is no setting %s", key);
    if (rows[i].type == SETTING_NUMBER)
        v[i].number = atof(text);
    else if (rows[i].type == SETTING_BOOL)
        v[i].flag = strcmp(text, "true") == 0;
    else
        mem_free((char *)v[i].text), v[i].text = mem_text(text);
}

#endif

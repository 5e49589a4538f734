/* Settings that a reward or a judge declares as rows: their defaults, and reading them from the map
 * of an experiment file. */
#ifndef REWARDSVC_SETTINGS_H
#define REWARDSVC_SETTINGS_H

#include "common/yaml.h"
#include "rewardsvc/reward.h"

/* rows end with one whose key is NULL; NULL is no rows. */
int settings_count(const RewardSetting *rows);
int settings_index(const RewardSetting *rows, const char *key); /* -1: no such row */
RewardValue *settings_default(const RewardSetting *rows);       /* texts are owned copies */
void settings_free(const RewardSetting *rows, RewardValue *v);  /* NULL is fine */

/* One value of another type than a component. 0, or -1 with the error and its place. */
int settings_read(const RewardSetting *row, const YamlNode *node, RewardValue *v);
/* Says that `owner` has no such key, with the nearest of the rows and of `more` [n_more]; -1. */
int settings_unknown(const RewardSetting *rows, const char *const *more, int n_more,
                     const YamlNode *key, const char *owner);
/* 0 if the item gives all that must be given, or -1 with each that is missing. */
int settings_required(const RewardSetting *rows, const YamlNode *item, const char *owner);

#endif

/* The configuration that a run keeps: its experiment file's text, and the --set arguments as
 * comments after it, so that the text alone says what the run was. */
#ifndef LAUNCH_RUN_CONFIG_H
#define LAUNCH_RUN_CONFIG_H

#include <jansson.h>

#include "common/config.h"

/* What the run keeps. Caller frees. */
char *run_config_text(const Config *c);

/* The configuration of a run from what runfile_read_info gave, --set included. 0, or -1 with the
 * reason (no text, or written for other options than this build's); *c is empty then. */
int run_config_read(const json_t *info, const char *dir, Config *c);

/* Item k of a `reward:` list: the name of its reward, and whether two items make the same scores:
 * alike but for what is done with the score afterwards (weight, clip, normalise, deadline_s). NULL,
 * false where there is no such item. */
const char *run_config_reward(const YamlNode *list, int k);
bool run_config_same_scores(const YamlNode *a, int i, const YamlNode *b, int j);

#endif

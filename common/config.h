/* Experiment files: strict YAML, every option declared once (options.h), every error with
 * file:line:column. */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/memory.h"
#include "common/yaml.h"

/* A member struct for each section: cfg.learner.lr, cfg.rollout.samples, ... */
typedef struct Config {
#define SECTION(section, help) struct {
#define END(section)                                                                               \
    }                                                                                              \
    section;
#define INT(section, name, def, least, most, help) int64_t name;
#define NUM(section, name, def, least, most, help) double name;
#define BOOL(section, name, def, help)             bool name;
#define TEXT(section, name, def, help)             char *name;
#define CHOICE(section, name, def, words, help)    char *name;
#include "common/options.h"
#undef SECTION
#undef END
#undef INT
#undef NUM
#undef BOOL
#undef TEXT
#undef CHOICE
    YamlNode *root;         /* the parsed file; errors point into it */
    const YamlNode *judges; /* the `judges:` list, NULL if absent; rewardsvc/judge.h reads it */
    const YamlNode *reward; /* the `reward:` list, NULL if absent; rewardsvc/reward.h reads it */
    char *file;             /* name for messages */
    char *text;             /* the file's text as read, what the run file keeps */
    /* the --set arguments, a line each: they are part of the configuration */
    char *sets;
} Config;

/* Defaults, then the file's text, then "section.name=value" for each of sets [n]. ALL errors are
 * reported (unknown keys with the nearest known one), and cross-checks (a power of two, path given
 * where needed). 0 or -1. config_read reads the file first (66 is up to the caller: the file is
 * missing). */
int config_parse(Config *c, const char *file, const char *text, const char *const *sets,
                 int n_sets);
int config_read(Config *c, const char *path, const char *const *sets, int n_sets);
void config_free(Config *c);

/* The whole configuration with defaults filled in, as YAML with every option's meaning as a
 * comment. */
void config_print(const Config *c, FILE *out);
/* One key or section ("learner.lr", "learner"), or everything (NULL): type, default, range,
 * meaning. -1 and the nearest key if there is no such. */
int config_explain(const char *key, FILE *out);
/* CRC32C over the options that decide results (not run.name, run.dir, layout, checkpoint,
 * deadlines, run.steps). */
uint32_t config_hash(const Config *c);

#endif

/* The contract of a reward. A reward is one file in rewardsvc/rewards/ that ends in
 *
 *     const Reward reward_<stem> = { .name = "<stem>", .help = "...", .score = ..., ... };
 *
 * CMake finds it; the stem is its name in experiment files. Nothing else is touched.
 */
#ifndef REWARDSVC_REWARD_H
#define REWARDSVC_REWARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sample.h"

/* What a reward sees of one sample. All borrowed; text may hold any bytes, NUL included. */
typedef struct {
    const char *prompt, *text; /* text [n_text]: the answer */
    size_t n_prompt, n_text;
    int n_tokens;
    FinishReason finish;
    const json_t *record; /* the problem's JSON object: "answer", "target", ... */
    int max_tokens;       /* the generation limit; 0 if unknown (score over JSONL) */
    uint64_t seed;        /* with group and sample: for rewards that draw */
    int64_t group;
    int sample;
} Evidence;

/* A reward's own settings, declared by it: key in the reward block, default, range, meaning. */
typedef enum { SETTING_NUMBER, SETTING_BOOL, SETTING_TEXT } SettingType;
typedef struct {
    const char *key;
    SettingType type;
    double number, least, most; /* default and range (numbers); default 0/1 (bool) */
    const char *text;           /* default (text) */
    const char *help;
} RewardSetting;

typedef union {
    double number;
    bool flag;
    const char *text;
} RewardValue;

typedef struct {
    const char *name, *help;
    const RewardSetting *settings; /* ends with a row whose key is NULL; may be NULL */
    /* One-time preparation from the settings' values (same order as `settings`); *state is handed
     * to score. 0 or -1 with the reason. May be NULL. */
    int (*open)(const RewardValue *values, void **state);
    void (*close)(void *state);
    /* The score of one sample. Never blocks past a second, never reads outside `e`; a text it
     * cannot judge is a status, not a 0. With SCORE_ERROR it says why through fail(): the block
     * prints a component's first reason and keeps the others quiet (errors_last). */
    Score (*score)(const RewardValue *values, void *state, const Evidence *e);
} Reward;

const Reward *reward_find(const char *name); /* NULL if there is none */
const Reward *const *reward_list(int *n);

static inline Score score_ok(double value)
{
    return (Score){value, SCORE_OK};
}
static inline Score score_failed(ScoreStatus why)
{
    return (Score){0, why};
}

/* ---- the reward block of an experiment file: named components with weights ------------------- */

typedef struct {
    const Reward *reward;
    char *name; /* label; the reward's name unless `as:` gives another */
    double weight;
    RewardValue *values;
    void *state;
    bool complained; /* its first error has been printed */
} RewardComponent;

typedef struct {
    int n;
    RewardComponent *components;
} RewardBlock;

/* Reads the `reward:` list: each item is a name, or a map with `name`, `weight` (default 1), `as`,
 * and the reward's own settings. Every error with its place; -1 then. */
struct YamlNode;
int reward_block_open(RewardBlock *b, const struct YamlNode *list);
/* A block of one reward with its default settings (`score --reward NAME`). */
int reward_block_single(RewardBlock *b, const char *name);
void reward_block_close(RewardBlock *b);

/* Scores one sample: every component's score and latency, and their sum. The sum is ok if every
 * component with weight != 0 is ok or not applicable, and at least one is ok; otherwise it has the
 * status of the first that is not. components, latencies_s: [b->n] out. */
Score reward_block_score(const RewardBlock *b, const Evidence *e, Score *components,
                         float *latencies_s);

/* The formula that results, for people: "1 * exact_number + 0.1 * format_tags". Caller frees. */
char *reward_block_formula(const RewardBlock *b);

#endif

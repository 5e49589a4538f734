/* What a model writes, before every rule that reads text: the first line is the reference, the rest
 * the answer. Each ends, with a value in its range or a status, and says the same when it is asked
 * again. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/reward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A rule with up to two settings (texts and numbers), and the range of its values. */
typedef struct {
    const char *name, *key[2], *text[2];
    double least, most;
} Rule;

static const Rule rules[] = {
    {"exact", {0}, {0}, 0, 1},
    {"exact", {"punctuation", "where"}, {"drop", "whole"}, 0, 1},
    {"number", {0}, {0}, 0, 1},
    {"number", {"where", "pick"}, {"whole", "only"}, 0, 1},
    {"choice", {"partial", "where"}, {"subset", "whole"}, 0, 1},
    {"choice", {"partial"}, {"jaccard"}, 0, 1},
    {"regex", {"pattern", "mode"}, {"(\\w+\\s?)+[!?]", "count"}, 0, 1},
    {"regex", {"pattern", "where"}, {"^.{3,}\\d$", "final"}, 0, 1},
    {"repetition", {0}, {0}, -1, 0},
    {"repetition", {"unit", "measure"}, {"char", "repeated"}, -1, 0},
    {"reasoning_pattern", {0}, {0}, 0, 1},
    {"conciseness", {"field"}, {"answer"}, 0.1, 1},
    {"rouge", {0}, {0}, 0, 1},
    {"rouge", {"kind", "tokens"}, {"2", "unicode"}, 0, 1},
    {"bleu", {0}, {0}, 0, 1},
    {"bleu", {"smooth", "tokens"}, {"add_k", "char"}, 0, 1},
    {"chrf", {"words"}, {"\2"}, 0, 1},
    {"wer", {0}, {0}, 0, 1},
    {"wer", {"unit", "form"}, {"char", "penalty"}, -1, 0},
    {"language", {0}, {0}, 0, 1},
    {"language", {"script", "form"}, {"Latin", "share"}, 0, 1},
    {"refusal", {0}, {0}, 0, 1},
    {"equations", {0}, {0}, 0, 1},
    {"format_tags", {"mode"}, {"partial"}, 0, 1},
};
enum { N_RULES = sizeof rules / sizeof *rules };

typedef struct {
    const Reward *reward;
    RewardValue values[16];
    void *state;
} Opened;

/* Defaults, then the settings given; a number is written as one byte. */
static void open_rule(const Rule *rule, Opened *o)
{
    o->reward = reward_find(rule->name);
    REQUIRE(o->reward, "no reward %s", rule->name);
    const RewardSetting *s = o->reward->settings;
    for (int i = 0; s[i].key; i++) {
        if (s[i].type == SETTING_NUMBER) o->values[i].number = s[i].number;
        if (s[i].type == SETTING_BOOL) o->values[i].flag = s[i].number != 0;
        if (s[i].type == SETTING_TEXT) o->values[i].text = s[i].text ? s[i].text : "";
        for (int k = 0; k < 2 && rule->key[k]; k++) {
            if (strcmp(s[i].key, rule->key[k]) != 0) continue;
            if (s[i].type == SETTING_NUMBER)
                o->values[i].number = rule->text[k][0];
            else
                o->values[i].text = rule->text[k];
        }
    }
    REQUIRE(!o->reward->open || o->reward->open(o->values, &o->state) == 0, "%s: %s", rule->name,
            errors_last());
}

static void check(const Rule *rule, Opened *o, const Evidence *e)
{
    Score a = o->reward->score(o->values, o->state, e),
          b = o->reward->score(o->values, o->state, e);
    REQUIRE(a.status == b.status && (a.status != SCORE_OK || a.value == b.value),
            "%s: first %.17g, then %.17g", rule->name, a.value, b.value);
    REQUIRE(a.status != SCORE_OK || (a.value >= rule->least && a.value <= rule->most + 1e-12),
            "%s: %.17g is not in [%g, %g]", rule->name, a.value, rule->least, rule->most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Opened opened[N_RULES];
    errors_quiet(1);
    if (!opened[0].reward)
        for (int i = 0; i < N_RULES; i++) open_rule(&rules[i], &opened[i]);
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    size_t n_line = line ? (size_t)(line - data) : 0, from = line ? n_line + 1 : 0;
    json_t *record = json_object(), *answer = json_stringn((const char *)data, n_line);
    json_object_set_new(record, "answer", answer ? answer : json_integer(7)); /* not UTF-8 */
    char *text = mem_text_n((const char *)data + from, size - from);
    Evidence e = {.prompt = "a question",
                  .n_prompt = 10,
                  .text = text,
                  .n_text = size - from,
                  .record = record,
                  .n_tokens = 5,
                  .max_tokens = 10};
    for (int i = 0; i < N_RULES; i++) check(&rules[i], &opened[i], &e);
    mem_free(text);
    json_decref(record);
    errors_quiet(-1);
    return 0;
}

/* Reads the `reward:` list of an experiment file into a block (reward.h). All errors are reported,
 * each with its place; only then it gives up. */
#include <ctype.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/yaml.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/reward_values.h"

static const char *const own_keys[] = {"name", "weight",
                                       "as"}; /* of an item, beside the reward's settings */
enum { N_OWN_KEYS = sizeof own_keys / sizeof *own_keys, LABEL_MAX = 64 };
static const double WEIGHT_MAX = 1e6;

static int fail_unknown_reward(const YamlNode *at, const char *name)
{
    int n;
    const Reward *const *list = reward_list(&n);
    const char **words = NEW(const char *, n);
    Buffer all = {0};
    for (int i = 0; i < n; i++) {
        words[i] = list[i]->name;
        buffer_printf(&all, "%s%s", i ? ", " : "", words[i]);
    }
    const char *near = nearest_word(name, words, n);
    if (near)
        yaml_fail(at, "no reward is called %s; did you mean %s?", name, near);
    else
        yaml_fail(at, "no reward is called %s; there are %s", name, all.data);
    buffer_free(&all);
    mem_free(words);
    return -1;
}

static int setting_index(const Reward *r, const char *key)
{
    for (int i = 0; r->settings && r->settings[i].key; i++)
        if (strcmp(r->settings[i].key, key) == 0) return i;
    return -1;
}

static bool is_own_key(const char *key)
{
    for (int i = 0; i < N_OWN_KEYS; i++)
        if (strcmp(own_keys[i], key) == 0) return true;
    return false;
}

static int fail_unknown_key(const YamlNode *at, const Reward *r)
{
    int n = reward_settings_count(r);
    const char **words = NEW(const char *, n + N_OWN_KEYS);
    for (int i = 0; i < n; i++) words[i] = r->settings[i].key;
    memcpy(words + n, own_keys, sizeof own_keys);
    const char *near = nearest_word(at->text, words, n + N_OWN_KEYS);
    if (near)
        yaml_fail(at, "%s has no setting %s; did you mean %s?", r->name, at->text, near);
    else
        yaml_fail(at, "%s has no setting %s (troupe score --list shows them)", r->name, at->text);
    mem_free(words);
    return -1;
}

static int read_setting(const YamlNode *node, const RewardSetting *s, RewardValue *v)
{
    const char *text;
    switch (s->type) {
    case SETTING_NUMBER:
        return yaml_number(node, s->key, s->least, s->most, &v->number);
    case SETTING_BOOL:
        return yaml_bool(node, s->key, &v->flag);
    case SETTING_TEXT:
        if (yaml_text(node, s->key, &text) != 0) return -1;
        mem_free((char *)v->text);
        v->text = mem_text(text);
        return 0;
    }
    return -1;
}

/* Everything of a map item but its name. */
static int read_keys(const YamlNode *item, RewardComponent *c)
{
    int rc = 0;
    for (int i = 0; i < item->n; i++) {
        const YamlNode *key = &item->keys[i], *value = &item->items[i];
        int k = setting_index(c->reward, key->text);
        if (k >= 0)
            rc |= read_setting(value, &c->reward->settings[k], &c->values[k]);
        else if (!is_own_key(key->text))
            rc |= fail_unknown_key(key, c->reward);
    }
    const YamlNode *weight = yaml_get(item, "weight"), *as = yaml_get(item, "as");
    const char *label;
    if (weight) rc |= yaml_number(weight, "weight", -WEIGHT_MAX, WEIGHT_MAX, &c->weight);
    if (as && yaml_text(as, "as", &label) == 0) {
        mem_free(c->name);
        c->name = mem_text(label);
    } else if (as) {
        rc = -1;
    }
    return rc;
}

static int check_label(const YamlNode *at, const RewardBlock *b, const char *label)
{
    size_t n = strlen(label);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)label[i]) && !strchr("._-", label[i])) n = 0;
    if (n == 0 || n > LABEL_MAX)
        return yaml_fail(at, "as: a label is made of 1 to %d letters, digits, . _ -", LABEL_MAX);
    for (int i = 0; i < b->n; i++)
        if (strcmp(b->components[i].name, label) == 0)
            return yaml_fail(
                at, "two components are called %s: give this one another name with `as:`", label);
    return 0;
}

static void component_free(RewardComponent *c)
{
    if (c->reward) reward_values_free(c->reward, c->values);
    mem_free(c->name);
}

/* One item: a name, or a map with a name. */
static int read_item(RewardBlock *b, const YamlNode *item)
{
    const YamlNode *name_node = item->kind == YAML_MAP ? yaml_get(item, "name") : item;
    const char *name;
    RewardComponent c = {.weight = 1};
    if (!name_node) return yaml_fail(item, "this item has no `name`: which reward is it?");
    if (yaml_text(name_node, "name", &name) != 0) return -1;
    c.reward = reward_find(name);
    if (!c.reward) return fail_unknown_reward(name_node, name);
    c.name = mem_text(name);
    c.values = reward_values_default(c.reward);
    int rc = item->kind == YAML_MAP ? read_keys(item, &c) : 0;
    rc |= check_label(item, b, c.name);
    if (rc == 0) {
        errors_quiet(1);
        rc = reward_component_start(&c);
        errors_quiet(-1);
        if (rc != 0) yaml_fail(item, "%s: %s", c.name, errors_last());
    }
    if (rc == 0)
        b->components[b->n++] = c;
    else
        component_free(&c);
    return rc;
}

int reward_block_open(RewardBlock *b, const YamlNode *list)
{
    *b = (RewardBlock){0};
    if (!list) return fail("the experiment file has no `reward:` list");
    if (list->kind != YAML_LIST || list->n == 0)
        return yaml_fail(list, "reward: is a list of rewards (\"- exact_number\", or \"- {name: "
                               "length, weight: 0.1}\")");
    b->components = NEW(RewardComponent, list->n);
    int rc = 0;
    bool weighs = false;
    for (int i = 0; i < list->n; i++) rc |= read_item(b, &list->items[i]);
    for (int i = 0; i < b->n; i++) weighs |= b->components[i].weight != 0;
    if (rc == 0 && !weighs)
        rc = yaml_fail(list, "reward: every weight is 0, so there is nothing to learn from");
    if (rc == 0) return 0;
    reward_block_close(b);
    return -1;
}

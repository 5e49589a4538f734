/* Reads the `reward:` list of an experiment file into a block (reward.h). All errors are reported,
 * each with its place; only then it gives up. */
#include <ctype.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/yaml.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/reward_component.h"
#include "rewardsvc/settings.h"

static const RewardItemKey own_keys[] = {
    {"name", "text", "which reward it is: must be given"},
    {"weight", "number, or {from, to, steps, kind}",
     "what its score is multiplied by; from and to over so many optimiser steps, kind linear, "
     "cosine or exp; default 1"},
    {"as", "text", "its label, where one reward is used twice; default: the reward's name"},
    {"only_if", "label of a component",
     "only for samples for which that component, earlier in the list, is at_least; for the others "
     "it is not applicable"},
    {"at_least", "number", "of only_if; default 1"},
    {"only_mixed", "label of a component",
     "only for groups that are neither all right nor all wrong by that component: the scores of "
     "neither are all >= 0.9 nor all <= 0.1"},
    {"clip", "[least, most]", "bounds of what enters the sum, after normalise; default: none"},
    {"normalise", "true or false",
     "(x - mean) / std within the group before it enters the sum; default false"},
    {"deadline_s", "number, 0.1 to 86400",
     "seconds after which a judge that has not answered about a group is a timeout; default 120"},
    {0},
};
enum { N_OWN_KEYS = sizeof own_keys / sizeof *own_keys - 1, LABEL_MAX = 64 };

const RewardItemKey *reward_item_keys(void)
{
    return own_keys;
}

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

static bool is_own_key(const char *key)
{
    for (int i = 0; i < N_OWN_KEYS; i++)
        if (strcmp(own_keys[i].key, key) == 0) return true;
    return false;
}

static int fail_unknown_key(const Reward *r, const YamlNode *key)
{
    const char *words[N_OWN_KEYS];
    for (int i = 0; i < N_OWN_KEYS; i++) words[i] = own_keys[i].key;
    return settings_unknown(r->settings, words, N_OWN_KEYS, key, r->name);
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

/* The index of a component that has a score and stands before the item that names it. */
static int read_component(const YamlNode *node, const char *key, const RewardBlock *b, int *out)
{
    const char *label;
    if (yaml_text(node, key, &label)) return -1;
    const char **words = NEW(const char *, b->n + 1);
    for (int i = 0; i < b->n; i++) {
        words[i] = b->components[i].name;
        if (strcmp(words[i], label) || b->components[i].reward->shape) continue;
        mem_free(words);
        *out = i;
        return 0;
    }
    const char *near = nearest_word(label, words, b->n);
    yaml_fail(node, "%s: no component before this item is called %s%s%s%s", key, label,
              near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    mem_free(words);
    return -1;
}

/* One label, or a list of different ones. */
static int read_components(const YamlNode *node, const char *key, const RewardBlock *b,
                           RewardValue *v)
{
    int n = node->kind == YAML_LIST ? node->n : 1, *list = NEW(int, n + 1), rc = 0;
    if (n == 0) rc = yaml_fail(node, "%s: the list is empty", key);
    for (int i = 0; i < n && rc == 0; i++) {
        const YamlNode *one = node->kind == YAML_LIST ? &node->items[i] : node;
        rc = read_component(one, key, b, &list[i]);
        for (int j = 0; j < i && rc == 0; j++)
            if (list[j] == list[i])
                rc = yaml_fail(one, "%s: %s is named twice", key, b->components[list[i]].name);
    }
    v->components.n = n;
    v->components.list = list;
    return rc;
}

static int read_setting(const YamlNode *node, const RewardSetting *s, const RewardBlock *b,
                        RewardValue *v)
{
    if (s->type == SETTING_COMPONENT) return read_component(node, s->key, b, &v->component);
    if (s->type == SETTING_COMPONENTS) return read_components(node, s->key, b, v);
    return settings_read(s, node, v);
}

static int read_schedule(const YamlNode *map, RewardWeight *w)
{
    static const char *const kinds[] = {"constant", "linear", "cosine", "exp"};
    const char *kind = "linear";
    int rc = 0;
    w->kind = WEIGHT_LINEAR, w->from = 1, w->to = 0, w->steps = 0;
    for (int i = 0; i < map->n; i++) {
        const YamlNode *key = &map->keys[i], *value = &map->items[i];
        if (!strcmp(key->text, "from"))
            rc |= yaml_number(value, "from", -WEIGHT_MAX, WEIGHT_MAX, &w->from);
        else if (!strcmp(key->text, "to"))
            rc |= yaml_number(value, "to", -WEIGHT_MAX, WEIGHT_MAX, &w->to);
        else if (!strcmp(key->text, "steps"))
            rc |= yaml_number(value, "steps", 1, 1e9, &w->steps);
        else if (!strcmp(key->text, "kind"))
            rc |= yaml_text(value, "kind", &kind);
        else
            rc = yaml_fail(key, "weight has from, to, steps and kind, not %s", key->text);
    }
    for (int i = WEIGHT_LINEAR; i <= WEIGHT_EXP; i++)
        if (!strcmp(kind, kinds[i])) w->kind = (WeightKind)i;
    if (strcmp(kind, kinds[w->kind]))
        rc = yaml_fail(map, "weight: kind is linear, cosine or exp, not %s", kind);
    if (!rc && w->steps <= 0) rc = yaml_fail(map, "weight: over how many `steps` does it change?");
    return rc;
}

static int read_weight(const YamlNode *node, RewardWeight *w)
{
    if (node->kind == YAML_MAP) return read_schedule(node, w);
    return yaml_number(node, "weight", -WEIGHT_MAX, WEIGHT_MAX, &w->from);
}

static int read_clip(const YamlNode *node, RewardComponent *c)
{
    if (node->kind != YAML_LIST || node->n != 2)
        return yaml_fail(node, "clip: two numbers, [least, most]");
    c->clips = true;
    if (yaml_number(&node->items[0], "clip", -1e30, 1e30, &c->least) ||
        yaml_number(&node->items[1], "clip", -1e30, 1e30, &c->most))
        return -1;
    return c->least <= c->most ? 0 : yaml_fail(node, "clip: %g is above %g", c->least, c->most);
}

static int read_own_key(const YamlNode *key, const YamlNode *value, const RewardBlock *b,
                        RewardComponent *c)
{
    const char *text;
    bool shape = c->reward->shape != NULL, is_as = !strcmp(key->text, "as");
    if (shape && !is_as && strcmp(key->text, "name"))
        return yaml_fail(key, "%s is a shape of the rewards before it and has no %s", c->name,
                         key->text);
    if (is_as) {
        if (yaml_text(value, "as", &text)) return -1;
        mem_free(c->name);
        c->name = mem_text(text);
        return 0;
    }
    if (!strcmp(key->text, "weight")) return read_weight(value, &c->weight);
    if (!strcmp(key->text, "only_if")) {
        c->gated = true;
        return read_component(value, "only_if", b, &c->gate);
    }
    if (!strcmp(key->text, "only_mixed")) {
        c->wants_mixed = true;
        return read_component(value, "only_mixed", b, &c->mixed);
    }
    if (!strcmp(key->text, "at_least"))
        return yaml_number(value, "at_least", -1e30, 1e30, &c->at_least);
    if (!strcmp(key->text, "clip")) return read_clip(value, c);
    if (!strcmp(key->text, "normalise")) return yaml_bool(value, "normalise", &c->normalise);
    if (!strcmp(key->text, "deadline_s"))
        return yaml_number(value, "deadline_s", 0.1, 86400, &c->deadline_s);
    return 0; /* name */
}

/* Everything of a map item but its name. */
static int read_keys(const YamlNode *item, const RewardBlock *b, RewardComponent *c)
{
    int rc = 0;
    c->at_least = 1;
    for (int i = 0; i < item->n; i++) {
        const YamlNode *key = &item->keys[i], *value = &item->items[i];
        int k = settings_index(c->reward->settings, key->text);
        if (k >= 0)
            rc |= read_setting(value, &c->reward->settings[k], b, &c->values[k]);
        else if (is_own_key(key->text))
            rc |= read_own_key(key, value, b, c);
        else
            rc |= fail_unknown_key(c->reward, key);
    }
    const YamlNode *at_least = yaml_get(item, "at_least");
    if (at_least && !c->gated && settings_index(c->reward->settings, "at_least") < 0)
        rc = yaml_fail(at_least, "at_least belongs to `only_if`: which component does it look at?");
    return rc;
}

static void component_free(RewardComponent *c)
{
    if (c->reward) settings_free(c->reward->settings, c->values);
    mem_free(c->name);
}

/* One item: a name, or a map with a name. */
static int read_item(RewardBlock *b, const YamlNode *item)
{
    const YamlNode *name_node = item->kind == YAML_MAP ? yaml_get(item, "name") : item;
    const char *name;
    if (!name_node) return yaml_fail(item, "this item has no `name`: which reward is it?");
    if (yaml_text(name_node, "name", &name) != 0) return -1;
    const Reward *r = reward_find(name);
    if (!r) return fail_unknown_reward(name_node, name);
    RewardComponent c = reward_component_default(r, name);
    int rc = item->kind == YAML_MAP ? read_keys(item, b, &c) : 0;
    rc |= check_label(item, b, c.name);
    rc |= settings_required(r->settings, item, c.name);
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

/* Those that look at other components, now that all are there. */
static int introduce(RewardBlock *b, const YamlNode *list)
{
    int rc = 0;
    for (int i = 0; i < b->n; i++) {
        const RewardComponent *c = &b->components[i];
        errors_quiet(1);
        int bad = c->reward->know ? c->reward->know(c->values, c->state, b->components) : 0;
        errors_quiet(-1);
        if (bad) rc = yaml_fail(list, "%s: %s", c->name, errors_last());
    }
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
    for (int i = 0; i < b->n; i++) {
        const RewardComponent *c = &b->components[i];
        weighs |= c->reward->shape || c->weight.kind != WEIGHT_CONSTANT || c->weight.from != 0;
    }
    if (rc == 0 && !weighs)
        rc = yaml_fail(list, "reward: every weight is 0, so there is nothing to learn from");
    if (rc == 0) rc = introduce(b, list);
    if (rc == 0) return 0;
    reward_block_close(b);
    return -1;
}

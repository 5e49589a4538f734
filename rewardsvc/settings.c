/* See settings.h. */
#include "rewardsvc/settings.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"

int settings_count(const RewardSetting *rows)
{
    int n = 0;
    while (rows && rows[n].key) n++;
    return n;
}

int settings_index(const RewardSetting *rows, const char *key)
{
    for (int i = 0; rows && rows[i].key; i++)
        if (!strcmp(rows[i].key, key)) return i;
    return -1;
}

RewardValue *settings_default(const RewardSetting *rows)
{
    int n = settings_count(rows);
    RewardValue *v = NEW(RewardValue, n ? n : 1);
    for (int i = 0; i < n; i++) {
        switch (rows[i].type) {
        case SETTING_NUMBER:
            v[i].number = rows[i].number;
            break;
        case SETTING_BOOL:
            v[i].flag = rows[i].number != 0;
            break;
        case SETTING_TEXT:
            v[i].text = mem_text(rows[i].text ? rows[i].text : "");
            break;
        case SETTING_COMPONENT:
            v[i].component = -1;
            break;
        case SETTING_COMPONENTS:
            break;
        }
    }
    return v;
}

void settings_free(const RewardSetting *rows, RewardValue *v)
{
    for (int i = 0, n = v ? settings_count(rows) : 0; i < n; i++) {
        if (rows[i].type == SETTING_TEXT) mem_free((char *)v[i].text);
        if (rows[i].type == SETTING_COMPONENTS) mem_free(v[i].components.list);
    }
    mem_free(v);
}

int settings_read(const RewardSetting *row, const YamlNode *node, RewardValue *v)
{
    const char *text;
    switch (row->type) {
    case SETTING_NUMBER:
        return yaml_number(node, row->key, row->least, row->most, &v->number);
    case SETTING_BOOL:
        return yaml_bool(node, row->key, &v->flag);
    case SETTING_TEXT:
        if (yaml_text(node, row->key, &text)) return -1;
        mem_free((char *)v->text);
        v->text = mem_text(text);
        return 0;
    case SETTING_COMPONENT:
    case SETTING_COMPONENTS:
        break;
    }
    REQUIRE(false, "setting %s names a component", row->key);
    return -1;
}

int settings_unknown(const RewardSetting *rows, const char *const *more, int n_more,
                     const YamlNode *key, const char *owner)
{
    int n = settings_count(rows);
    const char **words = NEW(const char *, n + n_more + 1);
    for (int i = 0; i < n; i++) words[i] = rows[i].key;
    for (int i = 0; i < n_more; i++) words[n + i] = more[i];
    const char *near = nearest_word(key->text, words, n + n_more);
    yaml_fail(key, "%s has no setting %s%s%s%s", owner, key->text, near ? "; did you mean " : "",
              near ? near : "", near ? "?" : " (troupe score --list shows a reward's)");
    mem_free(words);
    return -1;
}

int settings_required(const RewardSetting *rows, const YamlNode *item, const char *owner)
{
    int rc = 0;
    for (const RewardSetting *s = rows; s && s->key; s++)
        if (s->required && (item->kind != YAML_MAP || !yaml_get(item, s->key)))
            rc = yaml_fail(item, "%s needs `%s`: %s", owner, s->key, s->help);
    return rc;
}

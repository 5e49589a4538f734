/* See reward_explain.h. The texts are the rows that the rewards and the judges declare. */
#include "launch/reward_explain.h"

#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/yaml.h"
#include "launch/reward_show.h"
#include "rewardsvc/judge.h"
#include "rewardsvc/settings.h"

/* What follows "section." in a key, "" if it is the section itself, or NULL. */
static const char *within(const char *key, const char *section)
{
    size_t n = strlen(section);
    if (strncmp(key, section, n) || (key[n] && key[n] != '.')) return NULL;
    return key[n] ? key + n + 1 : "";
}

bool reward_explains(const char *key)
{
    const char *dot = strchr(key, '.');
    char *name = mem_text_n(key, dot ? (size_t)(dot - key) : strlen(key));
    bool bare = reward_find(name);
    mem_free(name);
    return bare || within(key, "reward") || within(key, "judges");
}

/* ---- refusals -------------------------------------------------------------------------------- */

static int refuse(const char *what, const char *word, const char *prefix, const char *const *words,
                  int n, const char *where)
{
    const char *near = nearest_word(word, words, n);
    if (near) return fail("%s %.80s; did you mean %s%s?", what, word, prefix, near);
    return fail("%s %.80s (%s)", what, word, where);
}

static int refuse_setting(const RewardSetting *rows, const char *word, const char *owner)
{
    int n = settings_count(rows);
    const char **words = NEW(const char *, n + 1);
    for (int i = 0; i < n; i++) words[i] = rows[i].key;
    char *what = mem_printf("%s has no setting", owner), *prefix = mem_printf("%s.", owner),
         *where = mem_printf("troupe explain %s shows all", owner);
    refuse(what, word, prefix, words, n, where);
    mem_free(what), mem_free(prefix), mem_free(where), mem_free(words);
    return -1;
}

/* Neither a reward nor a key of every item. */
static int refuse_reward(const char *word)
{
    int n, n_keys = 0;
    const Reward *const *list = reward_list(&n);
    const RewardItemKey *keys = reward_item_keys();
    while (keys[n_keys].key) n_keys++;
    const char **words = NEW(const char *, n + n_keys);
    for (int i = 0; i < n; i++) words[i] = list[i]->name;
    for (int i = 0; i < n_keys; i++) words[n + i] = keys[i].key;
    refuse("no reward is called", word, "reward.", words, n + n_keys,
           "troupe explain reward lists all");
    mem_free(words);
    return -1;
}

/* ---- rewards --------------------------------------------------------------------------------- */

static void show_item_key(const RewardItemKey *k)
{
    printf("    %-10s %s\n               %s\n", k->key, k->form, k->help);
}

static void show_all(void)
{
    int n;
    const Reward *const *list = reward_list(&n);
    printf("reward: a list; an item is a reward's name, or a map with these keys and the reward's "
           "own settings\n");
    for (const RewardItemKey *k = reward_item_keys(); k->key; k++) show_item_key(k);
    printf("\nrewards (troupe explain reward.NAME shows one's settings)\n");
    for (int i = 0; i < n; i++) printf("    %-18s %s\n", list[i]->name, list[i]->help);
}

static int show_setting(const Reward *r, const char *key)
{
    int k = settings_index(r->settings, key);
    char *owner = mem_printf("reward.%s", r->name);
    int rc = k < 0 ? refuse_setting(r->settings, key, owner) : 0;
    if (!rc) printf("%s.%s\n", owner, key), reward_show_setting(&r->settings[k], true);
    mem_free(owner);
    return rc;
}

/* "NAME", "NAME.SETTING", or a key of every item. */
static int show_reward(const char *rest)
{
    const char *dot = strchr(rest, '.');
    char *name = mem_text_n(rest, dot ? (size_t)(dot - rest) : strlen(rest));
    const Reward *r = reward_find(name);
    const RewardItemKey *k = reward_item_keys();
    while (k->key && strcmp(k->key, rest)) k++;
    int rc = 0;
    if (r && dot)
        rc = show_setting(r, dot + 1);
    else if (r)
        reward_show(r);
    else if (k->key)
        show_item_key(k);
    else
        rc = refuse_reward(name);
    mem_free(name);
    return rc;
}

/* ---- judges ---------------------------------------------------------------------------------- */

static int show_judges(const char *rest)
{
    const RewardSetting *rows = judge_settings();
    if (*rest) {
        int k = settings_index(rows, rest);
        if (k < 0) return refuse_setting(rows, rest, "judges");
        reward_show_setting(&rows[k], true);
        return 0;
    }
    printf("judges: a list of the models that rewards ask, each a map\n");
    for (const RewardSetting *s = rows; s->key; s++) reward_show_setting(s, false);
    return 0;
}

int reward_explain(const char *key)
{
    const char *of_judges = within(key, "judges"), *of_rewards = within(key, "reward");
    if (of_judges) return show_judges(of_judges);
    if (!of_rewards) return show_reward(key);
    if (*of_rewards) return show_reward(of_rewards);
    show_all();
    return 0;
}

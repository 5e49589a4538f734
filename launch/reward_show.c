/* See reward_show.h. What is shown comes from the rewards' own rows: nothing to keep in step. */
#include "launch/reward_show.h"

#include <stdio.h>
#include <string.h>

#include "launch/json_text.h"

static const char *const type_names[] = {"number", "true or false", "text", "label of a component",
                                         "label or list of labels of components"};

static bool has_range(const RewardSetting *s)
{
    return s->type == SETTING_NUMBER && (s->least != 0 || s->most != 0);
}

static json_t *default_json(const RewardSetting *s)
{
    switch (s->type) {
    case SETTING_NUMBER:
        return json_real(s->number);
    case SETTING_BOOL:
        return json_boolean(s->number != 0);
    case SETTING_TEXT:
        return json_string(s->text ? s->text : "");
    case SETTING_COMPONENT:
    case SETTING_COMPONENTS:
        return json_null();
    }
    return json_null();
}

static json_t *setting_json(const RewardSetting *s)
{
    static const char *const types[] = {"number", "bool", "text", "component", "components"};
    json_t *o = json_pack("{s:s, s:s, s:o, s:s}", "key", s->key, "type", types[s->type], "default",
                          default_json(s), "help", s->help);
    if (has_range(s)) {
        json_object_set_new(o, "least", json_real(s->least));
        json_object_set_new(o, "most", json_real(s->most));
    }
    return o;
}

static json_t *reward_json(const Reward *r)
{
    json_t *settings = json_array();
    for (const RewardSetting *s = r->settings; s && s->key; s++)
        json_array_append_new(settings, setting_json(s));
    return json_pack("{s:s, s:s, s:o}", "name", r->name, "help", r->help, "settings", settings);
}

/* A default text, on one line; a long one (a judge's template) only its beginning: `--json` and
 * `explain` of the setting have it whole. */
static void print_text(const char *text, bool whole)
{
    size_t most = whole ? SIZE_MAX : 60;
    putchar('"');
    for (size_t i = 0; text[i] && i < most; i++)
        if (text[i] == '\n')
            printf(whole ? "\\n" : " ");
        else
            putchar(text[i]);
    printf(strlen(text) > most ? "...\"" : "\"");
}

void reward_show_setting(const RewardSetting *s, bool whole)
{
    printf("    %-10s %s; default ", s->key, type_names[s->type]);
    if (s->type == SETTING_NUMBER)
        printf("%.15g", s->number);
    else if (s->type == SETTING_BOOL)
        printf("%s", s->number != 0 ? "true" : "false");
    else if (s->type == SETTING_COMPONENT || s->type == SETTING_COMPONENTS)
        printf("%s", s->required ? "none: must be given" : "none");
    else if (s->required)
        printf("none: must be given");
    else
        print_text(s->text ? s->text : "", whole);
    if (has_range(s)) printf("; in [%.15g, %.15g]", s->least, s->most);
    printf("\n               %s\n", s->help);
}

void reward_show(const Reward *r)
{
    printf("%s\n  %s\n", r->name, r->help);
    for (const RewardSetting *s = r->settings; s && s->key; s++) reward_show_setting(s, false);
}

void reward_show_all(bool json)
{
    int n;
    const Reward *const *list = reward_list(&n);
    json_t *all = json_array();
    for (int i = 0; i < n; i++) {
        if (json)
            json_array_append_new(all, reward_json(list[i]));
        else
            reward_show(list[i]);
    }
    if (json)
        json_line(stdout, all);
    else
        json_decref(all);
}

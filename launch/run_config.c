/* See run_config.h. */
#include "launch/run_config.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "launch/sets.h"

static const char marker[] = "\n# given on the command line:\n", prefix[] = "# --set ";

char *run_config_text(const Config *c)
{
    Buffer text = {0};
    buffer_text(&text, c->text);
    if (c->sets && *c->sets) buffer_text(&text, marker);
    for (const char *line = c->sets; line && *line;) {
        size_t n = strcspn(line, "\n");
        buffer_printf(&text, "%s%.*s\n", prefix, (int)n, line);
        line += n + (line[n] == '\n');
    }
    return text.data ? text.data : mem_text("");
}

int run_config_read(const json_t *info, const char *dir, Config *c)
{
    *c = (Config){0};
    const char *kept = json_string_value(json_object_get(info, "config"));
    if (!kept) return fail("%s: run.h5 has no configuration", dir);
    const char *sets[SETS_MOST];
    int n = 0;
    char *text = mem_text(kept), *at = strstr(text, marker);
    char *rest = at ? at + strlen(marker) : NULL, *line;
    if (at) at[1] = 0; /* the file's own last line keeps its end */
    while (rest && (line = strsep(&rest, "\n")))
        if (!strncmp(line, prefix, strlen(prefix)) && n < SETS_MOST)
            sets[n++] = line + strlen(prefix);
    char *name = mem_printf("%s's configuration", dir);
    int rc = config_parse(c, name, text, sets, n);
    mem_free(name);
    mem_free(text);
    if (rc) config_free(c), *c = (Config){0};
    return rc;
}

static const YamlNode *item_of(const YamlNode *list, int k)
{
    return list && list->kind == YAML_LIST && k >= 0 && k < list->n ? &list->items[k] : NULL;
}

static const char *reward_of(const YamlNode *item)
{
    const YamlNode *name = !item || item->kind == YAML_SCALAR ? item : yaml_get(item, "name");
    return name && name->kind == YAML_SCALAR ? name->text : NULL;
}

const char *run_config_reward(const YamlNode *list, int k)
{
    return reward_of(item_of(list, k));
}

static bool same_node(const YamlNode *a, const YamlNode *b)
{
    if (a->kind != b->kind || a->n != b->n) return false;
    if (a->kind == YAML_SCALAR) return a->quoted == b->quoted && !strcmp(a->text, b->text);
    for (int i = 0; i < a->n; i++) {
        const YamlNode *other = a->kind == YAML_MAP ? yaml_get(b, a->keys[i].text) : &b->items[i];
        if (!other || !same_node(&a->items[i], other)) return false;
    }
    return true;
}

/* Every key of a that bears on the score is the same in b. */
static bool settings_in(const YamlNode *a, const YamlNode *b)
{
    static const char *const after[] = {"name", "as", "weight", "clip", "normalise", "deadline_s"};
    for (int i = 0; a->kind == YAML_MAP && i < a->n; i++) {
        bool counts = true;
        for (size_t k = 0; k < sizeof after / sizeof *after; k++)
            counts &= strcmp(a->keys[i].text, after[k]) != 0;
        const YamlNode *other = b->kind == YAML_MAP ? yaml_get(b, a->keys[i].text) : NULL;
        if (counts && (!other || !same_node(&a->items[i], other))) return false;
    }
    return true;
}

bool run_config_same_scores(const YamlNode *a, int i, const YamlNode *b, int j)
{
    const YamlNode *x = item_of(a, i), *y = item_of(b, j);
    const char *first = reward_of(x), *second = reward_of(y);
    return first && second && !strcmp(first, second) && settings_in(x, y) && settings_in(y, x);
}

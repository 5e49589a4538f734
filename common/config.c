/* An experiment file into the struct Config: defaults, the file, then --set, then the checks across
 * options (config_check.c). Nothing stops at the first error. The environment is never read: what
 * is not in the file or in --set has its default. */
#include "common/config.h"

#include <string.h>
#include <utf8proc.h>

#include "common/config_options.h"
#include "common/errors.h"

enum { MOST_BYTES = 1 << 20 };

static void set_default(Config *c, const Option *o)
{
    void *v = option_value(c, o);
    switch (o->kind) {
    case OPTION_INT:
        *(int64_t *)v = o->def_int;
        break;
    case OPTION_NUM:
        *(double *)v = o->def_num;
        break;
    case OPTION_BOOL:
        *(bool *)v = o->def_int;
        break;
    case OPTION_TEXT:
    case OPTION_CHOICE:
        *(char **)v = mem_text(o->def_text);
        break;
    }
}

static int set_choice(const Option *o, const char *what, const YamlNode *n, const char **text)
{
    const char *words[16], *near = NULL;
    char copy[256], *rest = copy;
    int count = 0;
    if (yaml_text(n, what, text)) return -1;
    if (choice_has(o->words, *text)) return 0;
    snprintf(copy, sizeof copy, "%s", o->words);
    while (count < 16 && rest) words[count++] = strsep(&rest, "|");
    near = nearest_word(*text, words, count);
    return yaml_fail(n, "%s: %.60s is none of %s%s%s", what, **text ? *text : "\"\"", o->words,
                     near ? "; did you mean " : "", near ? near : "");
}

static int set_option(Config *c, const Option *o, const YamlNode *n)
{
    char what[80];
    const char *text = "";
    void *v = option_value(c, o);
    long long i;
    snprintf(what, sizeof what, "%s.%s", o->section, o->name);
    switch (o->kind) {
    case OPTION_INT:
        if (yaml_integer(n, what, o->least_int, o->most_int, &i)) return -1;
        *(int64_t *)v = i;
        return 0;
    case OPTION_NUM:
        return yaml_number(n, what, o->least_num, o->most_num, v);
    case OPTION_BOOL:
        return yaml_bool(n, what, v);
    case OPTION_TEXT:
        if (yaml_text(n, what, &text)) return -1;
        break;
    case OPTION_CHOICE:
        if (set_choice(o, what, n, &text)) return -1;
        break;
    }
    mem_free(*(char **)v);
    *(char **)v = mem_text(text);
    return 0;
}

/* ---- keys that are not there ----------------------------------------------------------------- */

static int refuse_section(const YamlNode *at, const char *name)
{
    const char *words[64] = {"reward", "judges"}, *near;
    int n = 2, owners = 0;
    Buffer hint = {0};
    for (int i = 0; i < n_sections && n < 64; i++) words[n++] = sections_all[i].name;
    near = nearest_word(name, words, n);
    for (int i = 0; i < n_options && !near; i++)
        if (!strcmp(options_all[i].name, name))
            buffer_printf(&hint, "%s%s", owners++ ? ", " : "", options_all[i].section);
    if (near)
        yaml_fail(at, "unknown section %.60s; did you mean %s", name, near);
    else if (owners)
        yaml_fail(at, "%.60s is no section but an option of %s", name, hint.data);
    else
        yaml_fail(at, "unknown section %.60s (troupe explain lists them)", name);
    buffer_free(&hint);
    return -1;
}

static int refuse_option(const YamlNode *at, const Section *s, const char *name)
{
    const char *words[128], *near;
    int n = 0;
    for (int i = s->first; i < s->first + s->n && n < 128; i++) words[n++] = options_all[i].name;
    near = nearest_word(name, words, n);
    if (near)
        return yaml_fail(at, "unknown key %s.%.60s; did you mean %s.%s", s->name, name, s->name,
                         near);
    for (int i = 0; i < n_options; i++)
        if (!strcmp(options_all[i].name, name))
            return yaml_fail(at, "unknown key %s.%.60s; did you mean %s.%s", s->name, name,
                             options_all[i].section, name);
    return yaml_fail(at, "unknown key %s.%.60s (troupe explain %s lists its keys)", s->name, name,
                     s->name);
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool is_nothing(const YamlNode *n)
{
    return n->kind == YAML_SCALAR && !n->quoted && !*n->text;
}

static int read_section(Config *c, const Section *s, const YamlNode *map, const YamlNode **where)
{
    int errors = 0;
    if (is_nothing(map)) return 0; /* every line of it is commented out */
    if (map->kind != YAML_MAP) return -yaml_fail(map, "%s: a map of options is wanted", s->name);
    for (int i = 0; i < map->n; i++) {
        const Option *o = option_find(s, map->keys[i].text);
        if (!o)
            errors -= refuse_option(&map->keys[i], s, map->keys[i].text);
        else if (set_option(c, o, &map->items[i]))
            errors++;
        else
            where[o - options_all] = &map->items[i];
    }
    return errors;
}

/* A block that others read (rewardsvc). */
static int read_list(const YamlNode *value, const char *wanted, const YamlNode **list)
{
    if (value->kind != YAML_LIST || !value->n) return -yaml_fail(value, "%s", wanted);
    *list = value;
    return 0;
}

static int read_root(Config *c, const YamlNode **where)
{
    int errors = 0;
    if (is_nothing(c->root)) return 0;
    if (c->root->kind != YAML_MAP)
        return -yaml_fail(c->root, "an experiment file is a map of sections");
    for (int i = 0; i < c->root->n; i++) {
        const YamlNode *key = &c->root->keys[i], *value = &c->root->items[i];
        const Section *s = section_find(key->text);
        if (s)
            errors += read_section(c, s, value, where);
        else if (!strcmp(key->text, "reward"))
            errors += read_list(value, "reward: a list of rewards is wanted (- exact_number)",
                                &c->reward);
        else if (!strcmp(key->text, "judges"))
            errors += read_list(value,
                                "judges: a list of models is wanted (- {name: critic, "
                                "model: PATH})",
                                &c->judges);
        else
            errors -= refuse_section(key, key->text);
    }
    return errors;
}

/* ---- --set section.name=value ---------------------------------------------------------------- */

static bool is_utf8(const char *text)
{
    utf8proc_int32_t code;
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text, *end = p + strlen(text);
    while (p < end) {
        utf8proc_ssize_t n = utf8proc_iterate(p, end - p, &code);
        if (n < 1) return false;
        p += n;
    }
    return true;
}

/* The argument as a scalar that carries its own name into messages; kept until config_free because
 * checks point at it. */
typedef struct {
    YamlNode node;
    char *label;
} SetNode;

static int read_set(Config *c, const char *set, SetNode *kept, const YamlNode **where)
{
    char section[64];
    const char *equal = strchr(set, '='), *dot = strchr(set, '.');
    kept->label = mem_printf("--set %.200s", set);
    kept->node = (YamlNode){
        .kind = YAML_SCALAR, .file = kept->label, .text = mem_text(equal ? equal + 1 : "")};
    YamlNode *at = &kept->node;
    if (strchr(set, '\n') || !is_utf8(set)) return yaml_fail(at, "one line of UTF-8 is wanted");
    if (!equal || !dot || dot > equal)
        return yaml_fail(at, "section.name=value is wanted, as in --set learner.lr=3e-6");
    snprintf(section, sizeof section, "%.*s", (int)(dot - set), set);
    const Section *s = section_find(section);
    if (!s && (!strcmp(section, "reward") || !strcmp(section, "judges")))
        return yaml_fail(at, "the %s block can only be written in the file", section);
    if (!s) return refuse_section(at, section);
    char *name = mem_text_n(dot + 1, (size_t)(equal - dot - 1));
    const Option *o = option_find(s, name);
    int rc = o ? set_option(c, o, at) : refuse_option(at, s, name);
    if (!rc) where[o - options_all] = at;
    mem_free(name);
    return rc;
}

/* ---- all together ---------------------------------------------------------------------------- */

/* The file's stem with what a run's name cannot hold replaced. */
static char *name_from_file(const char *file)
{
    const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file,
               *dot = strrchr(base, '.');
    char *name = mem_text_n(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
    if (strlen(name) > 64) name[64] = 0;
    for (char *p = name; *p; p++)
        if (!run_name_char(*p) || (p == name && *p == '.')) *p = '-';
    if (*name) return name;
    mem_free(name);
    return mem_text("experiment");
}

static char *join_lines(const char *const *sets, int n)
{
    Buffer b = {0};
    buffer_text(&b, "");
    for (int i = 0; i < n; i++) buffer_printf(&b, "%s\n", sets[i]);
    return b.data;
}

int config_parse(Config *c, const char *file, const char *text, const char *const *sets, int n_sets)
{
    *c = (Config){.file = mem_text(file), .text = mem_text(text), .sets = join_lines(sets, n_sets)};
    const YamlNode **where = NEW(const YamlNode *, n_options);
    SetNode *kept = NEW(SetNode, n_sets);
    for (int i = 0; i < n_options; i++) set_default(c, &options_all[i]);
    c->root = yaml_parse(file, text, strlen(text));
    int errors = c->root ? read_root(c, where) : 1;
    for (int i = 0; i < n_sets; i++) errors += !!read_set(c, sets[i], &kept[i], where);
    if (!*c->run.name) {
        mem_free(c->run.name);
        c->run.name = name_from_file(file);
    }
    if (!errors)
        errors = config_check(c, where); /* half-read values would only raise doubtful ones */
    for (int i = 0; i < n_sets; i++) {
        mem_free(kept[i].node.text);
        mem_free(kept[i].label);
    }
    mem_free(kept);
    mem_free(where);
    if (errors) config_free(c);
    return errors ? -1 : 0;
}

int config_read(Config *c, const char *path, const char *const *sets, int n_sets)
{
    Buffer text = {0};
    *c = (Config){0};
    if (file_read(path, MOST_BYTES, &text)) return -1;
    int rc = -1;
    if (strlen(text.data) != text.size)
        fail("%s: has a NUL byte inside: not an experiment file", path);
    else
        rc = config_parse(c, path, text.data, sets, n_sets);
    buffer_free(&text);
    return rc;
}

void config_free(Config *c)
{
    for (int i = 0; i < n_options; i++)
        if (options_all[i].kind == OPTION_TEXT || options_all[i].kind == OPTION_CHOICE)
            mem_free(*(char **)option_value(c, &options_all[i]));
    yaml_close(c->root);
    mem_free(c->file);
    mem_free(c->text);
    mem_free(c->sets);
    *c = (Config){0};
}

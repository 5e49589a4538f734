/* The configuration written out as YAML that reads back to the same values, and its hash. */
#include <string.h>
#include <utf8proc.h>

#include "common/config_options.h"
#include "common/errors.h"
#include "common/number_text.h"
#include "common/sample.h"

/* What YAML would not keep inside double quotes, or a terminal not show: as an escape. */
static bool needs_escape(utf8proc_int32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           code == 0xfeff || code == 0xfffe || code == 0xffff;
}

static void quote_text(Buffer *out, const char *text)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text, *end = p + strlen(text);
    buffer_text(out, "\"");
    while (p < end) {
        utf8proc_int32_t code;
        utf8proc_ssize_t n = utf8proc_iterate(p, end - p, &code);
        REQUIRE(n > 0, "text of the configuration is not UTF-8");
        if (code == '"' || code == '\\')
            buffer_printf(out, "\\%c", (char)code);
        else if (code == '\n')
            buffer_text(out, "\\n");
        else if (needs_escape(code))
            buffer_printf(out, "\\U%08x", (unsigned)code);
        else
            buffer_add(out, p, (size_t)n);
        p += n;
    }
    buffer_text(out, "\"");
}

static void option_text(const Config *c, const Option *o, Buffer *out)
{
    const void *v = option_value(c, o);
    char number[32];
    switch (o->kind) {
    case OPTION_INT:
        buffer_printf(out, "%lld", (long long)*(const int64_t *)v);
        break;
    case OPTION_NUM:
        number_text(*(const double *)v, number);
        buffer_text(out, number);
        break;
    case OPTION_BOOL:
        buffer_text(out, *(const bool *)v ? "true" : "false");
        break;
    case OPTION_TEXT:
        quote_text(out, *(char *const *)v);
        break;
    case OPTION_CHOICE:
        buffer_text(out, *(char *const *)v);
        break;
    }
}

/* A tree in flow style: it needs no indentation, so it can follow a key or a dash. */
static void tree_text(const YamlNode *n, Buffer *out)
{
    if (n->kind == YAML_SCALAR) {
        /* plain text stays plain (a number must not become text) unless flow style would cut it */
        if (n->quoted || strpbrk(n->text, "[]{},:#\n") || !*n->text)
            quote_text(out, n->text);
        else
            buffer_text(out, n->text);
        return;
    }
    buffer_text(out, n->kind == YAML_LIST ? "[" : "{");
    for (int i = 0; i < n->n; i++) {
        if (i) buffer_text(out, ", ");
        if (n->kind == YAML_MAP) {
            quote_text(out, n->keys[i].text);
            buffer_text(out, ": ");
        }
        tree_text(&n->items[i], out);
    }
    buffer_text(out, n->kind == YAML_LIST ? "]" : "}");
}

static void list_text(const char *name, const char *help, const YamlNode *list, Buffer *b)
{
    buffer_printf(b, "\n# %s\n", help);
    buffer_printf(b, list ? "%s:\n" : "# %s: none\n", name);
    for (int i = 0; list && i < list->n; i++) {
        buffer_text(b, "  - ");
        tree_text(&list->items[i], b);
        buffer_text(b, "\n");
    }
}

void config_print(const Config *c, FILE *out)
{
    Buffer b = {0};
    for (int s = 0; s < n_sections; s++) {
        const Section *section = &sections_all[s];
        buffer_printf(&b, "%s# %s\n%s:\n", s ? "\n" : "", section->help, section->name);
        for (int i = section->first; i < section->first + section->n; i++) {
            size_t start = b.size;
            buffer_printf(&b, "  %s: ", options_all[i].name);
            option_text(c, &options_all[i], &b);
            int room = 32 - (int)(b.size - start);
            buffer_printf(&b, "%*s # %s\n", room > 0 ? room : 0, "", options_all[i].help);
        }
    }
    list_text("judges", "models that judge", c->judges, &b);
    list_text("reward", "what answers are worth: a list of rewards, with weights", c->reward, &b);
    fwrite(b.data, 1, b.size, out);
    buffer_free(&b);
}

/* Options that may change between a run's launches: where things are kept, who computes what, how
 * long, what is allowed. */
static bool decides_results(const Config *c, const Option *o)
{
    static const char *const sections[] = {"layout", "checkpoint"};
    static const char *const names[] = {"name", "dir", "deadline_s", "allow_other_kernels",
                                        "allow_ratio_mismatch"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (!strcmp(o->section, sections[i])) return false;
    if (strcmp(o->section, "run")) return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(o->name, names[i])) return false;
    /* the number of steps shapes a learning rate that decays, and only that */
    return strcmp(o->name, "steps") || strcmp(c->learner.decay, "constant");
}

uint32_t config_hash(const Config *c)
{
    Buffer b = {0};
    for (int i = 0; i < n_options; i++) {
        if (!decides_results(c, &options_all[i])) continue;
        buffer_printf(&b, "%s.%s=", options_all[i].section, options_all[i].name);
        option_text(c, &options_all[i], &b);
        buffer_text(&b, "\n");
    }
    if (c->judges) tree_text(c->judges, &b);
    if (c->reward) tree_text(c->reward, &b);
    uint32_t hash = crc32c(0, b.data, b.size);
    buffer_free(&b);
    return hash;
}

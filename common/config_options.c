/* options.h expanded into a table, and `explain`. A section's rows are counted by an enum of the
 * same expansion. */
#include "common/config_options.h"

#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/number_text.h"

#define AT(section, name) offsetof(Config, section.name)
const Option options_all[] = {
#define SECTION(section, help)
#define END(section)
#define INT(s, n, d, lo, hi, h)                                                                    \
    {.section = #s,                                                                                \
     .name = #n,                                                                                   \
     .kind = OPTION_INT,                                                                           \
     .def_int = d,                                                                                 \
     .least_int = lo,                                                                              \
     .most_int = hi,                                                                               \
     .help = h,                                                                                    \
     .offset = AT(s, n)},
#define NUM(s, n, d, lo, hi, h)                                                                    \
    {.section = #s,                                                                                \
     .name = #n,                                                                                   \
     .kind = OPTION_NUM,                                                                           \
     .def_num = d,                                                                                 \
     .least_num = lo,                                                                              \
     .most_num = hi,                                                                               \
     .help = h,                                                                                    \
     .offset = AT(s, n)},
#define BOOL(s, n, d, h)                                                                           \
    {.section = #s, .name = #n, .kind = OPTION_BOOL, .def_int = d, .help = h, .offset = AT(s, n)},
#define TEXT(s, n, d, h)                                                                           \
    {.section = #s, .name = #n, .kind = OPTION_TEXT, .def_text = d, .help = h, .offset = AT(s, n)},
#define CHOICE(s, n, d, w, h)                                                                      \
    {.section = #s,                                                                                \
     .name = #n,                                                                                   \
     .kind = OPTION_CHOICE,                                                                        \
     .def_text = d,                                                                                \
     .words = w,                                                                                   \
     .help = h,                                                                                    \
     .offset = AT(s, n)},
#include "common/options.h"
#undef SECTION
#undef END
#undef INT
#undef NUM
#undef BOOL
#undef TEXT
#undef CHOICE
};
const int n_options = sizeof options_all / sizeof *options_all;

/* first_S is the number of the section's first row, end_S one past its last. */
enum {
#define SECTION(section, help)  first_##section, before_##section = first_##section - 1,
#define END(section)            end_##section, after_##section = end_##section - 1,
#define ROW_NUMBER(s, n)        row_##s##_##n,
#define INT(s, n, d, lo, hi, h) ROW_NUMBER(s, n)
#define NUM(s, n, d, lo, hi, h) ROW_NUMBER(s, n)
#define BOOL(s, n, d, h)        ROW_NUMBER(s, n)
#define TEXT(s, n, d, h)        ROW_NUMBER(s, n)
#define CHOICE(s, n, d, w, h)   ROW_NUMBER(s, n)
#include "common/options.h"
#undef SECTION
#undef END
#undef INT
#undef NUM
#undef BOOL
#undef TEXT
#undef CHOICE
};

const Section sections_all[] = {
#define SECTION(section, help) {#section, help, first_##section, end_##section - first_##section},
#define END(section)
#define INT(s, n, d, lo, hi, h)
#define NUM(s, n, d, lo, hi, h)
#define BOOL(s, n, d, h)
#define TEXT(s, n, d, h)
#define CHOICE(s, n, d, w, h)
#include "common/options.h"
#undef SECTION
#undef END
#undef INT
#undef NUM
#undef BOOL
#undef TEXT
#undef CHOICE
};
const int n_sections = sizeof sections_all / sizeof *sections_all;

const Section *section_find(const char *name)
{
    for (int i = 0; i < n_sections; i++)
        if (!strcmp(sections_all[i].name, name)) return &sections_all[i];
    return NULL;
}

const Option *option_find(const Section *s, const char *name)
{
    for (int i = s->first; i < s->first + s->n; i++)
        if (!strcmp(options_all[i].name, name)) return &options_all[i];
    return NULL;
}

void *option_value(const Config *c, const Option *o)
{
    return (char *)(uintptr_t)c + o->offset;
}

bool choice_has(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
        if (n && !strncmp(w, word, n) && (w[n] == '|' || !w[n])) return true;
    return false;
}

static void explain_option(const Option *o, FILE *out)
{
    char def[32], least[32], most[32];
    fprintf(out, "%s.%s: ", o->section, o->name);
    switch (o->kind) {
    case OPTION_INT:
        fprintf(out, "integer, default %lld, ", o->def_int);
        if (o->most_int == INT64_MAX)
            fprintf(out, "at least %lld\n", o->least_int);
        else
            fprintf(out, "%lld to %lld\n", o->least_int, o->most_int);
        break;
    case OPTION_NUM:
        number_text(o->def_num, def);
        number_text(o->least_num, least);
        number_text(o->most_num, most);
        fprintf(out, "number, default %s, %s to %s\n", def, least, most);
        break;
    case OPTION_BOOL:
        fprintf(out, "true or false, default %s\n", o->def_int ? "true" : "false");
        break;
    case OPTION_TEXT:
        fprintf(out, "text, default %s%s%s\n", *o->def_text ? "" : "\"", o->def_text,
                *o->def_text ? "" : "\"");
        break;
    case OPTION_CHOICE:
        fprintf(out, "one of %s, default %s\n", o->words, o->def_text);
        break;
    }
    fprintf(out, "    %s\n", o->help);
}

static void explain_section(const Section *s, FILE *out)
{
    fprintf(out, "%s: %s\n\n", s->name, s->help);
    for (int i = s->first; i < s->first + s->n; i++) explain_option(&options_all[i], out);
}

/* "learner.lr" for the nearest of all keys and sections, or a plain refusal. */
static int refuse_key(const char *key)
{
    char all[512][64];
    const char *words[512];
    int n = 0;
    REQUIRE(n_options + n_sections <= 512, "%d options", n_options);
    for (int i = 0; i < n_options; i++, n++)
        snprintf(all[n], sizeof all[n], "%s.%s", options_all[i].section, options_all[i].name);
    for (int i = 0; i < n_sections; i++, n++)
        snprintf(all[n], sizeof all[n], "%s", sections_all[i].name);
    for (int i = 0; i < n; i++) words[i] = all[i];
    const char *near = nearest_word(key, words, n);
    return fail("there is no option %.80s%s%s", key,
                near ? "; did you mean " : " (troupe explain lists all)", near ? near : "");
}

/* A name without its section ("lr") explains every option of that name. */
static int explain_bare_name(const char *name, FILE *out)
{
    int found = 0;
    for (int i = 0; i < n_options; i++) {
        if (strcmp(options_all[i].name, name)) continue;
        explain_option(&options_all[i], out);
        found++;
    }
    return found;
}

int config_explain(const char *key, FILE *out)
{
    char section[64] = "";
    for (int i = 0; !key && i < n_sections; i++) {
        if (i) fputc('\n', out);
        explain_section(&sections_all[i], out);
    }
    if (!key) return 0;
    const char *dot = strchr(key, '.');
    snprintf(section, sizeof section, "%.*s", dot ? (int)(dot - key) : 63, key);
    const Section *s = section_find(section);
    if (!s || !dot) {
        if (s) explain_section(s, out);
        return s || (!dot && explain_bare_name(key, out)) ? 0 : refuse_key(key);
    }
    const Option *o = option_find(s, dot + 1);
    if (!o) return refuse_key(key);
    explain_option(o, out);
    return 0;
}

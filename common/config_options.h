/* The options of options.h as rows of a table: what parsing, printing and explaining walk. Internal
 * to config*.c. */
#ifndef COMMON_CONFIG_OPTIONS_H
#define COMMON_CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "common/config.h"

typedef enum { OPTION_INT, OPTION_NUM, OPTION_BOOL, OPTION_TEXT, OPTION_CHOICE } OptionKind;

typedef struct {
    const char *section, *name;
    OptionKind kind;
    long long def_int, least_int, most_int; /* INT; def_int of BOOL is 0 or 1 */
    double def_num, least_num, most_num;    /* NUM */
    const char *def_text, *words;           /* TEXT, CHOICE ("a|b|c") */
    const char *help;
    size_t offset; /* of the member in Config */
} Option;

typedef struct {
    const char *name, *help;
    int first, n; /* rows options_all[first .. first + n - 1] */
} Section;

extern const Option options_all[];
extern const int n_options;
extern const Section sections_all[];
extern const int n_sections;

const Section *section_find(const char *name);
const Option *option_find(const Section *s, const char *name);
void *option_value(const Config *c, const Option *o); /* where the member lies */

/* True if `word` is one of "a|b|c". */
bool choice_has(const char *words, const char *word);

bool run_name_char(char x); /* may stand in run.name */

/* Checks across options (config_check.c). where [n_options]: the node that set each, NULL for a
 * default. Number of errors, all logged. */
int config_check(const Config *c, const YamlNode *const *where);

#endif

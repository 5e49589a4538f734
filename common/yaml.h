/* Strict YAML over libyaml's events: a small tree with places, and limits against hostile files (1
 * MiB, 10,000 nodes, depth 64). */
#ifndef COMMON_YAML_H
#define COMMON_YAML_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { YAML_SCALAR, YAML_LIST, YAML_MAP } YamlKind;

typedef struct YamlNode YamlNode;
struct YamlNode {
    YamlKind kind;
    const char *file; /* for messages */
    int line, column; /* from 1 */
    char *text;       /* scalar: its text (UTF-8, no NUL inside) */
    bool quoted;      /* scalar: was written in quotes (then it is not a number) */
    int n;            /* children */
    YamlNode *items;  /* list: [n]; map: [n] values */
    YamlNode *keys;   /* map: [n] scalars */
};

/* name is for messages. NULL with every error logged as name:line:column: message. Duplicate keys
 * are refused with both lines; `<<` merges maps. */
YamlNode *yaml_parse(const char *name, const char *text, size_t size);
/* NULL is fine. Not yaml_free: libyaml exports an internal function of that name */
void yaml_close(YamlNode *root);

const YamlNode *yaml_get(const YamlNode *map, const char *key); /* NULL if absent */

/* Logs "file:line:column: message"; returns -1. */
int yaml_fail(const YamlNode *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Scalars by type, whole text, no octal, no quoted numbers; a bool is true or false. 0, or -1 with
 * the error logged. */
int yaml_number(const YamlNode *n, const char *what, double least, double most, double *out);
int yaml_integer(const YamlNode *n, const char *what, long long least, long long most,
                 long long *out);
int yaml_bool(const YamlNode *n, const char *what, bool *out);
int yaml_text(const YamlNode *n, const char *what, const char **out); /* borrowed */

/* Of `words` (n of them) the nearest to `word` within an edit distance worth suggesting, or NULL.
 */
const char *nearest_word(const char *word, const char *const *words, int n);

#endif

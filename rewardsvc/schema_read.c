/* The values of a schema's keywords, made ready for checking (schema_compile.h), or refused. */
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/json_text.h"
#include "rewardsvc/schema_compile.h"

static int read_dialect(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)out;
    const char *s = json_string_value(v);
    size_t n = s ? strcspn(s, "#") : 0;
    static const char dialect[] = "https://json-schema.org/draft/2020-12/schema";
    if (s && n == sizeof dialect - 1 && memcmp(s, dialect, n) == 0) return 0;
    return schema_refuse(c, "only draft 2020-12 is understood (%s)", dialect);
}

static int read_id(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)out;
    if (!json_is_string(v)) return schema_refuse(c, "must be a string");
    if (strcmp(c->path.data, "/$id") != 0) return schema_refuse(c, "is only supported at the root");
    c->id = json_string_value(v);
    return 0;
}

static int read_text(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)out;
    return json_is_string(v) ? 0 : schema_refuse(c, "must be a string");
}

static int add_type(SchemaCompiler *c, const json_t *v, Clause *out)
{
    static const struct {
        const char *word;
        unsigned bit;
    } types[] = {{"null", ON_NULL},     {"boolean", ON_BOOLEAN}, {"number", ON_NUMBER},
                 {"string", ON_STRING}, {"array", ON_ARRAY},     {"object", ON_OBJECT},
                 {"integer", ON_WHOLE}};
    for (size_t i = 0; json_is_string(v) && i < sizeof types / sizeof *types; i++) {
        if (strcmp(json_string_value(v), types[i].word) != 0) continue;
        out->types |= types[i].bit;
        return 0;
    }
    return schema_refuse(c,
                         "must be null, boolean, number, integer, string, array, object or a list "
                         "of these");
}

static int read_types(SchemaCompiler *c, json_t *v, Clause *out)
{
    if (!json_is_array(v)) return add_type(c, v, out);
    if (json_array_size(v) == 0) return schema_refuse(c, "must not be empty");
    for (size_t i = 0; i < json_array_size(v); i++)
        if (add_type(c, json_array_get(v, i), out) != 0) return -1;
    return 0;
}

static int read_any(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)c, (void)v, (void)out;
    return 0;
}

static int read_list(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)out;
    return json_is_array(v) ? 0 : schema_refuse(c, "must be a list");
}

static int read_number(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)out;
    return json_is_number(v) ? 0 : schema_refuse(c, "must be a number");
}

static int read_divisor(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)out;
    return json_is_number(v) && json_number_value(v) > 0
               ? 0
               : schema_refuse(c, "must be a number above 0");
}

static int read_count(SchemaCompiler *c, json_t *v, Clause *out)
{
    double x = json_is_number(v) ? json_number_value(v) : -1;
    if (!(x >= 0 && x <= 1e15) || !json_is_whole(v))
        return schema_refuse(c, "must be a whole number from 0 to 1e15");
    out->count = (long)x;
    return 0;
}

static int read_bool(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)out;
    return json_is_boolean(v) ? 0 : schema_refuse(c, "must be true or false");
}

static int add_pattern(SchemaCompiler *c, const char *text, size_t n, pcre2_code **out)
{
    errors_quiet(1);
    *out = schema_pattern(text, n);
    errors_quiet(-1);
    if (*out) return 0;
    char *why = mem_text(errors_last());
    int rc = schema_refuse(c, "%s", why);
    mem_free(why);
    return rc;
}

static int read_pattern(SchemaCompiler *c, json_t *v, Clause *out)
{
    if (!json_is_string(v)) return schema_refuse(c, "must be a string");
    out->patterns = NEW(pcre2_code *, 1);
    out->n = 1;
    return add_pattern(c, json_string_value(v), json_string_length(v), &out->patterns[0]);
}

static int read_format(SchemaCompiler *c, json_t *v, Clause *out)
{
    if (!json_is_string(v)) return schema_refuse(c, "must be a string");
    if (!c->schema->check_formats) return 0;
    out->format = schema_format_find(json_string_value(v));
    return out->format ? 0
                       : schema_refuse(c, "%.60s is not among the formats that can be checked",
                                       json_string_value(v));
}

static int read_schema(SchemaCompiler *c, json_t *v, Clause *out)
{
    out->nodes = NEW(SchemaNode *, 1);
    out->n = 1;
    out->nodes[0] = node_compile(c, v);
    return out->nodes[0] ? 0 : -1;
}

static int read_schemas(SchemaCompiler *c, json_t *v, Clause *out)
{
    if (!json_is_array(v) || json_array_size(v) == 0)
        return schema_refuse(c, "must be a list of schemas, not empty");
    out->n = (int)json_array_size(v);
    out->nodes = NEW(SchemaNode *, out->n);
    for (int i = 0; i < out->n; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        out->nodes[i] = node_compile_part(c, json_array_get(v, (size_t)i), key);
        if (!out->nodes[i]) return -1;
    }
    return 0;
}

static int read_schema_map(SchemaCompiler *c, json_t *v, Clause *out)
{
    const char *key;
    json_t *json;
    if (!json_is_object(v)) return schema_refuse(c, "must be an object of schemas");
    out->nodes = NEW(SchemaNode *, json_object_size(v) + 1);
    out->index = json_object();
    json_object_foreach(v, key, json)
    {
        SchemaNode *n = node_compile_part(c, json, key);
        if (!n) return -1;
        json_object_set_new(out->index, key, json_integer(out->n));
        out->nodes[out->n++] = n;
    }
    return 0;
}

static int read_pattern_map(SchemaCompiler *c, json_t *v, Clause *out)
{
    const char *key;
    json_t *json;
    if (read_schema_map(c, v, out) != 0) return -1;
    out->patterns = NEW(pcre2_code *, out->n + 1);
    int i = 0;
    json_object_foreach(v, key, json) if (add_pattern(c, key, strlen(key), &out->patterns[i++]) !=
                                          0) return -1;
    return 0;
}

static int read_names(SchemaCompiler *c, json_t *v, Clause *out)
{
    (void)out;
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!json_is_string(json_array_get(v, i)))
            return schema_refuse(c, "must be a list of strings");
    return json_is_array(v) ? 0 : schema_refuse(c, "must be a list of strings");
}

static int read_names_map(SchemaCompiler *c, json_t *v, Clause *out)
{
    const char *key;
    json_t *names;
    if (!json_is_object(v)) return schema_refuse(c, "must be an object of lists of strings");
    json_object_foreach(v, key, names) if (read_names(c, names, out) != 0) return -1;
    return 0;
}

static int (*const readings[READ_KINDS])(SchemaCompiler *, json_t *, Clause *) = {
    [READ_NOTHING] = read_any,
    [READ_DIALECT] = read_dialect,
    [READ_ID] = read_id,
    [READ_ANCHOR] = read_text,
    [READ_REF] = read_text,
    [READ_TYPES] = read_types,
    [READ_ANY] = read_any,
    [READ_LIST] = read_list,
    [READ_NUMBER] = read_number,
    [READ_DIVISOR] = read_divisor,
    [READ_COUNT] = read_count,
    [READ_BOOL] = read_bool,
    [READ_PATTERN] = read_pattern,
    [READ_FORMAT] = read_format,
    [READ_SCHEMA] = read_schema,
    [READ_SCHEMAS] = read_schemas,
    [READ_SCHEMA_MAP] = read_schema_map,
    [READ_PATTERN_MAP] = read_pattern_map,
    [READ_NAMES] = read_names,
    [READ_NAMES_MAP] = read_names_map,
};

int keyword_read(SchemaCompiler *c, KeywordReading how, json_t *v, Clause *out)
{
    return readings[how](c, v, out);
}

/* Compiling a schema (schema.h): every keyword is known and its value of the right kind, or the
 * schema is refused with the keyword's path. References are resolved after everything else is
 * compiled; a circle of subschemas that all look at the same instance would never end and is
 * refused too. */
#include "rewardsvc/schema_compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/json_text.h"

enum { STEPS_MAX = 1000000 };

int schema_refuse(const SchemaCompiler *c, const char *fmt, ...)
{
    char reason[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    return fail("schema: %s: %s", c->path.size ? c->path.data : "(root)", reason);
}

static void path_push(SchemaCompiler *c, const char *key, size_t *mark)
{
    *mark = c->path.size;
    buffer_text(&c->path, "/");
    for (; *key; key++) {
        if (*key == '~' || *key == '/')
            buffer_text(&c->path, *key == '~' ? "~0" : "~1");
        else
            buffer_add(&c->path, key, 1);
    }
}

static void path_pop(SchemaCompiler *c, size_t mark)
{
    c->path.size = mark;
    c->path.data[mark] = 0;
}

/* ---- nodes ---- */

SchemaNode *node_compile_part(SchemaCompiler *c, json_t *json, const char *key)
{
    size_t mark;
    path_push(c, key, &mark);
    SchemaNode *n = node_compile(c, json);
    path_pop(c, mark);
    return n;
}

static SchemaNode *node_new(SchemaCompiler *c, json_t *json)
{
    Schema *s = c->schema;
    if (s->n == s->room) {
        int room = s->room ? 2 * s->room : 16;
        s->nodes = mem_resize(s->nodes, (size_t)s->room, (size_t)room, sizeof *s->nodes);
        s->room = room;
    }
    SchemaNode *n = s->nodes[s->n++] = NEW(SchemaNode, 1);
    n->json = json;
    return n;
}

/* ---- a node's clauses ---- */

static bool is_keyword(const char *name)
{
    for (const Keyword *k = schema_keywords; k->name; k++)
        if (strcmp(k->name, name) == 0) return true;
    return false;
}

const Clause *clause_find(const SchemaNode *n, const char *name)
{
    for (int i = 0; name && i < n->n; i++)
        if (strcmp(n->clauses[i].keyword->name, name) == 0) return &n->clauses[i];
    return NULL;
}

static int clause_compile(SchemaCompiler *c, SchemaNode *n, const Keyword *k, json_t *value)
{
    size_t mark;
    Clause *out = &n->clauses[n->n++];
    *out = (Clause){.keyword = k, .value = value};
    for (int i = 0; i < 2; i++) out->siblings[i] = clause_find(n, k->siblings[i]);
    n->marks |= strncmp(k->name, "unevaluated", 11) == 0;
    path_push(c, k->name, &mark);
    int rc = keyword_read(c, k->reading, value, out);
    path_pop(c, mark);
    return rc;
}

static int node_fill(SchemaCompiler *c, SchemaNode *n)
{
    const char *key;
    json_t *value;
    size_t mark;
    json_object_foreach(n->json, key, value)
    {
        if (is_keyword(key)) continue;
        path_push(c, key, &mark);
        schema_refuse(c, "this keyword is not supported, so what it asks could not be checked");
        path_pop(c, mark);
        return -1;
    }
    n->clauses = NEW(Clause, json_object_size(n->json) + 1);
    for (const Keyword *k = schema_keywords; k->name; k++) {
        value = json_object_get(n->json, k->name);
        if (value && clause_compile(c, n, k, value) != 0) return -1;
    }
    return 0;
}

SchemaNode *node_compile(SchemaCompiler *c, json_t *json)
{
    if (!json_is_object(json) && !json_is_boolean(json)) {
        schema_refuse(c, "is not a schema (an object, true or false)");
        return NULL;
    }
    if (c->schema->n >= SCHEMA_NODES_MAX || c->depth >= SCHEMA_DEPTH_MAX) {
        schema_refuse(c, "more than %d subschemas or depth %d", SCHEMA_NODES_MAX, SCHEMA_DEPTH_MAX);
        return NULL;
    }
    SchemaNode *n = node_new(c, json);
    if (json_is_boolean(json)) {
        n->always = json_is_true(json) ? 1 : -1;
        return n;
    }
    c->depth++;
    int rc = node_fill(c, n);
    c->depth--;
    return rc == 0 ? n : NULL;
}

/* ---- the whole ---- */

static void clause_free(Clause *c)
{
    for (int i = 0; c->patterns && i < c->n; i++) pcre2_code_free(c->patterns[i]);
    mem_free(c->patterns);
    mem_free(c->nodes);
    json_decref(c->index);
}

void schema_free(Schema *s)
{
    if (!s) return;
    for (int i = 0; i < s->n; i++) {
        for (int k = 0; k < s->nodes[i]->n; k++) clause_free(&s->nodes[i]->clauses[k]);
        mem_free(s->nodes[i]->clauses);
        mem_free(s->nodes[i]);
    }
    mem_free(s->nodes);
    json_decref(s->json);
    mem_free(s);
}

Schema *schema_compile(json_t *json, bool check_formats)
{
    SchemaCompiler c = {.schema = NEW(Schema, 1)};
    buffer_text(&c.path, "");
    c.schema->json = json_incref(json);
    c.schema->check_formats = check_formats;
    c.schema->root = node_compile(&c, json);
    bool good = c.schema->root && schema_refs_resolve(&c) == 0 && schema_circles_refuse(&c) == 0;
    buffer_free(&c.path);
    if (good) return c.schema;
    schema_free(c.schema);
    return NULL;
}

SchemaVerdict schema_check(const Schema *s, const json_t *instance)
{
    Run r = {.steps = STEPS_MAX};
    bool holds = node_holds(&r, s->root, instance, NULL);
    return r.gave_up ? SCHEMA_UNDECIDED : holds ? SCHEMA_VALID : SCHEMA_INVALID;
}

/* References of a schema: where they lead, and circles that would never end (schema_compile.h). */
#include <stdlib.h>
#include <string.h>

#include "rewardsvc/schema_compile.h"

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* One token of a pointer in a URI: %41, then ~1 and ~0. */
static char *pointer_token(const char *p, size_t n)
{
    char *out = mem_text_n(p, n);
    size_t k = 0;
    for (size_t i = 0; i < n; i++, k++) {
        out[k] = p[i];
        if (p[i] != '%' || i + 2 >= n + 0 || hex_digit(p[i + 1]) < 0 || hex_digit(p[i + 2]) < 0)
            continue;
        out[k] = (char)(16 * hex_digit(p[i + 1]) + hex_digit(p[i + 2]));
        i += 2;
    }
    n = k, k = 0;
    for (size_t i = 0; i < n; i++, k++) {
        out[k] = out[i];
        if (out[i] != '~' || i + 1 >= n || (out[i + 1] != '0' && out[i + 1] != '1')) continue;
        out[k] = out[++i] == '0' ? '~' : '/';
    }
    out[k] = 0;
    return out;
}

static json_t *pointer_step(json_t *at, const char *token)
{
    if (json_is_object(at)) return json_object_get(at, token);
    char *end;
    unsigned long i = strtoul(token, &end, 10);
    return json_is_array(at) && *token && !*end ? json_array_get(at, i) : NULL;
}

static json_t *pointer_follow(json_t *root, const char *pointer)
{
    json_t *at = root;
    while (at && *pointer == '/') {
        size_t n = strcspn(++pointer, "/");
        char *token = pointer_token(pointer, n);
        at = pointer_step(at, token);
        mem_free(token);
        pointer += n;
    }
    return at;
}

static json_t *anchor_find(const SchemaCompiler *c, const char *name)
{
    for (int i = 0; i < c->schema->n; i++) {
        const Clause *a = clause_find(c->schema->nodes[i], "$anchor");
        if (a && strcmp(json_string_value(a->value), name) == 0) return c->schema->nodes[i]->json;
    }
    return NULL;
}

static json_t *ref_target(const SchemaCompiler *c, const char *ref)
{
    size_t n = c->id ? strcspn(c->id, "#") : 0;
    if (n && strncmp(ref, c->id, n) == 0) ref += n;
    if (*ref != '#' && *ref) return NULL;
    if (*ref == '#') ref++;
    return *ref && *ref != '/' ? anchor_find(c, ref) : pointer_follow(c->schema->json, ref);
}

/* Two references to one place share its node (true and false are jansson's single ones: no place).
 */
static SchemaNode *node_known(const SchemaCompiler *c, const json_t *json)
{
    for (int i = 0; json_is_object(json) && i < c->schema->n; i++)
        if (c->schema->nodes[i]->json == json) return c->schema->nodes[i];
    return NULL;
}

static int ref_resolve(SchemaCompiler *c, Clause *clause)
{
    const char *ref = json_string_value(clause->value);
    json_t *target = ref_target(c, ref);
    buffer_free(&c->path);
    buffer_printf(&c->path, "$ref %.200s", ref);
    if (!target)
        return schema_refuse(c,
                             "leads nowhere in this schema (others are not fetched; #/pointer and "
                             "#anchor are understood)");
    clause->nodes = NEW(SchemaNode *, 1);
    clause->n = 1;
    clause->nodes[0] = node_known(c, target);
    if (!clause->nodes[0]) clause->nodes[0] = node_compile(c, target);
    return clause->nodes[0] ? 0 : -1;
}

/* Resolving may compile more nodes, with references of their own: they are appended. */
int schema_refs_resolve(SchemaCompiler *c)
{
    for (int i = 0; i < c->schema->n; i++) {
        Clause *ref = (Clause *)clause_find(c->schema->nodes[i], "$ref");
        if (ref && ref_resolve(c, ref) != 0) return -1;
    }
    return 0;
}

/* ---- circles ---- */

enum { UNSEEN, ON_PATH, DONE };

static int circle_search(SchemaCompiler *c, SchemaNode *n, int depth)
{
    if (n->colour == DONE) return 0;
    if (n->colour == ON_PATH || depth > SCHEMA_NODES_MAX)
        return schema_refuse(
            c, "is reached from itself without a step into the instance: it would never "
               "end");
    n->colour = ON_PATH;
    for (int i = 0; i < n->n; i++)
        for (int k = 0; n->clauses[i].keyword->in_place && k < n->clauses[i].n; k++)
            if (circle_search(c, n->clauses[i].nodes[k], depth + 1) != 0) return -1;
    n->colour = DONE;
    return 0;
}

int schema_circles_refuse(SchemaCompiler *c)
{
    buffer_free(&c->path);
    buffer_text(&c->path, "$ref");
    for (int i = 0; i < c->schema->n; i++)
        if (circle_search(c, c->schema->nodes[i], 0) != 0) return -1;
    return 0;
}

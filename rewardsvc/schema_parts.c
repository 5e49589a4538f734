/* Keywords of JSON Schema about arrays and objects. */
#include <stdlib.h>
#include <string.h>

#include "rewardsvc/json_text.h"
#include "rewardsvc/schema_keywords.h"

/* ---- arrays ---- */

bool max_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_array_size(v) <= (size_t)c->count;
}

bool min_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_array_size(v) >= (size_t)c->count;
}

bool prefix_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    for (size_t i = 0; i < json_array_size(v) && i < (size_t)c->n; i++) {
        if (!node_holds(r, c->nodes[i], json_array_get(v, i), NULL)) return false;
        marks_set(m, i);
    }
    return true;
}

bool items_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    size_t first = c->siblings[0] ? (size_t)c->siblings[0]->n : 0;
    for (size_t i = first; i < json_array_size(v); i++) {
        if (!node_holds(r, c->nodes[0], json_array_get(v, i), NULL)) return false;
        marks_set(m, i);
    }
    return true;
}

bool contains_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    long least = c->siblings[0] ? c->siblings[0]->count : 1, count = 0;
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (!node_holds(r, c->nodes[0], json_array_get(v, i), NULL)) continue;
        count++;
        marks_set(m, i);
    }
    return count >= least && (!c->siblings[1] || count <= c->siblings[1]->count);
}

typedef struct {
    uint64_t hash;
    const json_t *value;
} Hashed;

static int by_hash(const void *a, const void *b)
{
    const Hashed *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

bool unique_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    size_t n = json_array_size(v);
    if (!json_is_true(c->value) || n < 2) return true;
    Hashed *items = NEW(Hashed, n);
    bool unique = true;
    for (size_t i = 0; i < n; i++)
        items[i] = (Hashed){json_hash(json_array_get(v, i)), json_array_get(v, i)};
    run_charge(r, (long)n);
    qsort(items, n, sizeof *items, by_hash);
    for (size_t i = 1; i < n && unique && !r->gave_up; i++)
        for (size_t k = i; k-- > 0 && items[k].hash == items[i].hash && unique;)
            unique = !values_same(r, items[k].value, items[i].value);
    mem_free(items);
    return unique;
}

bool unevaluated_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->seen[i]) continue;
        if (!node_holds(r, c->nodes[0], json_array_get(v, i), NULL)) return false;
        marks_set(m, i);
    }
    return true;
}

/* ---- objects ---- */

bool max_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_object_size(v) <= (size_t)c->count;
}

bool min_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_object_size(v) >= (size_t)c->count;
}

static bool has_names(Run *r, const json_t *names, const json_t *v)
{
    run_charge(r, (long)json_array_size(names));
    for (size_t i = 0; i < json_array_size(names); i++)
        if (!json_object_get(v, json_string_value(json_array_get(names, i)))) return false;
    return true;
}

bool required_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    return has_names(r, c->value, v);
}

bool dependent_required_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    const char *key;
    json_t *names;
    json_object_foreach(c->value, key,
                        names) if (json_object_get(v, key) && !has_names(r, names, v)) return false;
    return true;
}

/* The subschema of a map keyword for a name; NULL if there is none. */
static const SchemaNode *node_for(const Clause *c, const char *name)
{
    const json_t *at = c ? json_object_get(c->index, name) : NULL;
    return at ? c->nodes[json_integer_value(at)] : NULL;
}

bool dependent_schemas_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    const char *key;
    json_t *at;
    json_object_foreach(c->index, key, at)
    {
        if (!json_object_get(v, key)) continue;
        if (!node_holds(r, c->nodes[json_integer_value(at)], v, m)) return false;
    }
    return true;
}

bool property_names_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)v, key, value)
    {
        json_t *name = json_string(key);
        bool holds = node_holds(r, c->nodes[0], name, NULL);
        json_decref(name);
        if (!holds) return false;
    }
    return true;
}

bool properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    const char *key;
    json_t *value;
    size_t i = 0;
    run_charge(r, (long)json_object_size(v));
    json_object_foreach((json_t *)v, key, value)
    {
        const SchemaNode *n = node_for(c, key);
        if (n && !node_holds(r, n, value, NULL)) return false;
        if (n) marks_set(m, i);
        i++;
    }
    return true;
}

bool pattern_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach((json_t *)v, key, value)
    {
        for (int k = 0; k < c->n; k++) {
            if (!pattern_found(r, c->patterns[k], key, strlen(key))) continue;
            if (!node_holds(r, c->nodes[k], value, NULL)) return false;
            marks_set(m, i);
        }
        i++;
    }
    return true;
}

static bool matches_any(Run *r, const Clause *patterns, const char *key)
{
    for (int k = 0; patterns && k < patterns->n; k++)
        if (pattern_found(r, patterns->patterns[k], key, strlen(key))) return true;
    return false;
}

bool additional_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    const char *key;
    json_t *value;
    size_t i = 0;
    run_charge(r, (long)json_object_size(v));
    json_object_foreach((json_t *)v, key, value)
    {
        size_t at = i++;
        if (node_for(c->siblings[0], key) || matches_any(r, c->siblings[1], key)) continue;
        if (!node_holds(r, c->nodes[0], value, NULL)) return false;
        marks_set(m, at);
    }
    return true;
}

bool unevaluated_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach((json_t *)v, key, value)
    {
        size_t at = i++;
        if (m->seen[at]) continue;
        if (!node_holds(r, c->nodes[0], value, NULL)) return false;
        marks_set(m, at);
    }
    return true;
}

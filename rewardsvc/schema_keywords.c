/* Checking an instance (schema.h): the table of keywords, and a node as the sum of its clauses. The
 * table's order is the order of evaluation within a node: unevaluated* come last, since they ask
 * what the others have looked at. */
#include "rewardsvc/json_text.h"
#include "rewardsvc/schema_keywords.h"

enum { DEPTH_MAX = 4096 };

void run_charge(Run *r, long steps)
{
    r->steps -= steps;
    if (r->steps < 0) r->gave_up = true;
}

/* ---- marks ---- */

static Marks marks_new(Run *r, const json_t *v)
{
    size_t n = json_is_object(v) ? json_object_size(v) : json_is_array(v) ? json_array_size(v) : 0;
    run_charge(r, (long)(n / 8));
    return (Marks){n, NEW(unsigned char, n + 1)};
}

static void marks_add(Marks *m, const Marks *more)
{
    for (size_t i = 0; i < m->n; i++) m->seen[i] |= more->seen[i];
}

void marks_set(Marks *m, size_t i)
{
    if (m) m->seen[i] = 1;
}

bool branch_holds(Run *r, const SchemaNode *n, const json_t *v, Marks *m)
{
    if (!m) return node_holds(r, n, v, NULL);
    Marks own = marks_new(r, v);
    bool holds = node_holds(r, n, v, &own);
    if (holds) marks_add(m, &own);
    mem_free(own.seen);
    return holds;
}

unsigned value_type(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_NULL:
        return ON_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return ON_BOOLEAN;
    case JSON_INTEGER:
    case JSON_REAL:
        return ON_NUMBER;
    case JSON_STRING:
        return ON_STRING;
    case JSON_ARRAY:
        return ON_ARRAY;
    default:
        return ON_OBJECT;
    }
}

static bool clauses_hold(Run *r, const SchemaNode *n, const json_t *v, Marks *m)
{
    unsigned type = value_type(v);
    for (int i = 0; i < n->n; i++) {
        const Clause *c = &n->clauses[i];
        if (!c->keyword->holds || !(c->keyword->on & type)) continue;
        run_charge(r, 1);
        if (r->gave_up || !c->keyword->holds(r, c, v, m)) return false;
    }
    return true;
}

/* unevaluated* ask about this node's own subschemas only, so such a node starts with fresh marks.
 */
bool node_holds(Run *r, const SchemaNode *n, const json_t *v, Marks *m)
{
    if (n->always) return n->always > 0;
    if (r->depth >= DEPTH_MAX) r->gave_up = true;
    if (r->gave_up) return false;
    r->depth++;
    bool holds;
    if (n->marks) {
        Marks own = marks_new(r, v);
        holds = clauses_hold(r, n, v, &own);
        if (holds && m) marks_add(m, &own);
        mem_free(own.seen);
    } else {
        holds = clauses_hold(r, n, v, m);
    }
    r->depth--;
    return holds;
}

bool values_same(Run *r, const json_t *a, const json_t *b)
{
    long steps = 0;
    bool equal = json_same(a, b, &steps);
    run_charge(r, steps);
    return equal;
}

/* ---- the table ---- */

#define SILENT(word)                                                                               \
    {                                                                                              \
        word, READ_NOTHING, 0, false, NULL,                                                        \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }

const Keyword schema_keywords[] = {
    SILENT("title"),
    SILENT("description"),
    SILENT("default"),
    SILENT("examples"),
    SILENT("deprecated"),
    SILENT("readOnly"),
    SILENT("writeOnly"),
    SILENT("$comment"),
    {"$schema", READ_DIALECT, 0, false, NULL, {NULL, NULL}},
    {"$id", READ_ID, 0, false, NULL, {NULL, NULL}},
    {"$anchor", READ_ANCHOR, 0, false, NULL, {NULL, NULL}},
    {"$defs", READ_SCHEMA_MAP, 0, false, NULL, {NULL, NULL}},
    {"definitions", READ_SCHEMA_MAP, 0, false, NULL, {NULL, NULL}},
    {"type", READ_TYPES, ON_ALL, false, type_holds, {NULL, NULL}},
    {"const", READ_ANY, ON_ALL, false, const_holds, {NULL, NULL}},
    {"enum", READ_LIST, ON_ALL, false, enum_holds, {NULL, NULL}},
    {"maximum", READ_NUMBER, ON_NUMBER, false, maximum_holds, {NULL, NULL}},
    {"exclusiveMaximum", READ_NUMBER, ON_NUMBER, false, exclusive_maximum_holds, {NULL, NULL}},
    {"minimum", READ_NUMBER, ON_NUMBER, false, minimum_holds, {NULL, NULL}},
    {"exclusiveMinimum", READ_NUMBER, ON_NUMBER, false, exclusive_minimum_holds, {NULL, NULL}},
    {"multipleOf", READ_DIVISOR, ON_NUMBER, false, multiple_of_holds, {NULL, NULL}},
    {"maxLength", READ_COUNT, ON_STRING, false, max_length_holds, {NULL, NULL}},
    {"minLength", READ_COUNT, ON_STRING, false, min_length_holds, {NULL, NULL}},
    {"pattern", READ_PATTERN, ON_STRING, false, pattern_holds, {NULL, NULL}},
    {"format", READ_FORMAT, ON_STRING, false, format_holds, {NULL, NULL}},
    {"maxItems", READ_COUNT, ON_ARRAY, false, max_items_holds, {NULL, NULL}},
    {"minItems", READ_COUNT, ON_ARRAY, false, min_items_holds, {NULL, NULL}},
    {"uniqueItems", READ_BOOL, ON_ARRAY, false, unique_items_holds, {NULL, NULL}},
    {"prefixItems", READ_SCHEMAS, ON_ARRAY, false, prefix_items_holds, {NULL, NULL}},
    {"items", READ_SCHEMA, ON_ARRAY, false, items_holds, {"prefixItems", NULL}},
    {"minContains", READ_COUNT, 0, false, NULL, {NULL, NULL}},
    {"maxContains", READ_COUNT, 0, false, NULL, {NULL, NULL}},
    {"contains", READ_SCHEMA, ON_ARRAY, false, contains_holds, {"minContains", "maxContains"}},
    {"maxProperties", READ_COUNT, ON_OBJECT, false, max_properties_holds, {NULL, NULL}},
    {"minProperties", READ_COUNT, ON_OBJECT, false, min_properties_holds, {NULL, NULL}},
    {"required", READ_NAMES, ON_OBJECT, false, required_holds, {NULL, NULL}},
    {"dependentRequired", READ_NAMES_MAP, ON_OBJECT, false, dependent_required_holds, {NULL, NULL}},
    {"propertyNames", READ_SCHEMA, ON_OBJECT, false, property_names_holds, {NULL, NULL}},
    {"properties", READ_SCHEMA_MAP, ON_OBJECT, false, properties_holds, {NULL, NULL}},
    {"patternProperties",
     READ_PATTERN_MAP,
     ON_OBJECT,
     false,
     pattern_properties_holds,
     {NULL, NULL}},
    {"additionalProperties",
     READ_SCHEMA,
     ON_OBJECT,
     false,
     additional_properties_holds,
     {"properties", "patternProperties"}},
    {"$ref", READ_REF, ON_ALL, true, ref_holds, {NULL, NULL}},
    {"dependentSchemas", READ_SCHEMA_MAP, ON_OBJECT, true, dependent_schemas_holds, {NULL, NULL}},
    {"allOf", READ_SCHEMAS, ON_ALL, true, all_of_holds, {NULL, NULL}},
    {"anyOf", READ_SCHEMAS, ON_ALL, true, any_of_holds, {NULL, NULL}},
    {"oneOf", READ_SCHEMAS, ON_ALL, true, one_of_holds, {NULL, NULL}},
    {"not", READ_SCHEMA, ON_ALL, true, not_holds, {NULL, NULL}},
    {"then", READ_SCHEMA, 0, true, NULL, {NULL, NULL}},
    {"else", READ_SCHEMA, 0, true, NULL, {NULL, NULL}},
    {"if", READ_SCHEMA, ON_ALL, true, if_holds, {"then", "else"}},
    {"unevaluatedItems", READ_SCHEMA, ON_ARRAY, false, unevaluated_items_holds, {NULL, NULL}},
    {"unevaluatedProperties",
     READ_SCHEMA,
     ON_OBJECT,
     false,
     unevaluated_properties_holds,
     {NULL, NULL}},
    {NULL, READ_NOTHING, 0, false, NULL, {NULL, NULL}},
};

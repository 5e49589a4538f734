/* One function a keyword: does it hold for v? Called only for values of the types it is about
 * (schema_keywords.c, the table). m may be NULL, except for unevaluated*. */
#ifndef REWARDSVC_SCHEMA_KEYWORDS_H
#define REWARDSVC_SCHEMA_KEYWORDS_H

#include "rewardsvc/schema_internal.h"

/* Shared by them. */
unsigned value_type(const json_t *v); /* ON_NULL, ... */
bool values_same(Run *r, const json_t *a, const json_t *b);
void marks_set(Marks *m, size_t i); /* m may be NULL */
/* A subschema on v itself. What it looked at counts only if it holds. */
bool branch_holds(Run *r, const SchemaNode *n, const json_t *v, Marks *m);

bool type_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool const_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool enum_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool ref_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool all_of_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool any_of_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool one_of_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool not_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool if_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool maximum_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool exclusive_maximum_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool minimum_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool exclusive_minimum_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool multiple_of_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool max_length_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool min_length_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool pattern_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool format_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool max_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool min_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool prefix_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool items_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool contains_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool unique_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool unevaluated_items_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool max_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool min_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool required_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool dependent_required_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool dependent_schemas_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool property_names_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool pattern_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool additional_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m);
bool unevaluated_properties_holds(Run *r, const Clause *c, const json_t *v, Marks *m);

#endif

/* JSON Schema, draft 2020-12: compiled once, checked often. Rewards that ask for JSON of a given
 * shape use it.
 *
 * Why this is ours: Debian 12 has two C++ libraries, valijson 1.0 (drafts 3, 4, 7) and RapidJSON
 * 1.1 (draft 4), and none in C. Neither knows 2020-12; both skip keywords that they do not know, so
 * that a schema says more than is checked; and both match patterns without a bound (std::regex
 * recurses per character and overflows the stack on an answer of some 100 KiB). A reward must not
 * pass silently what it did not check, nor hang on what a model wrote. So: a declared set of
 * keywords; a schema with any other is refused when it is compiled, with the keyword's path; work
 * is counted, patterns run under PCRE2's limits.
 *
 * Supported: type enum const; multipleOf maximum exclusiveMaximum minimum exclusiveMinimum;
 * maxLength minLength pattern format; prefixItems items contains minContains maxContains maxItems
 * minItems uniqueItems unevaluatedItems; properties patternProperties additionalProperties
 * propertyNames required minProperties maxProperties dependentRequired dependentSchemas
 * unevaluatedProperties; allOf anyOf oneOf not if then else; $ref within the schema (pointer or
 * $anchor), $defs, definitions; true and false. $schema must be 2020-12's, $id only at the root.
 * Without effect: title description default examples deprecated readOnly writeOnly $comment.
 *
 * Source: JSON Schema Core and Validation, draft 2020-12 (json-schema.org). Patterns are PCRE2's,
 * with ECMA 262's \u escapes; \d, \w and \s are ASCII's; \p{Letter} is to be written \p{L}.
 */
#ifndef REWARDSVC_SCHEMA_H
#define REWARDSVC_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

typedef struct Schema Schema;

/* check_formats: `format` is an assertion (an unknown one is refused); false: it has no effect, as
 * the draft has it by default. NULL with "schema: /path/to/keyword: reason". */
Schema *schema_compile(json_t *json, bool check_formats);
void schema_free(Schema *s); /* NULL is fine */

typedef enum {
    SCHEMA_VALID,
    SCHEMA_INVALID,
    SCHEMA_UNDECIDED, /* more work than is allowed: some 100 ms */
} SchemaVerdict;

SchemaVerdict schema_check(const Schema *s, const json_t *instance);

#endif

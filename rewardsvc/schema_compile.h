/* Between the files that compile a schema: schema.c (nodes), schema_read.c (values of keywords),
 * schema_refs.c (references). */
#ifndef REWARDSVC_SCHEMA_COMPILE_H
#define REWARDSVC_SCHEMA_COMPILE_H

#include "rewardsvc/schema_internal.h"

enum { SCHEMA_NODES_MAX = 8192, SCHEMA_DEPTH_MAX = 200 };

typedef struct {
    Schema *schema;
    Buffer path; /* of the keyword at hand, a JSON pointer */
    int depth;
    const char *id; /* the root's $id, or NULL */
} SchemaCompiler;

/* Logs "schema: path: reason"; -1. */
int schema_refuse(const SchemaCompiler *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

SchemaNode *node_compile(SchemaCompiler *c, json_t *json); /* NULL with the reason */
/* The same for the part `key` of the value at hand. */
SchemaNode *node_compile_part(SchemaCompiler *c, json_t *json, const char *key);
const Clause *clause_find(const SchemaNode *n, const char *keyword); /* NULL if there is none */

int keyword_read(SchemaCompiler *c, KeywordReading how, json_t *v, Clause *out);
/* Resolving may compile more nodes, with references of their own. */
int schema_refs_resolve(SchemaCompiler *c);
int schema_circles_refuse(SchemaCompiler *c);

#endif

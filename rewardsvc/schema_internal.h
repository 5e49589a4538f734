/* Between schema.c (compiling), schema_keywords.c (what each keyword asks) and schema_format.c. A
 * schema becomes nodes, a node a list of clauses: a keyword with its value made ready. */
#ifndef REWARDSVC_SCHEMA_INTERNAL_H
#define REWARDSVC_SCHEMA_INTERNAL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/memory.h"
#include "rewardsvc/schema.h"

typedef struct SchemaNode SchemaNode;
typedef struct Clause Clause;
typedef struct Keyword Keyword;
typedef struct SchemaFormat SchemaFormat;

/* Which members or items of the instance some subschema has looked at, for unevaluated*; in the
 * instance's order. NULL where nobody asks. */
typedef struct {
    size_t n;
    unsigned char *seen; /* [n] */
} Marks;

/* One check under way. */
typedef struct {
    long steps; /* left */
    int depth;
    bool gave_up; /* whatever is returned from now on does not count */
} Run;

/* Bits of the types a keyword is about; an instance of another type passes. */
enum {
    ON_NULL = 1,
    ON_BOOLEAN = 2,
    ON_NUMBER = 4,
    ON_STRING = 8,
    ON_ARRAY = 16,
    ON_OBJECT = 32,
    ON_ALL = 63,
    ON_WHOLE = 64 /* of `type`: "integer" */
};

/* How a keyword's value is read. */
typedef enum {
    READ_NOTHING,
    READ_DIALECT,
    READ_ID,
    READ_ANCHOR,
    READ_REF,
    READ_TYPES,
    READ_ANY,
    READ_LIST,
    READ_NUMBER,
    READ_DIVISOR,
    READ_COUNT,
    READ_BOOL,
    READ_PATTERN,
    READ_FORMAT,
    READ_SCHEMA,
    READ_SCHEMAS,
    READ_SCHEMA_MAP,
    READ_PATTERN_MAP,
    READ_NAMES,
    READ_NAMES_MAP,
    READ_KINDS
} KeywordReading;

struct Keyword {
    const char *name;
    KeywordReading reading;
    unsigned on;   /* types */
    bool in_place; /* its subschemas look at the instance itself, not at a part */
    /* NULL: has no effect of its own. m may be NULL. */
    bool (*holds)(Run *r, const Clause *c, const json_t *v, Marks *m);
    const char *siblings[2]; /* keywords of the same node that `holds` needs */
};

struct Clause {
    const Keyword *keyword;
    json_t *value;             /* borrowed from the schema */
    const Clause *siblings[2]; /* NULL where the node has none */
    unsigned types;            /* READ_TYPES */
    long count;                /* READ_COUNT */
    int n;                     /* of nodes, patterns */
    SchemaNode **nodes;        /* [n] subschemas, in the value's order */
    pcre2_code **patterns;     /* [n] or NULL */
    json_t *index;             /* name -> position in nodes (READ_SCHEMA_MAP) */
    const SchemaFormat *format;
};

struct SchemaNode {
    json_t *json;
    int always; /* +1 true, -1 false, 0 look at the clauses */
    bool marks; /* has unevaluated* */
    int colour; /* of the search for circles */
    int n;
    Clause *clauses; /* [n] in the table's order */
};

struct Schema {
    json_t *json; /* owned reference */
    bool check_formats;
    int n, room;
    SchemaNode **nodes; /* owned */
    SchemaNode *root;
};

extern const Keyword schema_keywords[]; /* ends with name NULL */
bool node_holds(Run *r, const SchemaNode *n, const json_t *v, Marks *m);

pcre2_code *schema_pattern(const char *text, size_t n); /* NULL with the reason */
bool pattern_found(Run *r, const pcre2_code *code, const char *text, size_t n);
void run_charge(Run *r, long steps);

const SchemaFormat *schema_format_find(const char *name); /* NULL if there is none */
bool schema_format_holds(Run *r, const SchemaFormat *f, const char *text, size_t n);

#endif

/* The value that a mathematical text means, as a tree: what the parser makes and the comparison
 * reads. All of a tree lives in one arena with a budget of work, so that whatever the text, the
 * time is bounded, and by the text alone: no clock decides. */
#ifndef REWARDSVC_MATH_MATH_TREE_H
#define REWARDSVC_MATH_MATH_TREE_H

#include <flint/fmpq.h>
#include <stdbool.h>
#include <stdint.h>

#include "rewardsvc/answer.h"

typedef enum {
    NODE_NUMBER,   /* value */
    NODE_INFINITY, /* plus infinity */
    NODE_NAME,     /* a variable: name */
    NODE_PI,
    NODE_EULER,
    NODE_I,
    NODE_SUM,
    NODE_PRODUCT,
    NODE_POWER,      /* kids: base, exponent */
    NODE_FUNCTION,   /* tag: MathFunction */
    NODE_PLUS_MINUS, /* tag: +1 for +-, -1 for -+; the kid's sign is both */
    NODE_PERCENT,
    NODE_DEGREE,
    NODE_UNIT,    /* tag: row of the unit table, -1 if it is no known one; name: the text */
    NODE_BASED,   /* digits with a base: value, tag = base, name = the digits */
    NODE_BRACKET, /* at least two kids; tag: opening, closing: '(' '[' '<', ')' ']' '>' */
    NODE_RATIO,   /* a : b : c, at least three kids, all divided by the first */
    NODE_SET,
    NODE_LIST,   /* kids without brackets; tag: ',' '&' (and) '|' (or) */
    NODE_MATRIX, /* kids row by row; tag: columns */
    NODE_UNION,
    NODE_INTERSECTION,
    NODE_WITHOUT,  /* set difference */
    NODE_RELATION, /* two kids, tag: Relation; a chain is a LIST of them with tag '&' */
    NODE_TEXT,     /* words: name */
} NodeKind;

typedef enum {
    RELATION_EQUAL,
    RELATION_UNEQUAL,
    RELATION_LESS,
    RELATION_LESS_EQUAL,
    RELATION_GREATER,
    RELATION_GREATER_EQUAL,
    RELATION_IN
} Relation;

typedef enum {
    FUNCTION_SIN,
    FUNCTION_COS,
    FUNCTION_TAN,
    FUNCTION_COT,
    FUNCTION_SEC,
    FUNCTION_CSC,
    FUNCTION_ASIN,
    FUNCTION_ACOS,
    FUNCTION_ATAN,
    FUNCTION_ACOT,
    FUNCTION_ASEC,
    FUNCTION_ACSC,
    FUNCTION_SINH,
    FUNCTION_COSH,
    FUNCTION_TANH,
    FUNCTION_EXP,
    FUNCTION_LN,
    FUNCTION_LOG, /* kids: argument and, if it has one, base; base 10 otherwise */
    FUNCTION_ABS,
    FUNCTION_FLOOR,
    FUNCTION_CEIL,
    FUNCTION_FACTORIAL,
    FUNCTION_BINOMIAL,
    FUNCTION_GCD,
    FUNCTION_LCM,
    FUNCTION_MAX,
    FUNCTION_MIN
} MathFunction;

/* What a tree contains anywhere. */
enum {
    HAS_NAME = 1,
    HAS_TEXT = 2,
    HAS_PLUS_MINUS = 4,
    HAS_PERCENT = 8,
    HAS_DEGREE = 16,
    HAS_UNIT = 32,
    HAS_INFINITY = 64,
    HAS_OTHER = 128, /* something that is no scalar */
    HAS_BASED = 256,
    HAS_UNDEFINED = 512 /* 1/0, 0^0 */
};

typedef struct Node {
    NodeKind kind;
    int n, tag, depth, has;
    struct Node **kids; /* [n] */
    Span name;
    fmpq_t value;
} Node;

typedef struct {
    void *chunks;   /* list of blocks */
    size_t left;    /* bytes free in the newest */
    Node **numbers; /* [n_numbers] nodes whose value FLINT holds */
    int n_numbers, n_capacity, n_nodes;
    int64_t budget; /* about nanoseconds of work left; below 0: over */
} Tree;

enum { TREE_MOST_NODES = 20000, TREE_MOST_DEPTH = 100, TREE_MOST_BITS = 40000 };

void tree_init(Tree *t, int64_t budget);
void tree_free(Tree *t);

/* Takes so much from the budget; false once it is spent. */
bool tree_spend(Tree *t, int64_t units);
static inline bool tree_over(const Tree *t)
{
    return t->budget < 0;
}

void *tree_bytes(Tree *t, size_t n); /* zeroed, lives as long as the tree */

/* Nodes. Kids are copied. A tree deeper than TREE_MOST_DEPTH or larger than TREE_MOST_NODES spends
 * the whole budget; a node is returned all the same. Sums, products, powers and functions of
 * numbers are folded exactly where the result fits in TREE_MOST_BITS and is defined. */
Node *node_new(Tree *t, NodeKind kind, int tag, Node *const *kids, int n);
Node *node_number(Tree *t, const fmpq_t value);
Node *node_integer(Tree *t, long value);
Node *node_named(Tree *t, NodeKind kind, int tag, Span name);
Node *node_sum(Tree *t, Node *const *kids, int n);
Node *node_product(Tree *t, Node *const *kids, int n);
Node *node_power(Tree *t, Node *base, Node *exponent);
Node *node_function(Tree *t, MathFunction f, Node *const *kids, int n);
Node *node_negative(Tree *t, Node *a);
Node *node_difference(Tree *t, Node *a, Node *b);
Node *node_times(Tree *t, Node *a, Node *b);
Node *node_quotient(Tree *t, Node *a, Node *b);

/* The same tree, node by node? */
bool node_same(const Node *a, const Node *b);
static inline bool node_scalar(const Node *a)
{
    return !(a->has & (HAS_OTHER | HAS_TEXT));
}
static inline bool node_integral(const Node *a)
{
    return a->kind == NODE_NUMBER && fmpz_is_one(fmpq_denref(a->value));
}

/* f of numbers, exactly: false if it is no rational number, is undefined or does not fit.
 * (math_fold.c) */
bool fold_power(Tree *t, fmpq_t out, const fmpq_t base, const fmpq_t exponent);
bool fold_function(Tree *t, fmpq_t out, MathFunction f, Node *const *kids, int n);

#endif

/* See math_tree.h: the arena, and constructors that fold what is rational. */
#include "rewardsvc/math/math_tree.h"

#include <string.h>

#include "common/memory.h"

enum { CHUNK = 16384 };

typedef struct Chunk {
    struct Chunk *next;
    size_t size;
    _Alignas(16) unsigned char bytes[];
} Chunk;

void tree_init(Tree *t, int64_t budget)
{
    *t = (Tree){.budget = budget};
}

void tree_free(Tree *t)
{
    for (int i = 0; i < t->n_numbers; i++) fmpq_clear(t->numbers[i]->value);
    mem_free(t->numbers);
    for (Chunk *c = t->chunks, *next; c; c = next) {
        next = c->next;
        mem_free(c);
    }
    *t = (Tree){0};
}

bool tree_spend(Tree *t, int64_t units)
{
    if (t->budget < 0) return false;
    t->budget = units < t->budget ? t->budget - units : -1;
    return t->budget >= 0;
}

void *tree_bytes(Tree *t, size_t n)
{
    n = (n + 15) / 16 * 16;
    if (n > t->left) {
        size_t size = n > CHUNK ? n : CHUNK;
        Chunk *c = mem_zeroed(sizeof(Chunk) + size, 1);
        *c = (Chunk){t->chunks, size};
        t->chunks = c;
        t->left = size;
    }
    Chunk *c = t->chunks;
    void *p = c->bytes + (c->size - t->left);
    t->left -= n;
    return p;
}

/* ---- nodes ---- */

static int own_flags(NodeKind kind)
{
    switch (kind) {
    case NODE_NAME:
        return HAS_NAME;
    case NODE_TEXT:
        return HAS_TEXT;
    case NODE_PLUS_MINUS:
        return HAS_PLUS_MINUS;
    case NODE_PERCENT:
        return HAS_PERCENT;
    case NODE_DEGREE:
        return HAS_DEGREE;
    case NODE_UNIT:
        return HAS_UNIT;
    case NODE_INFINITY:
        return HAS_INFINITY;
    case NODE_BASED:
        return HAS_BASED;
    default:
        return kind >= NODE_BRACKET ? HAS_OTHER : 0;
    }
}

Node *node_new(Tree *t, NodeKind kind, int tag, Node *const *kids, int n)
{
    Node *a = tree_bytes(t, sizeof *a);
    *a = (Node){.kind = kind, .n = n, .tag = tag, .has = own_flags(kind)};
    fmpq_init(a->value); /* 0/1: nothing to free until it is set */
    if (n) {
        a->kids = tree_bytes(t, (size_t)n * sizeof(Node *));
        memcpy(a->kids, kids, (size_t)n * sizeof(Node *));
    }
    for (int i = 0; i < n; i++) {
        a->has |= kids[i]->has;
        if (kids[i]->depth >= a->depth) a->depth = kids[i]->depth + 1;
    }
    if (++t->n_nodes > TREE_MOST_NODES || a->depth > TREE_MOST_DEPTH) t->budget = -1;
    tree_spend(t, 50 + 5 * n);
    return a;
}

static void keep_value(Tree *t, Node *a, const fmpq_t value)
{
    if (t->n_numbers == t->n_capacity) {
        int more = t->n_capacity ? 2 * t->n_capacity : 64;
        t->numbers =
            mem_resize(t->numbers, (size_t)t->n_capacity, (size_t)more, sizeof *t->numbers);
        t->n_capacity = more;
    }
    fmpq_set(a->value, value);
    t->numbers[t->n_numbers++] = a;
}

Node *node_number(Tree *t, const fmpq_t value)
{
    Node *a = node_new(t, NODE_NUMBER, 0, NULL, 0);
    keep_value(t, a, value);
    return a;
}

Node *node_integer(Tree *t, long value)
{
    fmpq_t q;
    fmpq_init(q);
    fmpq_set_si(q, value, 1);
    Node *a = node_number(t, q);
    fmpq_clear(q);
    return a;
}

Node *node_named(Tree *t, NodeKind kind, int tag, Span name)
{
    Node *a = node_new(t, kind, tag, NULL, 0);
    a->name = name;
    return a;
}

static int64_t bits_of(const fmpq_t q)
{
    return (int64_t)(fmpz_bits(fmpq_numref(q)) + fmpz_bits(fmpq_denref(q)));
}

/* All numbers among the kids become one; it comes first and is left out where it changes nothing.
 */
static Node *fold_many(Tree *t, NodeKind kind, Node *const *kids, int n)
{
    Node **rest = tree_bytes(t, (size_t)(n + 1) * sizeof(Node *));
    int n_rest = 1, folded = 0;
    fmpq_t all;
    fmpq_init(all);
    fmpq_set_si(all, kind == NODE_PRODUCT, 1);
    for (int i = 0; i < n; i++) {
        int64_t bits =
            kids[i]->kind == NODE_NUMBER ? bits_of(kids[i]->value) + bits_of(all) : INT64_MAX;
        if (bits > TREE_MOST_BITS || !tree_spend(t, 100 + 3 * bits)) {
            rest[n_rest++] = kids[i];
            continue;
        }
        folded++;
        (kind == NODE_SUM ? fmpq_add : fmpq_mul)(all, all, kids[i]->value);
    }
    bool plain = kind == NODE_SUM ? fmpq_is_zero(all) : fmpq_is_one(all);
    Node *out;
    if (n_rest == 1)
        out = node_number(t, all);
    else if (plain && n_rest == 2)
        out = rest[1];
    else if (plain)
        out = node_new(t, kind, 0, rest + 1, n_rest - 1);
    else
        rest[0] = node_number(t, all), out = node_new(t, kind, 0, rest, n_rest);
    fmpq_clear(all);
    return out;
}

Node *node_sum(Tree *t, Node *const *kids, int n)
{
    return n == 1 ? kids[0] : fold_many(t, NODE_SUM, kids, n);
}

Node *node_product(Tree *t, Node *const *kids, int n)
{
    return n == 1 ? kids[0] : fold_many(t, NODE_PRODUCT, kids, n);
}

Node *node_power(Tree *t, Node *base, Node *exponent)
{
    Node *kids[2] = {base, exponent}, *out = NULL;
    if (exponent->kind == NODE_NUMBER && fmpq_is_one(exponent->value)) return base;
    if (base->kind == NODE_NUMBER && exponent->kind == NODE_NUMBER) {
        fmpq_t q;
        fmpq_init(q);
        if (fold_power(t, q, base->value, exponent->value)) out = node_number(t, q);
        fmpq_clear(q);
    }
    if (out) return out;
    out = node_new(t, NODE_POWER, 0, kids, 2);
    if (base->kind == NODE_NUMBER && fmpq_is_zero(base->value) && exponent->kind == NODE_NUMBER &&
        fmpq_sgn(exponent->value) <= 0)
        out->has |= HAS_UNDEFINED;
    return out;
}

Node *node_function(Tree *t, MathFunction f, Node *const *kids, int n)
{
    Node *out = NULL;
    fmpq_t q;
    fmpq_init(q);
    if (fold_function(t, q, f, kids, n)) out = node_number(t, q);
    fmpq_clear(q);
    return out ? out : node_new(t, NODE_FUNCTION, (int)f, kids, n);
}

Node *node_times(Tree *t, Node *a, Node *b)
{
    return node_product(t, (Node *[]){a, b}, 2);
}

Node *node_negative(Tree *t, Node *a)
{
    return node_times(t, node_integer(t, -1), a);
}

Node *node_difference(Tree *t, Node *a, Node *b)
{
    return node_sum(t, (Node *[]){a, node_negative(t, b)}, 2);
}

Node *node_quotient(Tree *t, Node *a, Node *b)
{
    return node_times(t, a, node_power(t, b, node_integer(t, -1)));
}

bool node_same(const Node *a, const Node *b)
{
    if (a == b) return true;
    if (a->kind != b->kind || a->n != b->n || a->tag != b->tag || a->name.n != b->name.n)
        return false;
    if (a->name.n && memcmp(a->name.p, b->name.p, a->name.n) != 0) return false;
    if (!fmpq_equal(a->value, b->value)) return false;
    for (int i = 0; i < a->n; i++)
        if (!node_same(a->kids[i], b->kids[i])) return false;
    return true;
}

/* See math_ball.h: the separation bound of algebraic expressions, in whole bits rounded up. */
#include "rewardsvc/math/math_ball.h"

enum { MOST_DEGREE = 1 << 12 };

/* log2 of u and l, rounded up, and the product of the root indices. */
typedef struct {
    int64_t u, l, degree;
} Bound;

static bool bound_of(const Node *a, Bound *b);

static int64_t most_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static Bound bound_number(const fmpq_t q)
{
    Bound b = {(int64_t)fmpz_bits(fmpq_numref(q)), (int64_t)fmpz_bits(fmpq_denref(q)), 1};
    if (fmpz_is_one(fmpq_denref(q))) b.l = 0;
    return b;
}

static Bound bound_sum(Bound a, Bound b)
{
    return (Bound){most_of(a.u + b.l, a.l + b.u) + 1, a.l + b.l, a.degree * b.degree};
}

static Bound bound_product(Bound a, Bound b)
{
    return (Bound){a.u + b.u, a.l + b.l, a.degree * b.degree};
}

/* The k-th root: of u l^(k-1) over l where u >= l, of u over (u^(k-1) l) otherwise. */
static Bound bound_root(Bound a, int64_t k)
{
    if (a.u >= a.l) return (Bound){(a.u + (k - 1) * a.l + k - 1) / k, a.l, a.degree * k};
    return (Bound){a.u, ((k - 1) * a.u + a.l + k - 1) / k, a.degree * k};
}

static bool within(const Bound *b)
{
    return b->degree <= MOST_DEGREE && b->u < (1 << 24) && b->l < (1 << 24);
}

static bool bound_many(const Node *a, Bound *b)
{
    bool sum = a->kind == NODE_SUM;
    if (!bound_of(a->kids[0], b)) return false;
    for (int i = 1; i < a->n; i++) {
        Bound next;
        if (!bound_of(a->kids[i], &next)) return false;
        *b = sum ? bound_sum(*b, next) : bound_product(*b, next);
        if (!within(b)) return false;
    }
    return true;
}

static bool bound_power(const Node *a, Bound *b)
{
    const Node *e = a->kids[1];
    if (e->kind != NODE_NUMBER || fmpz_cmpabs(fmpq_numref(e->value), (fmpz[]){1000}) > 0 ||
        fmpz_cmp_ui(fmpq_denref(e->value), 1000) > 0 || !bound_of(a->kids[0], b))
        return false;
    int64_t k = (int64_t)fmpz_get_ui(fmpq_denref(e->value)),
            n = (int64_t)fmpz_get_si(fmpq_numref(e->value)), n_abs = n < 0 ? -n : n;
    if (k > 1) *b = bound_root(*b, k);
    *b = (Bound){b->u * n_abs, b->l * n_abs, b->degree};
    if (n < 0) *b = (Bound){b->l, b->u, b->degree};
    return within(b);
}

static bool bound_of(const Node *a, Bound *b)
{
    switch (a->kind) {
    case NODE_NUMBER:
        *b = bound_number(a->value);
        return within(b);
    case NODE_BASED:
        return bound_of(a->kids[0], b);
    case NODE_I:
        *b = (Bound){0, 0, 2};
        return true;
    case NODE_SUM:
    case NODE_PRODUCT:
        return bound_many(a, b);
    case NODE_POWER:
        return bound_power(a, b);
    default:
        return false;
    }
}

int64_t ball_zero_bound(const Node *a, int64_t most)
{
    Bound b;
    if (!bound_of(a, &b)) return -1;
    int64_t bits = b.l + b.u * (b.degree - 1) + 1;
    return bits <= most ? bits : -1;
}

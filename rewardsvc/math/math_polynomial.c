/* See math_polynomial.h. Fractions are pairs of FLINT polynomials that are never reduced: a
 * difference is 0 exactly if its numerator is, and no gcd can take unforeseen time. Sizes are
 * bounded before each product. */
#include "rewardsvc/math/math_polynomial.h"

#include <flint/fmpq_mpoly.h>

enum { MOST_GENERATORS = 12, MOST_TERMS = 3000, MOST_POWER = 1000, MOST_REDUCED = 60 };

typedef struct {
    Tree *t;
    int n; /* generators */
    const Node *generators[MOST_GENERATORS];
    fmpq_mpoly_ctx_t ctx;
} Ring;

typedef struct {
    fmpq_mpoly_t above, below;
} Fraction;

static void fraction_init(Fraction *f, const Ring *r)
{
    fmpq_mpoly_init(f->above, r->ctx);
    fmpq_mpoly_init(f->below, r->ctx);
    fmpq_mpoly_one(f->below, r->ctx);
}

static void fraction_clear(Fraction *f, const Ring *r)
{
    fmpq_mpoly_clear(f->above, r->ctx);
    fmpq_mpoly_clear(f->below, r->ctx);
}

/* ---- generators ---- */

/* base^(p/q) is the generator base^(1/q) to the power p; its exponent must be within bounds. */
static bool small_exponent(const Node *a)
{
    const Node *e = a->kids[1];
    return e->kind == NODE_NUMBER &&
           fmpz_cmpabs(fmpq_numref(e->value), (fmpz[]){MOST_POWER}) <= 0 &&
           fmpz_cmp_ui(fmpq_denref(e->value), 1000) <= 0;
}

static bool whole_exponent(const Node *a)
{
    return small_exponent(a) && fmpz_is_one(fmpq_denref(a->kids[1]->value));
}

static bool same_generator(const Node *a, const Node *b)
{
    if (a->kind == NODE_POWER && b->kind == NODE_POWER && small_exponent(a) && small_exponent(b))
        return node_same(a->kids[0], b->kids[0]) &&
               fmpz_equal(fmpq_denref(a->kids[1]->value), fmpq_denref(b->kids[1]->value));
    return node_same(a, b);
}

static int generator_find(const Ring *r, const Node *a)
{
    for (int i = 0; i < r->n; i++)
        if (same_generator(r->generators[i], a)) return i;
    return -1;
}

static bool collect(Ring *r, const Node *a)
{
    if (!tree_spend(r->t, 100)) return false;
    bool inner = a->kind == NODE_SUM || a->kind == NODE_PRODUCT;
    if (a->kind == NODE_NUMBER || a->kind == NODE_BASED) return true;
    if (a->kind == NODE_POWER && whole_exponent(a)) return collect(r, a->kids[0]);
    for (int i = 0; inner && i < a->n; i++)
        if (!collect(r, a->kids[i])) return false;
    if (inner || generator_find(r, a) >= 0) return true;
    if (r->n == MOST_GENERATORS) return false;
    r->generators[r->n++] = a;
    return true;
}

static bool names_only(const Ring *r)
{
    for (int i = 0; i < r->n; i++)
        if (r->generators[i]->kind != NODE_NAME) return false;
    return true;
}

/* ---- arithmetic ---- */

static int64_t coefficient_bits(const fmpq_mpoly_t a)
{
    slong bits = fmpz_mpoly_max_bits(a->zpoly);
    return (bits < 0 ? -bits : bits) + (int64_t)fmpz_bits(fmpq_numref(a->content)) +
           (int64_t)fmpz_bits(fmpq_denref(a->content));
}

static bool multiply(const Ring *r, fmpq_mpoly_t out, const fmpq_mpoly_t a, const fmpq_mpoly_t b)
{
    int64_t n = fmpq_mpoly_length(a, r->ctx), m = fmpq_mpoly_length(b, r->ctx),
            bits = coefficient_bits(a) + coefficient_bits(b);
    if (n * m > 20 * MOST_TERMS || !tree_spend(r->t, 500 + n * m * (60 + bits * bits / 2000)))
        return false;
    fmpq_mpoly_mul(out, a, b, r->ctx);
    return fmpq_mpoly_length(out, r->ctx) <= MOST_TERMS;
}

/* out = a^n by squaring */
static bool power_of(const Ring *r, fmpq_mpoly_t out, const fmpq_mpoly_t a, ulong n)
{
    fmpq_mpoly_t square;
    fmpq_mpoly_init(square, r->ctx);
    fmpq_mpoly_set(square, a, r->ctx);
    fmpq_mpoly_one(out, r->ctx);
    bool ok = true;
    for (; n && ok; n /= 2) {
        if (n % 2) ok = multiply(r, out, out, square);
        if (n > 1 && ok) ok = multiply(r, square, square, square);
    }
    fmpq_mpoly_clear(square, r->ctx);
    return ok;
}

static bool fraction_multiply(const Ring *r, Fraction *out, const Fraction *a)
{
    return multiply(r, out->above, out->above, a->above) &&
           multiply(r, out->below, out->below, a->below);
}

/* out += a */
static bool fraction_add(const Ring *r, Fraction *out, const Fraction *a)
{
    if (fmpq_mpoly_equal(out->below, a->below, r->ctx)) {
        fmpq_mpoly_add(out->above, out->above, a->above, r->ctx);
        return fmpq_mpoly_length(out->above, r->ctx) <= MOST_TERMS && tree_spend(r->t, 1000);
    }
    fmpq_mpoly_t other;
    fmpq_mpoly_init(other, r->ctx);
    bool ok = multiply(r, other, a->above, out->below) &&
              multiply(r, out->above, out->above, a->below) &&
              multiply(r, out->below, out->below, a->below);
    if (ok) fmpq_mpoly_add(out->above, out->above, other, r->ctx);
    fmpq_mpoly_clear(other, r->ctx);
    return ok;
}

/* ---- from trees ---- */

static bool fraction_of(const Ring *r, Fraction *out, const Node *a);

static bool fraction_many(const Ring *r, Fraction *out, const Node *a)
{
    Fraction next;
    bool ok = fraction_of(r, out, a->kids[0]);
    for (int i = 1; i < a->n && ok; i++) {
        fraction_init(&next, r);
        ok = fraction_of(r, &next, a->kids[i]) &&
             (a->kind == NODE_SUM ? fraction_add : fraction_multiply)(r, out, &next);
        fraction_clear(&next, r);
    }
    return ok;
}

static bool fraction_generator(const Ring *r, Fraction *out, const Node *a)
{
    int i = generator_find(r, a);
    if (i < 0) return false;
    fmpq_mpoly_gen(out->above, i, r->ctx);
    return true;
}

static bool fraction_power(const Ring *r, Fraction *out, const Node *a)
{
    if (!small_exponent(a)) return fraction_generator(r, out, a);
    slong n = fmpz_get_si(fmpq_numref(a->kids[1]->value));
    Fraction base;
    fraction_init(&base, r);
    bool ok =
        whole_exponent(a) ? fraction_of(r, &base, a->kids[0]) : fraction_generator(r, &base, a);
    if (n < 0) fmpq_mpoly_swap(base.above, base.below, r->ctx);
    ok = ok && !fmpq_mpoly_is_zero(base.below, r->ctx) &&
         power_of(r, out->above, base.above, (ulong)(n < 0 ? -n : n)) &&
         power_of(r, out->below, base.below, (ulong)(n < 0 ? -n : n));
    fraction_clear(&base, r);
    return ok;
}

static bool fraction_of(const Ring *r, Fraction *out, const Node *a)
{
    if (!tree_spend(r->t, 500)) return false;
    switch (a->kind) {
    case NODE_NUMBER:
        fmpq_mpoly_set_fmpq(out->above, a->value, r->ctx);
        return true;
    case NODE_BASED:
        return fraction_of(r, out, a->kids[0]);
    case NODE_SUM:
    case NODE_PRODUCT:
        return fraction_many(r, out, a);
    case NODE_POWER:
        return fraction_power(r, out, a);
    default:
        return fraction_generator(r, out, a);
    }
}

/* ---- the two questions ---- */

/* a.above b.below - b.above a.below */
static Identity judge_equal(const Ring *r, Fraction *a, Fraction *b)
{
    if (!multiply(r, a->above, a->above, b->below) || !multiply(r, b->above, b->above, a->below))
        return IDENTITY_UNKNOWN;
    fmpq_mpoly_sub(a->above, a->above, b->above, r->ctx);
    if (fmpq_mpoly_is_zero(a->above, r->ctx)) return IDENTITY_PROVEN;
    bool constant = fmpq_mpoly_is_fmpq(a->above, r->ctx) && fmpq_mpoly_is_fmpq(a->below, r->ctx) &&
                    fmpq_mpoly_is_fmpq(b->below, r->ctx);
    return constant || names_only(r) ? IDENTITY_REFUTED : IDENTITY_UNKNOWN;
}

/* Are they the same up to a constant? Both are divided by their leading coefficients. */
static bool same_monic(const Ring *r, fmpq_mpoly_t a, fmpq_mpoly_t b)
{
    if (fmpq_mpoly_is_zero(a, r->ctx) || fmpq_mpoly_is_zero(b, r->ctx))
        return fmpq_mpoly_equal(a, b, r->ctx);
    fmpq_mpoly_make_monic(a, a, r->ctx);
    fmpq_mpoly_make_monic(b, b, r->ctx);
    return fmpq_mpoly_equal(a, b, r->ctx);
}

/* Divides what above and below have in common out of above; false if they are too large. */
static bool reduce(const Ring *r, Fraction *f)
{
    if (fmpq_mpoly_is_fmpq(f->below, r->ctx)) return true;
    int64_t n = fmpq_mpoly_length(f->above, r->ctx) + fmpq_mpoly_length(f->below, r->ctx);
    if (n > MOST_REDUCED || !tree_spend(r->t, 10000 * n)) return false;
    fmpq_mpoly_t common;
    fmpq_mpoly_init(common, r->ctx);
    bool ok = fmpq_mpoly_gcd(common, f->above, f->below, r->ctx) &&
              fmpq_mpoly_divides(f->above, f->above, common, r->ctx);
    fmpq_mpoly_clear(common, r->ctx);
    return ok;
}

/* a.above b.below and b.above a.below up to a constant */
static Identity judge_proportional(const Ring *r, Fraction *a, Fraction *b)
{
    if (!multiply(r, a->above, a->above, b->below) || !multiply(r, b->above, b->above, a->below))
        return IDENTITY_UNKNOWN;
    if (same_monic(r, a->above, b->above)) return IDENTITY_PROVEN;
    return names_only(r) ? IDENTITY_REFUTED : IDENTITY_UNKNOWN;
}

/* As equations a = 0 and b = 0: what stands above, in lowest terms. */
static Identity judge_equations(const Ring *r, Fraction *a, Fraction *b)
{
    if (!reduce(r, a) || !reduce(r, b)) return IDENTITY_UNKNOWN;
    if (same_monic(r, a->above, b->above)) return IDENTITY_PROVEN;
    return names_only(r) ? IDENTITY_REFUTED : IDENTITY_UNKNOWN;
}

static Identity judge(Tree *t, const Node *a, const Node *b,
                      Identity (*question)(const Ring *, Fraction *, Fraction *))
{
    Ring r = {.t = t};
    if (!collect(&r, a) || !collect(&r, b)) return IDENTITY_UNKNOWN;
    Fraction f, g;
    fmpq_mpoly_ctx_init(r.ctx, r.n, ORD_LEX);
    fraction_init(&f, &r);
    fraction_init(&g, &r);
    Identity result =
        fraction_of(&r, &f, a) && fraction_of(&r, &g, b) ? question(&r, &f, &g) : IDENTITY_UNKNOWN;
    fraction_clear(&f, &r);
    fraction_clear(&g, &r);
    fmpq_mpoly_ctx_clear(r.ctx);
    return result;
}

Identity polynomial_identity(Tree *t, const Node *a, const Node *b)
{
    return judge(t, a, b, judge_equal);
}

Identity polynomial_proportional(Tree *t, const Node *a, const Node *b, bool equations)
{
    return judge(t, a, b, equations ? judge_equations : judge_proportional);
}

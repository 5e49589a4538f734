/* See math_tree.h: functions of rational numbers whose value is rational, within a bound on the
 * size of the result that is checked before anything is computed. */
#include <flint/arith.h>

#include "rewardsvc/math/math_tree.h"

static int64_t size_of(const fmpq_t q)
{
    int64_t a = (int64_t)fmpz_bits(fmpq_numref(q)), b = (int64_t)fmpz_bits(fmpq_denref(q));
    return a > b ? a : b;
}

static bool fold_integer_power(Tree *t, fmpq_t out, const fmpq_t base, const fmpz_t exponent)
{
    if (fmpq_is_zero(base) && fmpz_sgn(exponent) <= 0) return false; /* 0^0 too */
    if (size_of(base) <= 1 && fmpz_is_one(fmpq_denref(base))) {      /* 0, 1, -1 */
        fmpq_set(out, base);
        if (fmpz_is_even(exponent)) fmpq_mul(out, base, base);
        return true;
    }
    if (!fmpz_fits_si(exponent)) return false;
    int64_t e = fmpz_get_si(exponent), most = TREE_MOST_BITS / size_of(base);
    if (e > most || e < -most) return false;
    if (!tree_spend(t, 200 + 5 * size_of(base) * (e < 0 ? -e : e))) return false;
    fmpq_pow_si(out, base, e);
    return true;
}

/* The k-th root of a >= 0, if it is an integer. */
static bool fold_root(fmpz_t out, const fmpz_t a, ulong k)
{
    fmpz_t back;
    fmpz_init(back);
    fmpz_root(out, a, (slong)k);
    fmpz_pow_ui(back, out, k);
    bool exact = fmpz_equal(back, a);
    fmpz_clear(back);
    return exact;
}

/* base^(1/k) is exact; the root of a negative number is real where k is odd. */
static bool fold_fraction_root(fmpq_t out, const fmpq_t base, ulong k)
{
    bool minus = fmpq_sgn(base) < 0;
    if (minus && k % 2 == 0) return false;
    fmpq_t a;
    fmpq_init(a);
    fmpq_abs(a, base);
    bool exact = fold_root(fmpq_numref(out), fmpq_numref(a), k) &&
                 fold_root(fmpq_denref(out), fmpq_denref(a), k);
    if (!exact) fmpq_zero(out);
    if (minus) fmpq_neg(out, out);
    fmpq_clear(a);
    return exact;
}

bool fold_power(Tree *t, fmpq_t out, const fmpq_t base, const fmpq_t exponent)
{
    if (fmpz_is_one(fmpq_denref(exponent)))
        return fold_integer_power(t, out, base, fmpq_numref(exponent));
    if (fmpz_cmp_ui(fmpq_denref(exponent), 1000) > 0 || !tree_spend(t, 1000 + 20 * size_of(base)))
        return false;
    fmpq_t root;
    fmpq_init(root);
    bool exact = fold_fraction_root(root, base, fmpz_get_ui(fmpq_denref(exponent))) &&
                 fold_integer_power(t, out, root, fmpq_numref(exponent));
    fmpq_clear(root);
    return exact;
}

static bool fold_factorial(Tree *t, fmpq_t out, const Node *a)
{
    if (!node_integral(a) || fmpq_sgn(a->value) < 0 || fmpz_cmp_ui(fmpq_numref(a->value), 3000) > 0)
        return false;
    ulong n = fmpz_get_ui(fmpq_numref(a->value));
    if (!tree_spend(t, 500 + 30 * (int64_t)n)) return false;
    fmpz_fac_ui(fmpq_numref(out), n);
    fmpz_one(fmpq_denref(out));
    return true;
}

static bool fold_binomial(Tree *t, fmpq_t out, const Node *a, const Node *b)
{
    if (!node_integral(a) || !node_integral(b) || fmpq_sgn(a->value) < 0 ||
        fmpq_sgn(b->value) < 0 || fmpz_cmp_ui(fmpq_numref(a->value), 10000) > 0 ||
        fmpz_cmp_ui(fmpq_numref(b->value), 10000) > 0)
        return false;
    ulong n = fmpz_get_ui(fmpq_numref(a->value)), k = fmpz_get_ui(fmpq_numref(b->value));
    if (!tree_spend(t, 500 + 30 * (int64_t)n)) return false;
    fmpz_bin_uiui(fmpq_numref(out), n, k);
    fmpz_one(fmpq_denref(out));
    return true;
}

/* gcd, lcm, max, min: two numbers at a time. */
static bool fold_pair(fmpq_t out, MathFunction f, const fmpq_t a, const fmpq_t b)
{
    if (f == FUNCTION_MAX || f == FUNCTION_MIN) {
        bool first = (fmpq_cmp(a, b) >= 0) == (f == FUNCTION_MAX);
        fmpq_set(out, first ? a : b);
        return true;
    }
    if (!fmpz_is_one(fmpq_denref(a)) || !fmpz_is_one(fmpq_denref(b))) return false;
    (f == FUNCTION_GCD ? fmpz_gcd : fmpz_lcm)(fmpq_numref(out), fmpq_numref(a), fmpq_numref(b));
    fmpz_one(fmpq_denref(out));
    return true;
}

static bool fold_all(fmpq_t out, MathFunction f, Node *const *kids, int n)
{
    fmpq_t next;
    fmpq_init(next);
    bool exact = true;
    fmpq_set(out, kids[0]->value);
    for (int i = 1; i < n && exact; i++) {
        exact = fold_pair(next, f, out, kids[i]->value) && size_of(next) <= TREE_MOST_BITS;
        fmpq_swap(out, next);
    }
    fmpq_clear(next);
    return exact;
}

bool fold_function(Tree *t, fmpq_t out, MathFunction f, Node *const *kids, int n)
{
    for (int i = 0; i < n; i++)
        if (kids[i]->kind != NODE_NUMBER || !tree_spend(t, 200 + 5 * size_of(kids[i]->value)))
            return false;
    switch (f) {
    case FUNCTION_ABS:
        fmpq_abs(out, kids[0]->value);
        return true;
    case FUNCTION_FLOOR:
    case FUNCTION_CEIL:
        (f == FUNCTION_FLOOR ? fmpz_fdiv_q : fmpz_cdiv_q)(
            fmpq_numref(out), fmpq_numref(kids[0]->value), fmpq_denref(kids[0]->value));
        fmpz_one(fmpq_denref(out));
        return true;
    case FUNCTION_FACTORIAL:
        return fold_factorial(t, out, kids[0]);
    case FUNCTION_BINOMIAL:
        return fold_binomial(t, out, kids[0], kids[1]);
    case FUNCTION_GCD:
    case FUNCTION_LCM:
    case FUNCTION_MAX:
    case FUNCTION_MIN:
        return fold_all(out, f, kids, n);
    default:
        return false;
    }
}

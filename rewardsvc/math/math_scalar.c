/* Two scalars: see math_equal.h, decision 3. */
#include "rewardsvc/math/math_ball.h"
#include "rewardsvc/math/math_compare.h"
#include "rewardsvc/math/math_polynomial.h"
#include "rewardsvc/math/math_units.h"

enum {
    FIRST_PRECISION = 128,
    LAST_PRECISION = 2048,
    AGREED_BITS = 1000, /* 300 digits */
    POINT_PRECISION = 1200,
    MOST_BOUND = 20000, /* bits of a separation bound */
    N_POINTS = 24,
    POINTS_WANTED = 4
};

/* ---- readings ---- */

static Node *read_degrees(Tree *t, Node *a, Reading r)
{
    if (r.whole_degrees) return a;
    Node *pi = node_new(t, NODE_PI, 0, NULL, 0),
         *per = node_power(t, node_integer(t, 180), node_integer(t, -1));
    return node_product(t, (Node *[]){a, pi, per}, 3);
}

static Node *read_percent(Tree *t, Node *a, Reading r)
{
    return r.whole_percent ? a : node_quotient(t, a, node_integer(t, 100));
}

/* The same kind of node over other kids. */
static Node *rebuild(Tree *t, const Node *a, Node *const *kids)
{
    switch (a->kind) {
    case NODE_SUM:
        return node_sum(t, kids, a->n);
    case NODE_PRODUCT:
        return node_product(t, kids, a->n);
    case NODE_POWER:
        return node_power(t, kids[0], kids[1]);
    case NODE_FUNCTION:
        return node_function(t, (MathFunction)a->tag, kids, a->n);
    default: {
        Node *b = node_new(t, a->kind, a->tag, kids, a->n);
        b->name = a->name;
        return b;
    }
    }
}

Node *node_read(Tree *t, Node *a, Reading r)
{
    int has = HAS_PERCENT | HAS_DEGREE | HAS_UNIT | (r.sign ? HAS_PLUS_MINUS : 0);
    if (!(a->has & has) || !a->n) return a;
    Node **kids = tree_bytes(t, (size_t)a->n * sizeof(Node *));
    for (int i = 0; i < a->n; i++) kids[i] = node_read(t, a->kids[i], r);
    switch (a->kind) {
    case NODE_PERCENT:
        return read_percent(t, kids[0], r);
    case NODE_DEGREE:
        return read_degrees(t, kids[0], r);
    case NODE_UNIT:
        return kids[0];
    case NODE_PLUS_MINUS:
        if (r.sign) return r.sign * a->tag < 0 ? node_negative(t, kids[0]) : kids[0];
        return rebuild(t, a, kids);
    default:
        return rebuild(t, a, kids);
    }
}

/* ---- constants and functions ---- */

/* The balls of a and b at a point; false if one is undefined or cannot be computed. */
static bool balls(acb_t x, acb_t y, Tree *t, const Node *a, const Node *b, int point, slong prec)
{
    ball_evaluate(x, t, a, point, prec);
    ball_evaluate(y, t, b, point, prec);
    return acb_is_finite(x) && acb_is_finite(y);
}

/* Known to so many bits, or so close to 0? */
static bool accurate(const acb_t x, slong bits)
{
    mag_t m;
    mag_init(m);
    acb_get_mag(m, x);
    bool near_zero = mag_cmp_2exp_si(m, -bits) < 0;
    mag_clear(m);
    return near_zero || acb_rel_accuracy_bits(x) >= bits;
}

static bool agreed(const acb_t x, const acb_t y, slong bits)
{
    return acb_overlaps(x, y) && accurate(x, bits) && accurate(y, bits);
}

/* Is |x - y| below 2^-bits? */
static bool closer(const acb_t x, const acb_t y, slong bits, slong prec)
{
    acb_t d;
    mag_t m;
    acb_init(d);
    mag_init(m);
    acb_sub(d, x, y, prec);
    acb_get_mag(m, d);
    bool small = mag_cmp_2exp_si(m, -bits) < 0;
    acb_clear(d);
    mag_clear(m);
    return small;
}

/* Precision is doubled until the balls part, or are closer than different numbers of this kind can
 * be (bound, -1: there is none), or agree to AGREED_BITS. */
static MathVerdict separate(Tree *t, const Node *a, const Node *b, int64_t bound, acb_t x, acb_t y)
{
    slong last = bound < 0 ? LAST_PRECISION : 2 * (slong)bound + 512; /* half is for cancellation */
    for (slong prec = 2 * FIRST_PRECISION;; prec *= 2) {
        if (prec > last) prec = last;
        bool defined = balls(x, y, t, a, b, 0, prec);
        if (tree_over(t)) return MATH_UNDECIDED;
        if (defined && !acb_overlaps(x, y)) return MATH_DIFFERENT;
        if (defined && bound >= 0 && closer(x, y, (slong)bound, prec)) return MATH_EQUAL;
        if (prec < last) continue;
        return defined && bound < 0 && agreed(x, y, AGREED_BITS) ? MATH_EQUAL : MATH_UNDECIDED;
    }
}

static MathVerdict constants_compare(Tree *t, Node *a, Node *b, acb_t x, acb_t y)
{
    if (balls(x, y, t, a, b, 0, FIRST_PRECISION) && !acb_overlaps(x, y)) return MATH_DIFFERENT;
    Identity identity = polynomial_identity(t, a, b);
    if (identity != IDENTITY_UNKNOWN)
        return identity == IDENTITY_PROVEN ? MATH_EQUAL : MATH_DIFFERENT;
    return separate(t, a, b, ball_zero_bound(node_difference(t, a, b), MOST_BOUND), x, y);
}

static bool both_real(const acb_t x, const acb_t y)
{
    return acb_is_real(x) && acb_is_real(y);
}

/* At the points where both sides are real or, if there are too few of those, at all where they are
 * defined: different at one, or in agreement at enough of them. */
static MathVerdict points_compare(Tree *t, Node *a, Node *b, bool real, slong prec, acb_t x,
                                  acb_t y)
{
    int n = 0;
    for (int point = 0; point < N_POINTS && n < POINTS_WANTED; point++) {
        if (!balls(x, y, t, a, b, point, FIRST_PRECISION) || (real && !both_real(x, y))) continue;
        if (!acb_overlaps(x, y)) return MATH_DIFFERENT;
        if (prec > FIRST_PRECISION) {
            if (!balls(x, y, t, a, b, point, prec)) continue;
            if (!acb_overlaps(x, y)) return MATH_DIFFERENT;
            if (!agreed(x, y, AGREED_BITS)) continue;
        }
        n++;
    }
    return n == POINTS_WANTED ? MATH_EQUAL : MATH_UNDECIDED;
}

static MathVerdict functions_compare(Tree *t, Node *a, Node *b, acb_t x, acb_t y)
{
    bool real = true;
    MathVerdict quick = points_compare(t, a, b, real, FIRST_PRECISION, x, y);
    if (quick == MATH_UNDECIDED)
        quick = points_compare(t, a, b, real = false, FIRST_PRECISION, x, y);
    if (quick == MATH_DIFFERENT) return quick;
    Identity identity = polynomial_identity(t, a, b);
    if (identity != IDENTITY_UNKNOWN)
        return identity == IDENTITY_PROVEN ? MATH_EQUAL : MATH_DIFFERENT;
    if (quick == MATH_UNDECIDED) return quick;
    return points_compare(t, a, b, real, POINT_PRECISION, x, y);
}

/* Is it defined and within what can be written, at one point at least if it has names? */
static bool has_value(Tree *t, const Node *a, acb_t x)
{
    bool names = a->has & HAS_NAME, found = false;
    for (int point = 0; point < (names ? N_POINTS : 1) && !found; point++) {
        ball_evaluate(x, t, a, point, names ? FIRST_PRECISION : LAST_PRECISION);
        found = acb_is_finite(x);
    }
    return found;
}

/* Without percent signs, degrees and units. a: the answer. */
static MathVerdict plain_compare(const Compare *c, Node *a, Node *b)
{
    if (a->kind == NODE_NUMBER && b->kind == NODE_NUMBER)
        return fmpq_equal(a->value, b->value) ? MATH_EQUAL : MATH_DIFFERENT;
    if (node_same(a, b)) return MATH_EQUAL;
    if ((a->has | b->has) & (HAS_INFINITY | HAS_UNDEFINED)) return MATH_DIFFERENT;
    acb_t x, y;
    acb_init(x);
    acb_init(y);
    MathVerdict verdict = (a->has | b->has) & HAS_NAME ? functions_compare(c->t, a, b, x, y)
                                                       : constants_compare(c->t, a, b, x, y);
    if (verdict == MATH_UNDECIDED && !has_value(c->t, a, x) && has_value(c->t, b, y))
        verdict = MATH_DIFFERENT;
    acb_clear(x);
    acb_clear(y);
    return tree_over(c->t) ? MATH_UNDECIDED : verdict;
}

/* ---- rounding ---- */

/* Places behind the point of a decimal fraction: the least d with 10^d value whole; -1: none. */
static long decimal_places(const Node *a)
{
    if (a->kind != NODE_NUMBER || fmpz_bits(fmpq_denref(a->value)) > 300) return -1;
    fmpz_t rest;
    fmpz_init_set(rest, fmpq_denref(a->value));
    fmpz_t two, five;
    fmpz_init_set_ui(two, 2);
    fmpz_init_set_ui(five, 5);
    long twos = (long)fmpz_remove(rest, rest, two), fives = (long)fmpz_remove(rest, rest, five);
    bool decimal = fmpz_is_one(rest);
    fmpz_clear(rest);
    fmpz_clear(two);
    fmpz_clear(five);
    return decimal ? (twos > fives ? twos : fives) : -1;
}

/* Is decimal the value of a, rounded to its own places: certainly within half a unit of the last?
 */
static bool rounded(const Compare *c, Node *decimal, Node *a)
{
    long places = decimal_places(decimal);
    if (places < c->rules->rounding || (a->has & (HAS_NAME | HAS_INFINITY))) return false;
    acb_t x, y;
    acb_init(x);
    acb_init(y);
    arb_t half;
    arb_init(half);
    bool near = balls(x, y, c->t, decimal, a, 0, 4 * places + FIRST_PRECISION) && both_real(x, y);
    if (near) {
        slong prec = 4 * places + FIRST_PRECISION;
        acb_sub(x, x, y, prec);
        arb_abs(acb_realref(x), acb_realref(x));
        arb_ui_pow_ui(half, 10, (ulong)places, prec);
        arb_mul_2exp_si(half, half, 1);
        arb_inv(half, half, prec);
        near = arb_le(acb_realref(x), half);
    }
    arb_clear(half);
    acb_clear(x);
    acb_clear(y);
    return near;
}

static MathVerdict rounded_compare(const Compare *c, Node *a, Node *b)
{
    MathVerdict verdict = plain_compare(c, a, b);
    if (verdict == MATH_EQUAL || c->rules->rounding <= 0) return verdict;
    return rounded(c, a, b) || rounded(c, b, a) ? MATH_EQUAL : verdict;
}

/* ---- units ---- */

/* Both have known units: brings a to b's. false: they measure different things. */
static bool to_same_unit(Tree *t, Node **a, const Node *b)
{
    if ((*a)->kind != NODE_UNIT || b->kind != NODE_UNIT || (*a)->tag < 0 || b->tag < 0) return true;
    fmpq_t factor;
    fmpq_init(factor);
    bool same = fmpq_equal((*a)->value, b->value) && unit_convert((*a)->tag, b->tag, factor);
    if (same)
        *a = node_times(t, (*a)->kids[0],
                        node_power(t, node_number(t, factor), node_number(t, b->value)));
    fmpq_clear(factor);
    return same;
}

/* Digits with a base against digits without: as they are written; both with one: as values. */
static MathVerdict based_compare(const Node *a, const Node *b)
{
    if (a->kind != NODE_BASED) return based_compare(b, a);
    if (b->kind == NODE_BASED)
        return fmpq_equal(a->kids[0]->value, b->kids[0]->value) ? MATH_EQUAL : MATH_DIFFERENT;
    if (!node_integral(b)) return MATH_DIFFERENT;
    fmpz_t written;
    fmpz_init(written);
    for (size_t i = 0; i < a->name.n; i++) {
        fmpz_mul_ui(written, written, 10);
        fmpz_add_ui(written, written, (ulong)(a->name.p[i] - '0'));
    }
    bool same = fmpz_equal(written, fmpq_numref(b->value));
    fmpz_clear(written);
    return same ? MATH_EQUAL : MATH_DIFFERENT;
}

/* A percentage that may have lost its sign on the other side: more than 1, since 0.5 is hardly
 * meant to be 0.5%. */
static bool may_be_bare(const Compare *c, Node *a)
{
    Node *whole = node_read(c->t, a, (Reading){.whole_percent = true});
    return c->rules->bare_percent && whole->kind == NODE_NUMBER &&
           fmpz_cmpabs(fmpq_numref(whole->value), fmpq_denref(whole->value)) > 0;
}

MathVerdict scalar_compare(const Compare *c, Node *a, Node *b)
{
    if (a->kind == NODE_BASED || b->kind == NODE_BASED) return based_compare(a, b);
    if (!to_same_unit(c->t, &a, b)) return MATH_DIFFERENT;
    Reading plain = {0};
    MathVerdict verdict = rounded_compare(c, node_read(c->t, a, plain), node_read(c->t, b, plain));
    int one_side = a->has ^ b->has;
    Reading whole = {.whole_degrees = (one_side & HAS_DEGREE) != 0};
    if (one_side & HAS_PERCENT) whole.whole_percent = may_be_bare(c, a->has & HAS_PERCENT ? a : b);
    if (verdict == MATH_EQUAL || !(whole.whole_percent || whole.whole_degrees)) return verdict;
    return rounded_compare(c, node_read(c->t, a, whole), node_read(c->t, b, whole));
}

/* ---- order and proportion ---- */

int scalar_order(const Compare *c, Node *a, Node *b)
{
    MathVerdict verdict = scalar_compare(c, a, b);
    if (verdict == MATH_EQUAL) return 0;
    if (verdict == MATH_UNDECIDED || (a->has | b->has) & HAS_NAME) return 2;
    a = node_read(c->t, a, (Reading){0}), b = node_read(c->t, b, (Reading){0});
    acb_t x, y;
    acb_init(x);
    acb_init(y);
    int order = 2;
    for (slong prec = FIRST_PRECISION; prec <= LAST_PRECISION && order == 2; prec *= 2) {
        if (!balls(x, y, c->t, a, b, 0, prec) || !both_real(x, y)) break;
        if (arb_lt(acb_realref(x), acb_realref(y))) order = -1;
        if (arb_gt(acb_realref(x), acb_realref(y))) order = 1;
    }
    acb_clear(x);
    acb_clear(y);
    return order;
}

/* The ratio a/b at a point, certainly real and with a sign; 0 if it is not. */
static int ratio_sign(Tree *t, const Node *ratio, acb_t x)
{
    ball_evaluate(x, t, ratio, 0, FIRST_PRECISION);
    if (!acb_is_finite(x) || !acb_is_real(x)) return 0;
    return arb_is_positive(acb_realref(x)) - arb_is_negative(acb_realref(x));
}

/* Is the ratio the same at the points as at the first? */
static MathVerdict constant_ratio(Tree *t, const Node *ratio, acb_t first, acb_t x)
{
    int n = 0;
    ball_evaluate(first, t, ratio, 0, POINT_PRECISION);
    for (int point = 1; point < N_POINTS && n < POINTS_WANTED; point++) {
        ball_evaluate(x, t, ratio, point, POINT_PRECISION);
        if (!acb_is_finite(x) || !acb_is_finite(first)) continue;
        if (!acb_overlaps(x, first)) return MATH_DIFFERENT;
        n += agreed(x, first, AGREED_BITS);
    }
    return n == POINTS_WANTED ? MATH_EQUAL : MATH_UNDECIDED;
}

/* Is it 0 whatever its names are? */
static bool vanishes(Tree *t, const Node *a, acb_t x)
{
    ball_evaluate(x, t, a, 0, POINT_PRECISION);
    bool zero = acb_is_finite(x) && acb_contains_zero(x) && accurate(x, AGREED_BITS);
    if (zero) ball_evaluate(x, t, a, 1, POINT_PRECISION);
    return zero && acb_is_finite(x) && acb_contains_zero(x);
}

MathVerdict scalar_proportional(const Compare *c, Node *a, Node *b, bool positive)
{
    Tree *t = c->t;
    a = node_read(t, a, (Reading){0}), b = node_read(t, b, (Reading){0});
    Identity identity = polynomial_proportional(t, a, b, !positive);
    if (identity == IDENTITY_REFUTED) return MATH_DIFFERENT;
    acb_t x, first;
    acb_init(x);
    acb_init(first);
    Node *ratio = node_quotient(t, a, b);
    MathVerdict verdict = MATH_EQUAL;
    if (identity != IDENTITY_PROVEN) {
        bool zero = vanishes(t, a, x); /* "0 = 0" is no equation */
        verdict = zero || vanishes(t, b, x) ? MATH_DIFFERENT : constant_ratio(t, ratio, first, x);
    }
    if (verdict == MATH_EQUAL && positive) {
        int sign = ratio_sign(t, ratio, x);
        verdict = sign > 0 ? MATH_EQUAL : sign < 0 ? MATH_DIFFERENT : MATH_UNDECIDED;
    }
    acb_clear(x);
    acb_clear(first);
    return tree_over(t) ? MATH_UNDECIDED : verdict;
}

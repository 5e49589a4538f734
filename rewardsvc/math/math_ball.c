/* See math_ball.h. */
#include "rewardsvc/math/math_ball.h"

#include <acb_hypgeom.h>

typedef struct {
    Tree *t;
    int point;
    slong prec;
} Eval;

static void evaluate(acb_t out, const Eval *e, const Node *a);

static bool spend_simple(const Eval *e)
{
    return tree_spend(e->t, 80 + e->prec / 6);
}

/* Elementary functions: about 1 microsecond at 128 bits and 100 at 4000, and more than linear. */
static bool spend_hard(const Eval *e, int64_t times)
{
    return tree_spend(e->t, times * (1500 + 12 * e->prec + e->prec * e->prec / 500));
}

static bool below_2exp(const acb_t x, slong bits)
{
    mag_t m;
    mag_init(m);
    acb_get_mag(m, x);
    bool small = mag_cmp_2exp_si(m, bits) < 0;
    mag_clear(m);
    return small;
}

/* ---- names ---- */

/* A rational number in about (-6, 6), its sign always plus at even points; larger from the eighth
 * point on, for functions that are real only far from zero. */
static void name_value(acb_t out, const Eval *e, Span name)
{
    uint64_t h = 0xcbf29ce484222325u + (uint64_t)e->point * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < name.n; i++) h = (h ^ (unsigned char)name.p[i]) * 0x100000001b3u;
    h = (h ^ h >> 31) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    h ^= h >> 31;
    slong n = 1 + (slong)(h % 1999);
    if (e->point % 2 && h >> 63) n = -n;
    acb_set_si(out, e->point >= 8 ? 8 * n : n);
    acb_div_ui(out, out, 317, e->prec);
}

/* ---- powers ---- */

/* The root of a real number; of a negative one where k is odd. */
static void real_root(acb_t out, const acb_t base, ulong k, slong prec)
{
    if (k % 2 && acb_is_real(base) && arb_is_negative(acb_realref(base))) {
        acb_neg(out, base);
        arb_root_ui(acb_realref(out), acb_realref(out), k, prec);
        acb_neg(out, out);
    } else {
        acb_root_ui(out, base, k, prec);
    }
}

static void power_rational(acb_t out, const Eval *e, const acb_t base, const fmpq_t q)
{
    ulong k = fmpz_get_ui(fmpq_denref(q));
    if (!spend_hard(e, 1)) {
        acb_indeterminate(out);
        return;
    }
    if (k == 1)
        acb_set(out, base);
    else
        real_root(out, base, k, e->prec);
    acb_pow_fmpz(out, out, fmpq_numref(q), e->prec);
}

/* exp(exponent log base), unless it is too large to be written. */
static void power_general(acb_t out, const Eval *e, const acb_t base, const acb_t exponent)
{
    acb_t log;
    acb_init(log);
    if (spend_hard(e, 3)) acb_log(log, base, e->prec);
    acb_mul(log, log, exponent, e->prec);
    if (acb_is_finite(log) && below_2exp(log, 40) && !tree_over(e->t))
        acb_exp(out, log, e->prec);
    else
        acb_indeterminate(out);
    acb_clear(log);
}

static void power(acb_t out, const Eval *e, const Node *a)
{
    const Node *exponent = a->kids[1];
    acb_t base, x;
    acb_init(base);
    acb_init(x);
    evaluate(base, e, a->kids[0]);
    bool rational = exponent->kind == NODE_NUMBER && fmpz_bits(fmpq_numref(exponent->value)) < 62 &&
                    fmpz_cmp_ui(fmpq_denref(exponent->value), 1000) <= 0;
    if (rational) {
        power_rational(out, e, base, exponent->value);
    } else if (a->kids[0]->kind == NODE_EULER) {
        evaluate(x, e, exponent);
        if (acb_is_finite(x) && below_2exp(x, 40) && spend_hard(e, 1))
            acb_exp(out, x, e->prec);
        else
            acb_indeterminate(out);
    } else {
        evaluate(x, e, exponent);
        power_general(out, e, base, x);
    }
    acb_clear(base);
    acb_clear(x);
}

/* ---- functions ---- */

typedef void Unary(acb_t out, const acb_t x, slong prec);

static void sinh_of(acb_t out, const acb_t x, slong prec)
{
    acb_sinh(out, x, prec);
}

static void cosh_of(acb_t out, const acb_t x, slong prec)
{
    acb_cosh(out, x, prec);
}

static void tanh_of(acb_t out, const acb_t x, slong prec)
{
    acb_tanh(out, x, prec);
}

static void sec_of(acb_t out, const acb_t x, slong prec)
{
    acb_sec(out, x, prec);
}

static void csc_of(acb_t out, const acb_t x, slong prec)
{
    acb_csc(out, x, prec);
}

static void absolute(acb_t out, const acb_t x, slong prec)
{
    acb_abs(acb_realref(out), x, prec);
    arb_zero(acb_imagref(out));
}

static void factorial(acb_t out, const acb_t x, slong prec)
{
    acb_add_ui(out, x, 1, prec);
    acb_gamma(out, out, prec);
}

/* acot x = atan 1/x and so on */
static void of_reciprocal(acb_t out, const acb_t x, slong prec, Unary *f)
{
    acb_inv(out, x, prec);
    f(out, out, prec);
}

static void acot_of(acb_t out, const acb_t x, slong prec)
{
    of_reciprocal(out, x, prec, acb_atan);
}

static void asec_of(acb_t out, const acb_t x, slong prec)
{
    of_reciprocal(out, x, prec, acb_acos);
}

static void acsc_of(acb_t out, const acb_t x, slong prec)
{
    of_reciprocal(out, x, prec, acb_asin);
}

static void log_ten(acb_t out, const acb_t x, slong prec)
{
    arb_t ten;
    arb_init(ten);
    arb_log_ui(ten, 10, prec);
    acb_log(out, x, prec);
    acb_div_arb(out, out, ten, prec);
    arb_clear(ten);
}

static Unary *const unary[] = {
    [FUNCTION_SIN] = acb_sin,         [FUNCTION_COS] = acb_cos,   [FUNCTION_TAN] = acb_tan,
    [FUNCTION_COT] = acb_cot,         [FUNCTION_SEC] = sec_of,    [FUNCTION_CSC] = csc_of,
    [FUNCTION_ASIN] = acb_asin,       [FUNCTION_ACOS] = acb_acos, [FUNCTION_ATAN] = acb_atan,
    [FUNCTION_ACOT] = acot_of,        [FUNCTION_ASEC] = asec_of,  [FUNCTION_ACSC] = acsc_of,
    [FUNCTION_SINH] = sinh_of,        [FUNCTION_COSH] = cosh_of,  [FUNCTION_TANH] = tanh_of,
    [FUNCTION_EXP] = acb_exp,         [FUNCTION_LN] = acb_log,    [FUNCTION_LOG] = log_ten,
    [FUNCTION_ABS] = absolute,        [FUNCTION_FLOOR] = NULL,    [FUNCTION_CEIL] = NULL,
    [FUNCTION_FACTORIAL] = factorial, [FUNCTION_MIN] = NULL,
};

static void real_function(acb_t out, MathFunction f, const acb_t x, const acb_t y, slong prec)
{
    arb_ptr r = acb_realref(out);
    if (!acb_is_real(x) || !acb_is_real(y)) {
        acb_indeterminate(out);
        return;
    }
    acb_zero(out);
    switch (f) {
    case FUNCTION_FLOOR:
        arb_floor(r, acb_realref(x), prec);
        return;
    case FUNCTION_CEIL:
        arb_ceil(r, acb_realref(x), prec);
        return;
    case FUNCTION_MAX:
        arb_max(r, acb_realref(x), acb_realref(y), prec);
        return;
    case FUNCTION_MIN:
        arb_min(r, acb_realref(x), acb_realref(y), prec);
        return;
    default:
        acb_indeterminate(out);
    }
}

/* n! / (k! (n-k)!) */
static void binomial(acb_t out, const acb_t n, const acb_t k, slong prec)
{
    acb_t part;
    acb_init(part);
    factorial(out, n, prec);
    acb_add_ui(part, k, 1, prec);
    acb_rgamma(part, part, prec);
    acb_mul(out, out, part, prec);
    acb_sub(part, n, k, prec);
    acb_add_ui(part, part, 1, prec);
    acb_rgamma(part, part, prec);
    acb_mul(out, out, part, prec);
    acb_clear(part);
}

static void log_base(acb_t out, const acb_t x, const acb_t base, slong prec)
{
    acb_t b;
    acb_init(b);
    acb_log(b, base, prec);
    acb_log(out, x, prec);
    acb_div(out, out, b, prec);
    acb_clear(b);
}

static void function_of(acb_t out, const Eval *e, const Node *a, const acb_t x, const acb_t y)
{
    MathFunction f = (MathFunction)a->tag;
    if (f == FUNCTION_LOG && a->n == 2)
        log_base(out, x, y, e->prec);
    else if (f == FUNCTION_BINOMIAL)
        binomial(out, x, y, e->prec);
    else if (f < FUNCTION_MIN && unary[f])
        unary[f](out, x, e->prec);
    else
        real_function(out, f, x, y, e->prec);
}

static void function(acb_t out, const Eval *e, const Node *a)
{
    MathFunction f = (MathFunction)a->tag;
    bool gamma = f == FUNCTION_FACTORIAL || f == FUNCTION_BINOMIAL;
    acb_t x, y;
    acb_init(x);
    acb_init(y);
    evaluate(x, e, a->kids[0]);
    if (a->n == 2) evaluate(y, e, a->kids[1]);
    bool small = acb_is_finite(x) && acb_is_finite(y) && below_2exp(x, 40) && below_2exp(y, 40);
    if (small && a->n <= 2 && spend_hard(e, gamma ? 30 : 2))
        function_of(out, e, a, x, y);
    else
        acb_indeterminate(out);
    acb_clear(x);
    acb_clear(y);
}

/* ---- all nodes ---- */

static void sum_or_product(acb_t out, const Eval *e, const Node *a)
{
    acb_t x;
    acb_init(x);
    acb_set_ui(out, a->kind == NODE_PRODUCT);
    for (int i = 0; i < a->n && spend_simple(e); i++) {
        evaluate(x, e, a->kids[i]);
        (a->kind == NODE_SUM ? acb_add : acb_mul)(out, out, x, e->prec);
    }
    acb_clear(x);
}

static void evaluate(acb_t out, const Eval *e, const Node *a)
{
    if (!spend_simple(e)) {
        acb_indeterminate(out);
        return;
    }
    acb_zero(out);
    switch (a->kind) {
    case NODE_NUMBER:
        arb_set_fmpq(acb_realref(out), a->value, e->prec);
        return;
    case NODE_BASED:
        evaluate(out, e, a->kids[0]);
        return;
    case NODE_NAME:
        name_value(out, e, a->name);
        return;
    case NODE_PI:
        arb_const_pi(acb_realref(out), e->prec);
        return;
    case NODE_EULER:
        arb_const_e(acb_realref(out), e->prec);
        return;
    case NODE_I:
        acb_onei(out);
        return;
    case NODE_SUM:
    case NODE_PRODUCT:
        sum_or_product(out, e, a);
        return;
    case NODE_POWER:
        power(out, e, a);
        return;
    case NODE_FUNCTION:
        function(out, e, a);
        return;
    default:
        acb_indeterminate(out);
    }
}

void ball_evaluate(acb_t out, Tree *t, const Node *a, int point, slong prec)
{
    Eval e = {t, point, prec};
    evaluate(out, &e, a);
    if (tree_over(t)) acb_indeterminate(out);
}

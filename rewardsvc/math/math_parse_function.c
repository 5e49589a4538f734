/* See math_parse.h: functions with their arguments: \sin^2 x, \log_2 8, \sin 2x, max(1, 2). Without
 * brackets the argument is what is written together, up to the next sign or function. */
#include "rewardsvc/math/math_parse.h"

static bool trigonometric(MathFunction f)
{
    return f <= FUNCTION_CSC;
}

static Node *argument_together(Parser *p, MathFunction f)
{
    Nodes factors = {0};
    do {
        Node *a = parse_factor(p);
        if (!a) return NULL;
        nodes_add(p->t, &factors, a);
        while (trigonometric(f) && parse_sign(p, '/')) { /* \sin \pi/6 */
            parse_next(p);
            Node *below = parse_factor(p);
            if (!below) return NULL;
            nodes_add(p->t, &factors, node_power(p->t, below, node_integer(p->t, -1)));
        }
    } while (p->tok.kind != TOKEN_FUNCTION && parse_starts_factor(p));
    return node_product(p->t, factors.kids, factors.n);
}

static bool many_arguments(MathFunction f)
{
    return f == FUNCTION_GCD || f == FUNCTION_LCM || f == FUNCTION_MAX || f == FUNCTION_MIN;
}

static Node *apply(Parser *p, MathFunction f, Node *argument, Node *base)
{
    if (many_arguments(f) && (argument->kind == NODE_BRACKET || argument->kind == NODE_SET) &&
        argument->n)
        return node_function(p->t, f, argument->kids, argument->n);
    if (!node_scalar(argument)) return parse_fail(p);
    if (f == FUNCTION_EXP)
        return node_power(p->t, node_new(p->t, NODE_EULER, 0, NULL, 0), argument);
    if (f != FUNCTION_LOG || !base) return node_function(p->t, f, &argument, 1);
    return node_function(p->t, f, (Node *[]){argument, base}, 2);
}

/* The exponent between a function and its argument; -1 on a trigonometric one is its inverse. */
static bool parse_function_power(Parser *p, MathFunction *f, Node **exponent)
{
    if (!parse_sign(p, '^')) return true;
    parse_next(p);
    Node *e = parse_argument(p, false);
    if (!e) return false;
    if (trigonometric(*f) && e->kind == NODE_NUMBER && fmpz_equal_si(fmpq_numref(e->value), -1) &&
        fmpz_is_one(fmpq_denref(e->value)))
        *f = (MathFunction)(*f + FUNCTION_ASIN - FUNCTION_SIN);
    else
        *exponent = e;
    return true;
}

Node *parse_function(Parser *p)
{
    MathFunction f = (MathFunction)p->tok.id;
    Node *base = NULL, *exponent = NULL, *a = NULL;
    if (!parse_enter(p)) return NULL;
    parse_next(p);
    bool ok = parse_function_power(p, &f, &exponent);
    if (ok && f == FUNCTION_LOG && parse_sign(p, '_')) {
        parse_next(p);
        base = parse_argument(p, true);
        ok = base != NULL;
    }
    if (ok && !exponent) ok = parse_function_power(p, &f, &exponent);
    if (ok) {
        bool bracket = parse_sign(p, '(') || parse_sign(p, '{') || parse_sign(p, '[');
        a = bracket ? parse_atom(p) : argument_together(p, f);
    }
    if (a) a = apply(p, f, a, base);
    if (a && exponent) a = node_power(p->t, a, exponent);
    p->depth--;
    p->digits = (Span){NULL, 0};
    return p->failed ? NULL : a;
}

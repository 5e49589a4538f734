/* See math_parse.h: sums, products, powers: recursive descent with a bound on its depth. A failure
 * replaces the next token by the end, so that every loop ends by itself. */
#include "rewardsvc/math/math_parse.h"

#include <string.h>

#include "rewardsvc/math/math_words.h"

void nodes_add(Tree *t, Nodes *list, Node *a)
{
    if (list->n == list->room) {
        int room = list->room ? 2 * list->room : 8;
        Node **kids = tree_bytes(t, (size_t)room * sizeof *kids);
        if (list->n) memcpy(kids, list->kids, (size_t)list->n * sizeof *kids);
        list->kids = kids, list->room = room;
    }
    list->kids[list->n++] = a;
}

void parse_next(Parser *p)
{
    if (p->failed || !tree_spend(p->t, 200))
        p->tok = (Token){.kind = TOKEN_END};
    else
        p->tok = scan_token(p->s, &p->at, false);
}

Node *parse_fail(Parser *p)
{
    p->failed = true;
    p->tok = (Token){.kind = TOKEN_END};
    return NULL;
}

bool parse_take(Parser *p, int kind)
{
    if (p->tok.kind != kind) return false;
    parse_next(p);
    return true;
}

bool parse_enter(Parser *p)
{
    if (++p->depth <= PARSE_MOST_DEPTH) return true;
    p->t->budget = -1;
    parse_fail(p);
    return false;
}

/* ---- powers and what stands behind a value ---- */

/* "^\circ", "^{\circ}": looks without taking. */
static bool degree_ahead(const Parser *p, size_t *behind)
{
    size_t at = p->at;
    Token a = scan_token(p->s, &at, false);
    bool braces = a.kind == TOKEN_SIGN + '{';
    if (braces) a = scan_token(p->s, &at, false);
    if (a.kind != TOKEN_DEGREE) return false;
    if (braces && scan_token(p->s, &at, false).kind != TOKEN_SIGN + '}') return false;
    *behind = at;
    return true;
}

static Node *parse_exponent(Parser *p)
{
    Node *e = parse_argument(p, false);
    if (!e || !parse_sign(p, '^') || !parse_enter(p)) return e;
    parse_next(p);
    Node *more = parse_exponent(p);
    p->depth--;
    return more ? node_power(p->t, e, more) : NULL;
}

static Node *parse_power(Parser *p, Node *base)
{
    size_t behind;
    if (degree_ahead(p, &behind)) {
        p->at = behind;
        parse_next(p);
        return node_new(p->t, NODE_DEGREE, 0, &base, 1);
    }
    parse_next(p);
    Node *e = parse_exponent(p);
    return e ? node_power(p->t, base, e) : NULL;
}

static Node *wrap(Parser *p, NodeKind kind, Node *a)
{
    parse_next(p);
    return node_new(p->t, kind, 0, &a, 1);
}

/* One thing behind a: NULL if there is none, or if it failed. */
static Node *parse_behind(Parser *p, Node *a)
{
    if (a->has & HAS_OTHER) return NULL;
    if (parse_sign(p, '^')) return parse_power(p, a);
    if (parse_sign(p, '_') && p->digits.p) return parse_based(p);
    if (p->tok.kind == TOKEN_PERCENT) return wrap(p, NODE_PERCENT, a);
    if (p->tok.kind == TOKEN_DEGREE) return wrap(p, NODE_DEGREE, a);
    if (parse_sign(p, '!')) {
        parse_next(p);
        return node_function(p->t, FUNCTION_FACTORIAL, &a, 1);
    }
    if (p->tok.kind == TOKEN_POWER_OF) {
        long e = p->tok.id;
        parse_next(p);
        for (; p->tok.kind == TOKEN_POWER_OF && e < 1000; parse_next(p)) e = 10 * e + p->tok.id;
        return node_power(p->t, a, node_integer(p->t, e));
    }
    return NULL;
}

/* Signs, an atom, and what stands behind it. */
Node *parse_factor(Parser *p)
{
    bool minus = false;
    for (; parse_sign(p, '-') || parse_sign(p, '+'); parse_next(p)) minus ^= parse_sign(p, '-');
    p->digits = (Span){NULL, 0};
    Node *a = parse_atom(p);
    for (Node *b; a && (b = parse_behind(p, a)); a = b) p->digits = (Span){NULL, 0};
    if (!a || p->failed) return NULL;
    if (minus && a->has & HAS_OTHER) return parse_fail(p);
    return minus ? node_negative(p->t, a) : a;
}

/* ---- products ---- */

/* A word that is a unit, or nothing that a formula could have here. */
static bool unit_ahead(const Parser *p)
{
    return p->tok.kind == TOKEN_TEXT || parse_unit_word(p);
}

bool parse_starts_factor(const Parser *p)
{
    static const int kinds[] = {TOKEN_NUMBER,     TOKEN_NAME,       TOKEN_PI,         TOKEN_EULER,
                                TOKEN_I,          TOKEN_FUNCTION,   TOKEN_FRACTION,   TOKEN_ROOT,
                                TOKEN_BINOMIAL,   TOKEN_OVERLINE,   TOKEN_SKIP_STYLE, TOKEN_HALVES,
                                TOKEN_INFINITY,   TOKEN_FLOOR_OPEN, TOKEN_CEIL_OPEN,  TOKEN_BEGIN,
                                TOKEN_SIGN + '(', TOKEN_SIGN + '{'};
    if (unit_ahead(p)) return false;
    if (parse_sign(p, '|')) return p->bars == 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (p->tok.kind == kinds[i]) return true;
    return false;
}

/* Is q a proper fraction, 0 < q < 1? */
static bool proper(const Node *q)
{
    return q->kind == NODE_NUMBER && fmpq_sgn(q->value) > 0 &&
           fmpz_cmp(fmpq_numref(q->value), fmpq_denref(q->value)) < 0;
}

/* Behind an integer literal: "4/5", \frac45 or a fraction sign makes a mixed number of it. Two
 * numbers side by side mean nothing else. */
static Node *parse_mixed(Parser *p, Nodes *factors)
{
    bool number = p->tok.kind == TOKEN_NUMBER;
    Node *whole = factors->kids[factors->n - 1], *part = parse_factor(p);
    if (part && number) {
        if (!p->digits.p || !parse_sign(p, '/')) return parse_fail(p);
        parse_next(p);
        Node *below = parse_factor(p);
        if (!below || !p->digits.p) return parse_fail(p);
        part = node_quotient(p->t, part, below);
        if (!proper(part)) return parse_fail(p);
    }
    if (!part) return NULL;
    p->digits = (Span){NULL, 0};
    if (!proper(part)) return part; /* 3\frac72 is a product */
    bool minus = fmpq_sgn(whole->value) < 0;
    if (minus) part = node_negative(p->t, part);
    factors->kids[factors->n - 1] = node_sum(p->t, (Node *[]){whole, part}, 2);
    return factors->kids[factors->n - 1];
}

/* What is divided by: a number alone, or all that is written together: 1/2x is x/2, 1/xy 1/(xy). */
static Node *parse_divisor(Parser *p)
{
    Node *d = parse_factor(p);
    while (d && !p->digits.p && parse_starts_factor(p)) {
        Node *more = parse_factor(p);
        d = more ? node_times(p->t, d, more) : NULL;
        p->digits = (Span){NULL, 0};
    }
    return d ? node_power(p->t, d, node_integer(p->t, -1)) : NULL;
}

static bool union_ahead(const Parser *p, const Node *left)
{
    return (left->kind == NODE_BRACKET || left->kind == NODE_SET) && p->tok.kind == TOKEN_NAME &&
           span_is(p->tok.text, "U");
}

/* No sets, tuples and so on among them? Words are sorted out later. */
static bool all_scalar(const Nodes *list)
{
    for (int i = 0; i < list->n; i++)
        if (list->kids[i]->has & HAS_OTHER) return false;
    return true;
}

/* f(x, y) */
static bool is_call(const Nodes *factors)
{
    return factors->n == 2 && factors->kids[0]->kind == NODE_NAME &&
           factors->kids[1]->kind == NODE_BRACKET;
}

static Node *multiply(Parser *p, const Nodes *factors)
{
    Node *matrix = NULL;
    for (int i = 0; i < factors->n; i++)
        if (factors->kids[i]->kind == NODE_MATRIX) matrix = factors->kids[i];
    if (factors->n == 1) return factors->kids[0];
    if (!matrix && !is_call(factors) && !all_scalar(factors)) return parse_fail(p);
    if (!matrix) return node_product(p->t, factors->kids, factors->n);
    Nodes entries = {0}, scalars = {0};
    for (int i = 0; i < factors->n; i++)
        if (factors->kids[i] != matrix) nodes_add(p->t, &scalars, factors->kids[i]);
    Node *scale = node_product(p->t, scalars.kids, scalars.n);
    if (!node_scalar(scale)) return parse_fail(p);
    for (int i = 0; i < matrix->n; i++)
        nodes_add(p->t, &entries, node_times(p->t, scale, matrix->kids[i]));
    return node_new(p->t, NODE_MATRIX, matrix->tag, entries.kids, entries.n);
}

static Node *parse_product(Parser *p)
{
    Nodes factors = {0};
    Node *a = parse_factor(p);
    if (!a) return NULL;
    nodes_add(p->t, &factors, a);
    for (;;) {
        bool literal = p->digits.p != NULL;
        if (parse_sign(p, '*')) {
            parse_next(p);
            a = parse_factor(p);
        } else if (parse_sign(p, '/')) {
            parse_next(p);
            a = parse_divisor(p);
            p->digits = (Span){NULL, 0};
        } else if (!parse_starts_factor(p) || union_ahead(p, a)) {
            break;
        } else if (literal && (p->tok.kind == TOKEN_NUMBER || p->tok.kind == TOKEN_FRACTION ||
                               p->tok.kind == TOKEN_HALVES)) {
            a = parse_mixed(p, &factors);
            if (a && a == factors.kids[factors.n - 1]) continue;
        } else {
            a = parse_factor(p);
        }
        if (!a) return NULL;
        nodes_add(p->t, &factors, a);
    }
    return p->failed ? NULL : multiply(p, &factors);
}

/* ---- sums ---- */

static int sign_of(const Parser *p)
{
    if (parse_sign(p, '+')) return 1;
    if (parse_sign(p, '-')) return -1;
    if (p->tok.kind == TOKEN_PLUS_MINUS) return 2;
    return p->tok.kind == TOKEN_MINUS_PLUS ? -2 : 0;
}

static Node *parse_term(Parser *p)
{
    int sign = 1, both = 0;
    for (int s; (s = sign_of(p)); parse_next(p)) {
        sign = s < 0 ? -sign : sign;
        both |= s == 2 || s == -2;
    }
    Node *a = parse_product(p);
    if (a && a->has & HAS_OTHER && both) return parse_fail(p);
    if (a && both) return node_new(p->t, NODE_PLUS_MINUS, sign, &a, 1);
    if (!a || sign > 0) return a;
    Node *both_factors[2] = {node_integer(p->t, -1), a};
    return multiply(p, &(Nodes){both_factors, 2, 2});
}

Node *parse_sum(Parser *p)
{
    Nodes terms = {0};
    do {
        Node *a = parse_term(p);
        if (!a) return NULL;
        nodes_add(p->t, &terms, a);
    } while (sign_of(p));
    if (terms.n > 1 && !all_scalar(&terms)) return parse_fail(p);
    Node *sum = node_sum(p->t, terms.kids, terms.n);
    return unit_ahead(p) ? parse_unit(p, sum) : sum;
}

Node *math_parse(Tree *t, Span text, bool thousands, bool *saw_thousands)
{
    Parser p = {.t = t, .s = text, .thousands = thousands};
    parse_next(&p);
    Node *a = parse_list(&p);
    *saw_thousands = p.saw_thousands;
    if (p.failed || p.tok.kind != TOKEN_END || tree_over(t)) return NULL;
    return a;
}

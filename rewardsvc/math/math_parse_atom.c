/* See math_parse.h: what a factor begins with, functions and their arguments. */
#include <string.h>

#include "rewardsvc/math/math_parse.h"
#include "rewardsvc/math/math_words.h"

/* Again from the start of the next token, as a single digit or letter. */
static void one_digit_only(Parser *p)
{
    p->at = p->tok.at;
    p->tok = scan_token(p->s, &p->at, true);
}

Node *parse_argument(Parser *p, bool one_digit)
{
    if (!parse_enter(p)) return NULL;
    bool minus = parse_sign(p, '-');
    if (minus || parse_sign(p, '+')) parse_next(p);
    Node *a;
    bool name = p->tok.kind == TOKEN_NAME && p->tok.run.n > 0;
    if (one_digit && (name || p->tok.kind == TOKEN_NUMBER)) one_digit_only(p);
    a = one_digit && p->tok.kind == TOKEN_NUMBER ? parse_number(p, true) : parse_atom(p);
    p->depth--;
    p->digits = (Span){NULL, 0};
    return a && minus ? node_negative(p->t, a) : a;
}

/* ---- names ---- */

/* The source of an index, without braces and blanks, behind "name_". */
static Node *name_indexed(Parser *p, Span name, Span index)
{
    char *text = tree_bytes(p->t, name.n + index.n + 2);
    size_t n = name.n;
    memcpy(text, name.p, n);
    text[n++] = '_';
    for (size_t i = 0; i < index.n; i++)
        if (!strchr("{} ~$\t\n\r", index.p[i])) text[n++] = index.p[i];
    return node_named(p->t, NODE_NAME, 0, (Span){text, n});
}

static Node *parse_name(Parser *p)
{
    Span name = p->tok.text;
    parse_next(p);
    if (parse_sign(p, '_')) {
        size_t begin = p->at;
        parse_next(p);
        if (!parse_argument(p, false)) return parse_fail(p);
        size_t end = p->tok.kind == TOKEN_END ? p->s.n : p->tok.at;
        return name_indexed(p, name, span_trim((Span){p->s.p + begin, end - begin}));
    }
    if (name.n > 1 && name.p[1] >= '0' && name.p[1] <= '9')
        return name_indexed(p, (Span){name.p, 1}, (Span){name.p + 1, name.n - 1});
    return node_named(p->t, NODE_NAME, 0, name);
}

/* ---- commands with arguments ---- */

static Node *parse_fraction(Parser *p)
{
    parse_next(p);
    Node *above = parse_argument(p, true), *below = above ? parse_argument(p, true) : NULL;
    return below ? node_quotient(p->t, above, below) : NULL;
}

static Node *parse_binomial(Parser *p)
{
    parse_next(p);
    Node *kids[2];
    kids[0] = parse_argument(p, true);
    kids[1] = kids[0] ? parse_argument(p, true) : NULL;
    return kids[1] ? node_function(p->t, FUNCTION_BINOMIAL, kids, 2) : NULL;
}

/* \sqrt[3]{x}, \sqrt2, sqrt(x) */
static Node *parse_root(Parser *p)
{
    parse_next(p);
    Node *index = node_integer(p->t, 2);
    if (parse_sign(p, '[')) {
        parse_next(p);
        index = parse_sum(p);
        if (!index || !parse_take(p, TOKEN_SIGN + ']')) return parse_fail(p);
    }
    Node *a = parse_argument(p, false);
    return a ? node_power(p->t, a, node_power(p->t, index, node_integer(p->t, -1))) : NULL;
}

/* Between two signs of the same kind, such as | and |. */
static Node *parse_between(Parser *p, int close, MathFunction f)
{
    parse_next(p);
    if (!parse_enter(p)) return NULL;
    p->bars++;
    Node *a = parse_sum(p);
    p->bars--, p->depth--;
    if (!a || !parse_take(p, close)) return parse_fail(p);
    return node_function(p->t, f, &a, 1);
}

static Node *parse_halves(Parser *p)
{
    Node *a = node_quotient(p->t, node_integer(p->t, p->tok.id / 100),
                            node_integer(p->t, p->tok.id % 100));
    parse_next(p);
    return a;
}

/* "\$32", or the sign of another currency. */
static Node *parse_currency(Parser *p)
{
    Span unit = p->tok.text;
    parse_next(p);
    Node *a = parse_factor(p);
    return a ? parse_money(p, a, unit) : NULL;
}

static Node *parse_constant(Parser *p, NodeKind kind)
{
    parse_next(p);
    return node_new(p->t, kind, 0, NULL, 0);
}

static Node *parse_words(Parser *p)
{
    Node *a = node_named(p->t, NODE_TEXT, 0, p->tok.text);
    parse_next(p);
    return a;
}

static Node *parse_style(Parser *p)
{
    parse_next(p);
    return parse_argument(p, false);
}

static Node *parse_opened(Parser *p)
{
    switch (p->tok.kind - TOKEN_SIGN) {
    case '(':
    case '[':
        return parse_bracket(p);
    case '{':
        return parse_braces(p);
    case '|':
        return parse_between(p, TOKEN_SIGN + '|', FUNCTION_ABS);
    default:
        return parse_fail(p);
    }
}

Node *parse_atom(Parser *p)
{
    switch (p->tok.kind) {
    case TOKEN_NUMBER:
        return parse_number(p, false);
    case TOKEN_NAME:
        return parse_name(p);
    case TOKEN_TEXT:
        return parse_words(p);
    case TOKEN_FUNCTION:
        return parse_function(p);
    case TOKEN_HALVES:
        return parse_halves(p);
    case TOKEN_BEGIN:
        return parse_matrix(p);
    case TOKEN_CURRENCY:
        return parse_currency(p);
    case TOKEN_PI:
        return parse_constant(p, NODE_PI);
    case TOKEN_EULER:
        return parse_constant(p, NODE_EULER);
    case TOKEN_I:
        return parse_constant(p, NODE_I);
    case TOKEN_INFINITY:
        return parse_constant(p, NODE_INFINITY);
    case TOKEN_EMPTY_SET:
        return parse_constant(p, NODE_SET);
    case TOKEN_REALS:
        return parse_reals(p);
    case TOKEN_FRACTION:
        return parse_fraction(p);
    case TOKEN_ROOT:
        return parse_root(p);
    case TOKEN_BINOMIAL:
        return parse_binomial(p);
    case TOKEN_OVERLINE:
    case TOKEN_SKIP_STYLE:
        return parse_style(p);
    case TOKEN_FLOOR_OPEN:
        return parse_between(p, TOKEN_FLOOR_CLOSE, FUNCTION_FLOOR);
    case TOKEN_CEIL_OPEN:
        return parse_between(p, TOKEN_CEIL_CLOSE, FUNCTION_CEIL);
    case TOKEN_SET_OPEN:
    case TOKEN_ANGLE_OPEN:
        return parse_bracket(p);
    default:
        return parse_opened(p);
    }
}

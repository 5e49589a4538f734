/* See math_parse.h: lists, relations, sets, brackets, matrices. */
#include "rewardsvc/math/math_parse.h"
#include "rewardsvc/math/math_words.h"

/* ---- sets and relations ---- */

static int set_operation(const Parser *p, const Node *left)
{
    bool plain = p->tok.kind == TOKEN_NAME && span_is(p->tok.text, "U") &&
                 (left->kind == NODE_BRACKET || left->kind == NODE_SET || left->kind == NODE_UNION);
    if (p->tok.kind == TOKEN_UNION || plain) return NODE_UNION;
    if (p->tok.kind == TOKEN_INTERSECTION) return NODE_INTERSECTION;
    return p->tok.kind == TOKEN_WITHOUT ? NODE_WITHOUT : 0;
}

static Node *parse_region(Parser *p)
{
    Node *a = parse_sum(p);
    for (int op; a && (op = set_operation(p, a));) {
        parse_next(p);
        Node *b = parse_sum(p);
        if (!b) return NULL;
        a = node_new(p->t, (NodeKind)op, 0, (Node *[]){a, b}, 2);
    }
    return a;
}

/* "\\approx 1.41" behind an exact value adds nothing to it. */
static bool skip_about(Parser *p)
{
    while (parse_take(p, TOKEN_ABOUT))
        if (!parse_region(p)) return false;
    return true;
}

/* One value, or a relation; a chain of equations is its ends, another chain a list of relations. */
static Node *parse_item(Parser *p)
{
    Nodes chain = {0};
    parse_take(p, TOKEN_ABOUT); /* "about 5" */
    Node *left = parse_region(p), *first = left;
    int last = -1;
    bool equations = true;
    while (left && (p->tok.kind == TOKEN_RELATION || parse_sign(p, ':'))) {
        bool colon = parse_sign(p, ':');
        if (colon && !(left->has & HAS_TEXT)) break;
        last = colon ? RELATION_EQUAL : p->tok.id;
        equations &= last == RELATION_EQUAL;
        parse_next(p);
        Node *right = parse_region(p);
        if (!right) return NULL;
        nodes_add(p->t, &chain, node_new(p->t, NODE_RELATION, last, (Node *[]){left, right}, 2));
        left = right;
    }
    if (!left || !skip_about(p)) return NULL;
    if (!chain.n) return left;
    if (chain.n == 1) return chain.kids[0];
    if (equations) return node_new(p->t, NODE_RELATION, RELATION_EQUAL, (Node *[]){first, left}, 2);
    return node_new(p->t, NODE_LIST, '&', chain.kids, chain.n);
}

/* a : b : c */
static Node *parse_ratio(Parser *p)
{
    Nodes parts = {0};
    Node *first = parse_item(p);
    if (!first || !parse_sign(p, ':') || p->bars) return first;
    nodes_add(p->t, &parts, node_integer(p->t, 1));
    while (parse_take(p, TOKEN_SIGN + ':')) {
        Node *a = parse_sum(p);
        if (!a || !node_scalar(a) || !node_scalar(first)) return parse_fail(p);
        nodes_add(p->t, &parts, node_quotient(p->t, a, first));
    }
    if (parts.n > 2) return node_new(p->t, NODE_RATIO, 0, parts.kids, parts.n);
    return node_power(p->t, parts.kids[1], node_integer(p->t, -1));
}

/* ---- lists ---- */

/* Takes the separators that stand here: ',' ';' and "and" or "or"; what kind, 0 for none. */
static int parse_separators(Parser *p)
{
    int kind = 0;
    for (;; parse_next(p)) {
        if (parse_sign(p, ',') || parse_sign(p, ';')) {
            if (kind) return parse_fail(p), 0;
            kind = ',';
        } else if (p->tok.kind == TOKEN_AND || p->tok.kind == TOKEN_OR) {
            if (kind == '&' || kind == '|') return parse_fail(p), 0;
            kind = p->tok.kind == TOKEN_AND ? '&' : '|';
        } else {
            return kind;
        }
    }
}

Node *parse_list(Parser *p)
{
    Nodes items = {0};
    int tag = 0;
    if (!parse_enter(p)) return NULL;
    for (;;) {
        Node *a = parse_ratio(p);
        if (!a) break;
        nodes_add(p->t, &items, a);
        int next = parse_separators(p);
        if (!next) break;
        if (!tag || next == '|' || (tag == '&' && next == ',')) tag = next;
    }
    p->depth--;
    p->digits = (Span){NULL, 0};
    if (p->failed || !items.n) return parse_fail(p);
    return items.n == 1 ? items.kids[0] : node_new(p->t, NODE_LIST, tag, items.kids, items.n);
}

/* ---- brackets ---- */

/* \{ elements \}, or \{ x \mid condition \}, which is its condition. */
static Node *parse_set(Parser *p)
{
    int bars = p->bars;
    parse_next(p);
    if (parse_take(p, TOKEN_SET_CLOSE)) return node_new(p->t, NODE_SET, 0, NULL, 0);
    p->bars = 1; /* | is no absolute value here */
    Node *a = parse_list(p);
    if (a && (parse_sign(p, '|') || parse_sign(p, ':') || p->tok.kind == TOKEN_SUCH_THAT)) {
        parse_next(p);
        a = parse_list(p);
        p->bars = bars;
        return a && parse_take(p, TOKEN_SET_CLOSE) ? a : parse_fail(p);
    }
    p->bars = bars;
    if (!a || !parse_take(p, TOKEN_SET_CLOSE)) return parse_fail(p);
    if (a->kind == NODE_LIST) return node_new(p->t, NODE_SET, 0, a->kids, a->n);
    return node_new(p->t, NODE_SET, 0, &a, 1);
}

Node *parse_bracket(Parser *p)
{
    if (p->tok.kind == TOKEN_SET_OPEN) return parse_set(p);
    bool angle = p->tok.kind == TOKEN_ANGLE_OPEN;
    int open = angle ? '<' : p->tok.kind - TOKEN_SIGN, bars = p->bars;
    parse_next(p);
    p->bars = 0;
    Node *a = parse_list(p);
    p->bars = bars;
    int close = angle ? '>' : p->tok.kind - TOKEN_SIGN;
    if (!a || (angle ? p->tok.kind != TOKEN_ANGLE_CLOSE : close != ')' && close != ']'))
        return parse_fail(p);
    parse_next(p);
    if (a->kind == NODE_LIST && a->tag == ',')
        return node_new(p->t, NODE_BRACKET, open | close << 8, a->kids, a->n);
    bool pair = open == '(' ? close == ')' : open == '[' && close == ']';
    return pair ? a : parse_fail(p);
}

/* In LaTeX braces group; in plain text they are a set's. */
Node *parse_braces(Parser *p)
{
    int bars = p->bars;
    parse_next(p);
    p->bars = 0;
    Node *a = parse_list(p);
    p->bars = bars;
    if (!a || !parse_take(p, TOKEN_SIGN + '}')) return parse_fail(p);
    return a->kind == NODE_LIST ? node_new(p->t, NODE_SET, 0, a->kids, a->n) : a;
}

Node *parse_reals(Parser *p)
{
    Node *ends[2];
    ends[1] = node_new(p->t, NODE_INFINITY, 0, NULL, 0);
    ends[0] = node_negative(p->t, ends[1]);
    parse_next(p);
    return node_new(p->t, NODE_BRACKET, '(' | ')' << 8, ends, 2);
}

/* ---- matrices ---- */

static bool matrix_name(Span s)
{
    static const char *const names[] = {"matrix",  "pmatrix",     "bmatrix",
                                        "Bmatrix", "smallmatrix", "array"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_is(s, names[i])) return true;
    return false;
}

/* Cells up to the end of a row; how many. */
static int parse_row(Parser *p, Nodes *cells)
{
    int n = 0;
    do {
        Node *a = parse_sum(p);
        if (!a) return 0;
        nodes_add(p->t, cells, a);
        n++;
    } while (parse_take(p, TOKEN_SIGN + '&'));
    return n;
}

Node *parse_matrix(Parser *p)
{
    Nodes cells = {0};
    int columns = 0;
    if (!matrix_name(p->tok.text) || !parse_enter(p)) return parse_fail(p);
    if (span_is(p->tok.text, "array")) { /* {cc}: how columns are aligned */
        Span columns_text =
            p->at < p->s.n && p->s.p[p->at] == '{' ? scan_group(p->s, p->at) : (Span){NULL, 0};
        if (columns_text.p) p->at += columns_text.n + 2;
    }
    parse_next(p);
    do {
        if (cells.n && p->tok.kind == TOKEN_FINISH) break;
        int n = parse_row(p, &cells);
        if (!n || (columns && n != columns)) return parse_fail(p);
        columns = n;
    } while (parse_take(p, TOKEN_ROW));
    p->depth--;
    if (!parse_take(p, TOKEN_FINISH)) return parse_fail(p);
    return node_new(p->t, NODE_MATRIX, columns, cells.kids, cells.n);
}

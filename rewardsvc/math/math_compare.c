/* Any two values: see math_equal.h, decision 4. Every comparison spends the budget of the tree, so
 * lists of lists end too; and every call of value_compare below another has a smaller tree on one
 * side at least, so the depth of calls is bounded by the trees'. */
#include "rewardsvc/math/math_compare.h"

#include "common/memory.h"

/* ---- relations ---- */

static bool is_relation(const Node *a)
{
    if (a->kind == NODE_RELATION) return true;
    bool all = a->kind == NODE_LIST;
    for (int i = 0; i < a->n && all; i++) all = is_relation(a->kids[i]);
    return all;
}

/* A name, words, or a product of names such as AB, f(x), f^{-1}(x) or dy/dx: something that a value
 * is given to. */
static bool is_label(const Node *a)
{
    if (a->kind == NODE_POWER) return a->kids[1]->kind == NODE_NUMBER && is_label(a->kids[0]);
    if (a->kind == NODE_NAME || a->kind == NODE_TEXT || a->kind == NODE_EULER || a->kind == NODE_I)
        return true;
    bool all = a->kind == NODE_PRODUCT || (a->kind == NODE_BRACKET && a->tag == ('(' | ')' << 8));
    for (int i = 0; i < a->n && all; i++) all = is_label(a->kids[i]);
    return all;
}

/* "x = 5" and "5 = x" are 5 where a value is asked for, "x \in S" is S, "2 + 3 = 5" is 5; any other
 * relation itself. */
static Node *value_given(Node *a)
{
    if (a->kind != NODE_RELATION || (a->tag != RELATION_EQUAL && a->tag != RELATION_IN)) return a;
    bool constants = !((a->kids[0]->has | a->kids[1]->has) & (HAS_NAME | HAS_TEXT));
    if (is_label(a->kids[0]) || constants) return a->kids[1];
    return a->tag == RELATION_EQUAL && is_label(a->kids[1]) ? a->kids[0] : a;
}

static Node *values_given(Tree *t, Node *a)
{
    if (a->kind != NODE_LIST) return value_given(a);
    Nodes values = {0};
    for (int i = 0; i < a->n; i++) nodes_add(t, &values, value_given(a->kids[i]));
    return node_new(t, NODE_LIST, a->tag, values.kids, values.n);
}

/* l - r of l = r; of l < r and l <= r turned round, so that it is > 0 or >= 0. */
static Node *zero_side(Tree *t, const Node *a, bool *strict)
{
    bool less = a->tag == RELATION_LESS || a->tag == RELATION_LESS_EQUAL;
    *strict = a->tag == RELATION_LESS || a->tag == RELATION_GREATER;
    return node_difference(t, a->kids[less], a->kids[!less]);
}

static MathVerdict relation_compare(const Compare *c, Node *a, Node *b)
{
    bool a_less = a->tag >= RELATION_LESS, b_less = b->tag >= RELATION_LESS, strict[2];
    if (a->tag == RELATION_IN || b->tag == RELATION_IN) {
        if (a->tag != b->tag || value_compare(c, a->kids[0], b->kids[0]) != MATH_EQUAL)
            return MATH_DIFFERENT;
        return value_compare(c, a->kids[1], b->kids[1]);
    }
    if (a_less != b_less || (!a_less && a->tag != b->tag)) return MATH_DIFFERENT;
    for (int i = 0; i < 2; i++)
        if (!node_scalar(a->kids[i]) || !node_scalar(b->kids[i]) ||
            (a->kids[i]->has | b->kids[i]->has) & (HAS_INFINITY | HAS_PLUS_MINUS))
            goto sides;
    Node *left = zero_side(c->t, a, &strict[0]), *right = zero_side(c->t, b, &strict[1]);
    if (a_less && strict[0] != strict[1]) return MATH_DIFFERENT;
    return scalar_proportional(c, left, right, a_less);
sides: /* y = (1, 2), x = \pm 2: side by side */
    for (int i = 0; i < 2; i++)
        if (value_compare(c, a->kids[i], b->kids[i]) != MATH_EQUAL) return MATH_DIFFERENT;
    return a->tag == b->tag ? MATH_EQUAL : MATH_DIFFERENT;
}

/* ---- lists and sets ---- */

/* The elements of a list or set; a value with +- is two; any other value is one. */
static void elements(const Compare *c, Node *a, Nodes *out)
{
    if (a->kind == NODE_LIST || a->kind == NODE_SET) {
        for (int i = 0; i < a->n; i++)
            if (a->kids[i]->kind == NODE_LIST || a->kids[i]->kind == NODE_SET)
                nodes_add(c->t, out, a->kids[i]);
            else
                elements(c, a->kids[i], out);
        return;
    }
    if (!(a->has & HAS_PLUS_MINUS) || !node_scalar(a)) {
        nodes_add(c->t, out, a);
        return;
    }
    for (int sign = 1; sign >= -1; sign -= 2)
        nodes_add(c->t, out, node_read(c->t, a, (Reading){.sign = sign}));
}

/* Is every element of a equal to one of b? once: to one of its own. */
static MathVerdict all_found(const Compare *c, const Nodes *a, const Nodes *b, bool once)
{
    bool *used = tree_bytes(c->t, (size_t)b->n + 1), undecided = false;
    for (int i = 0; i < a->n; i++) {
        int k = 0;
        for (; k < b->n; k++) {
            if (used[k] && once) continue;
            MathVerdict v = value_compare(c, a->kids[i], b->kids[k]);
            if (v == MATH_EQUAL) break;
            undecided |= v == MATH_UNDECIDED;
            if (tree_over(c->t)) return MATH_UNDECIDED;
        }
        if (k == b->n) return undecided ? MATH_UNDECIDED : MATH_DIFFERENT;
        used[k] = true;
    }
    return MATH_EQUAL;
}

static MathVerdict unordered_compare(const Compare *c, Node *a, Node *b)
{
    Nodes x = {0}, y = {0};
    elements(c, a, &x);
    elements(c, b, &y);
    bool set = a->kind == NODE_SET || b->kind == NODE_SET;
    if (!set && x.n != y.n) return MATH_DIFFERENT;
    MathVerdict v = all_found(c, &x, &y, !set);
    return v == MATH_EQUAL && set ? all_found(c, &y, &x, false) : v;
}

static MathVerdict ordered_compare(const Compare *c, Node *const *a, Node *const *b, int n)
{
    MathVerdict all = MATH_EQUAL;
    for (int i = 0; i < n; i++) {
        MathVerdict v = value_compare(c, a[i], b[i]);
        if (v == MATH_DIFFERENT) return v;
        if (v == MATH_UNDECIDED) all = v;
    }
    return all;
}

/* ---- brackets and matrices ---- */

static bool round_tuple(const Node *a)
{
    return a->kind == NODE_BRACKET && (a->tag == ('(' | ')' << 8) || a->tag == ('<' | '>' << 8));
}

/* Three and more in square brackets are no interval. */
static bool tuple(const Node *a)
{
    return round_tuple(a) || (a->kind == NODE_BRACKET && a->n > 2 && a->tag == ('[' | ']' << 8));
}

static MathVerdict bracket_compare(const Compare *c, Node *a, Node *b)
{
    MathVerdict v;
    if ((a->has | b->has) & HAS_INFINITY && region_compare(c, a, b, &v)) return v;
    bool alike = a->tag == b->tag || (tuple(a) && tuple(b));
    if (a->n != b->n || !alike) return MATH_DIFFERENT;
    return ordered_compare(c, a->kids, b->kids, a->n);
}

/* [[1, 2], [3, 4]] as a matrix; NULL if it is none. */
static Node *rows_as_matrix(Tree *t, const Node *a)
{
    Nodes cells = {0};
    for (int i = 0; i < a->n; i++) {
        const Node *row = a->kids[i];
        if (row->kind != NODE_BRACKET || row->n != a->kids[0]->n) return NULL;
        for (int k = 0; k < row->n; k++) nodes_add(t, &cells, row->kids[k]);
    }
    return node_new(t, NODE_MATRIX, a->kids[0]->n, cells.kids, cells.n);
}

static MathVerdict matrix_compare(const Compare *c, Node *a, Node *b)
{
    if (a->kind != NODE_MATRIX) return matrix_compare(c, b, a);
    if (b->kind == NODE_BRACKET) {
        bool line = a->tag == 1 || a->tag == a->n;
        if (line && b->n == a->n && b->kids[0]->kind != NODE_BRACKET)
            return tuple(b) || b->n == 2 ? ordered_compare(c, a->kids, b->kids, a->n)
                                         : MATH_DIFFERENT;
        b = rows_as_matrix(c->t, b);
    }
    if (!b || b->kind != NODE_MATRIX || a->n != b->n || a->tag != b->tag) return MATH_DIFFERENT;
    return ordered_compare(c, a->kids, b->kids, a->n);
}

/* ---- everything ---- */

static bool has_operation(const Node *a)
{
    return a->kind == NODE_UNION || a->kind == NODE_INTERSECTION || a->kind == NODE_WITHOUT;
}

/* Parts of a union that are no sets of constants: in any order. */
static MathVerdict operation_compare(const Compare *c, Node *a, Node *b)
{
    MathVerdict v;
    if (region_compare(c, a, b, &v)) return v;
    if (a->kind != b->kind) return MATH_DIFFERENT;
    v = ordered_compare(c, a->kids, b->kids, 2);
    if (v != MATH_DIFFERENT || a->kind == NODE_WITHOUT) return v;
    return ordered_compare(c, a->kids, (Node *[]){b->kids[1], b->kids[0]}, 2);
}

static MathVerdict relations_compare(const Compare *c, Node *a, Node *b)
{
    MathVerdict v;
    if (region_compare(c, a, b, &v)) return v;
    if (a->kind == NODE_LIST || b->kind == NODE_LIST) return unordered_compare(c, a, b);
    return relation_compare(c, a, b);
}

static Node *as_list(Tree *t, const Node *a)
{
    return node_new(t, NODE_LIST, ',', a->kids, a->n);
}

/* A reference without brackets has no order, so an answer in round ones needs none either; where
 * the reference is a tuple or the brackets are square, order counts. */
static MathVerdict collections_compare(const Compare *c, Node *a, Node *b)
{
    bool bracket_a = a->kind == NODE_BRACKET, bracket_b = b->kind == NODE_BRACKET;
    if (bracket_a && bracket_b) return bracket_compare(c, a, b);
    if (round_tuple(a) && b->kind == NODE_LIST) return unordered_compare(c, as_list(c->t, a), b);
    if ((bracket_a && b->kind == NODE_LIST) || (bracket_b && a->kind == NODE_LIST))
        return a->n == b->n ? ordered_compare(c, a->kids, b->kids, a->n) : MATH_DIFFERENT;
    if (bracket_a || bracket_b) return MATH_DIFFERENT;
    return unordered_compare(c, a, b);
}

static bool is_collection(const Node *a)
{
    return a->kind == NODE_BRACKET || a->kind == NODE_LIST || a->kind == NODE_SET ||
           (a->has & HAS_PLUS_MINUS && node_scalar(a));
}

MathVerdict value_compare(const Compare *c, Node *a, Node *b)
{
    if (!tree_spend(c->t, 200)) return MATH_UNDECIDED;
    if (node_same(a, b)) return MATH_EQUAL;
    bool relation_a = is_relation(a), relation_b = is_relation(b);
    if (relation_a != relation_b) {
        Node *left = relation_a ? values_given(c->t, a) : a,
             *right = relation_b ? values_given(c->t, b) : b;
        if (is_relation(left) == is_relation(right)) return value_compare(c, left, right);
        MathVerdict v;
        return region_compare(c, left, right, &v) ? v : MATH_DIFFERENT;
    }
    if (relation_a) return relations_compare(c, a, b);
    if (has_operation(a) || has_operation(b)) return operation_compare(c, a, b);
    if (a->kind == NODE_MATRIX || b->kind == NODE_MATRIX) return matrix_compare(c, a, b);
    if (a->kind == NODE_RATIO && b->kind == NODE_RATIO && a->n == b->n)
        return ordered_compare(c, a->kids, b->kids, a->n);
    if (is_collection(a) || is_collection(b)) return collections_compare(c, a, b);
    return node_scalar(a) && node_scalar(b) ? scalar_compare(c, a, b) : MATH_DIFFERENT;
}

/* Sets of real numbers as intervals: unions, intersections, differences, inequalities in one
 * variable. In normal form (in order, apart from each other) two are equal if they are the same. */
#include <string.h>

#include "rewardsvc/math/math_compare.h"

enum { MOST_PIECES = 64 };

typedef struct {
    Node *low, *high; /* NULL: unbounded */
    bool low_closed, high_closed;
} Piece;

typedef struct {
    const Compare *c;
    Piece pieces[MOST_PIECES];
    int n;
    Span name;      /* of the variable, where one was written */
    bool failed;    /* not a set of reals, or */
    bool undecided; /* the order of two ends is unknown */
} Region;

static void region_of(Region *r, Node *a);

static void fail_region(Region *r)
{
    r->failed = true, r->n = 0;
}

static void add_piece(Region *r, Piece p)
{
    if (r->n == MOST_PIECES)
        fail_region(r);
    else if (!r->failed)
        r->pieces[r->n++] = p;
}

/* ---- ends ---- */

/* Order of two ends on the line: an unbounded low end is before all, a high end behind all. */
static int order_ends(Region *r, Node *a, bool a_high, Node *b, bool b_high)
{
    if (!a || !b) {
        int left = a ? 0 : a_high ? 1 : -1, right = b ? 0 : b_high ? 1 : -1;
        return (left > right) - (left < right);
    }
    int order = scalar_order(r->c, a, b);
    if (order == 2) {
        fail_region(r);
        r->undecided = true;
    }
    return order;
}

static bool empty_piece(Region *r, const Piece *p)
{
    int order = order_ends(r, p->low, false, p->high, true);
    return order > 0 || (order == 0 && !(p->low_closed && p->high_closed));
}

/* Does p begin before q? */
static bool begins_before(Region *r, const Piece *p, const Piece *q)
{
    int order = order_ends(r, p->low, false, q->low, false);
    return order < 0 || (order == 0 && p->low_closed && !q->low_closed);
}

/* Is there nothing between p and the later q? */
static bool touches(Region *r, const Piece *p, const Piece *q)
{
    int order = order_ends(r, q->low, false, p->high, true);
    return order < 0 || (order == 0 && (p->high_closed || q->low_closed));
}

static void join(Region *r, Piece *p, const Piece *q)
{
    int order = order_ends(r, q->high, true, p->high, true);
    if (order > 0) p->high = q->high, p->high_closed = q->high_closed;
    if (order == 0) p->high_closed |= q->high_closed;
}

/* In order, empty ones out, those that touch joined. */
static void normalise(Region *r)
{
    int n = 0;
    for (int i = 0; i < r->n && !r->failed; i++) {
        Piece p = r->pieces[i];
        if (empty_piece(r, &p)) continue;
        int k = n++;
        for (; k > 0 && begins_before(r, &p, &r->pieces[k - 1]); k--)
            r->pieces[k] = r->pieces[k - 1];
        r->pieces[k] = p;
    }
    if (r->failed) return;
    int kept = 0;
    for (int i = 0; i < n && !r->failed; i++) {
        if (kept && touches(r, &r->pieces[kept - 1], &r->pieces[i]))
            join(r, &r->pieces[kept - 1], &r->pieces[i]);
        else
            r->pieces[kept++] = r->pieces[i];
    }
    r->n = r->failed ? 0 : kept;
}

/* ---- operations ---- */

static void complement(Region *r)
{
    Region out = {.c = r->c, .name = r->name, .failed = r->failed};
    Node *low = NULL;
    bool closed = false, open_end = true;
    normalise(r);
    for (int i = 0; i < r->n; i++) {
        const Piece *p = &r->pieces[i];
        if (p->low) add_piece(&out, (Piece){low, p->low, closed, !p->low_closed});
        low = p->high, closed = !p->high_closed, open_end = p->high != NULL;
    }
    if (open_end) add_piece(&out, (Piece){low, NULL, closed, false});
    out.failed |= r->failed, out.undecided |= r->undecided;
    *r = out;
}

static Piece meet(Region *r, Piece p, Piece q)
{
    int low = order_ends(r, p.low, false, q.low, false),
        high = order_ends(r, p.high, true, q.high, true);
    Piece m = {low >= 0 ? p.low : q.low, high <= 0 ? p.high : q.high,
               low >= 0 ? p.low_closed : q.low_closed, high <= 0 ? p.high_closed : q.high_closed};
    if (low == 0) m.low_closed = p.low_closed && q.low_closed;
    if (high == 0) m.high_closed = p.high_closed && q.high_closed;
    return m;
}

static void take_name(Region *r, const Region *from)
{
    if (from->name.p) r->name = from->name;
    r->failed |= from->failed, r->undecided |= from->undecided;
}

static void intersect(Region *r, const Region *other)
{
    Region out = {.c = r->c, .name = r->name, .failed = r->failed};
    take_name(&out, other);
    for (int i = 0; i < r->n; i++)
        for (int k = 0; k < other->n && !out.failed; k++)
            add_piece(&out, meet(&out, r->pieces[i], other->pieces[k]));
    normalise(&out);
    *r = out;
}

static void unite(Region *r, const Region *other)
{
    take_name(r, other);
    for (int i = 0; i < other->n; i++) add_piece(r, other->pieces[i]);
    normalise(r);
}

/* ---- from trees ---- */

/* Is it plus or minus infinity? */
static int infinite(const Node *a)
{
    if (a->kind == NODE_INFINITY) return 1;
    bool minus = a->kind == NODE_PRODUCT && a->n == 2 && a->kids[0]->kind == NODE_NUMBER &&
                 fmpq_sgn(a->kids[0]->value) < 0 && a->kids[1]->kind == NODE_INFINITY;
    return minus ? -1 : 0;
}

static bool constant(const Node *a)
{
    return node_scalar(a) && !(a->has & (HAS_NAME | HAS_INFINITY | HAS_PLUS_MINUS));
}

static void add_interval(Region *r, Node *low, Node *high, bool low_closed, bool high_closed)
{
    bool from = infinite(low)<0, to = infinite(high)> 0;
    if ((!from && !constant(low)) || (!to && !constant(high))) {
        fail_region(r);
        return;
    }
    add_piece(
        r, (Piece){from ? NULL : low, to ? NULL : high, !from && low_closed, !to && high_closed});
}

/* Elements of a set; +- is two of them. */
static void add_points(Region *r, Node *a)
{
    for (int i = 0; i < (a->kind == NODE_SET ? a->n : 1); i++) {
        Node *x = a->kind == NODE_SET ? a->kids[i] : a;
        if (!node_scalar(x) || x->has & (HAS_NAME | HAS_INFINITY)) {
            fail_region(r);
            return;
        }
        for (int sign = 1; sign >= -1; sign -= 2) {
            Node *y = x->has & HAS_PLUS_MINUS ? node_read(r->c->t, x, (Reading){.sign = sign}) : x;
            add_piece(r, (Piece){y, y, true, true});
            if (y == x) break;
        }
    }
}

/* x > a and so on: a name on one side and a constant on the other. */
static void of_relation(Region *r, Node *a)
{
    static const int mirrored[] = {RELATION_EQUAL,         RELATION_UNEQUAL, RELATION_GREATER,
                                   RELATION_GREATER_EQUAL, RELATION_LESS,    RELATION_LESS_EQUAL};
    Node *left = a->kids[0], *right = a->kids[1];
    int op = a->tag;
    if (op == RELATION_IN && left->kind == NODE_NAME) {
        region_of(r, right);
        r->name = left->name;
        return;
    }
    if (op != RELATION_IN && left->kind != NODE_NAME && right->kind == NODE_NAME) {
        Node *swap = left;
        left = right, right = swap, op = mirrored[op];
    }
    if (op == RELATION_IN || left->kind != NODE_NAME || !(constant(right) || infinite(right))) {
        fail_region(r);
        return;
    }
    r->name = left->name;
    if (infinite(right)) { /* x < infinity: all of them */
        add_piece(r, (Piece){0});
        return;
    }
    bool up = op == RELATION_GREATER || op == RELATION_GREATER_EQUAL,
         down = op == RELATION_LESS || op == RELATION_LESS_EQUAL,
         closed = op == RELATION_GREATER_EQUAL || op == RELATION_LESS_EQUAL || !(up || down);
    add_piece(r, (Piece){down ? NULL : right, up ? NULL : right, !down && closed, !up && closed});
    if (op == RELATION_UNEQUAL) complement(r);
}

/* The second operand; then the operation. */
static void of_operation(Region *r, Node *a, NodeKind kind)
{
    region_of(r, a->kids[0]);
    for (int i = 1; i < a->n && !r->failed; i++) {
        Region other = {.c = r->c};
        region_of(&other, a->kids[i]);
        if (kind == NODE_WITHOUT) complement(&other);
        if (kind == NODE_UNION)
            unite(r, &other);
        else
            intersect(r, &other);
    }
}

static void region_of(Region *r, Node *a)
{
    switch (a->kind) {
    case NODE_BRACKET: {
        int open = a->tag & 0xff, close = a->tag >> 8;
        if (a->n != 2 || open == '<')
            fail_region(r);
        else
            add_interval(r, a->kids[0], a->kids[1], open == '[', close == ']');
        break;
    }
    case NODE_UNION:
    case NODE_INTERSECTION:
    case NODE_WITHOUT:
        of_operation(r, a, a->kind);
        break;
    case NODE_LIST:
        of_operation(r, a, a->tag == '&' ? NODE_INTERSECTION : NODE_UNION);
        break;
    case NODE_RELATION:
        of_relation(r, a);
        break;
    default:
        add_points(r, a);
    }
    if (!r->failed) normalise(r);
}

static bool same_end(Region *r, Node *a, bool a_closed, Node *b, bool b_closed, bool high)
{
    return order_ends(r, a, high, b, high) == 0 && a_closed == b_closed;
}

static bool same_name(Span a, Span b)
{
    return !a.p || !b.p || (a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
}

static MathVerdict same_regions(Region *r, const Region *s)
{
    if (!same_name(r->name, s->name) || r->n != s->n) return MATH_DIFFERENT;
    int n = r->n;
    for (int i = 0; i < n; i++) {
        Piece p = r->pieces[i], q = s->pieces[i];
        bool same = same_end(r, p.low, p.low_closed, q.low, q.low_closed, false) &&
                    same_end(r, p.high, p.high_closed, q.high, q.high_closed, true);
        if (r->failed) return MATH_UNDECIDED;
        if (!same) return MATH_DIFFERENT;
    }
    return MATH_EQUAL;
}

bool region_compare(const Compare *c, Node *a, Node *b, MathVerdict *verdict)
{
    Region r = {.c = c}, s = {.c = c};
    region_of(&r, a);
    region_of(&s, b);
    *verdict = MATH_UNDECIDED;
    if (r.failed || s.failed) return r.undecided || s.undecided;
    *verdict = same_regions(&r, &s);
    return true;
}

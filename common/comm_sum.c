/* The sum over learners in the fixed tree of design.md 3. Learner i has summed its slots i S/n ..
 * (i+1) S/n - 1 in the lower part of the tree; here the upper part goes on over ranks: (0+1) +
 * (2+3) ..., so that the result has the same bits for every n that divides S. Then it goes down the
 * same way.
 *
 *   learner 0 -- 1        up:   x of 1 into 0, x of 3 into 2, then (2+3) into 0
 *       \                 down: the result from 0 to 2 and 1, from 2 to 3
 *        2 -- 3
 *
 * All is one pipeline of pieces of 1 MiB: every stream between two ranks may go as far as the one
 * before it has come (Pieces.limit), so a long vector costs little more than one pass up and one
 * down, and memory is eight pieces a child.
 */
#include "common/clock.h"
#include "common/comm_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/errors.h"

enum { CHILDREN = 17 }; /* log2 of the most learners, and then some */

typedef void add_fn(void *x, const void *y, size_t n);

typedef struct {
    Comm *c;
    const char *what;
    char *x;
    size_t bytes, n; /* n pieces */
    size_t width;    /* bytes of a number */
    add_fn *add;
    int parent, n_children, child[CHILDREN];
    char *scratch[CHILDREN]; /* PIECES_OPEN pieces each */
    Pieces up[CHILDREN], down[CHILDREN];
    size_t added[CHILDREN];
    Pieces to_parent, from_parent;
} Sum;

static void add_floats(void *x, const void *y, size_t n)
{
    float *restrict a = x;
    const float *restrict b = y;
    for (size_t i = 0; i < n; i++) a[i] += b[i];
}

static void add_doubles(void *x, const void *y, size_t n)
{
    double *restrict a = x;
    const double *restrict b = y;
    for (size_t i = 0; i < n; i++) a[i] += b[i];
}

/* Learners are ranks 0 .. n-1. */
static void tree_place(Sum *s)
{
    int me = comm_index(s->c, ROLE_LEARNER), n = comm_count(s->c, ROLE_LEARNER);
    REQUIRE(me >= 0, "%s: only learners sum", s->what);
    s->parent = -1;
    for (int d = 1; d < n; d *= 2) {
        if (me % (2 * d)) {
            s->parent = me - d;
            return;
        }
        s->child[s->n_children++] = me + d;
    }
}

/* The announcement of the same sum by rank `from`: a learner that is one step behind would
 * otherwise be added in silence. -1: the run was stopped meanwhile. */
static int hear(Sum *s, int from, const Header *own)
{
    Comm *c = s->c;
    Arrived *a;
    while (!(a = message_take(c, KIND_SUM, from, -1))) {
        if (c->stopping) return -1;
        pulse_pause(c, s->what);
    }
    REQUIRE(a->header.number == own->number &&
                !strncmp(a->header.what, own->what, sizeof own->what),
            "rank %d sums %s (%lld bytes), this rank %s (%zu)", from, a->header.what,
            (long long)a->header.number, s->what, s->bytes);
    arrived_free(c, a);
    return 0;
}

/* Up the tree everyone says that it is here, then down from the root that all are: no stream begins
 * before, so that a run can be stopped while some learners wait for others without leaving half a
 * message behind. */
static int announce(Sum *s)
{
    Header h = header_make(KIND_SUM, (int64_t)s->bytes, s->what);
    for (int i = 0; i < s->n_children; i++)
        if (hear(s, s->child[i], &h)) return -1;
    if (s->parent >= 0) {
        message_send(s->c, s->parent, &h, NULL);
        if (hear(s, s->parent, &h)) return -1;
    }
    for (int i = 0; i < s->n_children; i++) message_send(s->c, s->child[i], &h, NULL);
    return 0;
}

static void streams_open(Sum *s)
{
    Comm *c = s->c;
    for (int i = 0; i < s->n_children; i++) {
        s->scratch[i] = mem_zeroed(PIECES_OPEN, PIECE_BYTES);
        pieces_init(&s->up[i], c, s->child[i], TAG_SUM_UP, false, s->scratch[i], s->bytes);
        pieces_init(&s->down[i], c, s->child[i], TAG_SUM_DOWN, true, s->x, s->bytes);
        s->up[i].wrap = PIECES_OPEN;
    }
    pieces_init(&s->to_parent, c, s->parent, TAG_SUM_UP, true, s->x, s->bytes);
    pieces_init(&s->from_parent, c, s->parent, TAG_SUM_DOWN, false, s->x, s->bytes);
    s->n = s->to_parent.n;
}

static void add_piece(Sum *s, int i)
{
    size_t at = s->added[i] * PIECE_BYTES,
           size = s->bytes - at < PIECE_BYTES ? s->bytes - at : PIECE_BYTES;
    s->add(s->x + at, s->scratch[i] + s->added[i] % PIECES_OPEN * PIECE_BYTES, size / s->width);
    s->added[i]++;
}

/* Children in the order of the tree: the second may be added to a piece only when the first has
 * been. */
static bool children_move(Sum *s)
{
    bool moved = false;
    size_t may = s->n;
    for (int i = 0; i < s->n_children; i++) {
        Pieces *p = &s->up[i];
        p->limit = s->added[i] + PIECES_OPEN;
        moved |= pieces_move(p);
        while (s->added[i] < p->done && s->added[i] < may) {
            add_piece(s, i);
            moved = true;
        }
        may = s->added[i];
    }
    return moved;
}

static bool sum_move(Sum *s, bool *over)
{
    bool moved = children_move(s);
    size_t whole = s->n_children ? s->added[s->n_children - 1]
                                 : s->n; /* pieces that hold this subtree's sum */
    if (s->parent >= 0) {
        s->to_parent.limit = whole;
        moved |= pieces_move(&s->to_parent);
        s->from_parent.limit = s->to_parent.done;
        moved |= pieces_move(&s->from_parent);
        whole = s->from_parent.done;
    }
    *over = whole == s->n;
    for (int i = 0; i < s->n_children; i++) {
        s->down[i].limit = whole;
        moved |= pieces_move(&s->down[i]);
        *over &= s->down[i].done == s->n;
    }
    return moved;
}

static int sum_run(Comm *c, void *x, size_t n, size_t width, add_fn *add, const char *what)
{
    Sum s = {.c = c, .what = what, .x = x, .bytes = n * width, .width = width, .add = add};
    tree_place(&s);
    if (!n || (s.parent < 0 && !s.n_children)) return 0;
    if (announce(&s)) return -1;
    streams_open(&s);
    c->streaming = true;
    for (bool over = false; !over;) {
        if (sum_move(&s, &over)) {
            c->moved_at = clock_seconds();
            c->sleep_us = 0;
        } else {
            pulse_pause(c, what);
        }
    }
    c->streaming = false;
    for (int i = 0; i < s.n_children; i++) mem_free(s.scratch[i]);
    comm_worked(c);
    return 0;
}

int comm_sum_floats(Comm *c, float *x, size_t n, const char *what)
{
    return sum_run(c, x, n, sizeof *x, add_floats, what);
}

int comm_sum_doubles(Comm *c, double *x, int n, const char *what)
{
    REQUIRE(n >= 0, "%s: %d numbers", what, n);
    return sum_run(c, x, (size_t)n, sizeof *x, add_doubles, what);
}

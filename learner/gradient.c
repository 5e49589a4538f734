/* See gradient.h. On the ring: between the loss and the optimiser. */
#include "learner/gradient.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/ops.h"

enum { MAX_STATS = 32 };

static int levels_of(int n_slots)
{
    int n = 1;
    for (int s = n_slots; s > 1; s /= 2) n++;
    return n;
}

void gradient_init(Gradient *g, size_t n, int n_slots)
{
    *g = (Gradient){.n = n, .n_levels = levels_of(n_slots)};
    REQUIRE(g->n_levels <= GRADIENT_LEVELS, "%d slots", n_slots);
    for (int i = 0; i < g->n_levels; i++) g->level[i] = NEW(float, n);
}

void gradient_free(Gradient *g)
{
    for (int i = 0; i < g->n_levels; i++) mem_free(g->level[i]);
    *g = (Gradient){0};
}

size_t gradient_bytes(size_t n, int n_slots)
{
    return (size_t)levels_of(n_slots) * n * sizeof(float);
}

typedef struct {
    Gradient *g;
    gradient_slot_fn *slot;
    void *ctx;
    int n_stats;
} Tree;

/* Slots first .. first + n - 1 summed into level[depth] and stats. */
static void sum_slots(const Tree *t, int first, int n, int depth, double *stats)
{
    if (n == 1) {
        memset(t->g->level[depth], 0, t->g->n * sizeof(float));
        memset(stats, 0, (size_t)t->n_stats * sizeof *stats);
        t->slot(t->ctx, first, t->g->level[depth], stats);
        return;
    }
    double right[MAX_STATS];
    sum_slots(t, first, n / 2, depth, stats);
    sum_slots(t, first + n / 2, n / 2, depth + 1, right);
    op_add(t->g->level[depth], t->g->level[depth + 1], t->g->n);
    for (int i = 0; i < t->n_stats; i++) stats[i] += right[i];
}

int gradient_sum(Gradient *g, Comm *comm, int first_slot, int n_slots, gradient_slot_fn *slot,
                 void *ctx, double *stats, int n_stats)
{
    REQUIRE(n_stats <= MAX_STATS, "%d stats", n_stats);
    REQUIRE(levels_of(n_slots) == g->n_levels, "%d slots in a tree of %d levels", n_slots,
            g->n_levels);
    Tree t = {g, slot, ctx, n_stats};
    sum_slots(&t, first_slot, n_slots, 0, stats);
    if (comm_sum_floats(comm, g->level[0], g->n, "the sum of the learners' gradients")) return -1;
    return comm_sum_doubles(comm, stats, n_stats, "the sum of the learners' counts");
}

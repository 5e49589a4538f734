/* See pairs.h. */
#include "rewardsvc/pairs.h"

#include <math.h>

#include "common/errors.h"
#include "common/memory.h"

void pairs_init(Pairs *p, int G)
{
    size_t cells = (size_t)G * (size_t)G;
    *p = (Pairs){.G = G, .sum = NEW(double, cells), .count = NEW(int, cells)};
}

void pairs_free(Pairs *p)
{
    mem_free(p->sum);
    mem_free(p->count);
    *p = (Pairs){0};
}

void pairs_add(Pairs *p, int i, int j, double i_over_j)
{
    REQUIRE(i != j && i >= 0 && j >= 0 && i < p->G && j < p->G, "%d against %d of %d", i, j, p->G);
    p->sum[i * p->G + j] += i_over_j, p->count[i * p->G + j]++;
    p->sum[j * p->G + i] -= i_over_j, p->count[j * p->G + i]++;
}

void pairs_differences(const Pairs *p, double *d)
{
    for (int c = 0; c < p->G * p->G; c++) d[c] = p->count[c] ? p->sum[c] / p->count[c] : 0;
}

void pairs_advantage(const double *d, int G, double *A)
{
    REQUIRE(G >= 2, "pairs of %d", G);
    double squares = 0;
    for (int c = 0; c < G * G; c++) squares += d[c] * d[c];
    double spread = sqrt(squares / (2.0 * G * (G - 1)) + 1e-6);
    for (int i = 0; i < G; i++) {
        double sum = 0;
        for (int j = 0; j < G; j++) sum += d[i * G + j];
        A[i] = sum / G / spread;
    }
}

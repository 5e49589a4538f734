/* Comparisons of the answers of a group turned into numbers. Pure functions.
 *
 * With d_ij > 0 where answer i is better than j, d_ji = -d_ij, d_ii = 0, of G answers:
 *
 *   A_i = ((1/G) sum_j d_ij) / sqrt(sum_ij d_ij^2 / (2 G (G - 1)) + 1e-6)
 *
 * which is GRPO's advantage (standard deviation with G - 1) where d_ij = r_i - r_j for some r.
 * Source: Think-RM (Hong et al. 2025), the pairwise pipeline. */
#ifndef REWARDSVC_PAIRS_H
#define REWARDSVC_PAIRS_H

/* What comparisons have said of a group: sums over the comparisons of each pair. */
typedef struct {
    int G;
    double *sum; /* [G, G] of what i was better than j by */
    int *count;  /* [G, G] comparisons */
} Pairs;
void pairs_init(Pairs *p, int G);
void pairs_free(Pairs *p);
void pairs_add(Pairs *p, int i, int j, double i_over_j); /* and j, i */

/* d [G, G]: the mean of each pair's comparisons, 0 without one. */
void pairs_differences(const Pairs *p, double *d);
/* A [G] of d [G, G]; G >= 2. */
void pairs_advantage(const double *d, int G, double *A);

#endif

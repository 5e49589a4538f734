/* See whiten.h. */
#include "learner/whiten.h"

#include <math.h>

#include "common/memory.h"
#include "learner/advantage.h"

static bool trains(const Group *g, int i, int t, unsigned leave_out)
{
    const Sample *s = &g->samples[i];
    return (!s->mask || s->mask[t]) && advantage_counts(g, s, leave_out);
}

WhitenSum whiten_sum(const Group *g, unsigned leave_out)
{
    WhitenSum w = {0};
    for (int i = 0; i < g->n_samples; i++)
        for (int t = 0; t < g->samples[i].n_tokens; t++)
            if (trains(g, i, t, leave_out)) w.n++, w.sum += sample_advantage_at(&g->samples[i], t);
    return w;
}

double whiten_squares(const Group *g, unsigned leave_out, double mean)
{
    double squares = 0;
    for (int i = 0; i < g->n_samples; i++)
        for (int t = 0; t < g->samples[i].n_tokens; t++) {
            if (!trains(g, i, t, leave_out)) continue;
            double d = sample_advantage_at(&g->samples[i], t) - mean;
            squares += d * d;
        }
    return squares;
}

static float standardised(float advantage, double mean, double std, double filter)
{
    double z = std > 0 ? (advantage - mean) / std : 0;
    return filter > 0 && fabs(z) > filter ? 0 : (float)z;
}

double whiten_group(Group *g, unsigned leave_out, double mean, double std, double filter)
{
    double n = 0;
    for (int i = 0; i < g->n_samples; i++) {
        Sample *s = &g->samples[i];
        if (!advantage_counts(g, s, leave_out)) continue;
        for (int t = 0; filter > 0 && std > 0 && t < s->n_tokens; t++)
            n += trains(g, i, t, leave_out) &&
                 fabs((sample_advantage_at(s, t) - mean) / std) > filter;
        s->advantage = standardised(s->advantage, mean, std, filter);
        for (int k = 0; k < s->n_steps; k++)
            s->steps[k].advantage = standardised(s->steps[k].advantage, mean, std, filter);
    }
    return n;
}

int whiten_step(Comm *c, Inbox *in, unsigned leave_out, double filter, double *n_filtered)
{
    int P = in->P, rc = -1;
    Group *groups = inbox_groups(in, in->step);
    double *sums = NEW(double, 2 * P), *squares = NEW(double, P), n = 0, mean = 0, std = 0;
    *n_filtered = 0;
    for (int i = 0; i < P; i++) {
        if (!inbox_is_mine(in, i)) continue;
        WhitenSum w = whiten_sum(&groups[i], leave_out);
        sums[2 * i] = w.n, sums[2 * i + 1] = w.sum;
    }
    if (comm_sum_doubles(c, sums, 2 * P, "the mean of the step's advantages")) goto done;
    for (int i = 0; i < P; i++) n += sums[2 * i], mean += sums[2 * i + 1];
    mean /= n > 0 ? n : 1;
    for (int i = 0; i < P; i++)
        if (inbox_is_mine(in, i)) squares[i] = whiten_squares(&groups[i], leave_out, mean);
    if (comm_sum_doubles(c, squares, P, "the deviation of the step's advantages")) goto done;
    for (int i = 0; i < P; i++) std += squares[i];
    std = sqrt(std / (n > 0 ? n : 1));
    for (int i = 0; i < P; i++) {
        if (!groups[i].n_samples) continue;
        double left_out = whiten_group(&groups[i], leave_out, mean, std, filter);
        if (inbox_is_mine(in, i)) *n_filtered += left_out;
    }
    rc = comm_sum_doubles(c, n_filtered, 1, "the count of filtered tokens");
done:
    mem_free(squares);
    mem_free(sums);
    return rc;
}

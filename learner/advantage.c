/* See advantage.h. Statistics are in double. Ties are found by comparison, not by a zero that a
 * subtraction might give: the mean of n equal numbers need not be that number, and an advantage
 * that is only nearly zero trains on noise divided by eps. */
#include "learner/advantage.h"

#include <math.h>
#include <string.h>

#include "common/config.h"
#include "common/errors.h"

static double mean_of(int n, const double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

/* A_i = (r_i - m) / (s + eps), s with divisor n - 1. Shao et al. 2024 (DeepSeekMath), 4.1;
 * frameworks use the sample deviation. */
static void advantage_grpo(int n, const double *reward, double eps, double *advantage)
{
    double m = mean_of(n, reward), squares = 0;
    for (int i = 0; i < n; i++) squares += (reward[i] - m) * (reward[i] - m);
    double s = sqrt(squares / (n - 1));
    for (int i = 0; i < n; i++) advantage[i] = (reward[i] - m) / (s + eps);
}

/* A_i = r_i - m. Liu et al. 2025: no division, so prompts that are nearly all right or wrong weigh
 * no more than others. */
static void advantage_dr_grpo(int n, const double *reward, double eps, double *advantage)
{
    (void)eps;
    double m = mean_of(n, reward);
    for (int i = 0; i < n; i++) advantage[i] = reward[i] - m;
}

/* A_i = r_i - mean of the others = n / (n - 1) (r_i - m). Ahmadian et al. 2024. */
static void advantage_rloo(int n, const double *reward, double eps, double *advantage)
{
    (void)eps;
    double m = mean_of(n, reward);
    for (int i = 0; i < n; i++) advantage[i] = (double)n / (n - 1) * (reward[i] - m);
}

static const Advantage table[] = {
    {"grpo", "(r - mean) / (std + eps), std with divisor n - 1", advantage_grpo},
    {"dr_grpo", "r - mean", advantage_dr_grpo},
    {"rloo", "r - mean of the other samples", advantage_rloo},
};

const Advantage *advantage_list(int *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}

const Advantage *advantage_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

unsigned advantage_leaves_out(const Config *c)
{
    return (c->learner.mask_truncated ? LEAVE_OUT_TRUNCATED : 0u) |
           (strcmp(c->learner.on_failure, "drop_group") == 0 ? LEAVE_OUT_FAILED_GROUPS : 0u);
}

static bool any_failed(const Group *g)
{
    for (int i = 0; i < g->n_samples; i++)
        if (g->samples[i].reward.status != SCORE_OK) return true;
    return false;
}

static bool is_masked(const Sample *s, unsigned leave_out)
{
    return (leave_out & LEAVE_OUT_TRUNCATED) && s->finish == FINISH_LENGTH;
}

bool advantage_counts(const Group *g, const Sample *s, unsigned leave_out)
{
    return s->reward.status == SCORE_OK && !is_masked(s, leave_out) &&
           !((leave_out & LEAVE_OUT_FAILED_GROUPS) && any_failed(g));
}

AdvantageCounts advantage_assign(const Advantage *a, double eps, unsigned leave_out, Group *g)
{
    AdvantageCounts c = {.equal = true};
    double *reward = NEW(double, g->n_samples), *advantage = NEW(double, g->n_samples);
    for (int i = 0; i < g->n_samples; i++) {
        const Sample *s = &g->samples[i];
        if (s->reward.status != SCORE_OK)
            c.n_failed++;
        else if (is_masked(s, leave_out))
            c.n_truncated++;
        else if (!advantage_counts(g, s, leave_out))
            c.n_dropped++;
        else {
            double r = s->reward.value;
            REQUIRE(isfinite(r), "reward of group %lld, sample %d is ok and not finite",
                    (long long)g->id, i);
            if (c.n_counted > 0 && r != reward[0]) c.equal = false;
            reward[c.n_counted++] = r;
            c.reward_sum += r;
        }
    }
    if (!c.equal) a->assign(c.n_counted, reward, eps, advantage);
    for (int i = 0, k = 0; i < g->n_samples; i++)
        g->samples[i].advantage =
            advantage_counts(g, &g->samples[i], leave_out) ? (float)advantage[k++] : 0.0f;
    mem_free(reward);
    mem_free(advantage);
    return c;
}

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

/* A_i = (r_i - b_i) / s_i, b_i and s_i the mean and the deviation (divisor n - 1 of the n - 1
 * others) of the other samples; not divided where they are all equal, so that a lone outlier has
 * its whole distance: cap it (learner.advantage_cap). Jiao et al. 2025 (BR-RM), as NeMo-RL does. */
static void advantage_leave_one_out(int n, const double *reward, double eps, double *advantage)
{
    (void)eps;
    for (int i = 0; i < n; i++) {
        double b = 0, squares = 0;
        bool equal = true;
        const double *first = &reward[i ? 0 : 1];
        for (int j = 0; j < n; j++)
            if (j != i) b += reward[j] / (n - 1), equal &= reward[j] == *first;
        for (int j = 0; j < n; j++)
            if (j != i) squares += (reward[j] - b) * (reward[j] - b);
        if (equal) b = *first;
        advantage[i] = (reward[i] - b) / (equal ? 1 : sqrt(squares / (n - 1)));
    }
}

/* A_i = r_i: the baseline is the step's mean (learner.whiten). Hu et al. 2025 (REINFORCE++). */
static void advantage_reinforce(int n, const double *reward, double eps, double *advantage)
{
    (void)eps;
    memcpy(advantage, reward, (size_t)n * sizeof *advantage);
}

static const Advantage table[] = {
    {"grpo", "(r - mean) / (std + eps), std with divisor n - 1", advantage_grpo, false},
    {"dr_grpo", "r - mean", advantage_dr_grpo, false},
    {"rloo", "r - mean of the other samples", advantage_rloo, false},
    {"leave_one_out", "(r - mean) / std, both of the other samples", advantage_leave_one_out,
     false},
    {"reinforce", "r", advantage_reinforce, true},
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

int advantage_returns(const Sample *s, double *returns)
{
    int K = s->n_steps, n = K && s->steps[K - 1].end == s->n_tokens ? K : K + 1;
    double rest = s->reward.value;
    if (n > K) returns[K] = rest;
    for (int k = K - 1; k >= 0; k--) returns[k] = rest += s->steps[k].reward;
    return n;
}

bool advantage_any(const Sample *s)
{
    for (int k = 0; k < s->n_steps; k++)
        if (s->steps[k].advantage != 0) return true;
    return s->advantage != 0;
}

/* The parts of all samples that count, one after the other. */
typedef struct {
    double *returns, *advantage;
    int n;
    bool equal;
} Parts;

static Parts parts_new(const Group *g)
{
    size_t most = 0;
    for (int i = 0; i < g->n_samples; i++) most += (size_t)g->samples[i].n_steps + 1;
    return (Parts){.returns = NEW(double, most), .advantage = NEW(double, most), .equal = true};
}

static void parts_add(Parts *p, const Sample *s)
{
    int first = p->n;
    p->n += advantage_returns(s, p->returns + first);
    for (int k = first; k < p->n; k++)
        if (p->returns[k] != p->returns[0]) p->equal = false;
}

/* Hands a counted sample its parts' advantages, from *at on. */
static void parts_hand_out(const Parts *p, Sample *s, int *at)
{
    for (int k = 0; k < s->n_steps; k++) s->steps[k].advantage = (float)p->advantage[(*at)++];
    bool behind = !s->n_steps || s->steps[s->n_steps - 1].end < s->n_tokens;
    s->advantage = behind ? (float)p->advantage[(*at)++] : s->steps[s->n_steps - 1].advantage;
}

static void clear(Sample *s)
{
    s->advantage = 0;
    for (int k = 0; k < s->n_steps; k++) s->steps[k].advantage = 0;
}

AdvantageCounts advantage_assign(const Advantage *a, double eps, unsigned leave_out, Group *g)
{
    AdvantageCounts c = {0};
    Parts p = parts_new(g);
    for (int i = 0; i < g->n_samples; i++) {
        const Sample *s = &g->samples[i];
        if (s->reward.status != SCORE_OK)
            c.n_failed++;
        else if (is_masked(s, leave_out))
            c.n_truncated++;
        else if (!advantage_counts(g, s, leave_out))
            c.n_dropped++;
        else {
            REQUIRE(isfinite(s->reward.value),
                    "reward of group %lld, sample %d is ok and not finite", (long long)g->id, i);
            parts_add(&p, s);
            c.n_counted++;
            c.reward_sum += s->reward.value;
        }
    }
    c.equal = p.n == 0 || (!a->alone && (p.equal || c.n_counted < 2));
    if (!c.equal) a->assign(p.n, p.returns, eps, p.advantage);
    for (int i = 0, at = 0; i < g->n_samples; i++)
        if (advantage_counts(g, &g->samples[i], leave_out))
            parts_hand_out(&p, &g->samples[i], &at);
        else
            clear(&g->samples[i]);
    mem_free(p.returns);
    mem_free(p.advantage);
    return c;
}

void advantage_limit(Group *g, double cap)
{
    const float most = cap > 0 ? (float)cap : INFINITY;
    for (int i = 0; i < g->n_samples; i++) {
        Sample *s = &g->samples[i];
        s->advantage = fmaxf(-most, fminf(most, s->advantage));
        for (int k = 0; k < s->n_steps; k++)
            s->steps[k].advantage = fmaxf(-most, fminf(most, s->steps[k].advantage));
    }
}

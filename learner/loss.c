/* See loss.h. Everything is in double until dlp is stored. A loss is a row of the table below;
 * ratio, KL, weights and statistics are common to all of them. */
#include "learner/loss.h"

#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "learner/advantage.h"

static const double LOG_RATIO_MAX = 20, K3_MAX = 10;

static double clamp(double x, double least, double most)
{
    return x < least ? least : x > most ? most : x;
}

/* ---- objectives ---- */

static double objective_grpo(const LossSettings *s, double lp, double old, double advantage,
                             double *dlp, bool *clipped)
{
    double most = s->preclip > 0 ? fabs(log(s->preclip)) : LOG_RATIO_MAX;
    double log_ratio = clamp(lp - old, -most, most), rho = exp(log_ratio);
    double open = -advantage * rho;
    double shut = -advantage * clamp(rho, 1 - s->clip_low, 1 + s->clip_high);
    *clipped = shut > open;
    *dlp = *clipped || advantage == 0 || log_ratio != lp - old ? 0 : open;
    return advantage == 0 ? 0 : *clipped ? shut : open;
}

/* Supervised: the negative log-likelihood; old and advantage are not read. */
static double objective_nll(const LossSettings *s, double lp, double old, double advantage,
                            double *dlp, bool *clipped)
{
    (void)s, (void)old, (void)advantage;
    *clipped = false;
    *dlp = -1;
    return -lp;
}

static const Objective table[] = {
    {"grpo", "ratio, clipped to [1 - clip_low, 1 + clip_high], times advantage", true,
     objective_grpo},
    {"nll", "negative log-likelihood of demonstrations", false, objective_nll},
};

const Objective *objective_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

int aggregate_find(const char *name, Aggregate *out)
{
    if (strcmp(name, "token") == 0)
        *out = AGGREGATE_TOKEN;
    else if (strcmp(name, "sequence") == 0)
        *out = AGGREGATE_SEQUENCE;
    else
        return -1;
    return 0;
}

/* k3 of log-ratio d and its derivative with respect to -d. */
static double k3(double d_raw, double *derivative)
{
    double d = clamp(d_raw, -LOG_RATIO_MAX, LOG_RATIO_MAX), value = expm1(d) - d;
    bool clamped = d != d_raw || value > K3_MAX;
    *derivative = clamped ? 0 : -expm1(d);
    return value > K3_MAX ? K3_MAX : value;
}

/* ---- rows ---- */

static bool sample_trains(const Group *g, const Sample *s, unsigned leave_out)
{
    return g->kind == GROUP_DEMO || advantage_counts(g, s, leave_out);
}

static int trained_tokens(const Group *g, const Sample *s, unsigned leave_out)
{
    if (!sample_trains(g, s, leave_out)) return 0;
    if (!s->mask) return s->n_tokens;
    int n = 0;
    for (int t = 0; t < s->n_tokens; t++) n += s->mask[t] != 0;
    return n;
}

void loss_count(const Group *g, unsigned leave_out, LossCounts *c)
{
    for (int i = 0; i < g->n_samples; i++) {
        int n = trained_tokens(g, &g->samples[i], leave_out);
        c->n_tokens += n;
        c->n_sequences += n > 0;
    }
}

static void rows_reserve(LossRows *r, int n)
{
    if (n <= r->capacity) return;
    size_t old = (size_t)r->capacity, new = (size_t)n;
    r->sample = mem_resize(r->sample, old, new, sizeof *r->sample);
    r->position = mem_resize(r->position, old, new, sizeof *r->position);
    r->target = mem_resize(r->target, old, new, sizeof *r->target);
    r->old = mem_resize(r->old, old, new, sizeof *r->old);
    r->advantage = mem_resize(r->advantage, old, new, sizeof *r->advantage);
    r->weight = mem_resize(r->weight, old, new, sizeof *r->weight);
    r->capacity = n;
}

static void rows_add(LossRows *r, const Group *g, int i, int n_trained, double weight)
{
    const Sample *s = &g->samples[i];
    rows_reserve(r, r->n + n_trained);
    for (int t = 0; t < s->n_tokens; t++) {
        if (s->mask && !s->mask[t]) continue;
        REQUIRE(t > 0 || g->n_prompt > 0, "group %lld, sample %d: nothing predicts its first token",
                (long long)g->id, i);
        int k = r->n++;
        r->sample[k] = i;
        r->position[k] = t;
        r->target[k] = s->tokens[t];
        r->old[k] = g->kind == GROUP_DEMO ? 0 : s->logprobs[t];
        r->advantage[k] = g->kind == GROUP_DEMO ? 1 : sample_advantage_at(s, t);
        r->weight[k] = weight;
    }
}

void loss_rows_fill(LossRows *r, const Group *g, unsigned leave_out, Aggregate aggregate,
                    const LossCounts *step)
{
    r->n = 0;
    mem_free(r->ref);
    r->ref = NULL;
    for (int i = 0; i < g->n_samples; i++) {
        int n = trained_tokens(g, &g->samples[i], leave_out);
        if (n == 0) continue;
        REQUIRE(step->n_tokens >= n && step->n_sequences >= 1, "the step was not counted");
        rows_add(r, g, i, n,
                 aggregate == AGGREGATE_TOKEN ? 1 / step->n_tokens : 1 / (step->n_sequences * n));
    }
}

void loss_rows_want_ref(LossRows *r)
{
    mem_free(r->ref);
    r->ref = NEW(float, r->n);
}

void loss_rows_free(LossRows *r)
{
    mem_free(r->sample);
    mem_free(r->position);
    mem_free(r->target);
    mem_free(r->old);
    mem_free(r->ref);
    mem_free(r->advantage);
    mem_free(r->weight);
    *r = (LossRows){0};
}

/* ---- statistics ---- */

void loss_stats_clear(LossStats *s)
{
    *s = (LossStats){.ratio_max = -INFINITY, .ratio_min = INFINITY};
}

void loss_stats_add(LossStats *s, const LossStats *other)
{
    s->n_tokens += other->n_tokens;
    s->loss += other->loss;
    s->clipped += other->clipped;
    s->kl += other->kl;
    s->kl_old += other->kl_old;
    s->entropy += other->entropy;
    s->off_ratio += other->off_ratio;
    s->not_finite += other->not_finite;
    s->ratio_max = fmax(s->ratio_max, other->ratio_max);
    s->ratio_min = fmin(s->ratio_min, other->ratio_min);
}

static void stats_add_ratio(LossStats *s, float lp, float old)
{
    double unused, ratio = exp(clamp((double)lp - old, -LOG_RATIO_MAX, LOG_RATIO_MAX));
    s->kl_old += k3((double)lp - old, &unused);
    s->off_ratio += lp != old;
    s->ratio_max = fmax(s->ratio_max, ratio);
    s->ratio_min = fmin(s->ratio_min, ratio);
}

/* ---- the loss of a chunk ---- */

static float token_loss(Loss *l, int i, float lp, float entropy)
{
    const LossRows *r = l->rows;
    LossStats *s = &l->stats;
    const float old = r->old[i], ref = l->settings.kl > 0 ? r->ref[i] : 0;
    s->n_tokens++;
    if (!isfinite(lp) || !isfinite(old) || !isfinite(ref)) {
        s->not_finite++;
        return 0;
    }
    double dlp, dkl = 0, kl = 0;
    bool clipped;
    double loss = l->objective->token(&l->settings, lp, old, r->advantage[i], &dlp, &clipped);
    if (l->settings.kl > 0) kl = k3((double)ref - lp, &dkl);
    s->loss += r->weight[i] * (loss + l->settings.kl * kl);
    s->clipped += clipped;
    s->kl += kl;
    s->entropy += entropy;
    if (l->objective->uses_old) stats_add_ratio(s, lp, old);
    return (float)(r->weight[i] * (dlp + l->settings.kl * dkl));
}

void loss_tokens(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    Loss *l = ctx;
    REQUIRE(i0 >= 0 && i0 + n <= l->rows->n, "rows %d..%d of %d", i0, i0 + n, l->rows->n);
    REQUIRE(l->settings.kl == 0 || l->rows->ref, "a KL term without reference log-probabilities");
    for (int i = 0; i < n; i++) dlp[i] = token_loss(l, i0 + i, lp[i], entropy ? entropy[i] : 0);
}

void loss_record(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    (void)entropy;
    memcpy((float *)ctx + i0, lp, (size_t)n * sizeof *lp);
    if (dlp) memset(dlp, 0, (size_t)n * sizeof *dlp);
}

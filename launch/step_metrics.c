/* See step_metrics.h. */
#include "launch/step_metrics.h"

#include <math.h>
#include <stdio.h>

#include "common/memory.h"

typedef struct {
    double reward, n_reward, n, truncated;
    double *component, *n_component; /* [K] of what is ok */
    double *statuses;                /* [K, SCORE_NOT_APPLICABLE + 1] */
} Sums;

enum { N_STATUSES = SCORE_NOT_APPLICABLE + 1 };

static void add_sample(Sums *m, const Group *g, const Sample *s)
{
    if (s->reward.status == SCORE_OK) m->reward += s->reward.value, m->n_reward++;
    for (int k = 0; k < g->n_components; k++) {
        m->statuses[k * N_STATUSES + (int)s->components[k].status]++;
        if (s->components[k].status == SCORE_OK)
            m->component[k] += s->components[k].value, m->n_component[k]++;
    }
    m->truncated += s->finish == FINISH_LENGTH;
    m->n++;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *mean_json(double sum, double n)
{
    return n > 0 ? number(sum / n) : json_null();
}

/* A shape's row is a trace: that it has none for a sample is no failure. */
static json_t *statuses_json(const Sums *m, const RewardBlock *rewards)
{
    json_t *o = json_object();
    char key[128];
    for (int k = 0; k < rewards->n; k++)
        for (int s = SCORE_OK + 1; s < N_STATUSES && !rewards->components[k].reward->shape; s++) {
            double count = m->statuses[k * N_STATUSES + s];
            snprintf(key, sizeof key, "%s.%s", rewards->components[k].name,
                     score_status_name((ScoreStatus)s));
            if (count > 0) json_object_set_new(o, key, json_real(count / m->n));
        }
    return o;
}

static void add_to_line(json_t *line, const Sums *m, const RewardBlock *rewards, double tokens)
{
    json_t *components = json_object(), *statuses = statuses_json(m, rewards);
    for (int k = 0; k < rewards->n; k++)
        json_object_set_new(components, rewards->components[k].name,
                            mean_json(m->component[k], m->n_component[k]));
    json_object_set_new(line, "reward", mean_json(m->reward, m->n_reward));
    json_object_set_new(line, "components", components);
    if (json_object_size(statuses)) json_object_set(line, "statuses", statuses);
    json_decref(statuses);
    json_object_set_new(line, "answer_tokens", mean_json(tokens, m->n));
    json_object_set_new(line, "truncated", mean_json(m->truncated, m->n));
}

StepFigures step_metrics_add(json_t *line, const Group *groups, int n, const RewardBlock *rewards)
{
    StepFigures f = {0};
    Sums m = {.component = NEW(double, rewards->n),
              .n_component = NEW(double, rewards->n),
              .statuses = NEW(double, rewards->n *N_STATUSES)};
    for (int i = 0; i < n; i++) {
        f.prompt_tokens += groups[i].n_prompt;
        for (int k = 0; k < groups[i].n_samples; k++) {
            f.tokens += groups[i].samples[k].n_tokens;
            add_sample(&m, &groups[i], &groups[i].samples[k]);
        }
    }
    add_to_line(line, &m, rewards, f.tokens);
    f.reward = m.n_reward > 0 ? m.reward / m.n_reward : NAN;
    mem_free(m.component);
    mem_free(m.n_component);
    mem_free(m.statuses);
    return f;
}

/* Every sample of a group that was asked about has the time until its answer. */
static double judged_after(const Group *g, const RewardBlock *rewards)
{
    double longest = 0;
    for (int i = 0; i < g->n_samples; i++)
        for (int k = 0; k < g->n_components && k < rewards->n; k++)
            if (rewards->components[k].reward->ask)
                longest = fmax(longest, (double)g->samples[i].latencies_s[k]);
    return longest;
}

void step_metrics_judges(json_t *time, const Group *groups, int n, const RewardBlock *rewards,
                         double seconds)
{
    double sum = 0, longest = 0;
    bool any = false;
    for (int k = 0; k < rewards->n; k++) any |= rewards->components[k].reward->ask != NULL;
    if (!any || !n) return;
    for (int i = 0; i < n; i++) {
        double s = judged_after(&groups[i], rewards);
        sum += s;
        longest = fmax(longest, s);
    }
    json_object_set_new(time, "judge_s", json_real(sum / n));
    json_object_set_new(time, "judge_max_s", json_real(longest));
    if (seconds > 0) json_object_set_new(time, "judge_backlog", json_real(sum / seconds));
}

/* See reward_case.h. */
#include "rewardsvc/reward_case.h"

#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/memory.h"

typedef enum { WAITING, ASKED, KNOWN } Stage;

typedef struct {
    Stage stage;
    void *question;
    double asked_at;
} Progress;

struct RewardCase {
    RewardBlock *b;
    GroupEvidence g;
    Progress *progress;       /* [b->n] */
    Score *scores;            /* [b->n, n] */
    float *latencies;         /* [b->n, n] */
    char **notes;             /* [b->n, n] */
    StepScores *steps;        /* [b->n, n] */
    StepScores *step_rewards; /* [n] */
    Score *reward;            /* [n] */
    bool *wanted;             /* [n] scratch */
    bool settled;
};

/* ---- scores ---------------------------------------------------------------------------------- */

/* The first error of a component is printed, since a run that stops for failed rewards must have
 * said why; the rest would bury it. */
static void complain(RewardComponent *c, const Evidence *e)
{
    if (c->complained) return;
    c->complained = true;
    char *why = mem_text(errors_last());
    fail("reward %s, group %lld, sample %d: %s (its later errors are counted, not printed)",
         c->name, (long long)e->group, e->sample, why);
    mem_free(why);
}

static Score checked(RewardComponent *c, const Evidence *e, Score s)
{
    if (s.status == SCORE_OK && !isfinite(s.value)) { /* must not reach a mean */
        errors_quiet(1);
        fail("the value is %g", s.value);
        errors_quiet(-1);
        s = score_failed(SCORE_ERROR);
    }
    if (s.status == SCORE_ERROR) complain(c, e);
    return s.status == SCORE_OK ? s : score_failed(s.status);
}

static void apply_rule(RewardCase *c, int k)
{
    RewardComponent *r = &c->b->components[k];
    for (int i = 0; i < c->g.n; i++) {
        if (!c->wanted[i]) continue;
        double start = clock_seconds();
        errors_quiet(1);
        Score s = r->reward->score(r->values, r->state, &c->g.samples[i]);
        errors_quiet(-1);
        c->scores[k * c->g.n + i] = checked(r, &c->g.samples[i], s);
        c->latencies[k * c->g.n + i] = (float)(clock_seconds() - start);
    }
}

static void fail_all(RewardCase *c, int k, ScoreStatus why)
{
    for (int i = 0; i < c->g.n; i++)
        if (c->wanted[i])
            c->scores[k * c->g.n + i] =
                checked(&c->b->components[k], &c->g.samples[i], score_failed(why));
}

bool group_uniform(const GroupEvidence *g, int component)
{
    const double high = 0.9, low = 0.1;
    bool all_high = true, all_low = true;
    for (int i = 0; i < g->n; i++) {
        Score s = group_score(g, component, i);
        if (s.status != SCORE_OK) continue;
        all_high &= s.value >= high;
        all_low &= s.value <= low;
    }
    return all_high || all_low;
}

static bool any_wanted(const RewardCase *c)
{
    for (int i = 0; i < c->g.n; i++)
        if (c->wanted[i]) return true;
    return false;
}

/* Which samples the component is about. Those whose gate is shut, and those whose gate failed, are
 * not applicable: a failed gate has spoilt the sample by itself if it has weight. */
static void want(RewardCase *c, int k)
{
    const RewardComponent *r = &c->b->components[k];
    bool none = r->wants_mixed && group_uniform(&c->g, r->mixed);
    for (int i = 0; i < c->g.n; i++) {
        Score gate = r->gated ? group_score(&c->g, r->gate, i) : score_ok(r->at_least);
        c->wanted[i] = !none && gate.status == SCORE_OK && gate.value >= r->at_least;
    }
}

static Stage begin(RewardCase *c, int k)
{
    RewardComponent *r = &c->b->components[k];
    Progress *p = &c->progress[k];
    if (r->reward->shape) return KNOWN;
    if (r->gated && c->progress[r->gate].stage != KNOWN) return WAITING;
    if (r->wants_mixed && c->progress[r->mixed].stage != KNOWN) return WAITING;
    want(c, k);
    if (r->reward->score) {
        apply_rule(c, k);
        return KNOWN;
    }
    if (!any_wanted(c)) return KNOWN;
    p->asked_at = clock_seconds();
    errors_quiet(1);
    p->question = r->reward->ask(r->values, r->state, &c->g, c->wanted);
    errors_quiet(-1);
    if (p->question) return ASKED;
    fail_all(c, k, SCORE_ERROR);
    return KNOWN;
}

static Stage listen(RewardCase *c, int k)
{
    RewardComponent *r = &c->b->components[k];
    Progress *p = &c->progress[k];
    Score *scores = c->scores + k * c->g.n;
    double waited = clock_seconds() - p->asked_at;
    errors_quiet(1);
    bool answered = r->reward->answered(r->state, p->question, scores, c->notes + k * c->g.n,
                                        c->steps + k * c->g.n);
    errors_quiet(-1);
    want(c, k);
    if (answered) {
        for (int i = 0; i < c->g.n; i++)
            scores[i] = c->wanted[i] ? checked(r, &c->g.samples[i], scores[i])
                                     : score_failed(SCORE_NOT_APPLICABLE);
    } else if (waited > r->deadline_s) {
        r->reward->withdraw(r->state, p->question);
        fail_all(c, k, SCORE_TIMEOUT);
    } else {
        return ASKED;
    }
    p->question = NULL;
    for (int i = 0; i < c->g.n; i++) c->latencies[k * c->g.n + i] = (float)waited;
    return KNOWN;
}

/* ---- the formula ----------------------------------------------------------------------------- */

/* (x - mean) / std over the samples for which the component is ok; see RewardComponent. */
static void normalise(double *x, const Score *scores, int n)
{
    double sum = 0, squares = 0, m = 0;
    for (int i = 0; i < n; i++)
        if (scores[i].status == SCORE_OK) sum += x[i], m++;
    double mean = sum / m;
    for (int i = 0; i < n; i++)
        if (scores[i].status == SCORE_OK) squares += (x[i] - mean) * (x[i] - mean);
    double std = m > 1 ? sqrt(squares / (m - 1)) : 0;
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < n; i++)
        if (scores[i].status == SCORE_OK) least = fmin(least, x[i]), most = fmax(most, x[i]);
    bool equal = !(least < most); /* decided exactly: the rounding of a mean is no difference */
    for (int i = 0; i < n; i++) x[i] = equal ? 0 : (x[i] - mean) / std;
}

static void add_component(RewardCase *c, int k, bool *any)
{
    const RewardComponent *r = &c->b->components[k];
    const Score *scores = c->scores + k * c->g.n;
    double w = reward_weight_at(&r->weight, c->g.step), *x = NEW(double, c->g.n);
    for (int i = 0; i < c->g.n; i++) x[i] = scores[i].value;
    if (r->normalise) normalise(x, scores, c->g.n);
    for (int i = 0; i < c->g.n; i++) {
        Score *sum = &c->reward[i];
        if (r->clips) x[i] = fmin(fmax(x[i], r->least), r->most);
        if (scores[i].status == SCORE_NOT_APPLICABLE) continue;
        if (scores[i].status == SCORE_OK)
            sum->value += w * x[i], any[i] = true;
        else if (sum->status == SCORE_OK)
            sum->status = scores[i].status;
    }
    mem_free(x);
}

static bool weighs(const RewardWeight *w)
{
    return w->from != 0 || (w->kind != WEIGHT_CONSTANT && w->to != 0);
}

/* A shape's own row must not reach the ledger with a number that is none. */
static void apply_shape(RewardCase *c, int k, bool *any)
{
    const RewardComponent *r = &c->b->components[k];
    Score *trace = c->scores + k * c->g.n;
    r->reward->shape(r->values, r->state, &c->g, c->reward, trace);
    for (int i = 0; i < c->g.n; i++) {
        any[i] |= c->reward[i].status == SCORE_OK;
        if (trace[i].status == SCORE_OK && !isfinite(trace[i].value))
            trace[i] = score_failed(SCORE_ERROR);
    }
}

static void compose(RewardCase *c)
{
    bool *any = NEW(bool, c->g.n);
    for (int k = 0; k < c->b->n; k++) {
        const RewardComponent *r = &c->b->components[k];
        if (r->reward->shape)
            apply_shape(c, k, any);
        else if (weighs(&r->weight))
            add_component(c, k, any);
    }
    for (int i = 0; i < c->g.n; i++) {
        Score *s = &c->reward[i];
        if (s->status == SCORE_OK && !any[i]) s->status = SCORE_NOT_APPLICABLE;
        if (s->status == SCORE_OK && !isfinite(s->value)) s->status = SCORE_ERROR;
        if (s->status != SCORE_OK) s->value = 0;
    }
    mem_free(any);
}

/* ---- the case -------------------------------------------------------------------------------- */

RewardCase *reward_case_open(RewardBlock *b, const Evidence *samples, int n, int64_t step,
                             int64_t steps)
{
    RewardCase *c = NEW(RewardCase, 1);
    size_t cells = (size_t)b->n * (size_t)n;
    c->b = b;
    c->progress = NEW(Progress, b->n);
    c->scores = NEW(Score, cells);
    c->latencies = NEW(float, cells);
    c->notes = NEW(char *, cells);
    c->steps = NEW(StepScores, cells);
    c->step_rewards = NEW(StepScores, n);
    c->reward = NEW(Score, n);
    c->wanted = NEW(bool, n);
    c->g = (GroupEvidence){.n = n,
                           .samples = samples,
                           .step = step,
                           .steps = steps,
                           .n_components = b->n,
                           .scores = c->scores,
                           .step_scores = c->steps,
                           .step_rewards = c->step_rewards};
    for (size_t i = 0; i < cells; i++) c->scores[i] = score_failed(SCORE_NOT_APPLICABLE);
    return c;
}

bool reward_case_settled(RewardCase *c)
{
    if (c->settled) return true;
    bool all = true;
    for (int k = 0; k < c->b->n; k++) {
        Progress *p = &c->progress[k];
        if (p->stage == WAITING) p->stage = begin(c, k);
        if (p->stage == ASKED) p->stage = listen(c, k);
        all &= p->stage == KNOWN;
    }
    if (all) compose(c);
    return c->settled = all;
}

void reward_case_close(RewardCase *c)
{
    if (!c) return;
    for (int k = 0; k < c->b->n; k++) {
        const RewardComponent *r = &c->b->components[k];
        if (c->progress[k].stage == ASKED) r->reward->withdraw(r->state, c->progress[k].question);
        for (int i = 0; i < c->g.n; i++) {
            mem_free(c->notes[k * c->g.n + i]);
            mem_free(c->steps[k * c->g.n + i].list);
        }
    }
    for (int i = 0; i < c->g.n; i++) mem_free(c->step_rewards[i].list);
    void *owned[] = {c->progress,     c->scores, c->latencies, c->notes, c->steps,
                     c->step_rewards, c->reward, c->wanted,    c};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
}

Score reward_case_reward(const RewardCase *c, int sample)
{
    return c->reward[sample];
}

Score reward_case_score(const RewardCase *c, int component, int sample)
{
    return group_score(&c->g, component, sample);
}

float reward_case_latency(const RewardCase *c, int component, int sample)
{
    return c->latencies[component * c->g.n + sample];
}

const char *reward_case_note(const RewardCase *c, int component, int sample)
{
    return c->notes[component * c->g.n + sample];
}

const StepScores *reward_case_steps(const RewardCase *c, int sample)
{
    return &c->step_rewards[sample];
}

/* See tally.h. A failed scoring is no wrong answer: it is left out and counted. */
#include "launch/tally.h"

#include <string.h>

#include "common/memory.h"
#include "rewardsvc/answer.h"

void tally_free(Tally *t)
{
    mem_free(t->n_scored);
    mem_free(t->n_right);
    mem_free(t->majority);
    *t = (Tally){0};
}

static void grow(Tally *t)
{
    if (t->n_problems < t->capacity) return;
    size_t old = (size_t)t->capacity, new = 2 * old + 256;
    t->n_scored = mem_resize(t->n_scored, old, new, sizeof *t->n_scored);
    t->n_right = mem_resize(t->n_right, old, new, sizeof *t->n_right);
    t->majority = mem_resize(t->majority, old, new, sizeof *t->majority);
    t->capacity = (int)new;
}

int tally_judge(const Tally *t, const Sample *s)
{
    Score score = t->component < 0 ? s->reward : s->components[t->component];
    return score.status == SCORE_OK ? score.value >= t->threshold : -1;
}

/* The number that an answer gives: inside <answer></answer> where there is such a thing, otherwise
 * its last. */
static bool number_given(const Sample *s, Rational *out)
{
    Span text = span_of(s->text), tag = answer_tag(text, "answer");
    return tag.p ? number_only(tag, out) : number_last(text, out);
}

/* The most frequent number decides (the one that came first, of equals): as right as the answers
 * that give it are on average. */
static double majority_right(const Tally *t, const Group *g)
{
    int G = g->n_samples, best = 0;
    double right = 0;
    Rational *number = NEW(Rational, G);
    bool *given = NEW(bool, G);
    for (int i = 0; i < G; i++)
        given[i] = tally_judge(t, &g->samples[i]) >= 0 && number_given(&g->samples[i], &number[i]);
    for (int i = 0; i < G; i++) {
        int votes = 0, n_right = 0;
        for (int j = 0; given[i] && j < G; j++) {
            if (!given[j] || !rational_equal(number[i], number[j])) continue;
            votes++;
            n_right += tally_judge(t, &g->samples[j]);
        }
        if (votes <= best) continue;
        best = votes;
        right = (double)n_right / votes;
    }
    mem_free(number);
    mem_free(given);
    return right;
}

void tally_add(Tally *t, const Group *g)
{
    grow(t);
    int *scored = &t->n_scored[t->n_problems], *right = &t->n_right[t->n_problems];
    *scored = *right = 0;
    for (int i = 0; i < g->n_samples; i++) {
        const Sample *s = &g->samples[i];
        int judged = tally_judge(t, s);
        *scored += judged >= 0;
        *right += judged > 0;
        t->n_failed += judged < 0;
        t->n_truncated += s->finish == FINISH_LENGTH;
        t->n_tokens += s->n_tokens;
    }
    t->n_answers += g->n_samples;
    t->majority[t->n_problems++] = majority_right(t, g);
}

/* ---- what comes of it ------------------------------------------------------------------------ */

/* The mean over problems with at least `least` scored answers of a value of the problem. */
typedef double problem_value(const Tally *t, int i, int k);

static bool mean_of(const Tally *t, problem_value *value, int k, int least, Estimate *e)
{
    double *x = NEW(double, t->n_problems);
    int n = 0;
    for (int i = 0; i < t->n_problems; i++)
        if (t->n_scored[i] >= least) x[n++] = value(t, i, k);
    if (n) *e = estimate_mean(x, n);
    mem_free(x);
    return n > 0;
}

static double share_right(const Tally *t, int i, int k)
{
    (void)k;
    return (double)t->n_right[i] / t->n_scored[i];
}

static double passes(const Tally *t, int i, int k)
{
    return pass_at_k(t->n_scored[i], t->n_right[i], k);
}

static double by_majority(const Tally *t, int i, int k)
{
    (void)k;
    return t->majority[i];
}

bool tally_average(const Tally *t, Estimate *e)
{
    return mean_of(t, share_right, 1, 1, e);
}

bool tally_pass(const Tally *t, int k, Estimate *e)
{
    return mean_of(t, passes, k, k, e);
}

bool tally_majority(const Tally *t, Estimate *e)
{
    return mean_of(t, by_majority, 1, 1, e);
}

/* Every figure in turn: avg@n, pass@1, 2, 4, ... n, maj@n. */
typedef void figure_fn(void *ctx, const char *name, const Estimate *e);

static void each_figure(const Tally *t, figure_fn *f, void *ctx)
{
    char name[32];
    Estimate e;
    int n = t->n_samples;
    snprintf(name, sizeof name, "avg@%d", n);
    if (tally_average(t, &e)) f(ctx, name, &e);
    for (int k = 1; k <= n; k = k < n && 2 * k > n ? n : 2 * k) {
        snprintf(name, sizeof name, "pass@%d", k);
        if (tally_pass(t, k, &e)) f(ctx, name, &e);
    }
    snprintf(name, sizeof name, "maj@%d", n);
    if (n > 1 && tally_majority(t, &e)) f(ctx, name, &e);
}

static void figure_to_json(void *ctx, const char *name, const Estimate *e)
{
    json_object_set_new(
        ctx, name, json_pack("{s:f, s:f, s:f}", "value", e->mean, "low", e->low, "high", e->high));
}

static void figure_to_text(void *ctx, const char *name, const Estimate *e)
{
    fprintf(ctx, "  %-9s %6.2f %%   95 %% interval %.2f to %.2f\n", name, 100 * e->mean,
            100 * e->low, 100 * e->high);
}

json_t *tally_json(const Tally *t)
{
    double answers = t->n_answers ? (double)t->n_answers : 1;
    json_t *o = json_object();
    each_figure(t, figure_to_json, o);
    json_object_set_new(o, "problems", json_integer(t->n_problems));
    json_object_set_new(o, "samples", json_integer(t->n_samples));
    json_object_set_new(o, "failed", json_integer(t->n_failed));
    json_object_set_new(o, "truncated", json_real((double)t->n_truncated / answers));
    json_object_set_new(o, "mean_tokens", json_real((double)t->n_tokens / answers));
    return o;
}

void tally_print(const Tally *t, FILE *out)
{
    double answers = t->n_answers ? (double)t->n_answers : 1;
    each_figure(t, figure_to_text, out);
    fprintf(out,
            "  %d problems, %d answers each, %.1f tokens on average, %.1f %% cut off at the limit",
            t->n_problems, t->n_samples, (double)t->n_tokens / answers,
            100 * (double)t->n_truncated / answers);
    if (t->n_failed)
        fprintf(out, "; %ld answers could not be scored and are left out", t->n_failed);
    putc('\n', out);
}

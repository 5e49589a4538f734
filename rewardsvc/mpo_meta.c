/* See mpo_meta.h. */
#include "rewardsvc/mpo_meta.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/rubric.h"

enum { SCREENED_FOR_ONE = 4 };

typedef enum { VERDICT_BAD, VERDICT_OK, VERDICT_GOOD, N_VERDICTS } Verdict;
typedef enum { SCREENS, REFINES, MERGES, DONE } Phase;

/* One sample in one phase. */
typedef struct {
    const MpoSample *sample;
    Inquiry *inquiry;
    char *proposal; /* NULL until it is there */
    char **out;     /* to it: what its reader is given */
    Verdict verdict;
} Look;

struct MpoMeta {
    const MpoWays *w;
    MpoMeta *self; /* what the merger's reader is given */
    const MpoVersion *rubric;
    uint64_t seed;
    int64_t step;
    Phase phase;
    int n;
    Look *looks; /* [n] */
    Inquiry *merge;
    char *merged; /* what the meta judge wrote in the end; NULL: nothing that is a rubric */
    Span found;   /* in it */
    char *why;    /* no rubric came of it */
};

/* ---- what is asked --------------------------------------------------------------------------- */

enum { RUBRIC, TASK, SCORE, EVALUATION, N_LOOK };
static const PromptPlace look_places[] = {
    {.name = "rubric"}, {.name = "task"}, {.name = "score"}, {.name = "evaluation"}};
static const PromptPlace merge_places[] = {
    {.name = "rubric"}, {.name = "task"}, {.name = "proposals"}};

int mpo_ways_check(const MpoWays *w)
{
    const char *looks[] = {w->analyse, w->refine, w->screen};
    for (int i = 0; i < 3; i++)
        if (judge_prompt_check(looks[i], look_places, N_LOOK)) return -1;
    return judge_prompt_check(w->merge, merge_places, 3);
}

static PromptPlace place(const char *name, const char *text)
{
    return (PromptPlace){name, text, strlen(text)};
}

static Inquiry *look_at(const MpoMeta *m, const MpoSample *s, const char *what,
                        const char *const *templates, int n_turns, inquiry_read_fn *read,
                        const void *ctx)
{
    char score[40], *tag = mem_printf("m%lld/g%lld/s%d/%s/%s", (long long)m->step,
                                      (long long)s->group, s->sample, m->w->asker.label, what);
    snprintf(score, sizeof score, "%.6g", s->score);
    Inquiry *q = inquiry_new(&m->w->asker, tag);
    Evidence e = mpo_sample_evidence(s, m->seed);
    PromptPlace places[N_LOOK] = {place("rubric", m->rubric->text), place("task", m->w->task),
                                  place("score", score), place("evaluation", s->note)};
    int rc = 0;
    mem_free(tag);
    for (int t = 0; t < n_turns && !rc; t++)
        rc = judge_prompt_fill(templates[t], &e, m->w->values[ASK_REFERENCE].text, places, N_LOOK,
                               inquiry_turn(q));
    if (rc)
        inquiry_fail(q);
    else
        inquiry_begin(q, 1, 1, read, ctx);
    return q;
}

/* ---- which samples --------------------------------------------------------------------------- */

static void draw(MpoMeta *m, const MpoBuffer *b, int samples)
{
    int parts = m->w->strata, each = (samples + parts - 1) / parts;
    double *scores = NEW(double, b->n);
    int *at = NEW(int, parts *each);
    for (int i = 0; i < b->n; i++) scores[i] = b->list[i].score;
    m->n = rubric_draw(scores, b->n, parts, each, m->seed, m->step, at);
    m->looks = NEW(Look, m->n + 1);
    for (int i = 0; i < m->n; i++) m->looks[i].sample = &b->list[at[i]];
    mem_free(scores);
    mem_free(at);
}

/* The last of the three; a meta judge that gives none of them is taken to have found nothing. */
static bool read_verdict(const void *ctx, Span text, double *value)
{
    static const char *const words[N_VERDICTS] = {"Verdict: bad", "Verdict: ok", "Verdict: good"};
    const char *last = NULL;
    (void)ctx;
    for (int i = 0; i < N_VERDICTS; i++) {
        Span at = span_find_last(text, words[i]);
        if (at.p && (!last || at.p > last)) last = at.p, *value = i;
    }
    return last != NULL;
}

static void begin_screening(MpoMeta *m)
{
    m->phase = SCREENS;
    for (int i = 0; i < m->n; i++)
        m->looks[i].inquiry =
            look_at(m, m->looks[i].sample, "screen", &m->w->screen, 1, read_verdict, NULL);
}

static bool all_done(MpoMeta *m)
{
    bool all = true;
    for (int i = 0; i < m->n; i++) all &= inquiry_done(m->looks[i].inquiry);
    return all;
}

/* Keeps the samples that were judged worst, in their order; of equal ones the first. */
static void end_screening(MpoMeta *m)
{
    int kept = 0, wanted = m->w->samples;
    Look *worst = NEW(Look, m->n + 1);
    for (int i = 0; i < m->n; i++) {
        Inquiry *q = m->looks[i].inquiry;
        m->looks[i].verdict = inquiry_n_read(q) ? (Verdict)*inquiry_values(q, 0) : VERDICT_GOOD;
        inquiry_free(q);
    }
    for (int v = 0; v < N_VERDICTS; v++)
        for (int i = 0; i < m->n && kept < wanted; i++)
            if ((int)m->looks[i].verdict == v) worst[kept++].sample = m->looks[i].sample;
    mem_free(m->looks);
    m->looks = worst, m->n = kept;
}

/* ---- proposals, and their merger ------------------------------------------------------------- */

static bool read_proposal(const void *ctx, Span text, double *value)
{
    char **out = *(char **const *)ctx;
    Span inside = answer_tag(text, "rubric"), s = span_trim(inside.p ? inside : text);
    *value = 0;
    if (!s.n) return false;
    mem_free(*out);
    *out = mem_text_n(s.p, s.n);
    return true;
}

static void begin_refining(MpoMeta *m)
{
    const char *turns[] = {m->w->analyse, m->w->refine};
    m->phase = REFINES;
    for (int i = 0; i < m->n; i++) {
        Look *l = &m->looks[i];
        l->out = &l->proposal;
        l->inquiry = look_at(m, l->sample, "review", turns, 2, read_proposal, &l->out);
    }
}

/* The proposals in order, as far as merge_words allows: the rest is left out whole, but never the
 * first. How many there are. */
static int join_proposals(const MpoMeta *m, Buffer *out)
{
    int n = 0, words = 0;
    buffer_text(out, "");
    for (int i = 0; i < m->n; i++) {
        const char *p = m->looks[i].proposal;
        if (!p) continue;
        words += rubric_words(span_of(p));
        if (n && words > m->w->merge_words) break;
        buffer_printf(out, "%s--- proposal %d ---\n%s", n ? "\n\n" : "", n + 1, p);
        n++;
    }
    return n;
}

static void give_up(MpoMeta *m, const char *why)
{
    mem_free(m->why);
    m->why = mem_text(why);
    m->phase = DONE;
}

static bool read_merged(const void *ctx, Span text, double *value)
{
    MpoMeta *m = *(MpoMeta *const *)ctx;
    Span found;
    *value = 0;
    mem_free(m->merged);
    m->merged = mem_text_n(text.p, text.n);
    return !mpo_rubric_find((Span){m->merged, text.n}, &found) && (m->found = found, true);
}

static void begin_merging(MpoMeta *m)
{
    const char *why = "no sample was analysed";
    Buffer proposals = {0};
    if (!join_proposals(m, &proposals)) {
        for (int i = 0; i < m->n; i++) inquiry_failure(m->looks[i].inquiry, &why);
        give_up(m, why);
        buffer_free(&proposals);
        return;
    }
    char *tag = mem_printf("m%lld/%s/merge", (long long)m->step, m->w->asker.label);
    PromptPlace places[] = {place("rubric", m->rubric->text),
                            place("task", m->w->task),
                            {"proposals", proposals.data, proposals.size}};
    Evidence nothing = {.prompt = "", .text = "", .seed = m->seed, .group = m->step};
    m->phase = MERGES;
    m->self = m;
    m->merge = inquiry_new(&m->w->asker, tag);
    if (judge_prompt_fill(m->w->merge, &nothing, "", places, 3, inquiry_turn(m->merge)))
        inquiry_fail(m->merge);
    else
        inquiry_begin(m->merge, 1, 1, read_merged, &m->self);
    buffer_free(&proposals);
    mem_free(tag);
}

static void end_merging(MpoMeta *m)
{
    const char *why;
    m->phase = DONE;
    if (inquiry_n_read(m->merge)) return;
    inquiry_failure(m->merge, &why);
    give_up(m, why);
}

/* ---- the step -------------------------------------------------------------------------------- */

MpoMeta *mpo_meta_begin(const MpoWays *w, const MpoVersion *rubric, const MpoBuffer *b,
                        uint64_t seed, int64_t step)
{
    MpoMeta *m = NEW(MpoMeta, 1);
    *m = (MpoMeta){.w = w, .rubric = rubric, .seed = seed, .step = step};
    draw(m, b, w->samples * (w->prescreen ? SCREENED_FOR_ONE : 1));
    if (w->prescreen)
        begin_screening(m);
    else
        begin_refining(m);
    return m;
}

bool mpo_meta_done(MpoMeta *m)
{
    errors_quiet(1); /* what cannot be read is asked again, and said once in the end */
    if (m->phase == SCREENS && all_done(m)) {
        end_screening(m);
        begin_refining(m);
    }
    if (m->phase == REFINES && all_done(m)) begin_merging(m);
    if (m->phase == MERGES && inquiry_done(m->merge)) end_merging(m);
    errors_quiet(-1);
    return m->phase == DONE;
}

Span mpo_meta_rubric(const MpoMeta *m)
{
    if (!m->why) return m->found;
    errors_quiet(1);
    fail("%s", m->why);
    errors_quiet(-1);
    return (Span){NULL, 0};
}

void mpo_meta_free(MpoMeta *m)
{
    if (!m) return;
    for (int i = 0; i < m->n; i++) {
        inquiry_free(m->looks[i].inquiry);
        mem_free(m->looks[i].proposal);
    }
    inquiry_free(m->merge);
    mem_free(m->looks);
    mem_free(m->merged);
    mem_free(m->why);
    mem_free(m);
}

/* See judge_parts.h. */
#include "rewardsvc/judge_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/errors.h"

typedef struct {
    int sample;
    char name[24];
    int n; /* one inquiry with all votes, or, where there are two turns, one for each vote */
    Inquiry **inquiries;
} Part;

struct JudgeParts {
    const Asker *asker;
    int n;
    const Evidence *samples;
    int n_parts, capacity;
    Part *parts; /* in the order of asking */
};

JudgeParts *parts_new(const Asker *a, int n, const Evidence *samples)
{
    JudgeParts *q = NEW(JudgeParts, 1);
    *q = (JudgeParts){.asker = a, .n = n, .samples = samples};
    return q;
}

void parts_free(JudgeParts *q)
{
    if (!q) return;
    for (int i = 0; i < q->n_parts; i++) {
        for (int k = 0; k < q->parts[i].n; k++) inquiry_free(q->parts[i].inquiries[k]);
        mem_free(q->parts[i].inquiries);
    }
    mem_free(q->parts);
    mem_free(q);
}

static char *tag_of(const JudgeParts *q, const Evidence *e, const PartQuestion *p, int vote)
{
    char vote_text[16] = "";
    if (p->n_turns > 1) snprintf(vote_text, sizeof vote_text, "/v%d", vote);
    return mem_printf("g%lld/s%d/%s%s%s%s", (long long)e->group, e->sample, q->asker->label,
                      *p->name ? "/" : "", p->name, vote_text);
}

static Inquiry *begin(JudgeParts *q, const Evidence *e, const PartQuestion *p, int vote, int wanted)
{
    const RewardValue *v = q->asker->values;
    char *tag = tag_of(q, e, p, vote);
    Inquiry *one = inquiry_new(q->asker, tag);
    mem_free(tag);
    for (int t = 0; t < p->n_turns; t++)
        if (judge_prompt_fill(p->templates[t], e, v[ASK_REFERENCE].text, p->places, p->n_places,
                              inquiry_turn(one))) {
            inquiry_fail(one);
            return one;
        }
    inquiry_begin(one, wanted, 1, p->read, p->ctx);
    return one;
}

void parts_ask(JudgeParts *q, int sample, const PartQuestion *p)
{
    int votes = (int)q->asker->values[ASK_VOTES].number, n = p->n_turns > 1 ? votes : 1;
    if (q->n_parts == q->capacity) {
        int capacity = 2 * q->capacity + 8;
        q->parts = mem_resize(q->parts, (size_t)q->capacity, (size_t)capacity, sizeof *q->parts);
        q->capacity = capacity;
    }
    Part *part = &q->parts[q->n_parts++];
    *part = (Part){.sample = sample, .n = n, .inquiries = NEW(Inquiry *, n)};
    snprintf(part->name, sizeof part->name, "%s", p->name);
    for (int k = 0; k < n; k++)
        part->inquiries[k] = begin(q, &q->samples[sample], p, k, n > 1 ? 1 : votes);
}

bool parts_done(JudgeParts *q)
{
    bool all = true;
    for (int i = 0; i < q->n_parts; i++)
        for (int k = 0; k < q->parts[i].n; k++) all &= inquiry_done(q->parts[i].inquiries[k]);
    return all;
}

/* ---- what came of it ------------------------------------------------------------------------- */

const Evidence *parts_evidence(const JudgeParts *q, int sample)
{
    return &q->samples[sample];
}

int parts_samples(const JudgeParts *q)
{
    return q->n;
}

int parts_count(const JudgeParts *q, int sample)
{
    int n = 0;
    for (int i = 0; i < q->n_parts; i++) n += q->parts[i].sample == sample;
    return n;
}

static const Part *find(const JudgeParts *q, int sample, int part)
{
    for (int i = 0; i < q->n_parts; i++)
        if (q->parts[i].sample == sample && part-- == 0) return &q->parts[i];
    REQUIRE(false, "sample %d has no such part", sample);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int parts_votes(const JudgeParts *q, int sample, int part, double *votes)
{
    const Part *p = find(q, sample, part);
    int n = 0;
    for (int k = 0; k < p->n; k++)
        for (int i = 0; i < inquiry_n_read(p->inquiries[k]); i++)
            votes[n++] = *inquiry_values(p->inquiries[k], i);
    qsort(votes, (size_t)n, sizeof *votes, by_value);
    return n;
}

Score parts_failure(const JudgeParts *q, int sample, int part)
{
    const Part *p = find(q, sample, part);
    const char *why;
    ScoreStatus status = inquiry_failure(p->inquiries[p->n - 1], &why);
    fail("%s", why);
    return score_failed(status);
}

bool parts_unreadable(const JudgeParts *q, int sample, int part)
{
    const Part *p = find(q, sample, part);
    bool all = true;
    for (int k = 0; k < p->n; k++) all &= inquiry_unreadable(p->inquiries[k]);
    return all;
}

char *parts_note(const JudgeParts *q, int sample)
{
    Buffer note = {0};
    for (int i = 0; i < q->n_parts; i++)
        for (int k = 0; q->parts[i].sample == sample && k < q->parts[i].n; k++) {
            Span s = inquiry_note(q->parts[i].inquiries[k]);
            if (s.n && *q->parts[i].name) note_add(&note, span_of(q->parts[i].name));
            if (s.n) note_add(&note, s);
        }
    return note.data;
}

/* ---- votes ----------------------------------------------------------------------------------- */

static double mean(const double *votes, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += votes[i];
    return sum / n;
}

static double median(const double *votes, int n)
{
    return (votes[(n - 1) / 2] + votes[n / 2]) / 2;
}

static double majority(const double *votes, int n)
{
    double best = votes[0];
    int most = 0;
    for (int i = 0, run = 0; i < n; i++) {
        run = i && votes[i] == votes[i - 1] ? run + 1 : 1;
        if (run > most) most = run, best = votes[i];
    }
    return best;
}

votes_combine_fn *votes_combine(const char *word)
{
    static const struct {
        const char *word;
        votes_combine_fn *combine;
    } ways[] = {{"mean", mean}, {"median", median}, {"majority", majority}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (!strcmp(ways[i].word, word)) return ways[i].combine;
    fail("combine is mean, median or majority, not %s", word);
    return NULL;
}

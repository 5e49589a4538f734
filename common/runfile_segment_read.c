/* Reading a segment (runfile_segment.h): all columns, their lengths checked against each other
 * before any is used. */
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/h5.h"
#include "common/runfile_segment.h"

enum { MOST = 1 << 28 };

/* All columns of a segment as they lie in the file. */
typedef struct {
    int64_t *step, *id, *problem, *sample_offset, *prompt_offset, *prompt_text_offset,
        *record_offset;
    uint8_t *kind, *prompt_text, *record;
    int32_t *version, *n_components, *prompt;
    int64_t *token_offset, *text_offset, *note_offset; /* note: NULL if there are none */
    int32_t *tokens, *versions, *text_end; /* text_end: NULL in files of older versions */
    float *logprobs, *logprobs_untempered, *logprobs_sampled, *advantage, *latency_s;
    uint8_t *mask, *finish, *reward_status, *text, *status, *note;
    double *reward, *value;
    int64_t *step_offset; /* NULL: no answer has steps */
    int32_t *step_end;
    double *step_reward;
    float *step_advantage;
} Columns;

typedef struct {
    hid_t file;
    const char *path;
    bool wrong;
    size_t last; /* length of the column read last */
} Reader;

/* A column that must have n numbers; with n == SIZE_MAX any number. */
static void *column(Reader *r, const char *name, hid_t type, size_t n)
{
    void *data = NULL;
    if (r->wrong) return NULL;
    r->wrong = h5_read(r->file, r->path, name, type, MOST, &data, &r->last) != 0;
    if (!r->wrong && n != SIZE_MAX && r->last != n) {
        fail("%s: %s has %zu numbers, not %zu", r->path, name, r->last, n);
        r->wrong = true;
    }
    return data;
}

/* n + 1 ends of parts that lie one after the other from 0 to `total`. */
static int64_t *offsets(Reader *r, const char *name, size_t n, size_t total)
{
    int64_t *at = column(r, name, H5T_NATIVE_INT64, n + 1);
    bool good = !r->wrong && at[0] == 0 && (total == SIZE_MAX || at[n] == (int64_t)total);
    for (size_t i = 0; good && i < n; i++) good = at[i] <= at[i + 1] && at[i + 1] <= MOST;
    if (!good && !r->wrong) {
        fail("%s: %s are not the ends of parts", r->path, name);
        r->wrong = true;
    }
    return at;
}

static void read_groups(Reader *r, Columns *c, size_t n)
{
    c->kind = column(r, "groups/kind", H5T_NATIVE_UINT8, n);
    c->id = column(r, "groups/id", H5T_NATIVE_INT64, n);
    c->problem = column(r, "groups/problem", H5T_NATIVE_INT64, n);
    c->version = column(r, "groups/version", H5T_NATIVE_INT32, n);
    c->n_components = column(r, "groups/n_components", H5T_NATIVE_INT32, n);
    c->prompt = column(r, "groups/prompt", H5T_NATIVE_INT32, SIZE_MAX);
    c->prompt_offset = offsets(r, "groups/prompt_offset", n, r->last);
    c->prompt_text = column(r, "groups/prompt_text", H5T_NATIVE_UINT8, SIZE_MAX);
    c->prompt_text_offset = offsets(r, "groups/prompt_text_offset", n, r->last);
    c->record = column(r, "groups/record", H5T_NATIVE_UINT8, SIZE_MAX);
    c->record_offset = offsets(r, "groups/record_offset", n, r->last);
}

static void read_samples(Reader *r, Columns *c, size_t n)
{
    c->tokens = column(r, "samples/tokens", H5T_NATIVE_INT32, SIZE_MAX);
    size_t tokens = r->last;
    c->token_offset = offsets(r, "samples/token_offset", n, tokens);
    c->logprobs = column(r, "samples/logprobs", H5T_NATIVE_FLOAT, tokens);
    c->logprobs_untempered = column(r, "samples/logprobs_untempered", H5T_NATIVE_FLOAT, tokens);
    c->logprobs_sampled = column(r, "samples/logprobs_sampled", H5T_NATIVE_FLOAT, tokens);
    c->versions = column(r, "samples/versions", H5T_NATIVE_INT32, tokens);
    c->mask = column(r, "samples/mask", H5T_NATIVE_UINT8, tokens);
    if (!r->wrong && h5_has(r->file, "samples/text_end"))
        c->text_end = column(r, "samples/text_end", H5T_NATIVE_INT32, tokens);
    c->finish = column(r, "samples/finish", H5T_NATIVE_UINT8, n);
    c->reward = column(r, "samples/reward", H5T_NATIVE_DOUBLE, n);
    c->reward_status = column(r, "samples/reward_status", H5T_NATIVE_UINT8, n);
    c->advantage = column(r, "samples/advantage", H5T_NATIVE_FLOAT, n);
    c->text = column(r, "samples/text", H5T_NATIVE_UINT8, SIZE_MAX);
    c->text_offset = offsets(r, "samples/text_offset", n, r->last);
    if (r->wrong || !h5_has(r->file, "samples/step_offset")) return;
    c->step_offset = offsets(r, "samples/step_offset", n, SIZE_MAX);
    size_t steps = r->wrong ? 0 : (size_t)c->step_offset[n];
    c->step_end = column(r, "samples/step_end", H5T_NATIVE_INT32, steps);
    c->step_reward = column(r, "samples/step_reward", H5T_NATIVE_DOUBLE, steps);
    c->step_advantage = column(r, "samples/step_advantage", H5T_NATIVE_FLOAT, steps);
}

static void columns_free(Columns *c)
{
    void *all[] = {c->step,
                   c->id,
                   c->problem,
                   c->sample_offset,
                   c->prompt_offset,
                   c->prompt_text_offset,
                   c->record_offset,
                   c->kind,
                   c->prompt_text,
                   c->record,
                   c->version,
                   c->n_components,
                   c->prompt,
                   c->token_offset,
                   c->text_offset,
                   c->tokens,
                   c->versions,
                   c->text_end,
                   c->logprobs,
                   c->logprobs_untempered,
                   c->logprobs_sampled,
                   c->advantage,
                   c->latency_s,
                   c->note,
                   c->note_offset,
                   c->mask,
                   c->finish,
                   c->reward_status,
                   c->text,
                   c->status,
                   c->reward,
                   c->value,
                   c->step_offset,
                   c->step_end,
                   c->step_reward,
                   c->step_advantage};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mem_free(all[i]);
}

/* ---- from columns to groups ------------------------------------------------------------------ */

static void *part(const void *all, const int64_t *offset, size_t i, size_t size, int *n)
{
    *n = (int)(offset[i + 1] - offset[i]);
    void *p = mem_zeroed((size_t)*n, size);
    memcpy(p, (const char *)all + (size_t)offset[i] * size, (size_t)*n * size);
    return p;
}

static char *text(const uint8_t *all, const int64_t *offset, size_t i)
{
    return mem_text_n((const char *)all + offset[i], (size_t)(offset[i + 1] - offset[i]));
}

static Score score(double value, uint8_t status)
{
    return (Score){value, status <= SCORE_NOT_APPLICABLE ? (ScoreStatus)status : SCORE_ERROR};
}

/* Ends that are not known, or are none: reading trusts no number. */
static void drop_unknown_ends(Sample *x)
{
    int32_t last = 0;
    bool good = x->text_ends != NULL;
    for (int t = 0; good && t < x->n_tokens; t++) {
        good = x->text_ends[t] >= last;
        last = x->text_ends[t];
    }
    if (good) return;
    mem_free(x->text_ends);
    x->text_ends = NULL;
}

/* Steps that are none of the answer are left out. */
static void take_steps(Sample *x, const Columns *c, size_t i)
{
    int64_t first = c->step_offset[i], n = c->step_offset[i + 1] - first;
    x->steps = n ? NEW(SampleStep, n) : NULL;
    for (int64_t k = first; k < first + n; k++) {
        int32_t last = x->n_steps ? x->steps[x->n_steps - 1].end : 0;
        if (c->step_end[k] > last && c->step_end[k] <= x->n_tokens)
            x->steps[x->n_steps++] =
                (SampleStep){c->step_end[k], c->step_advantage[k], c->step_reward[k]};
    }
}

static void take_sample(Sample *x, const Columns *c, size_t i, int n_components, size_t K)
{
    x->tokens = part(c->tokens, c->token_offset, i, sizeof *x->tokens, &x->n_tokens);
    x->logprobs = part(c->logprobs, c->token_offset, i, sizeof(float), &x->n_tokens);
    x->logprobs_untempered =
        part(c->logprobs_untempered, c->token_offset, i, sizeof(float), &x->n_tokens);
    x->logprobs_sampled =
        part(c->logprobs_sampled, c->token_offset, i, sizeof(float), &x->n_tokens);
    x->versions = part(c->versions, c->token_offset, i, sizeof *x->versions, &x->n_tokens);
    x->mask = part(c->mask, c->token_offset, i, 1, &x->n_tokens);
    if (c->text_end) x->text_ends = part(c->text_end, c->token_offset, i, 4, &x->n_tokens);
    drop_unknown_ends(x);
    x->finish = c->finish[i] <= FINISH_LENGTH ? (FinishReason)c->finish[i] : FINISH_LENGTH;
    x->text = text(c->text, c->text_offset, i);
    x->reward = score(c->reward[i], c->reward_status[i]);
    x->advantage = c->advantage[i];
    if (c->step_offset) take_steps(x, c, i);
    for (int k = 0; k < n_components; k++) {
        x->components[k] = score(c->value[i * K + (size_t)k], c->status[i * K + (size_t)k]);
        x->latencies_s[k] = c->latency_s[i * K + (size_t)k];
        size_t at = i * K + (size_t)k;
        if (c->note && c->note_offset[at] < c->note_offset[at + 1])
            x->notes[k] = text(c->note, c->note_offset, at);
    }
}

static void take_group(Group *g, const Columns *c, size_t i, size_t K)
{
    g->kind = c->kind[i] <= GROUP_DEMO ? (GroupKind)c->kind[i] : GROUP_DEMO;
    g->id = c->id[i];
    g->problem = c->problem[i];
    g->version = c->version[i];
    g->prompt = part(c->prompt, c->prompt_offset, i, sizeof *g->prompt, &g->n_prompt);
    g->prompt_text = text(c->prompt_text, c->prompt_text_offset, i);
    g->record = text(c->record, c->record_offset, i);
    g->n_samples = (int)(c->sample_offset[i + 1] - c->sample_offset[i]);
    g->samples = NEW(Sample, g->n_samples);
    int n_components = c->n_components[i] < 0 ? 0 : c->n_components[i];
    group_reserve_scores(g, n_components < (int)K ? n_components : (int)K);
    for (int k = 0; k < g->n_samples; k++)
        take_sample(&g->samples[k], c, (size_t)(c->sample_offset[i] + k), g->n_components, K);
}

/* Rows of K scores each; 0 if nothing was scored. */
static size_t read_scores(Reader *r, Columns *c, size_t n_samples)
{
    if (r->wrong || !n_samples || !h5_has(r->file, "components") ||
        !h5_has(r->file, "components/value"))
        return 0;
    c->value = column(r, "components/value", H5T_NATIVE_DOUBLE, SIZE_MAX);
    size_t n = r->last;
    c->status = column(r, "components/status", H5T_NATIVE_UINT8, n);
    c->latency_s = column(r, "times/latency_s", H5T_NATIVE_FLOAT, n);
    if (!r->wrong && h5_has(r->file, "components/note")) {
        c->note_offset = offsets(r, "components/note_offset", n, SIZE_MAX);
        c->note = column(r, "components/note", H5T_NATIVE_UINT8,
                         r->wrong ? SIZE_MAX : (size_t)c->note_offset[n]);
    }
    if (!r->wrong && n % n_samples) {
        fail("%s: components/value does not fit %zu samples", r->path, n_samples);
        r->wrong = true;
    }
    return n / n_samples;
}

int segment_read(Segment *s, const char *path)
{
    Columns c = {0};
    *s = (Segment){0};
    Reader r = {.path = path, .file = h5_open(path)};
    if (r.file < 0) return -1;
    c.step = column(&r, "groups/step", H5T_NATIVE_INT64, SIZE_MAX);
    size_t n = r.last;
    read_groups(&r, &c, n);
    c.sample_offset = offsets(&r, "groups/sample_offset", n, SIZE_MAX);
    size_t n_samples = r.wrong ? 0 : (size_t)c.sample_offset[n];
    read_samples(&r, &c, n_samples);
    size_t K = read_scores(&r, &c, n_samples);
    h5_close(r.file);
    for (size_t i = 0; i < n && !r.wrong; i++) {
        Group g = {0};
        take_group(&g, &c, i, K);
        segment_add(s, c.step[i], &g);
    }
    columns_free(&c);
    return r.wrong ? -1 : 0;
}

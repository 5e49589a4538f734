/* See runfile_segment.h and the list of datasets in runfile.h. Ragged data are flat arrays with
 * offsets, because HDF5's variable-length types are slow and open to abuse. Writing walks the
 * groups once for each column; reading trusts no length or offset.
 */
#include "common/runfile_segment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/h5.h"

void segment_add(Segment *s, int64_t step, Group *g)
{
    if (s->n == s->capacity) {
        int more = s->capacity ? 2 * s->capacity : 64;
        s->groups = mem_resize(s->groups, (size_t)s->n, (size_t)more, sizeof *s->groups);
        s->steps = mem_resize(s->steps, (size_t)s->n, (size_t)more, sizeof *s->steps);
        s->capacity = more;
    }
    s->steps[s->n] = step;
    s->groups[s->n++] = *g;
    *g = (Group){0};
}

void segment_free(Segment *s)
{
    for (int i = 0; i < s->n; i++) group_free(&s->groups[i]);
    mem_free(s->groups);
    mem_free(s->steps);
    *s = (Segment){0};
}

int segment_range(const char *name, int64_t *first, int64_t *last)
{
    long long a, b;
    int used = -1;
    if (sscanf(name, "steps-%12lld-%12lld.h5%n", &a, &b, &used) != 2 || used < 0 || name[used] ||
        a < 0 || b < a)
        return -1;
    *first = a, *last = b;
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

typedef struct {
    const Segment *s;
    hid_t file;
    const char *path;
    int rc;
} Writer;

static void column(Writer *w, const char *name, hid_t type, const Buffer *b, hsize_t width)
{
    hsize_t dims[2] = {b->size / H5Tget_size(type) / (width ? width : 1), width};
    if (!w->rc) w->rc = h5_write(w->file, w->path, name, type, width ? 2 : 1, dims, b->data, true);
}

#define PUT(buffer, type, value)                                                                   \
    do {                                                                                           \
        type put_value = (type)(value);                                                            \
        buffer_add(buffer, &put_value, sizeof put_value);                                          \
    } while (0)

/* One number a group: VALUE is an expression of g (and i). */
#define GROUP_COLUMN(w, name, h5type, type, value)                                                 \
    do {                                                                                           \
        Buffer b = {0};                                                                            \
        for (int i = 0; i < (w)->s->n; i++) {                                                      \
            const Group *g = &(w)->s->groups[i];                                                   \
            (void)g;                                                                               \
            PUT(&b, type, value);                                                                  \
        }                                                                                          \
        column(w, name, h5type, &b, 0);                                                            \
        buffer_free(&b);                                                                           \
    } while (0)

/* One number a sample: VALUE is an expression of x. */
#define SAMPLE_COLUMN(w, name, h5type, type, value)                                                \
    do {                                                                                           \
        Buffer b = {0};                                                                            \
        for (int i = 0; i < (w)->s->n; i++)                                                        \
            for (int k = 0; k < (w)->s->groups[i].n_samples; k++) {                                \
                const Sample *x = &(w)->s->groups[i].samples[k];                                   \
                PUT(&b, type, value);                                                              \
            }                                                                                      \
        column(w, name, h5type, &b, 0);                                                            \
        buffer_free(&b);                                                                           \
    } while (0)

/* One number a token of every sample: FIELD is an array of Sample; where it is NULL, `absent`. */
#define TOKEN_COLUMN(w, name, h5type, type, field, absent)                                         \
    do {                                                                                           \
        Buffer b = {0};                                                                            \
        for (int i = 0; i < (w)->s->n; i++)                                                        \
            for (int k = 0; k < (w)->s->groups[i].n_samples; k++) {                                \
                const Sample *x = &(w)->s->groups[i].samples[k];                                   \
                for (int t = 0; t < x->n_tokens; t++)                                              \
                    PUT(&b, type, x->field ? x->field[t] : (absent));                              \
            }                                                                                      \
        column(w, name, h5type, &b, 0);                                                            \
        buffer_free(&b);                                                                           \
    } while (0)

/* Ends of ragged parts: [count + 1], from 0. */
static void write_offsets(Writer *w)
{
    Buffer sample = {0}, prompt = {0}, token = {0};
    int64_t samples = 0, prompts = 0, tokens = 0;
    PUT(&sample, int64_t, 0);
    PUT(&prompt, int64_t, 0);
    PUT(&token, int64_t, 0);
    for (int i = 0; i < w->s->n; i++) {
        const Group *g = &w->s->groups[i];
        PUT(&sample, int64_t, samples += g->n_samples);
        PUT(&prompt, int64_t, prompts += g->n_prompt);
        for (int k = 0; k < g->n_samples; k++)
            PUT(&token, int64_t, tokens += g->samples[k].n_tokens);
    }
    column(w, "groups/sample_offset", H5T_NATIVE_INT64, &sample, 0);
    column(w, "groups/prompt_offset", H5T_NATIVE_INT64, &prompt, 0);
    column(w, "samples/token_offset", H5T_NATIVE_INT64, &token, 0);
    buffer_free(&sample);
    buffer_free(&prompt);
    buffer_free(&token);
}

static void write_group_texts(Writer *w)
{
    const char **prompts = NEW(const char *, w->s->n), **records = NEW(const char *, w->s->n);
    for (int i = 0; i < w->s->n; i++) {
        prompts[i] = w->s->groups[i].prompt_text;
        records[i] = w->s->groups[i].record;
    }
    if (!w->rc)
        w->rc = h5_write_texts(w->file, w->path, "groups/prompt_text", prompts, (size_t)w->s->n);
    if (!w->rc) w->rc = h5_write_texts(w->file, w->path, "groups/record", records, (size_t)w->s->n);
    mem_free(prompts);
    mem_free(records);
}

static void write_sample_texts(Writer *w)
{
    size_t n = 0, at = 0;
    for (int i = 0; i < w->s->n; i++) n += (size_t)w->s->groups[i].n_samples;
    const char **texts = NEW(const char *, n);
    for (int i = 0; i < w->s->n; i++)
        for (int k = 0; k < w->s->groups[i].n_samples; k++)
            texts[at++] = w->s->groups[i].samples[k].text;
    if (!w->rc) w->rc = h5_write_texts(w->file, w->path, "samples/text", texts, n);
    mem_free(texts);
}

static void write_groups(Writer *w)
{
    GROUP_COLUMN(w, "groups/step", H5T_NATIVE_INT64, int64_t, w->s->steps[i]);
    GROUP_COLUMN(w, "groups/kind", H5T_NATIVE_UINT8, uint8_t, g->kind);
    GROUP_COLUMN(w, "groups/id", H5T_NATIVE_INT64, int64_t, g->id);
    GROUP_COLUMN(w, "groups/problem", H5T_NATIVE_INT64, int64_t, g->problem);
    GROUP_COLUMN(w, "groups/version", H5T_NATIVE_INT32, int32_t, g->version);
    GROUP_COLUMN(w, "groups/n_components", H5T_NATIVE_INT32, int32_t, g->n_components);
    Buffer b = {0};
    for (int i = 0; i < w->s->n; i++) {
        const Group *g = &w->s->groups[i];
        buffer_add(&b, g->prompt, sizeof *g->prompt * (size_t)g->n_prompt);
    }
    column(w, "groups/prompt", H5T_NATIVE_INT32, &b, 0);
    buffer_free(&b);
    write_group_texts(w);
}

static void write_samples(Writer *w)
{
    TOKEN_COLUMN(w, "samples/tokens", H5T_NATIVE_INT32, int32_t, tokens, 0);
    TOKEN_COLUMN(w, "samples/logprobs", H5T_NATIVE_FLOAT, float, logprobs, 0);
    TOKEN_COLUMN(w, "samples/logprobs_untempered", H5T_NATIVE_FLOAT, float, logprobs_untempered, 0);
    TOKEN_COLUMN(w, "samples/logprobs_sampled", H5T_NATIVE_FLOAT, float, logprobs_sampled, 0);
    TOKEN_COLUMN(w, "samples/versions", H5T_NATIVE_INT32, int32_t, versions, 0);
    TOKEN_COLUMN(w, "samples/mask", H5T_NATIVE_UINT8, uint8_t, mask, 1);
    TOKEN_COLUMN(w, "samples/text_end", H5T_NATIVE_INT32, int32_t, text_ends, -1);
    SAMPLE_COLUMN(w, "samples/finish", H5T_NATIVE_UINT8, uint8_t, x->finish);
    SAMPLE_COLUMN(w, "samples/reward", H5T_NATIVE_DOUBLE, double, x->reward.value);
    SAMPLE_COLUMN(w, "samples/reward_status", H5T_NATIVE_UINT8, uint8_t, x->reward.status);
    SAMPLE_COLUMN(w, "samples/advantage", H5T_NATIVE_FLOAT, float, x->advantage);
    write_sample_texts(w);
}

/* Nothing where no answer has steps. */
static void write_steps(Writer *w)
{
    Buffer ends = {0}, end = {0}, reward = {0}, advantage = {0};
    int64_t n = 0;
    PUT(&ends, int64_t, 0);
    for (int i = 0; i < w->s->n; i++)
        for (int k = 0; k < w->s->groups[i].n_samples; k++) {
            const Sample *x = &w->s->groups[i].samples[k];
            for (int j = 0; j < x->n_steps; j++) {
                PUT(&end, int32_t, x->steps[j].end);
                PUT(&reward, double, x->steps[j].reward);
                PUT(&advantage, float, x->steps[j].advantage);
            }
            PUT(&ends, int64_t, n += x->n_steps);
        }
    if (n) {
        column(w, "samples/step_offset", H5T_NATIVE_INT64, &ends, 0);
        column(w, "samples/step_end", H5T_NATIVE_INT32, &end, 0);
        column(w, "samples/step_reward", H5T_NATIVE_DOUBLE, &reward, 0);
        column(w, "samples/step_advantage", H5T_NATIVE_FLOAT, &advantage, 0);
    }
    buffer_free(&ends);
    buffer_free(&end);
    buffer_free(&reward);
    buffer_free(&advantage);
}

/* [samples, components]; a group that was scored by fewer has NaN and not_applicable in the rest.
 */
static void write_components(Writer *w)
{
    Buffer value = {0}, status = {0}, latency = {0}, notes = {0}, ends = {0};
    int K = 0;
    for (int i = 0; i < w->s->n; i++)
        if (w->s->groups[i].n_components > K) K = w->s->groups[i].n_components;
    PUT(&ends, int64_t, 0);
    for (int i = 0; i < w->s->n; i++) {
        const Group *g = &w->s->groups[i];
        for (int k = 0; k < g->n_samples * K; k++) {
            const Sample *x = &g->samples[k / K];
            bool has = k % K < g->n_components;
            PUT(&value, double, has ? x->components[k % K].value : NAN);
            PUT(&status, uint8_t, has ? x->components[k % K].status : SCORE_NOT_APPLICABLE);
            PUT(&latency, float, has ? x->latencies_s[k % K] : 0);
            if (has && x->notes && x->notes[k % K]) buffer_text(&notes, x->notes[k % K]);
            PUT(&ends, int64_t, notes.size);
        }
    }
    if (notes.size) {
        column(w, "components/note", H5T_NATIVE_UINT8, &notes, 0);
        column(w, "components/note_offset", H5T_NATIVE_INT64, &ends, 0);
    }
    if (K) {
        column(w, "components/value", H5T_NATIVE_DOUBLE, &value, (hsize_t)K);
        column(w, "components/status", H5T_NATIVE_UINT8, &status, (hsize_t)K);
        column(w, "times/latency_s", H5T_NATIVE_FLOAT, &latency, (hsize_t)K);
    }
    buffer_free(&value);
    buffer_free(&status);
    buffer_free(&latency);
    buffer_free(&notes);
    buffer_free(&ends);
}

int segment_write(const Segment *s, const char *path, const char *run_id,
                  const char *const *components, int n_components)
{
    Writer w = {.s = s, .path = path, .file = h5_create(path)};
    if (w.file < 0) return -1;
    w.rc = h5_note_text(w.file, path, "format", "troupe rollouts 1");
    if (!w.rc) w.rc = h5_note_text(w.file, path, "run_id", run_id);
    write_groups(&w);
    write_offsets(&w);
    write_samples(&w);
    write_steps(&w);
    write_components(&w);
    if (!w.rc)
        w.rc = h5_write_texts(w.file, path, "components/name", components, (size_t)n_components);
    int rc = h5_close_written(w.file, path, !w.rc);
    return w.rc ? w.rc : rc;
}

/* A run's rollouts: appended to live.log, compared with the log of a launch that died, and closed
 * into a segment at a checkpoint. See runfile.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/runfile_internal.h"
#include "common/runfile_segment.h"

static char *rollout_path(const char *dir, const char *name)
{
    return mem_printf("%s/rollouts/%s", dir, name);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Steps that will be made again: their segments step aside, so that no step is there twice. */
static int set_segments_aside(const char *dir, int64_t resume_step)
{
    char **names;
    int rc = 0, n = run_segments(dir, &names);
    for (int i = 0; i < n; i++) {
        int64_t first, last;
        if (!segment_range(names[i], &first, &last) && last > resume_step && !rc) {
            char *from = rollout_path(dir, names[i]), *to = mem_printf("%s.old", from);
            if (rename(from, to)) rc = fail("%s: %s", from, strerror(errno));
            mem_free(from);
            mem_free(to);
        }
        mem_free(names[i]);
    }
    mem_free(names);
    return rc;
}

static int keep_previous_log(RunFile *r)
{
    char *live = rollout_path(r->dir, "live.log"),
         *previous = rollout_path(r->dir, "live.previous.log");
    int rc = 0;
    if (rename(live, previous) && errno != ENOENT) rc = fail("%s: %s", live, strerror(errno));
    if (!rc) rc = log_open(&r->previous, previous);
    mem_free(live);
    mem_free(previous);
    return rc;
}

int run_groups_open(RunFile *r, int64_t resume_step)
{
    char *folder = run_path(r->dir, "rollouts");
    int rc = mkdir(folder, 0750) && errno != EEXIST
                 ? fail("%s: cannot be made: %s", folder, strerror(errno))
                 : 0;
    mem_free(folder);
    if (!rc && resume_step >= 0)
        rc = set_segments_aside(r->dir, resume_step) || keep_previous_log(r);
    if (rc) return -1;
    char *live = rollout_path(r->dir, "live.log");
    r->live = open(live, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (r->live < 0) rc = fail("%s: %s", live, strerror(errno));
    mem_free(live);
    return rc;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static int differs(int64_t step, const Group *g, int sample, int token, const char *what)
{
    return fail("step %" PRId64 ", group %" PRId64
                ", sample %d: the %s at position %d are not those of the launch before: this run "
                "does not repeat itself "
                "(another machine, library or program?)",
                step, g->id, sample, what, token);
}

/* The first position where n numbers of 4 bytes differ; -1: nowhere. Two that are not there are
 * equal. */
static int first_difference(const void *a, const void *b, int n)
{
    if (!a && !b) return -1;
    for (int i = 0; i < n; i++)
        if (!a || !b || memcmp((const char *)a + 4 * i, (const char *)b + 4 * i, 4)) return i;
    return -1;
}

static int compare_sample(int64_t step, const Group *g, const Group *old, int k)
{
    const Sample *a = &g->samples[k], *b = &old->samples[k];
    int n = a->n_tokens < b->n_tokens ? a->n_tokens : b->n_tokens, at;
    if ((at = first_difference(a->tokens, b->tokens, n)) >= 0)
        return differs(step, g, k, at, "tokens");
    if (a->n_tokens != b->n_tokens) return differs(step, g, k, n, "tokens");
    if ((at = first_difference(a->logprobs, b->logprobs, n)) >= 0 ||
        (at = first_difference(a->logprobs_untempered, b->logprobs_untempered, n)) >= 0 ||
        (at = first_difference(a->logprobs_sampled, b->logprobs_sampled, n)) >= 0)
        return differs(step, g, k, at, "log-probabilities");
    return 0;
}

static int compare_group(int64_t step, const Group *g, const Group *old)
{
    if (g->n_samples != old->n_samples) return differs(step, g, 0, 0, "samples");
    for (int k = 0; k < g->n_samples; k++)
        if (compare_sample(step, g, old, k)) return -1;
    return 0;
}

/* The same group in the log before, searched from where the last one was found: both logs have the
 * same order nearly always. */
static bool find_previous(RunFile *r, int64_t step, const Group *g, Group *old)
{
    int64_t from = r->previous.at, at;
    for (int round = 0; round < 2; round++) {
        while (log_next(&r->previous, &at, old)) {
            if (at == step && old->kind == g->kind && old->id == g->id) return true;
            group_free(old);
            if (round && r->previous.at >= from) break;
        }
        r->previous.at = round ? from : 0;
        if (!from) break;
    }
    return false;
}

static int compare(RunFile *r, int64_t step, const Group *g)
{
    Group old;
    if (r->previous.fd < 0 || !find_previous(r, step, g, &old)) return 0;
    int rc = compare_group(step, g, &old);
    r->n_compared++;
    group_free(&old);
    return rc;
}

int runfile_add_groups(RunFile *r, int64_t step, const Group *groups, int n)
{
    int rc = 0;
    for (int i = 0; i < n; i++) {
        log_append(
            r->live, step,
            &groups[i]); /* a full disk has been said: the run is worth more than its record */
        if (compare(r, step, &groups[i])) rc = -1;
    }
    return rc;
}

/* ---- closing a segment ----------------------------------------------------------------------- */

static int read_live(RunFile *r, Segment *s, int64_t *first, int64_t *last)
{
    char *path = rollout_path(r->dir, "live.log");
    LogReader log;
    Group g;
    int64_t step;
    int rc = log_open(&log, path);
    while (!rc && log_next(&log, &step, &g)) {
        if (!s->n || step < *first) *first = step;
        if (!s->n || step > *last) *last = step;
        segment_add(s, step, &g);
    }
    log_close(&log);
    mem_free(path);
    return rc;
}

static int place_segment(RunFile *r, const Segment *s, int64_t first, int64_t last)
{
    char name[64];
    snprintf(name, sizeof name, "steps-%06" PRId64 "-%06" PRId64 ".h5", first, last);
    char *path = rollout_path(r->dir, name), *aside = mem_printf("%s.new", path);
    unlink(aside);
    int rc = segment_write(s, aside, r->info.run_id, r->info.components, r->info.n_components);
    if (!rc && rename(aside, path)) rc = fail("%s: %s", path, strerror(errno));
    if (rc) unlink(aside);
    mem_free(path);
    mem_free(aside);
    return rc;
}

int runfile_cut_segment(RunFile *r, int64_t step)
{
    Segment s = {0};
    int64_t first = 0, last = 0;
    int rc = read_live(r, &s, &first, &last);
    if (!rc && s.n) rc = place_segment(r, &s, first, last);
    segment_free(&s);
    if (!rc) rc = run_info_write(r, step);
    if (!rc && ftruncate(r->live, 0)) rc = fail("live.log: %s", strerror(errno));
    return rc;
}

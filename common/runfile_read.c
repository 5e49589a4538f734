/* Reading a run directory, of a finished run or of one in mid-flight: nothing here writes or locks.
 * See runfile.h. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/runfile_internal.h"
#include "common/runfile_segment.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int run_segments(const char *dir, char ***names)
{
    char *folder = run_path(dir, "rollouts");
    DIR *d = opendir(folder);
    int n = 0;
    int64_t first, last;
    *names = NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (segment_range(e->d_name, &first, &last)) continue;
        *names = mem_resize(*names, (size_t)n, (size_t)n + 1, sizeof **names);
        (*names)[n++] = mem_text(e->d_name);
    }
    if (d) closedir(d);
    if (n) qsort(*names, (size_t)n, sizeof **names, by_text);
    mem_free(folder);
    return n;
}

/* The last line may be torn, or being written: it counts only with its newline. */
json_t *runfile_read_metrics(const char *dir)
{
    char *path = run_path(dir, "metrics.jsonl");
    Buffer all = {0};
    json_t *lines = NULL;
    if (!file_read(path, (size_t)1 << 32, &all)) lines = json_array();
    size_t number = 0;
    for (char *line = all.data, *end;
         line && (end = memchr(line, '\n', all.size - (size_t)(line - all.data))); line = end + 1) {
        json_error_t why;
        json_t *o = json_loadb(line, (size_t)(end - line), 0, &why);
        number++;
        if (json_is_object(o)) {
            json_array_append_new(lines, o);
            continue;
        }
        fail("%s:%zu: not a JSON object (%s): left out", path, number,
             o ? "another value" : why.text);
        json_decref(o);
    }
    buffer_free(&all);
    mem_free(path);
    return lines;
}

static void keep(Group **groups, int *n, Group *g)
{
    *groups = mem_resize(*groups, (size_t)*n, (size_t)*n + 1, sizeof **groups);
    (*groups)[(*n)++] = *g;
    *g = (Group){0};
}

static int take_from_segments(const char *dir, int64_t step, Group **groups, int *n)
{
    char **names;
    int rc = 0, count = run_segments(dir, &names);
    for (int i = 0; i < count; i++) {
        int64_t first, last;
        if (!rc && !*n && !segment_range(names[i], &first, &last) && first <= step &&
            step <= last) {
            Segment s;
            char *path = mem_printf("%s/rollouts/%s", dir, names[i]);
            rc = segment_read(&s, path);
            for (int k = 0; k < s.n; k++)
                if (s.steps[k] == step) keep(groups, n, &s.groups[k]);
            segment_free(&s);
            mem_free(path);
        }
        mem_free(names[i]);
    }
    mem_free(names);
    return rc;
}

static int take_from_log(const char *dir, int64_t step, Group **groups, int *n)
{
    LogReader log;
    Group g;
    int64_t at;
    char *path = mem_printf("%s/rollouts/live.log", dir);
    int rc = log_open(&log, path);
    while (!rc && log_next(&log, &at, &g)) {
        if (at == step) keep(groups, n, &g);
        group_free(&g);
    }
    log_close(&log);
    mem_free(path);
    return rc;
}

int runfile_read_groups(const char *dir, int64_t step, Group **groups, int *n)
{
    *groups = NULL;
    *n = 0;
    int rc = take_from_segments(dir, step, groups, n);
    if (!rc && !*n) rc = take_from_log(dir, step, groups, n);
    if (!rc && *n) return 0;
    for (int i = 0; i < *n; i++) group_free(&(*groups)[i]);
    mem_free(*groups);
    *groups = NULL;
    *n = 0;
    return rc ? -1
              : fail("%s: no rollouts of step %" PRId64 " are kept (see `troupe inspect %s`)", dir,
                     step, dir);
}

/* ---- all of them ----------------------------------------------------------------------------- */

typedef int group_fn(void *ctx, int64_t step, const Group *g);

/* `after` is the last step of the segments so far: a log that was not emptied in time still holds
 * some of theirs. */
static int walk_segment(const char *path, int64_t *after, group_fn *f, void *ctx)
{
    Segment s;
    int rc = segment_read(&s, path);
    for (int i = 0; i < s.n && !rc; i++) {
        if (s.steps[i] > *after) *after = s.steps[i];
        rc = f(ctx, s.steps[i], &s.groups[i]);
    }
    segment_free(&s);
    return rc;
}

static int walk_log(const char *path, int64_t after, group_fn *f, void *ctx)
{
    LogReader log;
    Group g;
    int64_t step;
    int rc = log_open(&log, path);
    while (!rc && log_next(&log, &step, &g)) {
        if (step > after) rc = f(ctx, step, &g);
        group_free(&g);
    }
    log_close(&log);
    return rc;
}

int runfile_each_group(const char *dir, group_fn *f, void *ctx)
{
    char **names, *log = mem_printf("%s/rollouts/live.log", dir);
    int rc = 0, n = run_segments(dir, &names);
    int64_t after = INT64_MIN;
    for (int i = 0; i < n; i++) {
        char *path = mem_printf("%s/rollouts/%s", dir, names[i]);
        if (!rc) rc = walk_segment(path, &after, f, ctx);
        mem_free(path);
        mem_free(names[i]);
    }
    mem_free(names);
    if (!rc) rc = walk_log(log, after, f, ctx);
    mem_free(log);
    return rc;
}

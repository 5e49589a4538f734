/* run.h5: what a run is, and its metrics so far as columns. Small, rewritten whole at each
 * checkpoint. See the list in runfile.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/h5.h"
#include "common/runfile_internal.h"

/* ---- the parts of the info object ------------------------------------------------------------ */

static json_t *kernels_json(const KernelSet *k)
{
    return json_pack("{s:s, s:i, s:I, s:s, s:s}", "precision",
                     k->precision == PRECISION_F32 ? "f32" : "bf16", "product", (int)k->product,
                     "probe", (json_int_t)k->probe, "cpu", k->cpu, "libraries", k->libraries);
}

static json_t *lines_json(const char *dir, const char *name)
{
    json_t *lines = json_array();
    Buffer all = {0};
    char *path = run_path(dir, name);
    if (!access(path, F_OK) && !file_read(path, (size_t)64 << 20, &all)) {
        char *rest = all.data;
        for (char *line; (line = strsep(&rest, "\n"));)
            if (*line) json_array_append_new(lines, json_string(line));
    }
    buffer_free(&all);
    mem_free(path);
    return lines;
}

static uint32_t crc_of_file(const char *path, int64_t *bytes)
{
    char *part = mem_zeroed(1 << 20, 1);
    uint32_t crc = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *bytes = 0;
    for (ssize_t n; fd >= 0 && (n = read(fd, part, 1 << 20)) > 0; *bytes += n)
        crc = crc32c(crc, part, (size_t)n);
    if (fd >= 0) close(fd);
    mem_free(part);
    return crc;
}

static json_t *segments_json(const char *dir)
{
    char **names;
    json_t *list = json_array();
    int n = run_segments(dir, &names);
    for (int i = 0; i < n; i++) {
        int64_t bytes;
        char *path = mem_printf("%s/rollouts/%s", dir, names[i]);
        uint32_t crc = crc_of_file(path, &bytes);
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", names[i], "bytes",
                                              (json_int_t)bytes, "crc32c", (json_int_t)crc));
        mem_free(path);
        mem_free(names[i]);
    }
    mem_free(names);
    return list;
}

static json_t *info_json(const RunFile *r, int64_t last_step)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, r->info.seed); /* JSON's integers end at 2^63 */
    json_t *components = json_array();
    for (int i = 0; i < r->info.n_components; i++)
        json_array_append_new(components, json_string(r->info.components[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:O*}", "run_id",
                     r->info.run_id, "seed", seed, "config", r->info.config_text, "version",
                     r->info.version_text, "layout", r->info.layout, "last_step",
                     (json_int_t)last_step, "components", components, "kernels",
                     kernels_json(&r->info.kernels), "launches", lines_json(r->dir, "launches.txt"),
                     "segments", segments_json(r->dir), "reward_files", r->info.reward_files);
}

/* ---- metrics as columns ---------------------------------------------------------------------- */

typedef struct {
    char name[96];
    double *value; /* [n] NaN where a line has no such number */
} Column;

typedef struct {
    Column *columns;
    int n_columns;
    size_t n;
} Table;

static Column *column_of(Table *t, const char *name)
{
    for (int i = 0; i < t->n_columns; i++)
        if (!strcmp(t->columns[i].name, name)) return &t->columns[i];
    t->columns =
        mem_resize(t->columns, (size_t)t->n_columns, (size_t)t->n_columns + 1, sizeof *t->columns);
    Column *c = &t->columns[t->n_columns++];
    snprintf(c->name, sizeof c->name, "%s", name);
    c->value = NEW(double, t->n);
    for (size_t i = 0; i < t->n; i++) c->value[i] = NAN;
    return c;
}

/* Numbers by their key; those of an object inside by KEY.key. A slash would be a group of HDF5. */
static void take_numbers(Table *t, size_t row, const char *prefix, const json_t *o)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v)
    {
        char name[96];
        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
        for (char *p = name; *p; p++)
            if (*p == '/') *p = '_';
        if (json_is_object(v) && !*prefix)
            take_numbers(t, row, name, v);
        else if (json_is_number(v) && *name)
            column_of(t, name)->value[row] = json_number_value(v);
    }
}

static int write_metrics(hid_t file, const char *path, const char *dir)
{
    json_t *lines = runfile_read_metrics(dir);
    Table t = {.n = json_array_size(lines)};
    for (size_t i = 0; i < t.n; i++) take_numbers(&t, i, "", json_array_get(lines, i));
    hsize_t n = t.n;
    int rc = 0;
    for (int i = 0; i < t.n_columns; i++) {
        char name[128];
        snprintf(name, sizeof name, "metrics/%s", t.columns[i].name);
        if (!rc)
            rc = h5_write(file, path, name, H5T_NATIVE_DOUBLE, 1, &n, t.columns[i].value, true);
        mem_free(t.columns[i].value);
    }
    mem_free(t.columns);
    json_decref(lines);
    return rc;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int write_contents(const RunFile *r, hid_t file, const char *path, int64_t last_step)
{
    json_t *info = info_json(r, last_step);
    char *text = json_dumps(info, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(info);
    if (!text) return fail("%s: config, version or layout are not UTF-8", path);
    hsize_t n = strlen(text);
    int rc = h5_write(file, path, "info", H5T_NATIVE_UINT8, 1, &n, text, false);
    free(text);
    if (!rc) rc = h5_note_text(file, path, "format", "troupe run 1");
    if (!rc) rc = h5_note_text(file, path, "run_id", r->info.run_id);
    if (!rc) rc = h5_note_text(file, path, "layout", r->info.layout);
    if (!rc) rc = h5_note_int(file, path, "last_step", last_step);
    if (!rc) rc = h5_write_text(file, path, "config", r->info.config_text);
    if (!rc) rc = h5_write_text(file, path, "version", r->info.version_text);
    if (!rc) rc = write_metrics(file, path, r->dir);
    return rc;
}

int run_info_write(const RunFile *r, int64_t last_step)
{
    char *path = run_path(r->dir, "run.h5"), *aside = run_path(r->dir, "run.h5.new");
    unlink(aside);
    hid_t file = h5_create(aside);
    int rc = file < 0 ? -1 : write_contents(r, file, aside, last_step);
    if (file >= 0 && h5_close_written(file, aside, !rc)) rc = -1;
    if (!rc && rename(aside, path)) rc = fail("%s: %s", path, strerror(errno));
    if (rc) unlink(aside);
    mem_free(path);
    mem_free(aside);
    return rc;
}

json_t *runfile_read_info(const char *dir)
{
    char *path = run_path(dir, "run.h5");
    void *text = NULL;
    size_t n;
    json_t *info = NULL;
    hid_t file = h5_open(path);
    if (file >= 0) {
        if (!h5_read(file, path, "info", H5T_NATIVE_UINT8, (size_t)256 << 20, &text, &n)) {
            info = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
            if (!json_is_object(info)) {
                fail("%s: info is no JSON object", path);
                json_decref(info);
                info = NULL;
            }
        }
        h5_close(file);
    }
    mem_free(text);
    mem_free(path);
    return info;
}

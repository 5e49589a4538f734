/* See checkpoint.h. The order is the promise: files, synced; MANIFEST, synced; the folder, synced;
 * rename; checkpoints/, synced; only then does an older one go. A kill at any moment leaves the
 * newest whole checkpoint where it was.
 */
#define _GNU_SOURCE /* renameat2 */
#include "common/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/checkpoint_folder.h"
#include "common/checkpoint_manifest.h"
#include "common/checkpoint_write.h"
#include "common/errors.h"

static const char *const arrays_file = "shard-000.h5", *const state_file = "state.h5",
                         *const in_flight_file = "in-flight.h5";

/* ---- the state as text ----------------------------------------------------------------------- */

static char *state_print(const CheckpointState *s)
{
    json_t *accuracy = isnan(s->accuracy_before) ? json_null() : json_real(s->accuracy_before);
    json_t *o = json_pack(
        "{s:s, s:I, s:I, s:I, s:{s:i, s:i, s:I, s:s, s:s}, s:I, s:I, s:o, s:f}", "run_id",
        s->run_id, "sft_step", (json_int_t)s->sft_step, "step", (json_int_t)s->step, "adam_step",
        (json_int_t)s->adam_step, "kernels", "precision", (int)s->kernels.precision, "product",
        (int)s->kernels.product, "probe", (json_int_t)s->kernels.probe, "cpu", s->kernels.cpu,
        "libraries", s->kernels.libraries, "config_hash", (json_int_t)s->config_hash, "model_hash",
        (json_int_t)s->model_hash, "accuracy_before", accuracy, "trained_s", s->trained_s);
    REQUIRE(o, "a state that is no JSON: is the CPU's name not UTF-8?");
    char *dump = json_dumps(o, JSON_INDENT(1) | JSON_REAL_PRECISION(17)), *text = mem_text(dump);
    free(dump);
    json_decref(o);
    return text;
}

static int state_take(CheckpointState *s, const json_t *o)
{
    json_int_t sft_step, step, adam_step, probe, config_hash, model_hash;
    int precision, product;
    const char *run_id, *cpu, *libraries;
    const json_t *accuracy;
    if (json_unpack(
            (json_t *)o, "{s:s, s:I, s:I, s:I, s:{s:i, s:i, s:I, s:s, s:s}, s:I, s:I, s:o, s:F}",
            "run_id", &run_id, "sft_step", &sft_step, "step", &step, "adam_step", &adam_step,
            "kernels", "precision", &precision, "product", &product, "probe", &probe, "cpu", &cpu,
            "libraries", &libraries, "config_hash", &config_hash, "model_hash", &model_hash,
            "accuracy_before", &accuracy, "trained_s", &s->trained_s))
        return -1;
    if (sft_step < 0 || step < 0 || adam_step < 0 || precision < 0 || precision > PRECISION_BF16 ||
        product < 0 || product > PRODUCT_BF16_AS_F32 ||
        !(json_is_null(accuracy) || json_is_number(accuracy)))
        return -1;
    s->sft_step = sft_step, s->step = step, s->adam_step = adam_step;
    s->kernels.precision = (Precision)precision;
    s->kernels.product = (ProductKind)product;
    s->kernels.probe = (uint32_t)probe;
    snprintf(s->run_id, sizeof s->run_id, "%s", run_id);
    snprintf(s->kernels.cpu, sizeof s->kernels.cpu, "%s", cpu);
    snprintf(s->kernels.libraries, sizeof s->kernels.libraries, "%s", libraries);
    s->config_hash = (uint32_t)config_hash, s->model_hash = (uint32_t)model_hash;
    s->accuracy_before = json_is_null(accuracy) ? NAN : json_number_value(accuracy);
    return 0;
}

static int read_text(const Manifest *m, const char *path, const char *name, char **text)
{
    const ManifestFile *f;
    const ManifestEntry *e = manifest_find(m, name, &f);
    if (!e || !e->text)
        return fail("%s: has no text %s: not a checkpoint of this version", path, name);
    char *all = mem_zeroed((size_t)e->bytes + 1, 1);
    if (manifest_read_entry(path, f, e, all)) {
        mem_free(all);
        return -1;
    }
    *text = all;
    return 0;
}

/* A manifest and the files it names with their sizes: so no length in it is larger than what is
 * there. */
static int open_manifest(Manifest *m, const char *path)
{
    if (manifest_read(m, path)) return -1;
    if (!manifest_check(m, path, false)) return 0;
    manifest_free(m);
    return -1;
}

int checkpoint_read_state(const char *path, CheckpointState *s)
{
    Manifest m;
    char *text = NULL;
    json_t *o = NULL;
    int rc = -1;
    *s = (CheckpointState){0};
    if (open_manifest(&m, path)) return -1;
    if (read_text(&m, path, "state", &text) || read_text(&m, path, "config", &s->config_text) ||
        read_text(&m, path, "service_state", &s->service_state))
        goto done;
    o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    rc = o && !state_take(s, o) ? 0
                                : fail("%s: its state is not one of this version of Troupe", path);
done:
    json_decref(o);
    mem_free(text);
    manifest_free(&m);
    if (!rc) return 0;
    mem_free(s->config_text);
    mem_free(s->service_state);
    *s = (CheckpointState){0};
    return -1;
}

int checkpoint_read_in_flight(const char *path, Segment *groups)
{
    Manifest m;
    *groups = (Segment){0};
    if (open_manifest(&m, path)) return -1;
    int rc = 0;
    for (int i = 0; i < m.n; i++) {
        if (strcmp(m.files[i].name, in_flight_file)) continue;
        char *file = mem_printf("%s/%s", path, in_flight_file);
        rc = segment_read(groups, file);
        mem_free(file);
    }
    manifest_free(&m);
    return rc;
}

/* ---- saving ---------------------------------------------------------------------------------- */

static int write_arrays(const char *folder, const CheckpointArray *a, int n, ManifestFile *f)
{
    ManifestEntry *e = NEW(ManifestEntry, n);
    const void **data = NEW(const void *, n);
    for (int i = 0; i < n; i++) {
        REQUIRE(strlen(a[i].name) < sizeof e[i].name && a[i].n_dims >= 1 && a[i].n_dims <= 4,
                "array %s", a[i].name);
        snprintf(e[i].name, sizeof e[i].name, "%s", a[i].name);
        e[i].n_dims = a[i].n_dims;
        e[i].bytes = (int64_t)sizeof(float);
        for (int d = 0; d < a[i].n_dims; d++) {
            e[i].dims[d] = a[i].dims[d];
            REQUIRE(a[i].dims[d] > 0 &&
                        !__builtin_mul_overflow(e[i].bytes, a[i].dims[d], &e[i].bytes),
                    "%s", a[i].name);
        }
        data[i] = a[i].data;
    }
    int rc = checkpoint_write_file(folder, arrays_file, e, data, n, f);
    mem_free(data);
    mem_free(e);
    return rc;
}

static int write_state(const char *folder, const CheckpointState *s, ManifestFile *f)
{
    char *state = state_print(s);
    const char *texts[3] = {state, s->config_text ? s->config_text : "",
                            s->service_state ? s->service_state : ""};
    static const char *const names[3] = {"state", "config", "service_state"};
    ManifestEntry e[3] = {0};
    const void *data[3];
    for (int i = 0; i < 3; i++) {
        snprintf(e[i].name, sizeof e[i].name, "%s", names[i]);
        e[i].text = true;
        e[i].bytes = (int64_t)strlen(texts[i]);
        if (!e[i].bytes) e[i].bytes = 1; /* HDF5 has no text of no bytes: its NUL stands for it */
        data[i] = texts[i];
    }
    int rc = checkpoint_write_file(folder, state_file, e, data, 3, f);
    mem_free(state);
    return rc;
}

/* Written by HDF5 itself: a file without entries, all of it under one CRC. */
static int write_in_flight(const char *folder, const CheckpointState *s, ManifestFile *f)
{
    char *path = mem_printf("%s/%s", folder, in_flight_file);
    int rc = segment_write(s->in_flight, path, s->run_id, s->components, s->n_components), fd = -1;
    struct stat st;
    snprintf(f->name, sizeof f->name, "%s", in_flight_file);
    if (rc) goto done;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || crc_of_range(fd, 0, st.st_size, &f->rest_crc))
        rc = fail("%s: cannot be read: %s", path, strerror(errno));
    else
        f->bytes = st.st_size;
done:
    if (fd >= 0) close(fd);
    mem_free(path);
    return rc;
}

static int write_manifest(const char *folder, const Manifest *m)
{
    Buffer text = {0};
    char *path = mem_printf("%s/MANIFEST", folder);
    manifest_print(m, &text);
    int rc = checkpoint_write_text(path, text.data, text.size);
    mem_free(path);
    buffer_free(&text);
    return rc;
}

static int write_all(const char *folder, const CheckpointState *s, const CheckpointArray *a, int n)
{
    Manifest m = {.n = s->in_flight ? 3 : 2, .files = NEW(ManifestFile, 3)};
    snprintf(m.run_id, sizeof m.run_id, "%s", *s->run_id ? s->run_id : "0");
    int rc = write_arrays(folder, a, n, &m.files[0]);
    if (!rc) rc = write_state(folder, s, &m.files[1]);
    if (!rc && s->in_flight) rc = write_in_flight(folder, s, &m.files[2]);
    if (!rc) rc = write_manifest(folder, &m);
    if (!rc) rc = folder_sync(folder);
    manifest_free(&m);
    return rc;
}

/* A checkpoint of the same step is there already when a resumed run saves at once: the two change
 * places in one call. */
static int put_in_place(const char *folder, const char *from, const char *name)
{
    char *to = mem_printf("%s/%s", folder, name);
    int rc = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
    if (rc && errno == EEXIST) {
        rc = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
        if (rc && (errno == EINVAL || errno == ENOSYS))
            rc = checkpoint_folder_drop(folder, name) ? -1 : rename(from, to);
    } else if (rc && (errno == EINVAL || errno == ENOSYS)) { /* a file system without these flags */
        if (!access(to, F_OK)) checkpoint_folder_drop(folder, name);
        rc = rename(from, to);
    }
    if (rc) fail("%s: cannot be renamed: %s", from, strerror(errno));
    if (!rc) rc = folder_sync(folder);
    mem_free(to);
    return rc;
}

static void drop_older(const char *folder, int keep)
{
    char **names;
    int n = checkpoint_folder_list(folder, &names);
    for (int i = 0; i < n; i++) {
        if (i >= keep) checkpoint_folder_drop(folder, names[i]);
        mem_free(names[i]);
    }
    mem_free(names);
}

static int folder_make(const char *path, bool may_exist)
{
    if (!mkdir(path, 0750) || (may_exist && errno == EEXIST)) return 0;
    return fail("%s: cannot be made: %s", path, strerror(errno));
}

int checkpoint_save(const char *run_dir, const CheckpointState *s, const CheckpointArray *arrays,
                    int n, int keep)
{
    REQUIRE(keep >= 1 && n >= 1, "%d arrays, keep %d", n, keep);
    char name[32];
    bool supervised = s->step == 0 && s->sft_step > 0;
    snprintf(name, sizeof name, "%s-%06" PRId64, supervised ? "sft" : "step",
             supervised ? s->sft_step : s->step);
    char *folder = mem_printf("%s/checkpoints", run_dir),
         *temporary = checkpoint_temporary(folder, name);
    int rc = folder_make(folder, true);
    if (!rc) {
        folder_remove(temporary);
        rc = folder_make(temporary, false);
        if (!rc) rc = write_all(temporary, s, arrays, n);
        if (!rc) rc = put_in_place(folder, temporary, name);
        folder_remove(temporary); /* what an exchange or a failure left */
    }
    if (!rc) drop_older(folder, keep);
    mem_free(temporary);
    mem_free(folder);
    return rc;
}

/* ---- finding and loading --------------------------------------------------------------------- */

/* What checkpoint_find has just checked byte for byte, the checkpoint_load that follows need not
 * check again. */
static struct {
    char path[4096];
    struct timespec when;
} checked;

static struct timespec changed_at(const char *path)
{
    struct timespec newest = {0};
    const char *const files[] = {"MANIFEST", arrays_file, state_file};
    for (int i = 0; i < 3; i++) {
        struct stat st;
        char *file = mem_printf("%s/%s", path, files[i]);
        if (!stat(file, &st) &&
            (st.st_mtim.tv_sec > newest.tv_sec ||
             (st.st_mtim.tv_sec == newest.tv_sec && st.st_mtim.tv_nsec > newest.tv_nsec)))
            newest = st.st_mtim;
        mem_free(file);
    }
    return newest;
}

static int check_whole(const Manifest *m, const char *path)
{
    struct timespec when = changed_at(path);
    bool just_now = !strcmp(path, checked.path) && !memcmp(&when, &checked.when, sizeof when);
    checked.path[0] = 0;
    return manifest_check(m, path, !just_now);
}

static int refuse_damaged(const char *path)
{
    Manifest m;
    if (manifest_read(&m, path)) return -1;
    int rc = manifest_check(&m, path, true);
    manifest_free(&m);
    if (rc) return -1;
    snprintf(checked.path, sizeof checked.path, "%s", path);
    checked.when = changed_at(path);
    return 0;
}

int checkpoint_find(const char *run_dir, char *path, size_t size)
{
    char *folder = mem_printf("%s/checkpoints", run_dir), **names;
    int rc = -1;
    checkpoint_folder_clean(folder);
    int n = checkpoint_folder_list(folder, &names);
    for (int i = 0; i < n; i++) {
        if (rc) {
            REQUIRE(snprintf(path, size, "%s/%s", folder, names[i]) < (int)size,
                    "a path of more than %zu bytes", size);
            rc = refuse_damaged(path);
        }
        mem_free(names[i]);
    }
    if (rc && size) path[0] = 0;
    mem_free(names);
    mem_free(folder);
    return rc;
}

static int check_shape(const Manifest *m, const char *path, const CheckpointArray *a)
{
    const ManifestFile *f;
    const ManifestEntry *e = manifest_find(m, a->name, &f);
    if (!e || e->text) return fail("%s: has no array %s: another model or stage?", path, a->name);
    bool same = e->n_dims == a->n_dims;
    for (int i = 0; same && i < a->n_dims; i++) same = e->dims[i] == a->dims[i];
    if (!same)
        return fail("%s: %s is [%" PRId64 ", %" PRId64 "] there (rank %d), [%" PRId64 ", %" PRId64
                    "] here (rank %d)",
                    path, a->name, e->dims[0], e->dims[1], e->n_dims, a->dims[0], a->dims[1],
                    a->n_dims);
    return 0;
}

int checkpoint_load(const char *path, const CheckpointArray *arrays, int n)
{
    Manifest m;
    int rc = manifest_read(&m, path);
    if (rc) return -1;
    for (int i = 0; i < n && !rc; i++) rc = check_shape(&m, path, &arrays[i]);
    if (!rc) rc = check_whole(&m, path);
    for (int i = 0; i < n && !rc; i++) {
        const ManifestFile *f;
        const ManifestEntry *e = manifest_find(&m, arrays[i].name, &f);
        if (manifest_read_entry(path, f, e, arrays[i].data))
            die(EXIT_IO, "%s: changed while it was read: %s", path, errors_last());
    }
    manifest_free(&m);
    return rc;
}

int checkpoint_list(const char *path, CheckpointArray **arrays, int *n)
{
    Manifest m;
    *arrays = NULL;
    *n = 0;
    if (open_manifest(&m, path)) return -1;
    for (int i = 0; i < m.n; i++) {
        for (int k = 0; k < m.files[i].n; k++) {
            const ManifestEntry *e = &m.files[i].entries[k];
            if (e->text) continue;
            *arrays = mem_resize(*arrays, (size_t)*n, (size_t)*n + 1, sizeof **arrays);
            CheckpointArray *a = &(*arrays)[(*n)++];
            *a = (CheckpointArray){.name = mem_text(e->name), .n_dims = e->n_dims};
            memcpy(a->dims, e->dims, sizeof a->dims);
        }
    }
    manifest_free(&m);
    return 0;
}

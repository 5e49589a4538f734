/* See runfile.h. Everything here is either appended by single writes or written aside and renamed,
 * so that a kill at any moment leaves files that open. */
#include "common/runfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/runfile_internal.h"

char *run_path(const char *dir, const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

int run_append(int fd, const char *name, const char *text, size_t n)
{
    ssize_t put;
    do put = write(fd, text, n);
    while (put < 0 && errno == EINTR);
    if (put == (ssize_t)n) return 0;
    return fail("%s: a line cannot be kept: %s", name, put < 0 ? strerror(errno) : "disk full");
}

static int write_synced(const char *path, const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return fail("%s: %s", path, strerror(errno));
    int rc = run_append(fd, path, text, n);
    if (!rc && fsync(fd)) rc = fail("%s: fsync: %s", path, strerror(errno));
    close(fd);
    return rc;
}

int run_write_text(const char *dir, const char *name, const char *text, size_t n)
{
    char *path = run_path(dir, name), *aside = mem_printf("%s/%s.new", dir, name);
    int rc = write_synced(aside, text, n);
    if (!rc && rename(aside, path)) rc = fail("%s: %s", path, strerror(errno));
    if (rc) unlink(aside);
    mem_free(path);
    mem_free(aside);
    return rc;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int make_folder(const char *path)
{
    char *part = mem_text(path);
    int rc = 0;
    for (char *p = part + 1; *p && !rc; p++) {
        if (*p != '/') continue;
        *p = 0;
        if (mkdir(part, 0750) && errno != EEXIST)
            rc = fail("%s: cannot be made: %s", part, strerror(errno));
        *p = '/';
    }
    if (!rc && mkdir(part, 0750) && errno != EEXIST)
        rc = fail("%s: cannot be made: %s", part, strerror(errno));
    mem_free(part);
    return rc;
}

static bool holds_run(const char *dir)
{
    static const char *const names[] = {"run.h5", "metrics.jsonl", "checkpoints"};
    bool holds = false;
    for (int i = 0; i < 3; i++) {
        char *path = run_path(dir, names[i]);
        holds |= !access(path, F_OK);
        mem_free(path);
    }
    return holds;
}

static void random_hex(char *to, size_t n)
{
    unsigned char bytes[32];
    if (getrandom(bytes, n / 2, 0) != (ssize_t)(n / 2))
        die(EXIT_UNABLE, "no random numbers: %s", strerror(errno));
    for (size_t i = 0; i < n / 2; i++) sprintf(to + 2 * i, "%02x", bytes[i]);
}

/* The run's name for itself: made once; a resume continues it and must not mix two. */
static int settle_run_id(const char *dir, RunInfo *info, bool resume)
{
    char *path = run_path(dir, "run.h5");
    json_t *old = resume && !access(path, F_OK) ? runfile_read_info(dir) : NULL;
    const char *id = json_string_value(json_object_get(old, "run_id"));
    int rc = 0;
    if (id && *info->run_id && strcmp(id, info->run_id))
        rc = fail("%s: run.h5 is of run %s, the checkpoint of run %s: which one is meant?", dir, id,
                  info->run_id);
    else if (id)
        snprintf(info->run_id, sizeof info->run_id, "%s", id);
    else if (!*info->run_id)
        random_hex(info->run_id, 32);
    json_decref(old);
    mem_free(path);
    return rc;
}

/* Whether a line of metrics stays when the run goes on after `step`: runfile.h, runfile_open. */
static bool line_stays(const char *line, size_t n, int64_t step, int64_t sft_step)
{
    json_t *o = json_loadb(line, n, 0, NULL);
    const json_t *at = json_object_get(o, "step");
    const char *stage = json_string_value(json_object_get(o, "stage"));
    bool sft = stage && !strcmp(stage, "sft");
    bool stays = json_is_integer(at);
    if (stays && sft) stays = step > 0 || json_integer_value(at) <= sft_step;
    if (stays && !sft) stays = step > 0 && json_integer_value(at) <= step;
    json_decref(o);
    return stays;
}

static int cut_metrics(const char *dir, int64_t step, int64_t sft_step)
{
    char *path = run_path(dir, "metrics.jsonl");
    Buffer all = {0}, kept = {0};
    int rc = 0;
    if (!access(path, F_OK)) {
        rc = file_read(path, (size_t)1 << 32, &all);
        for (char *line = all.data, *end;
             !rc && line && (end = memchr(line, '\n', all.size - (size_t)(line - all.data)));
             line = end + 1)
            if (line_stays(line, (size_t)(end - line), step, sft_step))
                buffer_add(&kept, line, (size_t)(end + 1 - line));
        if (!rc) rc = run_write_text(dir, "metrics.jsonl", kept.data ? kept.data : "", kept.size);
    }
    buffer_free(&all);
    buffer_free(&kept);
    mem_free(path);
    return rc;
}

static int open_append(const char *dir, const char *name)
{
    char *path = run_path(dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) fail("%s: %s", path, strerror(errno));
    mem_free(path);
    return fd;
}

static int note_launch(const RunFile *r, int64_t resume_step, bool died)
{
    char host[64] = "localhost", when[32];
    time_t now = time(NULL);
    struct tm t;
    Buffer line = {0};
    const char *job = getenv("SLURM_JOB_ID"), *restart = getenv("SLURM_RESTART_COUNT");
    gethostname(host, sizeof host - 1);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &t));
    buffer_printf(&line, "%s launch=%s host=%s pid=%ld", when, r->launch, host, (long)getpid());
    if (job) buffer_printf(&line, " slurm_job=%s slurm_restart=%s", job, restart ? restart : "0");
    if (resume_step >= 0) buffer_printf(&line, " resumed_after_step=%" PRId64, resume_step);
    buffer_printf(&line, " before=%s layout=\"%s\"\n",
                  died               ? "died"
                  : resume_step >= 0 ? "closed"
                                     : "none",
                  r->info.layout ? r->info.layout : "");
    int fd = open_append(r->dir, "launches.txt");
    int rc = fd < 0 ? -1 : run_append(fd, "launches.txt", line.data, line.size);
    if (fd >= 0) close(fd);
    buffer_free(&line);
    return rc;
}

static void own_info(RunFile *r, const RunInfo *info)
{
    r->info = *info;
    r->info.config_text = mem_text(info->config_text ? info->config_text : "");
    r->info.version_text = mem_text(info->version_text ? info->version_text : "");
    r->info.layout = mem_text(info->layout ? info->layout : "");
    r->info.reward_files = json_incref(info->reward_files);
    r->components = NEW(char *, info->n_components);
    for (int i = 0; i < info->n_components; i++) r->components[i] = mem_text(info->components[i]);
    r->info.components = (const char *const *)r->components;
}

static void run_free(RunFile *r)
{
    log_close(&r->previous);
    if (r->live >= 0) close(r->live);
    if (r->metrics >= 0) close(r->metrics);
    for (int i = 0; r->components && i < r->info.n_components; i++) mem_free(r->components[i]);
    mem_free(r->components);
    mem_free((char *)r->info.config_text);
    mem_free((char *)r->info.version_text);
    mem_free((char *)r->info.layout);
    json_decref(r->info.reward_files);
    mem_free(r->dir);
    mem_free(r);
}

static int start(RunFile *r, RunInfo *info, int64_t resume_step, bool died)
{
    bool resume = resume_step >= 0;
    if (settle_run_id(r->dir, info, resume)) return -1;
    own_info(r, info);
    if (resume && cut_metrics(r->dir, resume_step, info->resume_sft_step)) return -1;
    if (run_groups_open(r, resume_step) || note_launch(r, resume_step, died)) return -1;
    r->metrics = open_append(r->dir, "metrics.jsonl");
    return r->metrics < 0 ? -1 : run_info_write(r, resume ? resume_step : 0);
}

RunFile *runfile_open(const char *dir, RunInfo *info, int64_t resume_step)
{
    bool died = false;
    if (make_folder(dir)) return NULL;
    if (resume_step < 0 && holds_run(dir)) {
        fail("%s already holds a run: continue it with --resume, or choose another run.name", dir);
        return NULL;
    }
    RunFile *r = NEW(RunFile, 1);
    r->live = r->metrics = r->previous.fd = -1;
    r->dir = mem_text(dir);
    random_hex(r->launch, 16);
    r->lock = run_lock(dir, r->launch, &died);
    if (r->lock >= 0 && !start(r, info, resume_step, died)) return r;
    if (r->lock >= 0) run_unlock(r->lock);
    run_free(r);
    return NULL;
}

void runfile_close(RunFile *r)
{
    if (!r) return;
    run_unlock(r->lock);
    run_free(r);
}

/* ---- lines ----------------------------------------------------------------------------------- */

void runfile_add_metrics(RunFile *r, int64_t step, const json_t *metrics)
{
    json_t *line = json_pack("{s:I}", "step", (json_int_t)step);
    json_object_update_missing(line, (json_t *)metrics);
    char *text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);
    REQUIRE(text, "metrics of step %" PRId64 " are no JSON", step);
    Buffer b = {0};
    buffer_printf(&b, "%s\n", text);
    run_append(r->metrics, "metrics.jsonl", b.data, b.size);
    buffer_free(&b);
    free(text);
    json_decref(line);
}

int runfile_summary(RunFile *r, const json_t *summary)
{
    char *text = json_dumps(summary, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    REQUIRE(text, "the summary is no JSON");
    Buffer b = {0};
    buffer_printf(&b, "%s\n", text);
    int rc = run_write_text(r->dir, "summary.json", b.data, b.size);
    buffer_free(&b);
    free(text);
    return rc;
}

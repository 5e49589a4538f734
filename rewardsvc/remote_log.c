/* See remote_log.h. Entries are places of lines (file, offset, length), found through a hash table
 * over the key; SHA-256 is uniform, so its first bytes are the hash. */
#include "rewardsvc/remote_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/aside.h"
#include "common/errors.h"
#include "common/filemap.h"
#include "common/memory.h"
#include "rewardsvc/remote_log_line.h"

enum { MOST_SOURCES = 1024, FIRST_SLOTS = 256 };

typedef struct {
    RemoteKey key;
    int source; /* index into sources; OWN is what we append to */
    int64_t at; /* offset of the line */
    size_t n;   /* its bytes, without the newline; 0: the slot is empty */
} Entry;

enum { OWN = 0 };

typedef struct {
    char *path; /* NULL: the lines are in `memory` */
    int fd;
    int64_t size;
} Source;

struct RemoteLog {
    int n_sources;
    Source sources[MOST_SOURCES];
    Buffer memory;
    size_t n_entries, n_slots; /* n_slots a power of two, at most half full */
    Entry *slots;              /* [n_slots] */
    size_t *order;             /* [n_slots / 2] slots in the order of adding, for remote_log_save */
};

/* ---- the table ----------------------------------------------------------------------------- */

static size_t slot_of(const Entry *slots, size_t n_slots, const RemoteKey *key)
{
    size_t i;
    memcpy(&i, key->bytes, sizeof i);
    for (i &= n_slots - 1; slots[i].n && memcmp(&slots[i].key, key, sizeof *key);)
        i = (i + 1) & (n_slots - 1);
    return i;
}

static void table_grow(RemoteLog *log)
{
    size_t n = log->n_slots ? 2 * log->n_slots : FIRST_SLOTS;
    Entry *slots = NEW(Entry, n);
    size_t *order = NEW(size_t, n / 2);
    for (size_t i = 0; i < log->n_entries; i++) {
        const Entry *e = &log->slots[log->order[i]];
        order[i] = slot_of(slots, n, &e->key);
        slots[order[i]] = *e;
    }
    mem_free(log->slots);
    mem_free(log->order);
    log->slots = slots, log->order = order, log->n_slots = n;
}

static const Entry *table_find(const RemoteLog *log, const RemoteKey *key)
{
    const Entry *e = &log->slots[slot_of(log->slots, log->n_slots, key)];
    return e->n ? e : NULL;
}

static void table_add(RemoteLog *log, Entry e)
{
    if (table_find(log, &e.key)) return; /* the first answer counts */
    if (2 * (log->n_entries + 1) > log->n_slots) table_grow(log);
    size_t i = slot_of(log->slots, log->n_slots, &e.key);
    log->slots[i] = e;
    log->order[log->n_entries++] = i;
}

/* ---- files --------------------------------------------------------------------------------- */

/* The line of an entry; caller frees. */
static char *line_read(const RemoteLog *log, const Entry *e)
{
    const Source *s = &log->sources[e->source];
    if (!s->path) return mem_text_n(log->memory.data + e->at, e->n);
    char *line = mem_zeroed(e->n + 1, 1);
    for (size_t got = 0; got < e->n;) {
        ssize_t k = pread(s->fd, line + got, e->n - got, e->at + (int64_t)got);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0)
            die(EXIT_IO, "%s: an answer that was there cannot be read again: %s", s->path,
                k ? strerror(errno) : "the file is shorter");
        got += (size_t)k;
    }
    return line;
}

/* Enters the lines of data [n] (whole lines) as source `source`. */
static int lines_enter(RemoteLog *log, int source, const char *data, size_t n)
{
    const Source *s = &log->sources[source];
    long number = 0;
    for (size_t at = 0; at < n;) {
        size_t length = (size_t)((const char *)memchr(data + at, '\n', n - at) - (data + at));
        Entry e = {.source = source, .at = (int64_t)at, .n = length};
        number++;
        if (remote_line_key(data + at, length, &e.key))
            return fail("%s:%ld: %s", s->path, number, errors_last());
        table_add(log, e);
        at += length + 1;
    }
    return 0;
}

/* Bytes of data [n] up to the last newline. */
static size_t whole_lines(const char *data, size_t n)
{
    while (n && data[n - 1] != '\n') n--;
    return n;
}

static int source_read(RemoteLog *log, int source, bool cut)
{
    Source *s = &log->sources[source];
    FileMap m = {0};
    errors_quiet(1);
    int rc = filemap_open(&m, s->path);
    size_t whole = rc ? 0 : whole_lines((const char *)m.data, m.size);
    if (!rc) rc = lines_enter(log, source, (const char *)m.data, whole);
    errors_quiet(-1);
    bool torn = whole < m.size;
    filemap_close(&m);
    if (rc) return fail("answers of remote judges: %s", errors_last());
    if (cut && torn && ftruncate(s->fd, (off_t)whole))
        return fail("%s: a torn last line cannot be cut off: %s", s->path, strerror(errno));
    s->size = (int64_t)whole;
    return 0;
}

static int source_open(RemoteLog *log, const char *path, int flags)
{
    if (log->n_sources == MOST_SOURCES)
        return fail("%s: more than %d logs of answers", path, MOST_SOURCES);
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return fail("%s: %s", path, strerror(errno));
    log->sources[log->n_sources++] = (Source){.path = mem_text(path), .fd = fd};
    return source_read(log, log->n_sources - 1, flags & O_RDWR);
}

RemoteLog *remote_log_open(const char *path)
{
    RemoteLog *log = NEW(RemoteLog, 1);
    table_grow(log);
    if (!path) {
        log->sources[log->n_sources++] = (Source){.fd = -1};
    } else if (source_open(log, path, O_RDWR | O_CREAT | O_APPEND)) {
        remote_log_close(log);
        return NULL;
    }
    return log;
}

int remote_log_include(RemoteLog *log, const char *path)
{
    return source_open(log, path, O_RDONLY);
}

void remote_log_close(RemoteLog *log)
{
    if (!log) return;
    for (int i = 0; i < log->n_sources; i++) {
        if (log->sources[i].fd >= 0) close(log->sources[i].fd);
        mem_free(log->sources[i].path);
    }
    buffer_free(&log->memory);
    mem_free(log->slots);
    mem_free(log->order);
    mem_free(log);
}

/* ---- the store ----------------------------------------------------------------------------- */

bool remote_log_find(const RemoteLog *log, const RemoteKey *key, RemoteAnswer *a)
{
    *a = (RemoteAnswer){0};
    const Entry *e = table_find(log, key);
    if (!e) return false;
    char *line = line_read(log, e);
    if (remote_line_read(line, e->n, a))
        die(EXIT_IO, "%s: an answer that was read before is damaged now: %s",
            log->sources[e->source].path ? log->sources[e->source].path : "answers in memory",
            errors_last());
    a->from_log = true;
    mem_free(line);
    return true;
}

/* Appends a line [n], newline included, whole or not at all. */
static int own_append(RemoteLog *log, const char *line, size_t n)
{
    Source *s = &log->sources[OWN];
    if (!s->path) {
        buffer_add(&log->memory, line, n);
    } else {
        for (size_t done = 0; done < n;) {
            ssize_t k = write(s->fd, line + done, n - done);
            if (k < 0 && errno == EINTR) continue;
            if (k < 0) {
                fail("%s: an answer cannot be kept: %s", s->path, strerror(errno));
                if (ftruncate(s->fd, s->size)) fail("%s: %s", s->path, strerror(errno));
                return -1;
            }
            done += (size_t)k;
        }
    }
    s->size += (int64_t)n;
    return 0;
}

int remote_log_add(RemoteLog *log, const RemoteKey *key, const char *tag, const RemoteAnswer *a)
{
    if (table_find(log, key)) return 0;
    Buffer line = {0};
    remote_line_write(key, tag, a, &line);
    Entry e = {.key = *key, .source = OWN, .at = log->sources[OWN].size, .n = line.size};
    buffer_text(&line, "\n");
    int rc = own_append(log, line.data, line.size);
    if (!rc) table_add(log, e);
    buffer_free(&line);
    return rc;
}

int remote_log_sync(RemoteLog *log)
{
    const Source *s = &log->sources[OWN];
    if (s->path && fsync(s->fd)) return fail("%s: %s", s->path, strerror(errno));
    return 0;
}

int remote_log_save(const RemoteLog *log, const char *path)
{
    Aside out;
    if (aside_open(&out, path)) return -1;
    for (size_t i = 0; i < log->n_entries; i++) {
        const Entry *e = &log->slots[log->order[i]];
        char *line = line_read(log, e);
        aside_write(&out, line, e->n);
        aside_write(&out, "\n", 1);
        mem_free(line);
    }
    return aside_close(&out, true);
}

size_t remote_log_count(const RemoteLog *log)
{
    return log->n_entries;
}

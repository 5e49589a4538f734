/* See checkpoint_manifest.h. */
#include "common/checkpoint_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/sample.h"

static const char *const first_line = "troupe checkpoint 1";
enum { MOST_BYTES = 64 << 20, READ_BYTES = 4 << 20 };

void manifest_free(Manifest *m)
{
    for (int i = 0; i < m->n; i++) mem_free(m->files[i].entries);
    mem_free(m->files);
    *m = (Manifest){0};
}

void manifest_print(const Manifest *m, Buffer *out)
{
    buffer_printf(out, "%s\nrun %s\n", first_line, m->run_id);
    for (int i = 0; i < m->n; i++) {
        const ManifestFile *f = &m->files[i];
        buffer_printf(out, "file %s %" PRId64 " %08x\n", f->name, f->bytes, f->rest_crc);
        for (int k = 0; k < f->n; k++) {
            const ManifestEntry *e = &f->entries[k];
            buffer_printf(out, "entry %s %" PRId64 " %" PRId64 " %08x %d", e->text ? "text" : "f32",
                          e->offset, e->bytes, e->crc, e->n_dims);
            for (int d = 0; d < e->n_dims; d++) buffer_printf(out, " %" PRId64, e->dims[d]);
            buffer_printf(out, " %s\n", e->name);
        }
    }
    buffer_printf(out, "end %08x\n", crc32c(0, out->data, out->size));
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* The words of one line; a number that is none, or out of range, marks the line. */
typedef struct {
    char *rest;
    bool wrong;
} Words;

static const char *next_word(Words *w)
{
    char *word = strsep(&w->rest, " ");
    if (word && *word) return word;
    w->wrong = true;
    return "";
}

static int64_t next_number(Words *w, int64_t most)
{
    const char *word = next_word(w);
    char *end;
    errno = 0;
    long long v = strtoll(word, &end, 10);
    if (errno || end == word || *end || *word == '-' || *word == '+' || v > most) w->wrong = true;
    return w->wrong ? 0 : v;
}

static uint32_t next_crc(Words *w)
{
    const char *word = next_word(w);
    if (strlen(word) != 8 || strspn(word, "0123456789abcdef") != 8) w->wrong = true;
    return w->wrong ? 0 : (uint32_t)strtoul(word, NULL, 16);
}

static void next_name(Words *w, char *to, size_t size, const char *allowed)
{
    const char *word = next_word(w);
    size_t n = strlen(word);
    if (n >= size || strspn(word, allowed) != n || word[0] == '.' || word[0] == '/')
        w->wrong = true;
    snprintf(to, size, "%s", w->wrong ? "" : word);
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static void parse_file(Manifest *m, Words *w)
{
    m->files = mem_resize(m->files, (size_t)m->n, (size_t)m->n + 1, sizeof *m->files);
    ManifestFile *f = &m->files[m->n++];
    *f = (ManifestFile){0};
    next_name(w, f->name, sizeof f->name, LETTERS "-.");
    f->bytes = next_number(w, INT64_MAX);
    f->rest_crc = next_crc(w);
    for (int i = 0; i + 1 < m->n; i++) w->wrong |= !strcmp(m->files[i].name, f->name);
}

static void parse_entry(Manifest *m, Words *w)
{
    ManifestFile *f = m->n ? &m->files[m->n - 1] : NULL;
    ManifestEntry e = {0};
    const char *type = next_word(w);
    e.text = !strcmp(type, "text");
    if (!f || (!e.text && strcmp(type, "f32"))) w->wrong = true;
    e.offset = next_number(w, INT64_MAX / 2);
    e.bytes = next_number(w, INT64_MAX / 2);
    e.crc = next_crc(w);
    e.n_dims = (int)next_number(w, e.text ? 0 : 4);
    int64_t bytes = e.text ? e.bytes : 4;
    for (int i = 0; i < e.n_dims; i++) {
        e.dims[i] = next_number(w, INT64_MAX);
        if (!e.dims[i] || __builtin_mul_overflow(bytes, e.dims[i], &bytes)) w->wrong = true;
    }
    next_name(w, e.name, sizeof e.name, LETTERS "-._/");
    if (w->wrong || bytes != e.bytes || e.offset + e.bytes > f->bytes) {
        w->wrong = true;
        return;
    }
    if (f->n && e.offset < f->entries[f->n - 1].offset + f->entries[f->n - 1].bytes)
        w->wrong = true;
    if ((f->n & (f->n - 1)) == 0) /* at powers of two */
        f->entries = mem_resize(f->entries, (size_t)f->n, f->n ? 2 * (size_t)f->n : 1, sizeof e);
    f->entries[f->n++] = e;
}

static int parse_line(Manifest *m, char *line)
{
    Words w = {.rest = line};
    const char *kind = next_word(&w);
    if (!strcmp(kind, "run"))
        next_name(&w, m->run_id, sizeof m->run_id, LETTERS);
    else if (!strcmp(kind, "file"))
        parse_file(m, &w);
    else if (!strcmp(kind, "entry"))
        parse_entry(m, &w);
    else
        w.wrong = true;
    return w.wrong || w.rest ? -1 : 0;
}

/* The last line is "end CRC": the CRC of all before it. Its place, or NULL. */
static const char *end_line(const char *text, size_t size)
{
    const size_t n = strlen("end 01234567\n");
    if (size < n || memcmp(text + size - n, "end ", 4) || text[size - 1] != '\n') return NULL;
    return text + size - n;
}

int manifest_parse(Manifest *m, const char *path, const char *text, size_t size)
{
    *m = (Manifest){0};
    const char *end = end_line(text, size);
    if (!end || memchr(text, 0, size))
        return fail("%s: MANIFEST is cut short or not one of ours", path);
    size_t n = (size_t)(end - text);
    char crc[9];
    snprintf(crc, sizeof crc, "%08x", crc32c(0, text, n));
    if (memcmp(end + 4, crc, 8))
        return fail("%s: MANIFEST is damaged: its CRC32C does not fit", path);
    char *copy = mem_text_n(text, n), *rest = copy;
    int rc = 0, line = 0;
    for (char *at; !rc && (at = strsep(&rest, "\n")) && (*at || rest); line++) {
        if (line ? parse_line(m, at) : strcmp(at, first_line))
            rc = fail("%s: MANIFEST, line %d cannot be (another version of Troupe?)", path,
                      line + 1);
    }
    mem_free(copy);
    if (!rc && !m->n) rc = fail("%s: MANIFEST names no files", path);
    if (rc) manifest_free(m);
    return rc;
}

int manifest_read(Manifest *m, const char *path)
{
    *m = (Manifest){0};
    Buffer text = {0};
    char *file = mem_printf("%s/MANIFEST", path);
    int rc = file_read(file, MOST_BYTES, &text);
    mem_free(file);
    if (rc) return -1;
    rc = manifest_parse(m, path, text.data ? text.data : "", text.size);
    buffer_free(&text);
    return rc;
}

/* ---- data ------------------------------------------------------------------------------------ */

static int open_file(const char *path, const ManifestFile *f)
{
    char *name = mem_printf("%s/%s", path, f->name);
    struct stat st;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        fail("%s: %s", name, strerror(errno));
    } else if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != f->bytes) {
        fail("%s: has %lld bytes, MANIFEST says %" PRId64, name, (long long)st.st_size, f->bytes);
        close(fd);
        fd = -1;
    }
    mem_free(name);
    return fd;
}

static int read_at(int fd, char *to, size_t n, int64_t offset)
{
    while (n) {
        ssize_t got = pread(fd, to, n, offset);
        if (got < 0 && errno == EINTR) continue;
        if (!got) errno = EIO; /* shorter than a moment ago */
        if (got <= 0) return -1;
        to += got, n -= (size_t)got, offset += got;
    }
    return 0;
}

int crc_of_range(int fd, int64_t offset, int64_t n, uint32_t *crc)
{
    char *part = mem_zeroed(n < READ_BYTES ? (size_t)n : READ_BYTES, 1);
    int rc = 0;
    while (n && !rc) {
        size_t size = n < READ_BYTES ? (size_t)n : READ_BYTES;
        rc = read_at(fd, part, size, offset);
        if (!rc) *crc = crc32c(*crc, part, size);
        offset += (int64_t)size, n -= (int64_t)size;
    }
    mem_free(part);
    return rc;
}

static int check_data(int fd, const char *path, const ManifestFile *f)
{
    uint32_t rest = 0;
    int64_t at = 0;
    for (int i = 0; i <= f->n; i++) {
        const ManifestEntry *e = i < f->n ? &f->entries[i] : NULL;
        uint32_t crc = 0;
        if (crc_of_range(fd, at, (e ? e->offset : f->bytes) - at, &rest) ||
            (e && crc_of_range(fd, e->offset, e->bytes, &crc)))
            return fail("%s/%s: cannot be read: %s", path, f->name, strerror(errno));
        if (e && crc != e->crc)
            return fail("%s/%s: %s is damaged: CRC32C %08x, MANIFEST says %08x", path, f->name,
                        e->name, crc, e->crc);
        if (e) at = e->offset + e->bytes;
    }
    if (rest != f->rest_crc)
        return fail("%s/%s: damaged outside its arrays: CRC32C %08x, MANIFEST says %08x", path,
                    f->name, rest, f->rest_crc);
    return 0;
}

int manifest_check(const Manifest *m, const char *path, bool data)
{
    for (int i = 0; i < m->n; i++) {
        int fd = open_file(path, &m->files[i]);
        if (fd < 0) return -1;
        int rc = data ? check_data(fd, path, &m->files[i]) : 0;
        close(fd);
        if (rc) return -1;
    }
    return 0;
}

const ManifestEntry *manifest_find(const Manifest *m, const char *name, const ManifestFile **file)
{
    for (int i = 0; i < m->n; i++) {
        *file = &m->files[i];
        for (int k = 0; k < (*file)->n; k++)
            if (!strcmp((*file)->entries[k].name, name)) return &(*file)->entries[k];
    }
    return NULL;
}

int manifest_read_entry(const char *path, const ManifestFile *f, const ManifestEntry *e, void *to)
{
    int fd = open_file(path, f);
    if (fd < 0) return -1;
    int rc = 0;
    uint32_t crc = 0;
    for (int64_t at = 0; at < e->bytes && !rc; at += READ_BYTES) {
        size_t n = e->bytes - at < READ_BYTES ? (size_t)(e->bytes - at) : READ_BYTES;
        rc = read_at(fd, (char *)to + at, n, e->offset + at);
        if (!rc) crc = crc32c(crc, (char *)to + at, n);
    }
    close(fd);
    if (rc) return fail("%s/%s: %s cannot be read: %s", path, f->name, e->name, strerror(errno));
    if (crc != e->crc)
        return fail("%s/%s: %s is damaged: CRC32C %08x, MANIFEST says %08x", path, f->name, e->name,
                    crc, e->crc);
    return 0;
}

/* See runfile_log.h. */
#include "common/runfile_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"

static const uint32_t frame_magic = 0x676f6c54u; /* "Tlog" */
static const uint64_t most_bytes = (uint64_t)1 << 30;

static uint32_t frame_crc(LogFrame f, const void *body)
{
    f.crc = 0;
    return crc32c(crc32c(0, &f, sizeof f), body, (size_t)f.bytes);
}

int log_append(int fd, int64_t step, const Group *g)
{
    LogFrame f = {.magic = frame_magic, .kind = (uint32_t)g->kind, .step = step};
    Buffer b = {0};
    buffer_add(&b, &f, sizeof f);
    group_pack(g, &b);
    f.bytes = b.size - sizeof f;
    f.crc = frame_crc(f, b.data + sizeof f);
    memcpy(b.data, &f, sizeof f);
    off_t before = lseek(fd, 0, SEEK_END);
    ssize_t put;
    do put = write(fd, b.data, b.size);
    while (put < 0 && errno == EINTR);
    int rc = put == (ssize_t)b.size ? 0
                                    : fail("live.log: a group cannot be kept: %s",
                                           put < 0 ? strerror(errno) : "disk full");
    if (rc && put > 0 && ftruncate(fd, before))
        fail("live.log: a torn frame stays: %s", strerror(errno));
    buffer_free(&b);
    return rc;
}

int log_open(LogReader *r, const char *path)
{
    struct stat st;
    *r = (LogReader){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (r->fd < 0) return errno == ENOENT ? 0 : fail("%s: %s", path, strerror(errno));
    if (fstat(r->fd, &st) || !S_ISREG(st.st_mode)) {
        log_close(r);
        return fail("%s: not a regular file", path);
    }
    r->size = st.st_size;
    return 0;
}

void log_close(LogReader *r)
{
    if (r->fd >= 0) close(r->fd);
    r->fd = -1;
    r->size = 0;
}

static bool read_all(int fd, void *to, size_t n, int64_t at)
{
    for (char *p = to; n;) {
        ssize_t got = pread(fd, p, n, at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        p += got, n -= (size_t)got, at += got;
    }
    return true;
}

bool log_next(LogReader *r, int64_t *step, Group *g)
{
    LogFrame f;
    *g = (Group){0};
    int64_t left = r->size - r->at - (int64_t)sizeof f;
    if (r->fd < 0 || left < 0 || !read_all(r->fd, &f, sizeof f, r->at)) return false;
    if (f.magic != frame_magic || f.bytes > most_bytes || f.bytes > (uint64_t)left) return false;
    char *body = mem_zeroed((size_t)f.bytes, 1);
    errors_quiet(1);
    bool good = read_all(r->fd, body, (size_t)f.bytes, r->at + (int64_t)sizeof f) &&
                frame_crc(f, body) == f.crc && !group_unpack(g, body, (size_t)f.bytes);
    errors_quiet(-1);
    mem_free(body);
    *step = f.step;
    r->at += (int64_t)(sizeof f + f.bytes);
    return good;
}

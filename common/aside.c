/* See aside.h. */
#include "common/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/memory.h"

enum { ASIDE_BUFFER = 1 << 18 };

int aside_open(Aside *a, const char *path)
{
    *a = (Aside){.fd = -1};
    char *temporary = mem_printf("%s.tmp-%ld", path, (long)getpid());
    unlink(temporary); /* of a dead process that had our number */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        fail("%s: cannot create: %s", temporary, strerror(errno));
        mem_free(temporary);
        return -1;
    }
    a->fd = fd;
    a->path = mem_text(path);
    a->temporary = temporary;
    a->waiting = NEW(char, ASIDE_BUFFER);
    return 0;
}

static void put(Aside *a, const char *p, size_t n)
{
    while (n && !a->bad) {
        ssize_t done = write(a->fd, p, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) {
            fail("%s: write failed: %s", a->path, strerror(errno));
            a->bad = true;
            return;
        }
        p += done;
        n -= (size_t)done;
    }
}

static void flush(Aside *a)
{
    put(a, a->waiting, a->n_waiting);
    a->n_waiting = 0;
}

void aside_write(Aside *a, const void *data, size_t n)
{
    if (n > ASIDE_BUFFER - a->n_waiting) flush(a);
    if (n > ASIDE_BUFFER) {
        put(a, data, n);
    } else if (n) {
        memcpy(a->waiting + a->n_waiting, data, n);
        a->n_waiting += n;
    }
    a->written += n;
}

/* The rename itself must reach the disk too. Some file systems cannot fsync a folder: they say
 * EINVAL, and there is nothing to be done. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash ? mem_text_n(path, slash == path ? 1 : (size_t)(slash - path)) : mem_text(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    mem_free(folder);
}

int aside_close(Aside *a, bool commit)
{
    if (a->fd < 0) return -1;
    if (commit) flush(a);
    commit = commit && !a->bad;
    int rc = -1;
    if (commit && fsync(a->fd)) {
        fail("%s: fsync failed: %s", a->path, strerror(errno));
        commit = false;
    }
    if (close(a->fd) && commit) {
        fail("%s: close failed: %s", a->path, strerror(errno));
        commit = false;
    }
    if (commit && rename(a->temporary, a->path))
        fail("%s: cannot be put in its place: %s", a->path, strerror(errno));
    else if (commit)
        rc = 0;
    if (rc)
        unlink(a->temporary);
    else
        sync_folder(a->path);
    mem_free(a->path);
    mem_free(a->temporary);
    mem_free(a->waiting);
    *a = (Aside){.fd = -1};
    return rc;
}

int aside_put(const char *path, const void *data, size_t n)
{
    Aside a;
    if (aside_open(&a, path)) return -1;
    aside_write(&a, data, n);
    return aside_close(&a, true);
}

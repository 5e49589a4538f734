/* See filemap.h. */
#include "common/filemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"

int filemap_open(FileMap *m, const char *path)
{
    *m = (FileMap){0};
    int rc = -1, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not block us */
    struct stat st;
    if (fd < 0) return fail("%s: %s", path, strerror(errno));
    if (fstat(fd, &st)) {
        fail("%s: %s", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(st.st_mode)) {
        fail("%s: not a regular file", path);
        goto done;
    }
    if (st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            fail("%s: cannot map %lld bytes: %s", path, (long long)st.st_size, strerror(errno));
            goto done;
        }
        *m = (FileMap){p, (size_t)st.st_size};
    }
    rc = 0;
done:
    close(fd);
    return rc;
}

void filemap_close(FileMap *m)
{
    if (m->data) munmap((void *)m->data, m->size);
    *m = (FileMap){0};
}

const char *printable_text(char out[64], const char *text, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n && used < 56; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c < 0x7f) {
            out[used++] = (char)c;
        } else {
            used += (size_t)snprintf(out + used, 5, "\\x%02x", c);
        }
        if (used >= 56 && i + 1 < n) used += (size_t)snprintf(out + used, 4, "...");
    }
    out[used] = 0;
    return out;
}

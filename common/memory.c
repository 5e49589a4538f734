/* See memory.h. */
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"

void *mem_zeroed(size_t count, size_t size)
{
    size_t bytes;
    REQUIRE(!__builtin_mul_overflow(count, size, &bytes), "%zu x %zu bytes", count, size);
    bytes = (bytes + 63) & ~(size_t)63;
    if (!bytes) bytes = 64;
    void *p = aligned_alloc(64, bytes);
    if (!p) die(EXIT_UNABLE, "out of memory: %zu MB more were needed", bytes >> 20);
    return memset(p, 0, bytes);
}

void *mem_resize(void *p, size_t old_count, size_t new_count, size_t size)
{
    void *q = mem_zeroed(new_count, size);
    if (p) memcpy(q, p, (old_count < new_count ? old_count : new_count) * size);
    mem_free(p);
    return q;
}

void mem_free(void *p)
{
    free(p);
}

void mem_lend(void *p, size_t bytes)
{
    char *at = p;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), lead = (page - (uintptr_t)at % page) % page;
    if (bytes < lead + page) return;
    madvise(at + lead, (bytes - lead) / page * page, MADV_DONTNEED); /* refused: they stay */
}

char *mem_text_n(const char *s, size_t n)
{
    char *p = mem_zeroed(n + 1, 1);
    memcpy(p, s, n);
    p[n] = 0;
    return p;
}

char *mem_text(const char *s)
{
    return s ? mem_text_n(s, strlen(s)) : NULL;
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    REQUIRE(n >= 0, "bad format %s", fmt);
    char *p = mem_zeroed((size_t)n + 1, 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

static void reserve(Buffer *b, size_t extra)
{
    size_t need = b->size + extra + 1;
    REQUIRE(need > b->size, "buffer of %zu + %zu bytes", b->size, extra);
    if (need <= b->capacity) return;
    size_t capacity = need < 2 * b->capacity ? 2 * b->capacity : need + 64;
    b->data = mem_resize(b->data, b->size, capacity, 1);
    b->capacity = capacity;
}

void buffer_add(Buffer *b, const void *bytes, size_t n)
{
    reserve(b, n);
    if (n) memcpy(b->data + b->size, bytes, n);
    b->size += n;
    b->data[b->size] = 0;
}

void buffer_text(Buffer *b, const char *s)
{
    buffer_add(b, s, strlen(s));
}

void buffer_printf(Buffer *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    REQUIRE(n >= 0, "bad format %s", fmt);
    reserve(b, (size_t)n);
    va_start(ap, fmt);
    vsnprintf(b->data + b->size, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->size += (size_t)n;
}

void buffer_free(Buffer *b)
{
    mem_free(b->data);
    *b = (Buffer){0};
}

int file_read(const char *path, size_t limit, Buffer *out)
{
    int rc = -1, fd = open(path, O_RDONLY | O_CLOEXEC);
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
    if ((size_t)st.st_size > limit) {
        fail("%s: %lld bytes, the limit is %zu", path, (long long)st.st_size, limit);
        goto done;
    }
    reserve(out, (size_t)st.st_size);
    for (;;) {
        if (out->size + 1 >= out->capacity) reserve(out, 4096);
        ssize_t n = read(fd, out->data + out->size, out->capacity - out->size - 1);
        if (n < 0) {
            if (errno == EINTR) continue;
            fail("%s: %s", path, strerror(errno));
            goto done;
        }
        out->size += (size_t)n;
        out->data[out->size] = 0;
        if (!n) break;
        if (out->size > limit) {
            fail("%s: grew past the limit of %zu bytes", path, limit);
            goto done;
        }
    }
    rc = 0;
done:
    close(fd);
    if (rc) buffer_free(out);
    return rc;
}

size_t memory_peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (size_t)usage.ru_maxrss << 10;
}

/* See h5_memory.h. */
#include "common/h5_memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/memory.h"

typedef struct {
    H5FD_t pub; /* HDF5's part, first */
    haddr_t eoa, eof;
    char **pages;
    size_t n;
    H5Memory *heir; /* gets the pages at close */
} MemoryFile;

/* HDF5 first tries to open without creating, to see whether the file exists: it does not. */
static H5FD_t *memory_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    (void)name, (void)access, (void)most;
    if (!(flags & H5F_ACC_CREAT)) return NULL;
    MemoryFile *f = NEW(MemoryFile, 1);
    return &f->pub;
}

static herr_t memory_close(H5FD_t *file)
{
    MemoryFile *f = (MemoryFile *)file;
    H5Memory m = {.pages = f->pages, .n = f->n, .bytes = (int64_t)f->eoa};
    if (f->heir)
        *f->heir = m;
    else
        h5_memory_free(&m);
    mem_free(f);
    return 0;
}

static int memory_cmp(const H5FD_t *a, const H5FD_t *b)
{
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

static herr_t memory_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    if (flags)
        *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
                 H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t memory_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const MemoryFile *)file)->eoa;
}

static herr_t memory_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t eoa)
{
    (void)type;
    ((MemoryFile *)file)->eoa = eoa;
    return 0;
}

static haddr_t memory_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const MemoryFile *)file)->eof;
}

static herr_t memory_get_handle(H5FD_t *file, hid_t access, void **handle)
{
    (void)access;
    *handle = file;
    return 0;
}

static char *page_at(MemoryFile *f, haddr_t at)
{
    size_t i = (size_t)(at / H5_MEMORY_PAGE);
    if (i >= f->n) {
        f->pages = mem_resize(f->pages, f->n, i + 1, sizeof *f->pages);
        f->n = i + 1;
    }
    if (!f->pages[i]) f->pages[i] = mem_zeroed(H5_MEMORY_PAGE, 1);
    return f->pages[i] + at % H5_MEMORY_PAGE;
}

static size_t left_in_page(haddr_t at, size_t n)
{
    size_t left = H5_MEMORY_PAGE - (size_t)(at % H5_MEMORY_PAGE);
    return n < left ? n : left;
}

static herr_t memory_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n,
                          void *to)
{
    (void)type, (void)transfer;
    char *p = to;
    for (size_t part; n; n -= part, p += part, at += part) {
        part = left_in_page(at, n);
        memcpy(p, page_at((MemoryFile *)file, at), part);
    }
    return 0;
}

static herr_t memory_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n,
                           const void *from)
{
    (void)type, (void)transfer;
    MemoryFile *f = (MemoryFile *)file;
    const char *p = from;
    if (at + n > f->eof) f->eof = at + n;
    for (size_t part; n; n -= part, p += part, at += part) {
        part = left_in_page(at, n);
        memcpy(page_at(f, at), p, part);
    }
    return 0;
}

static herr_t memory_truncate(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    (void)transfer, (void)closing;
    MemoryFile *f = (MemoryFile *)file;
    f->eof = f->eoa;
    return 0;
}

hid_t h5_memory_driver(void)
{
    static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION /* from HDF5 1.14 on */
        .version = H5FD_CLASS_VERSION,
        .value = (H5FD_class_value_t)511,
#endif
        .name = "troupe_memory",
        .maxaddr = (haddr_t)1 << 62,
        .fc_degree = H5F_CLOSE_STRONG,
        .open = memory_open,
        .close = memory_close,
        .cmp = memory_cmp,
        .query = memory_query,
        .get_eoa = memory_get_eoa,
        .set_eoa = memory_set_eoa,
        .get_eof = memory_get_eof,
        .get_handle = memory_get_handle,
        .read = memory_read,
        .write = memory_write,
        .truncate = memory_truncate,
        .fl_map = H5FD_FLMAP_DICHOTOMY,
    };
    static hid_t id = -1;
    if (id < 0) id = H5FDregister(&driver);
    REQUIRE(id >= 0, "HDF5 refuses the driver %s", driver.name);
    return id;
}

int h5_memory_close(hid_t file, H5Memory *m)
{
    void *handle = NULL;
    *m = (H5Memory){0};
    REQUIRE(H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0, "the file is not in memory");
    ((MemoryFile *)handle)->heir = m;
    return H5Fclose(file) < 0 ? -1 : 0;
}

int h5_memory_write(const H5Memory *m, int fd)
{
    if (ftruncate(fd, m->bytes)) return -1;
    for (size_t i = 0; i < m->n; i++) {
        int64_t at = (int64_t)i * H5_MEMORY_PAGE,
                end = at + H5_MEMORY_PAGE < m->bytes ? at + H5_MEMORY_PAGE : m->bytes;
        for (const char *p = m->pages[i]; p && at < end;) {
            ssize_t put = pwrite(fd, p, (size_t)(end - at), at);
            if (put < 0 && errno == EINTR) continue;
            if (!put) errno = ENOSPC;
            if (put <= 0) return -1;
            p += put, at += put;
        }
    }
    return 0;
}

void h5_memory_free(H5Memory *m)
{
    for (size_t i = 0; i < m->n; i++) mem_free(m->pages[i]);
    mem_free(m->pages);
    *m = (H5Memory){0};
}

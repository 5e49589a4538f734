#define _GNU_SOURCE /* fallocate */
/* See checkpoint_write.h. HDF5 lays out contiguous datasets whose space is allocated at once and
 * never filled, in a file of its structures alone (h5_memory.h); then these and the numbers, at the
 * datasets' offsets, are written by pwrite, the CRC computed on the way. So a full disk is an errno
 * of ours, and it is also the fastest way: one pass over memory, no copy.
 */
#include "common/checkpoint_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/h5.h"
#include "common/h5_memory.h"
#include "common/sample.h"

enum { WRITE_BYTES = 8 << 20 };

static hid_t place_dataset(hid_t file, const ManifestEntry *e, hid_t create, hid_t link)
{
    hsize_t dims[4];
    for (int i = 0; i < e->n_dims; i++) dims[i] = (hsize_t)e->dims[i];
    hid_t type = e->text ? h5_text_type((size_t)e->bytes) : H5Tcopy(H5T_IEEE_F32LE);
    hid_t space = e->n_dims ? H5Screate_simple(e->n_dims, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t set = H5Dcreate2(file, e->name, type, space, link, create, H5P_DEFAULT);
    H5Sclose(space);
    H5Tclose(type);
    return set;
}

static int place_all(hid_t file, const char *path, ManifestEntry *e, int n)
{
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
    int rc = 0;
    H5Pset_layout(create, H5D_CONTIGUOUS);
    H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);
    H5Pset_create_intermediate_group(link, 1);
    for (int i = 0; i < n && !rc; i++) {
        hid_t set = place_dataset(file, &e[i], create, link);
        haddr_t at = set < 0 ? HADDR_UNDEF : H5Dget_offset(set);
        if (at == HADDR_UNDEF) rc = h5_fail(path, e[i].name);
        e[i].offset = (int64_t)at;
        if (set >= 0) H5Dclose(set);
    }
    H5Pclose(link);
    H5Pclose(create);
    return rc;
}

static int lay_out(const char *path, ManifestEntry *e, int n, H5Memory *m)
{
    hid_t file = h5_create(path);
    *m = (H5Memory){0};
    if (file < 0) return -1;
    int rc = place_all(file, path, e, n);
    if (h5_memory_close(file, m) && !rc) rc = h5_fail(path, "cannot be closed");
    return rc;
}

static int write_at(int fd, const char *from, size_t n, int64_t offset)
{
    while (n) {
        ssize_t put = pwrite(fd, from, n, offset);
        if (put < 0 && errno == EINTR) continue;
        if (!put) errno = ENOSPC;
        if (put <= 0) return -1;
        from += put, n -= (size_t)put, offset += put;
    }
    return 0;
}

/* In parts that stay in the cache between the CRC and the copy into the page cache. */
static int write_entry(int fd, ManifestEntry *e, const char *data)
{
    e->crc = 0;
    for (int64_t at = 0; at < e->bytes; at += WRITE_BYTES) {
        size_t n = e->bytes - at < WRITE_BYTES ? (size_t)(e->bytes - at) : WRITE_BYTES;
        e->crc = crc32c(e->crc, data + at, n);
        if (write_at(fd, data + at, n, e->offset + at)) return -1;
    }
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const ManifestEntry *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int crc_of_rest(int fd, ManifestFile *f)
{
    int64_t at = 0;
    f->rest_crc = 0;
    for (int i = 0; i <= f->n; i++) {
        const ManifestEntry *e = i < f->n ? &f->entries[i] : NULL;
        REQUIRE(!e || e->offset >= at, "HDF5 placed %s over another array", e->name);
        if (crc_of_range(fd, at, (e ? e->offset : f->bytes) - at, &f->rest_crc)) return -1;
        if (e) at = e->offset + e->bytes;
    }
    return 0;
}

/* HDF5's structures first, then the arrays: a page of the former may reach into the latter. */
static int fill(const char *path, const H5Memory *m, const void *const *data, ManifestFile *f)
{
    int rc = -1, fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    f->bytes = m->bytes;
    if (fd < 0 || (fallocate(fd, 0, 0, f->bytes) && errno != EOPNOTSUPP && errno != ENOSYS))
        goto done;
    if (h5_memory_write(m, fd)) goto done;
    for (int i = 0; i < f->n; i++)
        if (write_entry(fd, &f->entries[i], data[i])) goto done;
    qsort(f->entries, (size_t)f->n, sizeof *f->entries, by_offset);
    if (crc_of_rest(fd, f) || fsync(fd)) goto done;
    rc = 0;
done:
    if (rc) fail("%s: cannot be written: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return rc;
}

int checkpoint_write_file(const char *folder, const char *name, const ManifestEntry *e,
                          const void *const *data, int n, ManifestFile *f)
{
    H5Memory m;
    char *path = mem_printf("%s/%s", folder, name);
    *f = (ManifestFile){.n = n, .entries = NEW(ManifestEntry, n)};
    memcpy(f->name, name, strlen(name));
    memcpy(f->entries, e, sizeof *e * (size_t)n);
    int rc = lay_out(path, f->entries, n, &m);
    if (!rc) rc = fill(path, &m, data, f);
    h5_memory_free(&m);
    mem_free(path);
    return rc;
}

int checkpoint_write_text(const char *path, const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    int rc = fd < 0 || write_at(fd, text, n, 0) || fsync(fd)
                 ? fail("%s: cannot be written: %s", path, strerror(errno))
                 : 0;
    if (fd >= 0) close(fd);
    return rc;
}

int folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) ? fail("%s: fsync: %s", path, strerror(errno)) : 0;
    if (fd >= 0) close(fd);
    return rc;
}

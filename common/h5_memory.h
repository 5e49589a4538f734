/* An HDF5 driver that keeps a file's written pages in memory, and nothing of what was only
 * allocated.
 *
 * HDF5 1.10 does not survive a failed write: the file stays open inside the library, and a later
 * create or the clean-up at exit crashes (seen with a full disk). So HDF5 never writes to a disk
 * here. It builds the file in memory, and we write that with calls whose errors we handle. A
 * dataset whose space is allocated but not written costs nothing: a checkpoint of gigabytes needs
 * some kilobytes.
 */
#ifndef COMMON_H5_MEMORY_H
#define COMMON_H5_MEMORY_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

enum { H5_MEMORY_PAGE = 1 << 16 };

/* What HDF5 wrote: page i holds bytes from i H5_MEMORY_PAGE on; NULL was never written. */
typedef struct {
    char **pages; /* [n] */
    size_t n;
    int64_t bytes; /* of the whole file */
} H5Memory;

hid_t h5_memory_driver(void);

/* Closes the file and hands over what it holds. -1: HDF5 could not (its error stack says why); *m
 * is then empty. */
int h5_memory_close(hid_t file, H5Memory *m);

/* Makes fd that long and writes the pages at their places; -1 with errno. */
int h5_memory_write(const H5Memory *m, int fd);

void h5_memory_free(H5Memory *m);

#endif

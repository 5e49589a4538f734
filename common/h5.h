/* Small helpers over HDF5's serial API: quiet, with reasons, one dataset a call. Used by checkpoint
 * and runfile, which alone know what the names mean. HDF5 prints nothing: every failure becomes the
 * text of a fail(). No file is ever opened for writing again.
 */
#ifndef COMMON_H5_H
#define COMMON_H5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A new file in the latest format (its metadata has checksums), in memory (h5_memory.h). < 0:
 * failed, the reason is said. */
hid_t h5_create(const char *path);
/* Closes it, writes it to path, which must not exist, and syncs it to disk. 0 or -1. `keep` false:
 * only frees it. */
int h5_close_written(hid_t file, const char *path, bool keep);

/* fail("path: doing: what HDF5 says"). */
int h5_fail(const char *path, const char *doing);

/* The type of a text of n >= 1 bytes, as h5py and h5dump show it. Caller closes. */
hid_t h5_text_type(size_t n);

/* Writes a dataset of n_dims sizes. packed: in chunks with shuffle, deflate and fletcher32, for
 * ragged data of run segments. Groups in the name are made. */
int h5_write(hid_t file, const char *path, const char *name, hid_t type, int n_dims,
             const hsize_t *dims, const void *data, bool packed);
int h5_write_text(hid_t file, const char *path, const char *name, const char *text);
/* texts [n], one after the other without separators, and their n + 1 offsets: datasets NAME (u8)
 * and NAME_offset (i64). */
int h5_write_texts(hid_t file, const char *path, const char *name, const char *const *texts,
                   size_t n);

/* Attributes of the file's root. */
int h5_note_int(hid_t file, const char *path, const char *name, int64_t value);
int h5_note_text(hid_t file, const char *path, const char *name, const char *text);

/* Reading a file that we wrote but do not trust: read only, and a dataset is refused unless it is a
 * plain one (hard link, stored in the file itself, no filter but shuffle, deflate, fletcher32), of
 * rank 1 or 2 (read flat) and of this class and width, and not longer than `most` numbers. Caller
 * frees *data. */
hid_t h5_open(const char *path);
int h5_read(hid_t file, const char *path, const char *name, hid_t type, size_t most, void **data,
            size_t *n);
bool h5_has(hid_t file, const char *name);
void h5_close(hid_t file);

#endif

/* Writing one file of a checkpoint: HDF5 lays the arrays out, we write their bytes. */
#ifndef COMMON_CHECKPOINT_WRITE_H
#define COMMON_CHECKPOINT_WRITE_H

#include "common/checkpoint_manifest.h"

/* Fills f: e[i] (name, text, dims, bytes are given) is placed, data[i] is written there, everything
 * is synced to disk; f->entries is sorted by offset. 0 or -1. */
int checkpoint_write_file(const char *folder, const char *name, const ManifestEntry *e,
                          const void *const *data, int n, ManifestFile *f);

/* A small file of text, synced. 0 or -1. */
int checkpoint_write_text(const char *path, const char *text, size_t n);

int folder_sync(const char *path);

#endif

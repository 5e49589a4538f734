/* The MANIFEST of a checkpoint: what lies where, with CRCs. Written last; nothing of a checkpoint
 * is believed that it does not vouch for.
 *
 *   troupe checkpoint 1
 *   run 5b2c...                          run id
 *   file shard-000.h5 BYTES CRC          CRC32C of all bytes outside the entries
 *   entry f32 OFFSET BYTES CRC N D0 D1 .. NAME     of the file above it, by offset
 *   file state.h5 ...
 *   entry text OFFSET BYTES CRC 0 NAME
 *   end CRC                              CRC32C of all lines above
 *
 * Loading does not ask HDF5: a file's numbers lie at the offsets that the manifest gives, every
 * byte is covered by a CRC, and so HDF5's links, external storage, filters and parser bugs have no
 * part in it. The files are HDF5 for everyone else's tools.
 */
#ifndef COMMON_CHECKPOINT_MANIFEST_H
#define COMMON_CHECKPOINT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/memory.h"

typedef struct {
    char name[128];
    bool text;
    int n_dims;
    int64_t dims[4];
    int64_t offset, bytes;
    uint32_t crc;
} ManifestEntry;

typedef struct {
    char name[32];
    int64_t bytes;
    uint32_t rest_crc;
    ManifestEntry *entries; /* [n] by offset, disjoint */
    int n;
} ManifestFile;

typedef struct {
    char run_id[40];
    ManifestFile *files; /* [n] */
    int n;
} Manifest;

void manifest_free(Manifest *m);
void manifest_print(const Manifest *m, Buffer *out);
/* Checks the CRC, every number and every name: 0 or -1 with the reason (`path` names the checkpoint
 * in it). */
int manifest_parse(Manifest *m, const char *path, const char *text, size_t size);
int manifest_read(Manifest *m, const char *path);

/* The files are there with their sizes; with `data`, every byte has its CRC. 0 or -1 with file and
 * reason. */
int manifest_check(const Manifest *m, const char *path, bool data);

const ManifestEntry *manifest_find(const Manifest *m, const char *name, const ManifestFile **file);

/* Reads an entry into `to` [bytes], its CRC checked on the way. */
int manifest_read_entry(const char *path, const ManifestFile *f, const ManifestEntry *e, void *to);

/* CRC32C of n bytes of fd from `offset` on, chained. */
int crc_of_range(int fd, int64_t offset, int64_t n, uint32_t *crc);

#endif

/* A file that is whole or absent: written under a temporary name beside its place, fsynced, then
 * renamed over it. */
#ifndef COMMON_ASIDE_H
#define COMMON_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *path, *temporary;
    int fd;           /* -1 when closed */
    bool bad;         /* a write failed: the reason was logged, later writes do nothing */
    uint64_t written; /* bytes, those that wait in the buffer included */
    char *waiting;    /* [until a write of its own] */
    size_t n_waiting;
} Aside;

/* 0, or -1 with the reason. After a success aside_close must be called once: commit puts the file
 * in its place, otherwise (or where a write failed) nothing is left behind and what was at path
 * stays. aside_close gives -1 if the file is not in its place although that was asked for. */
int aside_open(Aside *a, const char *path);
void aside_write(Aside *a, const void *data, size_t n);
int aside_close(Aside *a, bool commit);

/* All of it for a small file. */
int aside_put(const char *path, const void *data, size_t n);

#endif

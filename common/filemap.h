/* A whole regular file, mapped for reading: model files are read where they lie. */
#ifndef COMMON_FILEMAP_H
#define COMMON_FILEMAP_H

#include <stddef.h>

/* A file that another program cuts short while it is mapped ends the job (SIGBUS): model files are
 * not edited in place. */
typedef struct {
    const unsigned char *data; /* [size]; NULL if the file is empty */
    size_t size;
} FileMap;

/* 0, or -1 with the reason (missing, not a regular file). filemap_close accepts an empty map. */
int filemap_open(FileMap *m, const char *path);
void filemap_close(FileMap *m);

/* Text from a foreign file as it may stand in a message: control and non-ASCII bytes as \xNN, at
 * most 63 bytes. Returns out. */
const char *printable_text(char out[64], const char *text, size_t n);

#endif

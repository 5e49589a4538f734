/* malloc that dies instead of failing, with overflow-checked sizes; and a growing byte buffer. */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* All give zeroed memory except the resized part of mem_resize, aligned to 64 bytes; they die when
 * there is none. free with mem_free. */
void *mem_zeroed(size_t count, size_t size);
void *mem_resize(void *p, size_t old_count, size_t new_count, size_t size);
void mem_free(void *p);                    /* NULL is fine */
char *mem_text(const char *s);             /* a copy; NULL gives NULL */
char *mem_text_n(const char *s, size_t n); /* a copy of n bytes, NUL added */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define NEW(type, count) ((type *)mem_zeroed((size_t)(count), sizeof(type)))

/* A growing byte buffer. Empty is {0}. */
typedef struct {
    char *data; /* [size], always followed by a NUL once anything was added */
    size_t size, capacity;
} Buffer;

void buffer_add(Buffer *b, const void *bytes, size_t n);
void buffer_text(Buffer *b, const char *s);
void buffer_printf(Buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buffer_free(Buffer *b);

/* Gives the pages of a buffer back to the system until somebody writes there again; what it held is
 * lost. For parts of a process that take turns with large buffers; for less than MEM_LEND_LEAST it
 * is not worth the page faults. */
enum { MEM_LEND_LEAST = 64 << 20 };
void mem_lend(void *p, size_t bytes);

/* The most bytes that this process was resident with since it started. */
size_t memory_peak(void);

/* Reads a whole regular file of at most `limit` bytes; -1 with the reason (missing, not a regular
 * file, too large). Caller frees. */
int file_read(const char *path, size_t limit, Buffer *out);

#endif

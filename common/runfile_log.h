/* rollouts/live.log: the groups of the interval in progress, a frame each, append only, one
 * write(2) a frame. A torn tail ends the log.
 *
 *   frame = { u32 magic "Tlog", u32 kind of group, i64 step, u64 bytes of the body,
 *             u32 CRC32C of all (this field as 0), u32 0 }, body = group_pack's blob
 */
#ifndef COMMON_RUNFILE_LOG_H
#define COMMON_RUNFILE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/memory.h"
#include "common/sample.h"

typedef struct {
    uint32_t magic, kind;
    int64_t step;
    uint64_t bytes;
    uint32_t crc, zero;
} LogFrame;

typedef struct {
    int fd;
    int64_t at, size; /* where the next frame starts; of the file */
} LogReader;

/* Appends one frame at the file's end; on failure the file is cut back to what it was: -1 with the
 * reason. */
int log_append(int fd, int64_t step, const Group *g);

/* Opens for reading; a missing file is an empty log. -1: there, but not readable. */
int log_open(LogReader *r, const char *path);
void log_close(LogReader *r);

/* The next whole frame and its group: false at the end or at the first frame that is torn or
 * damaged. */
bool log_next(LogReader *r, int64_t *step, Group *g);

#endif

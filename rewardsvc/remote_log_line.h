/* One line of the log of remote answers: what remote_log.h shows, to and from RemoteAnswer. */
#ifndef REWARDSVC_REMOTE_LOG_LINE_H
#define REWARDSVC_REMOTE_LOG_LINE_H

#include "common/memory.h"
#include "rewardsvc/remote_log.h"

/* Appends the line, without its newline. Numbers come back with the same bits. */
void remote_line_write(const RemoteKey *key, const char *tag, const RemoteAnswer *a, Buffer *out);
/* Checks the CRC; 0 or -1 with the reason. */
int remote_line_key(const char *line, size_t n, RemoteKey *key);
/* All of it; *a is empty on failure. */
int remote_line_read(const char *line, size_t n, RemoteAnswer *a);

#endif

/* The log of what remote judges answered: a keyed store, request -> answer, as lines of JSON.
 *
 * design.md, promise 2: what depends on another program is an input of the run, logged before it is
 * used and read again on resume and replay. So remote_poll adds every outcome here, timeouts and
 * errors too, before it can be taken, and remote_ask looks here first.
 *
 * A line: {"crc": "8 hex digits", "key": "64", "tag": ..., "status": "ok", "choices": [...], ...};
 * crc is the CRC32C of what follows its comma. In memory there is an index only; texts are read
 * from the file (or, without a file, from the lines kept in memory). Of a key that comes twice the
 * first answer counts, for every reader.
 */
#ifndef REWARDSVC_REMOTE_LOG_H
#define REWARDSVC_REMOTE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rewardsvc/chat_remote.h"

/* SHA-256 of the request's body as sent (model, messages, every option) and its tag. The endpoint's
 * address is not part of it: a judge may move. */
typedef struct {
    uint8_t bytes[32];
} RemoteKey;

/* Opens (creates, 0640) the file and reads its index; a torn last line, what a kill leaves, is cut
 * off. NULL: kept in memory. NULL with the reason: not ours to write, or a line that is damaged. */
RemoteLog *remote_log_open(const char *path);
/* Adds another file, read only: a run that resumes with other ranks reads all their logs. 0 or -1.
 */
int remote_log_include(RemoteLog *log, const char *path);
void remote_log_close(RemoteLog *log); /* NULL is fine */

/* What the key was answered; the caller frees *a (ticket and context are 0). False: not known. */
bool remote_log_find(const RemoteLog *log, const RemoteKey *key, RemoteAnswer *a);
/* Appends, one write(2) a line; a key that is known is left as it is. -1 with the reason: disk
 * full. */
int remote_log_add(RemoteLog *log, const RemoteKey *key, const char *tag, const RemoteAnswer *a);
/* Makes what was added last through a power cut (fsync): for checkpoints. 0 or -1. */
int remote_log_sync(RemoteLog *log);
/* Writes all answers, those of included files too, to a new file (aside, then renamed). 0 or -1. */
int remote_log_save(const RemoteLog *log, const char *path);
size_t remote_log_count(const RemoteLog *log); /* different keys */

#endif

/* How the ranks spend their time: shares of work, waiting and talking since the step before, for
 * the live line and the metrics; rank 0 (comm_time). */
#ifndef LAUNCH_BUSY_H
#define LAUNCH_BUSY_H

#include <jansson.h>

#include "common/comm.h"

typedef struct {
    double working, waiting, talking; /* add up to 1 */
} BusyShare;

typedef struct {
    int n;
    CommTime *then;   /* [n] when the shares were last looked at */
    BusyShare *share; /* [n] since the look before that */
} Busy;

void busy_init(Busy *b, int n_ranks);
void busy_free(Busy *b);

/* Looks again. A rank whose last pulse is not news yet keeps its shares. */
void busy_update(Busy *b, const Comm *c);

BusyShare busy_share(CommTime from, CommTime to);
/* {"working": [..], "waiting": [..], "talking": [..]}, by rank. New reference. */
json_t *busy_json(const BusyShare *share, int n);
/* "busy 97 12 3 %", by rank, or of many "busy 3 to 97 %"; "" for one rank. */
void busy_text(const Busy *b, char *out, size_t size);

#endif

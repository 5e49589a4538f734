/* What the files of comm share; nobody else includes it.
 *
 *   comm.c            start, roles, groups to roles, stop
 *   comm_message.c    transfers: a header, then a body in pieces; what arrived
 *   comm_handshake.c  share, agree, close
 *   comm_weights.c    weights to dedicated actors
 *   comm_sum.c        the fixed tree over learners
 *   comm_pulse.c      who is alive, who is silent, who was asked to leave; the adaptive sleep
 */
#ifndef COMMON_COMM_INTERNAL_H
#define COMMON_COMM_INTERNAL_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/comm.h"

enum { PIECE_BYTES = 1 << 20, PIECES_OPEN = 8 };

typedef enum {
    KIND_GROUP,
    KIND_WEIGHTS,
    KIND_STATE, /* of the reward service, by step */
    KIND_SUM,   /* announces a sum: its length and name, so that learners out of step are named and
                   not mixed up */
    KIND_SHARE,
    KIND_AGREE,
    KIND_HELLO,
    KIND_PULSE,
    KIND_STOP,
    KIND_CLOSE,
    KIND_COUNT,
} Kind;

enum { TAG_HEADER = 1, TAG_BODY = 16 /* + kind */, TAG_SUM_UP = 64, TAG_SUM_DOWN = 65 };

/* Goes before every body; most messages are no more than this. */
typedef struct {
    uint32_t magic, kind;
    uint32_t role, flags;
    int64_t number;  /* version, work counter, exit code, count: by kind */
    uint64_t bytes;  /* of the body that follows */
    uint64_t memory; /* pulses: the sender's peak, bytes */
    CommTime time;   /* pulses: the sender's */
    uint32_t crc;    /* of the body; 0 where the body has its own */
    char what[40];
} Header;

/* A body, shared by the transfers that send it. */
typedef struct {
    int refs;
    size_t size, capacity;
    char *data;
} Blob;

/* A long stretch of memory on its way from or to one peer, in pieces, the oldest first. `limit` is
 * how many pieces may be started by now; with wrap > 0 only so many pieces have a place, which they
 * take in turn. */
typedef struct {
    MPI_Comm world;
    int peer, tag;
    bool sending;
    char *data;
    size_t bytes, n, limit, posted, done;
    size_t wrap;
    MPI_Request open[PIECES_OPEN];
} Pieces;

typedef struct Transfer Transfer;
struct Transfer {
    Transfer *next;
    int peer;
    bool sending, started;
    Header header;
    MPI_Request header_request;
    Blob *blob;
    Pieces body;
};

/* A message that is here whole. */
typedef struct Arrived Arrived;
struct Arrived {
    Arrived *next;
    int from;
    Header header;
    Blob *blob; /* NULL: no body */
};

typedef struct {
    double heard; /* on the listening clock */
    int64_t work;
    size_t memory;
    CommTime time;
    bool waiting, pulse_open;
    char what[40], host[40];
} Peer;

struct Comm {
    bool alone;
    MPI_Comm world;
    int rank, size;
    bool has_layout;
    double deadline_s;
    int first[ROLE_COUNT], count[ROLE_COUNT];

    /* messages */
    Transfer *out, *in; /* in order of starting */
    int n_out_data;     /* of out, pulses left out */
    Arrived *inbox;
    Header next_header;
    MPI_Request next_header_request;
    double moved_at; /* when a piece last went through */
    bool streaming;  /* inside a sum, whose streams are not in the lists */

    /* weights */
    Blob *borrowed, *spare;

    /* pulses */
    Peer *peers; /* [size] */
    double now, clock, pulsed_at, worked_at, opened_at;
    double waiting_s, talking_s; /* of this rank */
    int64_t work, job_work;
    bool paused, terminating;
    int leave_told, leave_asked; /* 0 no, 1 at the end of the step, 2 now */
    int sleep_us;
    char what[40];

    /* the end */
    bool stopping, closing, may_close;
    int stop_code, n_closing;
};

/* comm_message.c */
Blob *blob_new(Comm *c, size_t size);
void blob_release(Comm *c, Blob *b);
void pieces_init(Pieces *p, const Comm *c, int peer, int tag, bool sending, void *data,
                 size_t bytes);
bool pieces_move(Pieces *p); /* tests the oldest, starts more: whether anything moved */
void message_send(Comm *c, int to, const Header *h,
                  Blob *body); /* takes over one reference of body */
bool messages_move(Comm *c);
Arrived *message_take(Comm *c, Kind kind, int from,
                      int role); /* from, role < 0: any. NULL if none is here */
Arrived *message_wait(Comm *c, Kind kind, int from, const char *what);
void arrived_free(Comm *c, Arrived *a);
void messages_open(Comm *c);
void messages_close(Comm *c);
Header header_make(Kind kind, int64_t number, const char *what);

/* comm.c, comm_pulse.c: what to do with an arrival that is for them */
void stop_begin(Comm *c, int code);
void pulse_arrived(Comm *c, const Arrived *a);

/* comm_pulse.c */
void pulse_open(Comm *c);
void pulse_step(Comm *c); /* keeps clocks, sends pulses, ends the job when someone is silent */
void pulse_pause(Comm *c, const char *what); /* one adaptive sleep inside a wait */
void signals_open(void);
bool signals_terminated(void); /* SIGTERM came */
const char *peer_name(const Comm *c, int rank, char name[96]);

#endif

/* Who is who, and the messages between them. One MPI thread a rank; every wait is ours (poll and
 * sleep, so that an idle rank costs nothing), has a name and a deadline. Only point-to-point
 * messages.
 *
 *   message  from            to               payload               what ends the sender's wait
 *   GROUP    actor           reward service   a packed Group        none: buffered
 *   SCORED   reward service  slot's learner,  a packed Group        none: buffered
 *                            and rank 0
 *   WEIGHTS  learner         dedicated actor  version, wire, CRC    none: buffered
 *   STATE    reward 0,       rewards, and     step, a text          none: buffered
 *            or rank 0       rank 0
 *   PARTIAL  learner         learner          a slot's sum, pieces  the receiver, or the deadline
 *   SUMS     learner         learner          a few doubles         the receiver, or the deadline
 *   PULSE    any             rank 0, back     work counter, memory  none
 *   STOP     rank 0          all              exit code             none
 *
 * A rank hosts roles: dedicated (one), colocated worker (actor + learner), alone (all three). A
 * message to a role on the same rank goes through a local queue and costs no copy of MPI; stages do
 * not know the difference.
 */
#ifndef COMMON_COMM_H
#define COMMON_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sample.h"

typedef enum { ROLE_LEARNER, ROLE_ACTOR, ROLE_REWARD, ROLE_COUNT } Role;

/* Ranks: learners (or workers) first, then actors, then the reward service; rank 0 is learner 0 and
 * the only writer of run files. */
typedef struct Comm Comm;

typedef struct {
    int workers, actors, learners, rewardsvc; /* the layout block */
    double deadline_s;
} Layout;

/* MPI_Init (none when alone: a program started without mpirun), rank and size; sets errors' name
 * and abort hook. alone: never touches MPI. Collective over the world. */
Comm *comm_open(int *argc, char ***argv);
int comm_rank(const Comm *c);
int comm_size(const Comm *c);

/* Fixes the roles. 0 or -1: the ranks do not add up (says what would), learners do not divide
 * `slots` (a power of two). Same answer on every rank; rank 0 has said why. A world of one hosts
 * all roles, whatever the layout; with rewardsvc = 0 rank 0 hosts the reward service too. */
int comm_set_layout(Comm *c, const Layout *l, int slots);
bool comm_hosts(const Comm *c, Role r);
int comm_count(const Comm *c, Role r); /* ranks that host it */
int comm_index(const Comm *c,
               Role r); /* this rank's index within the role, -1 if it does not host it */
int comm_rank_of(const Comm *c, Role r, int index);

/* Broadcast of a blob from rank 0 in the opening handshake (config text, kernel set, resume step).
 * Collective; named deadline. */
void comm_share(Comm *c, void *data, size_t n, const char *what);
/* Rank 0 learns whether all ranks agree: 0 on all, or -1 on all, and rank 0 has printed which rank
 * differs. Collective. */
int comm_agree(Comm *c, uint32_t value, const char *what);
/* 0 if every rank's code is 0; otherwise, on all, the code of the lowest rank whose is not, and
 * *who is that rank, so that one of them speaks. Collective. */
int comm_first_failure(Comm *c, int code, const char *what, int *who);

/* Sends a packed group to a role's rank; returns at once, owns a copy. */
void comm_send_group(Comm *c, Role to, int index, const Group *g);
/* The next group that arrived for this rank's role: true and *g filled (caller frees), or false at
 * once. A blob that fails its CRC ends the job. */
bool comm_take_group(Comm *c, Role at, Group *g);

/* Weights to dedicated actors: in pieces of 1 MiB, in the background of comm_progress; the buffer
 * is copied. Call it on EVERY learner rank (learner l of n serves the actors a with a mod n = l;
 * where there is none it does nothing). */
void comm_send_weights(Comm *c, int64_t version, const void *wire, size_t n);
/* The next version that arrived here whole, none skipped and in the order of sending, or -1. *wire
 * is borrowed until the next call. Always -1 on a rank that hosts a learner. */
int64_t comm_take_weights(Comm *c, const void **wire, size_t n);

/* The reward service's state after `version` steps, to every reward rank (to = ROLE_REWARD) or to
 * rank 0 (ROLE_LEARNER), this rank included; the text is copied. Local: buffered. */
void comm_send_state(Comm *c, Role to, int64_t version, const char *text, size_t n);
/* The next that arrived for this rank's role: true, and *text is replaced. */
bool comm_take_state(Comm *c, Role at, int64_t *version, Buffer *text);

/* Sum over the learner ranks in the fixed tree: x [n] of learner i is the sum of its own slots; the
 * result is on all learner ranks, same bits for any number of them that divides the slots. In
 * pieces, so memory is a few MiB. 0, or -1: the run was stopped while other learners were waited
 * for, x is this rank's own still. Collective on the learner ranks; blocks, named deadline. */
int comm_sum_floats(Comm *c, float *x, size_t n, const char *what);
int comm_sum_doubles(Comm *c, double *x, int n, const char *what);

/* Moves messages, answers pulses, checks deadlines. Cheap (0.3 us; up to 10 ms while weights go
 * through): call it between units of work (a decode step, a group's backward), which must each be
 * shorter than the deadline. */
void comm_progress(Comm *c);
/* One adaptive sleep (50 us .. 1 ms) when no role had work; `what` names what is waited for. Ends
 * the job (76) when a rank has been silent past the deadline, or when no rank has worked or
 * received anything for that long. */
void comm_idle(Comm *c, const char *what);
/* Call after useful work: resets the adaptive sleep, counts. */
void comm_worked(Comm *c);

/* Rank 0: the run is over (or saved: EXIT_AGAIN). Groups that wait or arrive from then on are
 * dropped: nothing that is still to be judged or learnt from matters. Everyone's comm_stopped
 * becomes true with that code once what they were sending is sent. */
void comm_stop(Comm *c, int code);
bool comm_stopped(const Comm *c, int *code);
bool comm_stopping(
    const Comm *c); /* the same, but for what is still to be sent: begin nothing new */

/* The most bytes that a rank was resident with so far: this rank's own now, on rank 0 also the
 * others' at their last pulse (0 before the first, a second after the start). Local. */
size_t comm_peak_memory(const Comm *c, int rank);

/* How a rank has spent its time since comm_open: waiting (for others, or for something to do),
 * talking (moving messages); the rest is its work. Of this rank as it is now, on rank 0 also of the
 * others as their last pulse said. Local. */
typedef struct {
    double total_s, waiting_s, talking_s;
} CommTime;
CommTime comm_time(const Comm *c, int rank);

/* Closing handshake with the usual deadline, MPI_Finalize, frees c. Collective: after comm_stopped,
 * or when all ranks leave with an error they agree on. */
void comm_close(Comm *c);

/* Set by SIGUSR1 / SIGTERM on any rank (a flag only); rank 0 learns of it by pulse. True on rank 0
 * once anyone was asked to save and leave. After SIGTERM a rank that is silent for 3 s is lost: a
 * launcher ends the others of a dead rank that way, and little time is left in any case. */
bool comm_asked_to_leave(Comm *c);
/* The same for a second SIGUSR1, or SIGTERM: the step in progress is not to be waited for. */
bool comm_asked_to_leave_now(Comm *c);

#endif

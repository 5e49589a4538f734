/* Who is alive. Every rank tells rank 0 once a second that it lives, how much it has done and what
 * it waits for; rank 0 answers all with the work of the whole job. Two things end the job (76): a
 * rank that was silent past the deadline, and a job in which nobody has worked or received anything
 * for that long, which is how a lost message or a deadlock looks.
 *
 * Silence is counted on a clock of our own listening: a rank that did not listen for a minute (a
 * long computation, a suspended job) has not been listening to silence. One call adds at most a
 * quarter of the deadline.
 */
#include "common/clock.h"
#include "common/comm_internal.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/errors.h"

static double longest_silence(const Comm *c)
{
    const double when_terminating_s = 3;
    return c->terminating && c->deadline_s > when_terminating_s ? when_terminating_s
                                                                : c->deadline_s;
}

static double pulse_interval(const Comm *c)
{
    double s = longest_silence(c);
    return s < 4 ? s / 4 : 1;
}

void pulse_open(Comm *c)
{
    c->now = c->moved_at = c->opened_at = clock_seconds();
}

CommTime comm_time(const Comm *c, int rank)
{
    if (rank != c->rank) return c->peers[rank].time;
    return (CommTime){clock_seconds() - c->opened_at, c->waiting_s, c->talking_s};
}

/* ---- asked to leave -------------------------------------------------------------------------- */

static volatile sig_atomic_t leave_signal, terminated; /* the first as leave_asked */
static void on_leave_signal(int signal_number)
{
    if (signal_number == SIGTERM) terminated = 1;
    leave_signal = leave_signal || terminated ? 2 : 1;
}

void signals_open(void)
{
    struct sigaction action = {.sa_handler = on_leave_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ,
           SIG_IGN); /* a file past its limit is then an error of write, which is handled */
}

bool signals_terminated(void)
{
    return terminated;
}

bool comm_asked_to_leave(Comm *c)
{
    if (leave_signal > c->leave_asked) c->leave_asked = leave_signal;
    return c->leave_asked > 0;
}

bool comm_asked_to_leave_now(Comm *c)
{
    return comm_asked_to_leave(c) && c->leave_asked > 1;
}

/* ---- pulses ---------------------------------------------------------------------------------- */

enum { FLAG_LEAVE = 3 /* as leave_asked */, FLAG_WAITING = 4 };

static void pulse_send(Comm *c, int to, int64_t work)
{
    Peer *p = &c->peers[to];
    if (p->pulse_open) return; /* the last one is still on its way: the peer does not listen */
    Header h = header_make(KIND_PULSE, work, c->what);
    comm_asked_to_leave(c);
    h.memory = memory_peak();
    h.time = comm_time(c, c->rank);
    h.flags = (uint32_t)c->leave_asked | (c->paused ? FLAG_WAITING : 0u);
    p->pulse_open = true;
    message_send(c, to, &h, NULL);
}

size_t comm_peak_memory(const Comm *c, int rank)
{
    return rank == c->rank ? memory_peak() : c->peers[rank].memory;
}

static int64_t work_of_all(const Comm *c)
{
    int64_t sum = c->work;
    for (int r = 1; r < c->size; r++) sum += c->peers[r].work;
    return sum;
}

static void job_worked(Comm *c, int64_t work)
{
    if (work == c->job_work) return;
    c->job_work = work;
    c->worked_at = c->clock;
}

void pulse_arrived(Comm *c, const Arrived *a)
{
    Peer *p = &c->peers[a->from];
    p->heard = c->clock;
    if (a->header.kind == KIND_HELLO) {
        memcpy(p->host, a->header.what, sizeof p->host);
        return;
    }
    int asked = (int)(a->header.flags & FLAG_LEAVE);
    if (c->rank == 0 && asked > c->leave_asked) c->leave_asked = asked;
    p->waiting = a->header.flags & FLAG_WAITING;
    memcpy(p->what, a->header.what, sizeof p->what);
    p->work = a->header.number;
    p->memory = a->header.memory;
    p->time = a->header.time;
    if (a->from == 0) job_worked(c, p->work);
}

/* A whole interval without a pause is work too: a long unit between calls of comm_progress. */
static void pulses_send(Comm *c)
{
    if (!c->paused) c->work++;
    if (c->rank) {
        pulse_send(c, 0, c->work);
        c->leave_told = c->leave_asked;
    } else {
        job_worked(c, work_of_all(c));
        for (int r = 1; r < c->size; r++) pulse_send(c, r, c->job_work);
    }
    c->paused = false;
    c->pulsed_at = c->now;
}

/* ---- deadlines ------------------------------------------------------------------------------- */

static const char *said(const char *what)
{
    return *what ? what : "nothing yet";
}

static void refuse_silence(Comm *c)
{
    char name[96];
    double most = longest_silence(c); /* rank 0 knows more: it speaks first */
    double patience = c->rank ? most + 2 * pulse_interval(c) : most;
    int first = c->rank ? 0 : 1, last = c->rank ? 1 : c->size;
    for (int r = first; r < last; r++) {
        double silence = c->clock - c->peers[r].heard;
        if (silence > patience)
            die(EXIT_PEER,
                "%s has been silent for %.0f s (deadline %.0f s%s); it was last heard waiting for: "
                "%s",
                peer_name(c, r, name), silence, most, c->terminating ? " after SIGTERM" : "",
                said(c->peers[r].what));
    }
}

static void refuse_standstill(Comm *c)
{
    double stood = c->clock - c->worked_at;
    double patience =
        c->rank ? c->deadline_s + 4 * pulse_interval(c) : c->deadline_s + 2 * pulse_interval(c);
    if (stood <= patience || c->closing) return;
    Buffer text = {0};
    buffer_printf(&text,
                  "nothing has happened for %.0f s (deadline %.0f s): this rank waits for: %s",
                  stood, c->deadline_s, said(c->what));
    for (int r = 1; c->rank == 0 && r < c->size && r < 16; r++) {
        char name[96];
        buffer_printf(&text, "; %s: %s", peer_name(c, r, name), said(c->peers[r].what));
    }
    die(EXIT_PEER, "%s", text.data);
}

/* From now on silence counts more; what lies behind counts for nothing. */
static void begin_terminating(Comm *c)
{
    c->terminating = true;
    for (int r = 0; r < c->size; r++) c->peers[r].heard = c->clock;
}

void pulse_step(Comm *c)
{
    if (terminated && !c->terminating) begin_terminating(c);
    double now = clock_seconds(), gap = now - c->now, most = longest_silence(c) / 4;
    c->clock += gap < most ? gap : most;
    c->now = now;
    bool leave_news = leave_signal > c->leave_told && c->rank;
    if (now - c->pulsed_at < pulse_interval(c) && !leave_news) return;
    pulses_send(c);
    refuse_silence(c);
    refuse_standstill(c);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void note_wait(Comm *c, const char *what)
{
    c->paused = true;
    if (strncmp(c->what, what, sizeof c->what - 1)) snprintf(c->what, sizeof c->what, "%s", what);
}

/* While pieces go through, the next is expected at once: yield, do not sleep. Otherwise 50 us,
 * doubling to 1 ms: a waiting rank then costs below 2 % of a core, and a group takes seconds. */
static void nap(Comm *c)
{
    const double busy_s = 2e-3;
    const int least_us = 50, most_us = 1000;
    if ((c->in || c->out || c->streaming) && clock_seconds() - c->moved_at < busy_s) {
        sched_yield();
        return;
    }
    c->sleep_us = c->sleep_us ? 2 * c->sleep_us : least_us;
    if (c->sleep_us > most_us) c->sleep_us = most_us;
    struct timespec t = {.tv_nsec = 1000L * c->sleep_us};
    nanosleep(&t, NULL);
}

void pulse_pause(Comm *c, const char *what)
{
    note_wait(c, what);
    bool moved = messages_move(c);
    pulse_step(c);
    if (moved) {
        c->sleep_us = 0;
        return;
    }
    double began = clock_seconds();
    nap(c);
    c->waiting_s += clock_seconds() - began;
}

void comm_idle(Comm *c, const char *what)
{
    pulse_pause(c, what);
}

void comm_worked(Comm *c)
{
    c->sleep_us = 0;
    c->work++;
}

/* Shared-memory transfers advance only while both sides call MPI: as long as pieces go through,
 * keep at it for a moment. */
void comm_progress(Comm *c)
{
    const double recent_s = 3e-4, most_s = 1e-2;
    double start = 0;
    messages_move(c);
    pulse_step(c);
    while (c->in || c->out) {
        double now = clock_seconds();
        if (!start) start = now;
        if (now - c->moved_at > recent_s || now - start > most_s) return;
        messages_move(c);
    }
}

/* The opening handshake (rank 0 shares, all agree) and the closing one. Both are point to point
 * with the usual deadline: a rank that never comes is named by the pulses, where a collective would
 * hang for ever.
 */
#include "common/comm_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"

void comm_share(Comm *c, void *data, size_t n, const char *what)
{
    Header h = header_make(KIND_SHARE, (int64_t)n, what);
    if (c->rank == 0) {
        Blob *b = blob_new(c, n);
        memcpy(b->data, data, n);
        for (int r = 1; r < c->size; r++) {
            b->refs++;
            message_send(c, r, &h, b);
        }
        blob_release(c, b);
        messages_move(c);
        return;
    }
    Arrived *a = message_wait(c, KIND_SHARE, 0, what);
    REQUIRE(a->header.number == (int64_t)n && !strncmp(a->header.what, h.what, sizeof h.what),
            "rank 0 shares %s (%lld bytes), this rank expects %s (%zu)", a->header.what,
            (long long)a->header.number, what, n);
    if (n) memcpy(data, a->blob->data, n);
    arrived_free(c, a);
}

/* Rank 0: the value of rank r. */
static int64_t hear_value(Comm *c, int r, const char *what)
{
    Arrived *a = message_wait(c, KIND_AGREE, r, what);
    REQUIRE(!strncmp(a->header.what, what, sizeof a->header.what - 1),
            "rank %d speaks of %s, rank 0 of %s", r, a->header.what, what);
    int64_t value = a->header.number;
    arrived_free(c, a);
    return value;
}

static void tell_verdict(Comm *c, int64_t verdict, const char *what)
{
    Header h = header_make(KIND_AGREE, verdict, what);
    for (int r = 1; r < c->size; r++) message_send(c, r, &h, NULL);
    messages_move(c);
}

static int64_t ask_verdict(Comm *c, int64_t value, const char *what)
{
    Header h = header_make(KIND_AGREE, value, what);
    message_send(c, 0, &h, NULL);
    Arrived *a = message_wait(c, KIND_AGREE, 0, what);
    int64_t verdict = a->header.number;
    arrived_free(c, a);
    return verdict;
}

int comm_agree(Comm *c, uint32_t value, const char *what)
{
    if (c->rank) return (int)ask_verdict(c, value, what);
    int rc = 0;
    for (int r = 1; r < c->size; r++) {
        char name[96];
        int64_t other = hear_value(c, r, what);
        if (other != value)
            rc = fail("%s differs: %s has %08x, rank 0 has %08x", what, peer_name(c, r, name),
                      (unsigned)other, value);
    }
    tell_verdict(c, rc, what);
    return rc;
}

int comm_first_failure(Comm *c, int code, const char *what, int *who)
{
    int64_t verdict = 0; /* rank << 32 | code */
    if (c->rank) {
        verdict = ask_verdict(c, code, what);
    } else {
        verdict = code;
        for (int r = 1; r < c->size; r++) {
            int64_t other = hear_value(c, r, what);
            if (!verdict && other) verdict = (int64_t)r << 32 | other;
        }
        tell_verdict(c, verdict, what);
    }
    *who = (int)(verdict >> 32);
    return (int)(verdict & 0xffffffff);
}

/* ---- the end --------------------------------------------------------------------------------- */

static int code_at_end;
static void finalize_is_stuck(int signal_number)
{
    (void)signal_number;
    _exit(code_at_end);
}

/* MPI_Finalize waits for every rank and for connections; after a lost peer it has been seen to
 * hang, hence the alarm. */
static void finalize(Comm *c)
{
    code_at_end = c->stopping ? c->stop_code : 0;
    fflush(NULL);
    signal(SIGALRM, finalize_is_stuck);
    alarm(30);
    MPI_Comm_free(&c->world);
    MPI_Finalize();
    alarm(0);
    signal(SIGALRM, SIG_DFL);
}

/* Rank 0 hears of every rank that has nothing left to send, then tells all: until then everyone
 * keeps receiving. */
static void close_together(Comm *c)
{
    Header h = header_make(KIND_CLOSE, 0, "close");
    while (c->n_out_data) pulse_pause(c, "the last messages");
    if (c->rank) {
        message_send(c, 0, &h, NULL);
        while (!c->may_close || c->n_out_data) pulse_pause(c, "the end of the other ranks");
    } else {
        while (c->n_closing < c->size - 1) pulse_pause(c, "the end of the other ranks");
        for (int r = 1; r < c->size; r++) message_send(c, r, &h, NULL);
        while (c->out) {
            if (!messages_move(c)) usleep(50);
        }
    }
}

static void drop_outgoing(Comm *c)
{
    for (Transfer *t; (t = c->out);) {
        c->out = t->next;
        blob_release(c, t->blob);
        mem_free(t);
    }
}

void comm_close(Comm *c)
{
    c->closing = true;
    if (!c->alone) close_together(c);
    messages_close(c);
    errors_set_abort(NULL);
    if (!c->alone) finalize(c);
    drop_outgoing(c); /* a pulse that nobody waits for any more */
    blob_release(c, c->borrowed);
    if (c->spare) mem_free(c->spare->data);
    mem_free(c->spare);
    mem_free(c->peers);
    mem_free(c);
}

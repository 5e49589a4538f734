/* Transfers. A message is a header of 80 bytes and, for some kinds, a body in pieces of 1 MiB: the
 * header is always received by a posted MPI_Irecv from any source, the pieces by MPI_Irecv into
 * their final place, so that nothing here ever blocks on a peer that has stopped. Bodies of one
 * kind between two ranks go in the order of their headers; different kinds do not wait for each
 * other (a group passes weights).
 */
#include "common/clock.h"
#include "common/comm_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/errors.h"

static const uint32_t header_magic = 0x50727454u;

Header header_make(Kind kind, int64_t number, const char *what)
{
    Header h = {.magic = header_magic, .kind = kind, .number = number};
    snprintf(h.what, sizeof h.what, "%s", what ? what : "");
    return h;
}

/* ---- bodies ---------------------------------------------------------------------------------- */

/* The last blob of weights is kept as a spare: its pages are there already, and fresh ones cost
 * more than the copy. */
Blob *blob_new(Comm *c, size_t size)
{
    Blob *b = c->spare;
    if (b && b->capacity == size) {
        c->spare = NULL;
    } else {
        b = NEW(Blob, 1);
        b->data = mem_zeroed(size, 1);
        b->capacity = size;
    }
    b->refs = 1;
    b->size = size;
    return b;
}

void blob_release(Comm *c, Blob *b)
{
    if (!b || --b->refs > 0) return;
    if (b->capacity >= PIECE_BYTES && (!c->spare || c->spare->capacity < b->capacity)) {
        Blob *smaller = c->spare;
        c->spare = b;
        b = smaller;
        if (!b) return;
    }
    mem_free(b->data);
    mem_free(b);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

void pieces_init(Pieces *p, const Comm *c, int peer, int tag, bool sending, void *data,
                 size_t bytes)
{
    size_t n = (bytes + PIECE_BYTES - 1) / PIECE_BYTES;
    *p = (Pieces){.world = c->world,
                  .peer = peer,
                  .tag = tag,
                  .sending = sending,
                  .data = data,
                  .bytes = bytes,
                  .n = n,
                  .limit = n};
}

static void piece_post(Pieces *p)
{
    size_t from = p->posted * PIECE_BYTES, size = p->bytes - from;
    if (size > PIECE_BYTES) size = PIECE_BYTES;
    char *at = p->data + (p->wrap ? p->posted % p->wrap * PIECE_BYTES : from);
    MPI_Request *r = &p->open[p->posted % PIECES_OPEN];
    if (p->sending)
        MPI_Isend(at, (int)size, MPI_BYTE, p->peer, p->tag, p->world, r);
    else
        MPI_Irecv(at, (int)size, MPI_BYTE, p->peer, p->tag, p->world, r);
    p->posted++;
}

bool pieces_move(Pieces *p)
{
    bool moved = false;
    while (p->done < p->posted) {
        int over;
        MPI_Test(&p->open[p->done % PIECES_OPEN], &over, MPI_STATUS_IGNORE);
        if (!over) break;
        p->done++;
        moved = true;
    }
    while (p->posted < p->n && p->posted < p->limit && p->posted - p->done < PIECES_OPEN) {
        piece_post(p);
        moved = true;
    }
    return moved;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void append(Transfer **list, Transfer *t)
{
    while (*list) list = &(*list)->next;
    *list = t;
}

static void arrive(Comm *c, int from, const Header *h, Blob *body);

void message_send(Comm *c, int to, const Header *h, Blob *body)
{
    if (to == c->rank) {
        arrive(c, to, h, body);
        return;
    }
    REQUIRE(!c->alone, "a message of kind %u to rank %d of a world of one", h->kind, to);
    Transfer *t = NEW(Transfer, 1);
    t->peer = to;
    t->sending = true;
    t->header = *h;
    t->header.bytes = body ? body->size : 0;
    t->header_request = MPI_REQUEST_NULL;
    t->blob = body;
    pieces_init(&t->body, c, to, TAG_BODY + (int)h->kind, true, body ? body->data : NULL,
                (size_t)t->header.bytes);
    append(&c->out, t);
    c->n_out_data += h->kind != KIND_PULSE;
}

/* Pieces of one kind to one peer must be started in the order of the headers: nothing may pass an
 * earlier transfer with pieces to start. */
static bool must_wait(const Transfer *list, const Transfer *t)
{
    for (; list != t; list = list->next)
        if (list->peer == t->peer && list->header.kind == t->header.kind &&
            (list->body.posted < list->body.n || (list->sending && !list->started)))
            return true;
    return false;
}

static bool outgoing_move(Comm *c, Transfer *t)
{
    bool moved = false;
    if (!t->started) {
        if (must_wait(c->out, t)) return false;
        MPI_Isend(&t->header, (int)sizeof t->header, MPI_BYTE, t->peer, TAG_HEADER, c->world,
                  &t->header_request);
        t->started = moved = true;
    }
    return pieces_move(&t->body) || moved;
}

static bool transfer_over(Transfer *t)
{
    int over = 1;
    if (t->header_request != MPI_REQUEST_NULL)
        MPI_Test(&t->header_request, &over, MPI_STATUS_IGNORE);
    return over && t->body.done == t->body.n;
}

static bool all_outgoing_move(Comm *c)
{
    bool moved = false;
    for (Transfer **at = &c->out; *at;) {
        Transfer *t = *at;
        moved |= outgoing_move(c, t);
        if (!transfer_over(t)) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        if (t->header.kind == KIND_PULSE)
            c->peers[t->peer].pulse_open = false;
        else
            c->n_out_data--;
        blob_release(c, t->blob);
        mem_free(t);
    }
    return moved;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void header_listen(Comm *c)
{
    MPI_Irecv(&c->next_header, (int)sizeof c->next_header, MPI_BYTE, MPI_ANY_SOURCE, TAG_HEADER,
              c->world, &c->next_header_request);
}

static void incoming_start(Comm *c, int from, const Header *h)
{
    Transfer *t = NEW(Transfer, 1);
    t->peer = from;
    t->started = true;
    t->header = *h;
    t->header_request = MPI_REQUEST_NULL;
    t->blob = blob_new(c, (size_t)h->bytes);
    pieces_init(&t->body, c, from, TAG_BODY + (int)h->kind, false, t->blob->data, t->blob->size);
    append(&c->in, t);
}

static bool headers_move(Comm *c)
{
    bool moved = false;
    for (;;) {
        int over;
        MPI_Status status;
        MPI_Test(&c->next_header_request, &over, &status);
        if (!over) return moved;
        moved = true;
        Header h = c->next_header;
        int from = status.MPI_SOURCE;
        if (h.magic != header_magic || h.kind >= KIND_COUNT)
            die(EXIT_PEER,
                "rank %d sent a message that is not ours: do all ranks run the same program?",
                from);
        header_listen(c);
        if (h.bytes)
            incoming_start(c, from, &h);
        else
            arrive(c, from, &h, NULL);
    }
}

/* Messages of one kind from one peer are taken in the order of sending (versions of weights and of
 * states follow each other), also where the later one was seen to be complete first. */
static bool is_next(const Transfer *list, const Transfer *t)
{
    for (; list != t; list = list->next)
        if (list->peer == t->peer && list->header.kind == t->header.kind) return false;
    return true;
}

static bool all_incoming_move(Comm *c)
{
    bool moved = false;
    for (Transfer **at = &c->in; *at;) {
        Transfer *t = *at;
        if (!must_wait(c->in, t)) moved |= pieces_move(&t->body);
        if (t->body.done < t->body.n || !is_next(c->in, t)) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        arrive(c, t->peer, &t->header, t->blob);
        mem_free(t);
    }
    return moved;
}

bool messages_move(Comm *c)
{
    if (c->alone) return false;
    double began = clock_seconds();
    bool moved = headers_move(c);
    if (c->in) moved |= all_incoming_move(c);
    if (c->out) moved |= all_outgoing_move(c);
    if (!moved) return false;
    c->moved_at = clock_seconds();
    c->talking_s += c->moved_at - began;
    return true;
}

/* ---- what is here ---------------------------------------------------------------------------- */

static void keep(Comm *c, Arrived *a)
{
    Arrived **at = &c->inbox;
    while (*at) at = &(*at)->next;
    *at = a;
}

/* Pulses and the end are dealt with at once; the rest waits to be taken. */
static void arrive(Comm *c, int from, const Header *h, Blob *body)
{
    Arrived *a = NEW(Arrived, 1);
    *a = (Arrived){.from = from, .header = *h, .blob = body};
    switch ((Kind)h->kind) {
    case KIND_HELLO:
    case KIND_PULSE:
        pulse_arrived(c, a);
        break;
    case KIND_STOP:
        stop_begin(c, (int)h->number);
        break;
    case KIND_CLOSE:
        c->n_closing++;
        c->may_close |= from == 0;
        break;
    case KIND_GROUP:
    case KIND_STATE:
        if (c->stopping) break; /* nothing that comes after the end matters */
        keep(c, a);
        return;
    default:
        keep(c, a);
        return;
    }
    arrived_free(c, a);
}

Arrived *message_take(Comm *c, Kind kind, int from, int role)
{
    for (Arrived **at = &c->inbox; *at; at = &(*at)->next) {
        Arrived *a = *at;
        if (a->header.kind != (uint32_t)kind || (from >= 0 && a->from != from) ||
            (role >= 0 && a->header.role != (uint32_t)role))
            continue;
        *at = a->next;
        return a;
    }
    return NULL;
}

Arrived *message_wait(Comm *c, Kind kind, int from, const char *what)
{
    for (;;) {
        Arrived *a = message_take(c, kind, from, -1);
        if (a) return a;
        pulse_pause(c, what);
    }
}

void arrived_free(Comm *c, Arrived *a)
{
    blob_release(c, a->blob);
    mem_free(a);
}

void messages_open(Comm *c)
{
    header_listen(c);
}

void messages_close(Comm *c)
{
    while (c->inbox) {
        Arrived *a = c->inbox;
        c->inbox = a->next;
        arrived_free(c, a);
    }
    if (c->alone) return;
    MPI_Cancel(&c->next_header_request);
    MPI_Request_free(&c->next_header_request);
}

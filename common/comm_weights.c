/* Weights to dedicated actors. Learner l of n serves the actors a with a mod n = l: all learners
 * hold the same bits, so the work is shared. An actor that is behind skips versions: what has not
 * been started yet is replaced by the newer one, so a slow actor costs two buffers at most.
 */
#include "common/comm_internal.h"

#include <string.h>

#include "common/errors.h"

/* The transfer of weights to this rank that is still waiting to start, if any, is dropped. */
static void drop_unstarted(Comm *c, int to)
{
    for (Transfer **at = &c->out; *at;) {
        Transfer *t = *at;
        if (t->peer != to || t->header.kind != KIND_WEIGHTS || t->started) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        c->n_out_data--;
        blob_release(c, t->blob);
        mem_free(t);
    }
}

void comm_send_weights(Comm *c, int64_t version, const void *wire, size_t n)
{
    int me = comm_index(c, ROLE_LEARNER), learners = comm_count(c, ROLE_LEARNER);
    REQUIRE(me >= 0, "weights are sent by learners");
    Header h = header_make(KIND_WEIGHTS, version, "weights");
    Blob *b = NULL;
    for (int a = me; a < comm_count(c, ROLE_ACTOR); a += learners) {
        int to = comm_rank_of(c, ROLE_ACTOR, a);
        if (to < learners) continue; /* a worker has the learner's own copy */
        if (!b) {
            b = blob_new(c, n);
            memcpy(b->data, wire, n);
            h.crc = crc32c(0, b->data, n);
        }
        drop_unstarted(c, to);
        b->refs++;
        message_send(c, to, &h, b);
    }
    blob_release(c, b);
    comm_progress(c);
}

void weights_arrived(Comm *c, Arrived *a)
{
    Blob *b = a->blob;
    if (!b || crc32c(0, b->data, b->size) != a->header.crc)
        die(EXIT_PEER, "weights of version %lld from rank %d were damaged on the way (CRC32C)",
            (long long)a->header.number, a->from);
    if (a->header.number <= c->newest_version) return;
    blob_release(c, c->newest);
    c->newest = b;
    c->newest_version = a->header.number;
    b->refs++;
}

int64_t comm_take_weights(Comm *c, const void **wire, size_t n)
{
    blob_release(c, c->borrowed);
    c->borrowed = NULL;
    if (!c->newest) return -1;
    if (c->newest->size != n)
        die(EXIT_PEER,
            "weights of %zu bytes arrived, this rank's model has %zu: do all ranks run the same "
            "model?",
            c->newest->size, n);
    c->borrowed = c->newest;
    c->newest = NULL;
    *wire = c->borrowed->data;
    return c->newest_version;
}

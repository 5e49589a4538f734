/* Weights to dedicated actors. Learner l of n serves the actors a with a mod n = l: all learners
 * hold the same bits, so the work is shared. An actor takes every version, in order: which weights
 * write a group is arithmetic. The learner is ahead of an actor by max_staleness versions at most,
 * which bounds the buffers.
 */
#include "common/comm_internal.h"

#include <string.h>

#include "common/errors.h"

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
        b->refs++;
        message_send(c, to, &h, b);
    }
    blob_release(c, b);
    comm_progress(c);
}

int64_t comm_take_weights(Comm *c, const void **wire, size_t n)
{
    blob_release(c, c->borrowed); /* the next to arrive takes its place */
    c->borrowed = NULL;
    Arrived *a = message_take(c, KIND_WEIGHTS, -1, -1);
    if (!a) return -1;
    int64_t version = a->header.number;
    if (!a->blob || crc32c(0, a->blob->data, a->blob->size) != a->header.crc)
        die(EXIT_PEER, "weights of version %lld from rank %d were damaged on the way (CRC32C)",
            (long long)version, a->from);
    if (a->blob->size != n)
        die(EXIT_PEER,
            "weights of %zu bytes arrived, this rank's model has %zu: do all ranks run the same "
            "model?",
            a->blob->size, n);
    c->borrowed = a->blob;
    c->borrowed->refs++;
    arrived_free(c, a);
    *wire = c->borrowed->data;
    return version;
}

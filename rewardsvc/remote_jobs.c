/* Requests in their lists, found by their tickets. A ticket is a slot and how often the slot was
 * used: that of an answer which was taken finds nothing, also after its slot has another request.
 */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/remote_internal.h"

static void job_unlink(Remote *r, RemoteJob *j)
{
    RemoteJobList *l = &r->lists[j->state];
    *(j->before ? &j->before->after : &l->first) = j->after;
    *(j->after ? &j->after->before : &l->last) = j->before;
    j->before = j->after = NULL;
    l->n--;
}

void remote_job_link(Remote *r, RemoteJob *j, RemoteJobState state)
{
    RemoteJobList *l = &r->lists[state];
    j->state = state;
    j->before = l->last, j->after = NULL;
    *(l->last ? &l->last->after : &l->first) = j;
    l->last = j;
    l->n++;
}

void remote_job_move(Remote *r, RemoteJob *j, RemoteJobState state)
{
    job_unlink(r, j);
    remote_job_link(r, j, state);
}

RemoteJob *remote_job_new(Remote *r)
{
    if (!r->n_free) {
        uint32_t n = r->n_slots ? 2 * r->n_slots : 64;
        REQUIRE(n > r->n_slots, "%u requests at once", r->n_slots);
        r->slots = mem_resize(r->slots, r->n_slots, n, sizeof *r->slots);
        r->spare = mem_resize(r->spare, r->n_slots, n, sizeof *r->spare);
        for (uint32_t i = n; i > r->n_slots; i--) {
            r->slots[i - 1] = (RemoteJobSlot){0};
            r->spare[r->n_free++] = i - 1;
        }
        r->n_slots = n;
    }
    RemoteJob *j = NEW(RemoteJob, 1);
    j->slot = r->spare[--r->n_free];
    RemoteJobSlot *s = &r->slots[j->slot];
    s->job = j;
    s->uses++;
    j->answer.ticket = (uint64_t)s->uses << 32 | (j->slot + 1);
    return j;
}

RemoteJob *remote_job_find(const Remote *r, RemoteTicket t)
{
    uint64_t slot = (t & UINT32_MAX) - 1;
    if (!t || slot >= r->n_slots || r->slots[slot].uses != t >> 32) return NULL;
    return r->slots[slot].job;
}

void remote_job_free(Remote *r, RemoteJob *j)
{
    job_unlink(r, j);
    r->slots[j->slot].job = NULL;
    r->spare[r->n_free++] = j->slot;
    remote_answer_free(&j->answer);
    buffer_free(&j->body);
    buffer_free(&j->reply.body);
    mem_free(j->tag);
    mem_free(j);
}

void remote_job_ground(Remote *r, RemoteJob *j)
{
    if (!j->easy) return;
    curl_multi_remove_handle(r->multi, j->easy);
    r->idle[r->n_idle++] = j->easy;
    j->easy = NULL;
}

/* See busy.h. */
#include "launch/busy.h"

#include <stdio.h>

#include "common/memory.h"

void busy_init(Busy *b, int n_ranks)
{
    *b = (Busy){.n = n_ranks, .then = NEW(CommTime, n_ranks), .share = NEW(BusyShare, n_ranks)};
}

void busy_free(Busy *b)
{
    mem_free(b->then);
    mem_free(b->share);
    *b = (Busy){0};
}

BusyShare busy_share(CommTime from, CommTime to)
{
    double s = to.total_s - from.total_s;
    if (s <= 0) return (BusyShare){0, 1, 0};
    BusyShare b = {.waiting = (to.waiting_s - from.waiting_s) / s,
                   .talking = (to.talking_s - from.talking_s) / s};
    b.working = 1 - b.waiting - b.talking;
    return b;
}

void busy_update(Busy *b, const Comm *c)
{
    for (int r = 0; r < b->n; r++) {
        CommTime now = comm_time(c, r);
        if (now.total_s <= b->then[r].total_s) continue;
        b->share[r] = busy_share(b->then[r], now);
        b->then[r] = now;
    }
}

json_t *busy_json(const BusyShare *share, int n)
{
    json_t *working = json_array(), *waiting = json_array(), *talking = json_array();
    for (int r = 0; r < n; r++) {
        json_array_append_new(working, json_real(share[r].working));
        json_array_append_new(waiting, json_real(share[r].waiting));
        json_array_append_new(talking, json_real(share[r].talking));
    }
    return json_pack("{s:o, s:o, s:o}", "working", working, "waiting", waiting, "talking", talking);
}

void busy_text(const Busy *b, char *out, size_t size)
{
    enum { SHOWN = 6 };
    double least = 1, most = 0;
    size_t n = 0;
    *out = 0;
    if (b->n < 2) return;
    n += (size_t)snprintf(out, size, "busy");
    for (int r = 0; r < b->n; r++) {
        double w = b->share[r].working;
        if (w < least) least = w;
        if (w > most) most = w;
        if (b->n <= SHOWN && n < size) n += (size_t)snprintf(out + n, size - n, " %.0f", 100 * w);
    }
    if (b->n > SHOWN && n < size)
        n += (size_t)snprintf(out + n, size - n, " %.0f to %.0f", 100 * least, 100 * most);
    if (n < size) snprintf(out + n, size - n, " %%");
}

/* Start, roles, groups, stop. See comm.h for the table of messages and comm_internal.h for the
 * files. Alone means: started by nobody's mpirun or srun. Then MPI is never touched, which saves a
 * third of a second and Open MPI's daemon, and every message goes through the local queue.
 */
#include "common/comm_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"

static const double deadline_before_layout_s = 600;

/* ---- start ----------------------------------------------------------------------------------- */

static long number_of(const char *variable)
{
    const char *s = getenv(variable);
    return s ? strtol(s, NULL, 10) : 0;
}

static bool has_launcher(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}

/* N processes that each believe to be alone would write the same run directory N times over. */
static void refuse_separate_worlds(bool launched)
{
    long step = number_of("SLURM_STEP_NUM_TASKS"), job = number_of("SLURM_NTASKS"),
         pmi = number_of("PMI_SIZE");
    if (launched && pmi > 1)
        die(EXIT_UNABLE,
            "%ld processes were started, but each is a world of its own: this mpirun is not that "
            "of the MPI library "
            "(see `troupe --version`)",
            pmi);
    if (step > 1)
        die(EXIT_UNABLE,
            "srun was used without --mpi=pmix (or this MPI has no PMI): %ld separate worlds; use "
            "srun --mpi=pmix",
            step);
    if (!launched && job > 1)
        die(EXIT_UNABLE,
            "this process was started alone although the job has SLURM_NTASKS=%ld: use srun "
            "--mpi=pmix or mpirun "
            "(mpirun -np 1 for one process on purpose)",
            job);
}

static int abort_code;
static void abort_is_stuck(int signal_number)
{
    (void)signal_number;
    _exit(abort_code);
}

/* MPI_Abort tells the launcher, which then ends all ranks; should it hang, this rank's death does
 * the same. A launcher that is ending the job already (srun -K) takes no notice of it. */
static void abort_job(int code)
{
    abort_code = code;
    signal(SIGALRM, abort_is_stuck);
    alarm(signals_terminated() ? 1 : 10);
    MPI_Abort(MPI_COMM_WORLD, code);
}

static void default_for_mpi(const char *variable, const char *value)
{
    if (!getenv(variable)) setenv(variable, value, 0);
}

static void mpi_open(Comm *c, int *argc, char ***argv)
{
    /* Twice through shared memory is two to three times faster than process_vm_readv on virtual
     * machines, and containers often forbid the latter. The user's own setting wins. */
    default_for_mpi("OMPI_MCA_btl_vader_single_copy_mechanism", "none");
    int given;
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &given);
    errors_set_abort(abort_job);
    MPI_Comm_dup(MPI_COMM_WORLD, &c->world);
    MPI_Comm_rank(c->world, &c->rank);
    MPI_Comm_size(c->world, &c->size);
}

Comm *comm_open(int *argc, char ***argv)
{
    Comm *c = NEW(Comm, 1);
    c->alone = !has_launcher();
    c->size = 1;
    c->deadline_s = deadline_before_layout_s;
    signals_open();
    if (!c->alone) mpi_open(c, argc, argv);
    if (c->size == 1 && number_of("OMPI_COMM_WORLD_SIZE") != 1) refuse_separate_worlds(!c->alone);
    char name[32];
    snprintf(name, sizeof name, "rank %d", c->rank);
    errors_set_name(c->alone ? NULL : name);
    c->peers = NEW(Peer, c->size);
    pulse_open(c);
    if (!c->alone) messages_open(c);
    if (c->rank) {
        char host[40] = "", what[64];
        gethostname(host, sizeof host - 1);
        snprintf(what, sizeof what, "%.24s pid %d", host, (int)getpid());
        Header h = header_make(KIND_HELLO, 0, what);
        message_send(c, 0, &h, NULL);
    }
    return c;
}

int comm_rank(const Comm *c)
{
    return c->rank;
}

int comm_size(const Comm *c)
{
    return c->size;
}

/* ---- roles ----------------------------------------------------------------------------------- */

static const char *const role_names[ROLE_COUNT] = {"learner", "actor", "reward service"};

/* What went wrong is said once, by rank 0. */
static int refuse(const Comm *c, const char *text)
{
    errors_quiet(c->rank != 0);
    fail("%s", text);
    errors_quiet(-(c->rank != 0));
    return -1;
}

static void place(Comm *c, Role r, int first, int count)
{
    c->first[r] = first;
    c->count[r] = count;
}

static int place_workers(Comm *c, const Layout *l)
{
    char text[300];
    if (l->actors || l->learners)
        return refuse(c, "layout: workers are actors and learners at once: give workers, or actors "
                         "and learners");
    if (l->workers + l->rewardsvc != c->size) {
        snprintf(text, sizeof text,
                 "layout: workers %d + rewardsvc %d = %d ranks, but %d were started: use mpirun "
                 "-np %d, or workers: %d",
                 l->workers, l->rewardsvc, l->workers + l->rewardsvc, c->size,
                 l->workers + l->rewardsvc, c->size > l->rewardsvc ? c->size - l->rewardsvc : 1);
        return refuse(c, text);
    }
    place(c, ROLE_LEARNER, 0, l->workers);
    place(c, ROLE_ACTOR, 0, l->workers);
    place(c, ROLE_REWARD, l->workers, l->rewardsvc);
    return 0;
}

static int place_dedicated(Comm *c, const Layout *l)
{
    char text[300];
    int all = l->learners + l->actors + l->rewardsvc;
    if (l->learners < 1 || l->actors < 1) {
        snprintf(text, sizeof text,
                 "layout: %d ranks were started, but the layout names learners %d, actors %d: at "
                 "least one of each "
                 "(or workers: %d)",
                 c->size, l->learners, l->actors, c->size > 1 ? c->size - 1 : 1);
        return refuse(c, text);
    }
    if (all != c->size) {
        snprintf(text, sizeof text,
                 "layout: learners %d + actors %d + rewardsvc %d = %d ranks, but %d were started: "
                 "use mpirun -np %d, or "
                 "change the layout",
                 l->learners, l->actors, l->rewardsvc, all, c->size, all);
        return refuse(c, text);
    }
    place(c, ROLE_LEARNER, 0, l->learners);
    place(c, ROLE_ACTOR, l->learners, l->actors);
    place(c, ROLE_REWARD, l->learners + l->actors, l->rewardsvc);
    return 0;
}

static void name_this_rank(const Comm *c)
{
    char name[96];
    if (!c->alone) errors_set_name(peer_name(c, c->rank, name));
}

int comm_set_layout(Comm *c, const Layout *l, int slots)
{
    REQUIRE(slots > 0 && !(slots & (slots - 1)), "%d slots: not a power of two", slots);
    if (l->deadline_s > 0) c->deadline_s = l->deadline_s;
    if (c->size == 1) {
        for (int r = 0; r < ROLE_COUNT; r++) place(c, (Role)r, 0, 1);
    } else if (l->workers ? place_workers(c, l) : place_dedicated(c, l)) {
        return -1;
    }
    if (!c->count[ROLE_REWARD])
        place(c, ROLE_REWARD, 0, 1); /* rewardsvc: 0 lets rank 0 judge too */
    int n = c->count[ROLE_LEARNER];
    if (slots % n) {
        char text[200];
        snprintf(text, sizeof text,
                 "layout: %d learners do not divide learner.reduction_slots = %d, so the result "
                 "would depend on their "
                 "number: use 1, 2, 4 ... up to %d",
                 n, slots, slots);
        return refuse(c, text);
    }
    c->has_layout = true;
    name_this_rank(c);
    return 0;
}

bool comm_hosts(const Comm *c, Role r)
{
    return comm_index(c, r) >= 0;
}

int comm_count(const Comm *c, Role r)
{
    REQUIRE(c->has_layout, "the roles are not set yet");
    return c->count[r];
}

int comm_index(const Comm *c, Role r)
{
    int i = c->rank - c->first[r];
    return i >= 0 && i < comm_count(c, r) ? i : -1;
}

int comm_rank_of(const Comm *c, Role r, int index)
{
    REQUIRE(index >= 0 && index < comm_count(c, r), "%s %d of %d", role_names[r], index,
            c->count[r]);
    return c->first[r] + index;
}

const char *peer_name(const Comm *c, int rank, char name[96])
{
    int n = snprintf(name, 96, "rank %d", rank), shown = 0;
    for (int r = 0; c->has_layout && r < ROLE_COUNT; r++) {
        int i = rank - c->first[r];
        if (i < 0 || i >= c->count[r]) continue;
        n += snprintf(name + n, 96 - (size_t)n, "%s%s %d", shown++ ? ", " : " (", role_names[r], i);
    }
    if (shown) n += snprintf(name + n, 96 - (size_t)n, ")");
    const char *host = c->peers[rank].host;
    if (*host) snprintf(name + n, 96 - (size_t)n, " on %s", host);
    return name;
}

/* ---- groups ---------------------------------------------------------------------------------- */

void comm_send_group(Comm *c, Role to, int index, const Group *g)
{
    Buffer b = {0};
    group_pack(g, &b);
    Blob *blob = NEW(Blob, 1);
    *blob = (Blob){.refs = 1, .size = b.size, .capacity = b.capacity, .data = b.data};
    Header h = header_make(KIND_GROUP, g->id, "group");
    h.role = (uint32_t)to;
    message_send(c, comm_rank_of(c, to, index), &h, blob);
    messages_move(c);
}

bool comm_take_group(Comm *c, Role at, Group *g)
{
    Arrived *a = message_take(c, KIND_GROUP, -1, (int)at);
    if (!a) return false;
    char name[96];
    errors_quiet(1);
    int rc = group_unpack(g, a->blob->data, a->blob->size);
    errors_quiet(-1);
    if (rc)
        die(EXIT_PEER, "group %lld from %s: %s", (long long)a->header.number,
            peer_name(c, a->from, name), errors_last());
    arrived_free(c, a);
    return true;
}

/* ---- the reward service's state -------------------------------------------------------------- */

static void send_state(Comm *c, int rank, Role to, int64_t version, const char *text, size_t n)
{
    Blob *b = NEW(Blob, 1);
    *b = (Blob){.refs = 1, .size = n + 1, .capacity = n + 1, .data = mem_text_n(text, n)};
    Header h = header_make(KIND_STATE, version, "state of the rewards");
    h.role = (uint32_t)to;
    h.crc = crc32c(0, b->data, b->size);
    message_send(c, rank, &h, b);
}

void comm_send_state(Comm *c, Role to, int64_t version, const char *text, size_t n)
{
    if (to == ROLE_LEARNER) send_state(c, 0, to, version, text, n);
    for (int i = 0; to == ROLE_REWARD && i < comm_count(c, ROLE_REWARD); i++)
        send_state(c, comm_rank_of(c, ROLE_REWARD, i), to, version, text, n);
    messages_move(c);
}

bool comm_take_state(Comm *c, Role at, int64_t *version, Buffer *text)
{
    Arrived *a = message_take(c, KIND_STATE, -1, (int)at);
    if (!a) return false;
    if (!a->blob || crc32c(0, a->blob->data, a->blob->size) != a->header.crc)
        die(EXIT_PEER, "the rewards' state of step %lld from rank %d was damaged on the way",
            (long long)a->header.number, a->from);
    *version = a->header.number;
    text->size = 0;
    buffer_add(text, a->blob->data, a->blob->size - 1);
    arrived_free(c, a);
    return true;
}

/* ---- stop ------------------------------------------------------------------------------------ */

/* Nothing that is still to be judged or learnt from matters any more. */
void stop_begin(Comm *c, int code)
{
    c->stopping = true;
    c->stop_code = code;
    for (Arrived *a; (a = message_take(c, KIND_GROUP, -1, -1));) arrived_free(c, a);
}

void comm_stop(Comm *c, int code)
{
    REQUIRE(c->rank == 0, "only rank 0 ends a run");
    Header h = header_make(KIND_STOP, code, "stop");
    for (int r = 1; r < c->size; r++) message_send(c, r, &h, NULL);
    stop_begin(c, code);
    messages_move(c);
}

bool comm_stopped(const Comm *c, int *code)
{
    if (!c->stopping || c->n_out_data) return false;
    if (code) *code = c->stop_code;
    return true;
}

bool comm_stopping(const Comm *c)
{
    return c->stopping;
}

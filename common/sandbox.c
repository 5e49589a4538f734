/* See sandbox.h: the caller's side. Requests wait here, not in the helper, so that a helper that
 * dies takes only those with it that were running. */
#define _GNU_SOURCE
#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/memory.h"
#include "common/sandbox_internal.h"

static const double start_s = 10;   /* for a helper to come up and try its namespaces */
static const double restart_s = 30; /* for a helper that died to be there again */
static const double grace_s = 10;   /* past a run's wall_s, until its helper is given up */
enum { PARALLEL_MAX = 64 };

typedef enum { JOB_WAITS, JOB_RUNS, JOB_DONE } JobState;
typedef struct {
    uint64_t ticket;
    JobState state;
    bool unwanted; /* cancelled while it ran */
    bool allow_unsandboxed;
    double wall_s, given_up;
    Buffer request; /* until it runs */
    SandboxResult result;
} Job;

static struct {
    int sock;
    pid_t keeper, worker; /* worker: 0 until it has said hello */
    bool set_up, ready, isolates;
    int hellos;
    double unready_since;
    char why[200]; /* why it does not isolate */
    char *folders; /* a line each */
    int parallel, running;
    uint64_t tickets;
    Job *jobs;
    int n_jobs, capacity;
} client = {.sock = -1, .folders = NULL};

const char *sandbox_outcome_name(SandboxOutcome o)
{
    static const char *const names[] = {"exited",      "killed", "timeout", "flood",
                                        "not started", "broken", "refused"};
    REQUIRE((unsigned)o < sizeof names / sizeof *names, "outcome %d", (int)o);
    return names[o];
}

void sandbox_result_free(SandboxResult *r)
{
    mem_free(r->out);
    mem_free(r->err);
    *r = (SandboxResult){0};
}

/* ---- start and end --------------------------------------------------------------------------- */

int sandbox_start(void)
{
    int pair[2];
    if (client.keeper) return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return fail("the sandbox helper: %s", strerror(errno));
    fflush(stdout);
    pid_t self = getpid(), keeper = fork();
    if (!keeper) keeper_main(pair[1], self);
    close(pair[1]);
    if (keeper < 0) {
        close(pair[0]);
        return fail("the sandbox helper: %s", strerror(errno));
    }
    client.keeper = keeper;
    client.sock = pair[0];
    return 0;
}

bool sandbox_started(void)
{
    return client.keeper > 0;
}

static void job_free(Job *j)
{
    buffer_free(&j->request);
    sandbox_result_free(&j->result);
}

void sandbox_stop(void)
{
    if (!client.keeper) return;
    close(client.sock);
    while (waitpid(client.keeper, NULL, 0) < 0 && errno == EINTR) {
    }
    for (int i = 0; i < client.n_jobs; i++) job_free(&client.jobs[i]);
    mem_free(client.jobs);
    mem_free(client.folders);
    uint64_t tickets = client.tickets;
    memset(&client, 0, sizeof client);
    client.sock = -1;
    client.tickets = tickets; /* an old ticket never means a new run */
}

/* ---- what the helper says -------------------------------------------------------------------- */

static Job *find_job(uint64_t ticket)
{
    for (int i = 0; i < client.n_jobs; i++)
        if (client.jobs[i].ticket == ticket) return &client.jobs[i];
    return NULL;
}

static void remove_job(Job *j)
{
    job_free(j);
    *j = client.jobs[--client.n_jobs];
}

/* *j may be gone after this. */
static void end_job(Job *j, SandboxOutcome outcome, const char *why)
{
    if (j->state == JOB_RUNS) client.running--;
    j->state = JOB_DONE;
    j->result.outcome = outcome;
    snprintf(j->result.why, sizeof j->result.why, "%s", why);
    if (!j->result.out) j->result.out = mem_text("");
    if (!j->result.err) j->result.err = mem_text("");
    if (j->unwanted) remove_job(j);
}

static void break_running_jobs(const char *why)
{
    for (int i = client.n_jobs - 1; i >= 0; i--)
        if (client.jobs[i].state == JOB_RUNS) end_job(&client.jobs[i], SANDBOX_BROKEN, why);
}

static void send_setup(void)
{
    WireMessage m = {.kind = WIRE_SETUP};
    const char *folders = client.folders ? client.folders : "\n";
    int fd = wire_memory(folders, strlen(folders), NULL, 0);
    wire_send(client.sock, &m, fd);
    if (fd >= 0) close(fd);
}

static void helper_is_new(const WireMessage *m)
{
    client.worker = m->pid;
    client.ready = false;
    break_running_jobs("the sandbox helper was ended while it ran this");
    if (client.hellos++) send_setup(); /* the first one finds what sandbox_open sent */
}

static void copy_output(SandboxResult *r, const WireMessage *m, int fd)
{
    size_t n;
    const char *data = wire_map(fd, &n);
    bool whole = data ? m->n_out + m->n_err == n : m->n_out + m->n_err == 0;
    if (!whole) {
        r->outcome = SANDBOX_BROKEN;
        snprintf(r->why, sizeof r->why, "its output was lost");
    }
    r->n_out = whole ? m->n_out : 0;
    r->n_err = whole ? m->n_err : 0;
    r->out = mem_text_n(data ? data : "", r->n_out);
    r->err = mem_text_n(data ? data + r->n_out : "", r->n_err);
    if (data) munmap((void *)(uintptr_t)data, n);
}

static void take_result(const WireMessage *m, int fd)
{
    Job *j = find_job(m->ticket);
    if (!j || j->state != JOB_RUNS) return;
    SandboxResult *r = &j->result;
    *r = (SandboxResult){
        .code = m->code, .wall_s = m->wall_s, .cpu_s = m->cpu_s, .peak_kb = m->peak_kb};
    r->outcome = (SandboxOutcome)m->outcome;
    snprintf(r->why, sizeof r->why, "%.*s", (int)sizeof m->why - 1, m->why);
    copy_output(r, m, fd);
    char why[sizeof r->why];
    memcpy(why, r->why, sizeof why);
    end_job(j, r->outcome, why);
}

static void helper_is_lost(void)
{
    client.ready = false;
    client.worker = 0;
    close(client.sock);
    client.sock = -1;
    break_running_jobs("the sandbox helper is gone");
}

static void receive_all(void)
{
    WireMessage m;
    int fd, got = 0;
    while (client.sock >= 0 && (got = wire_receive(client.sock, &m, &fd)) > 0) {
        if (m.kind == WIRE_HELLO) helper_is_new(&m);
        if (m.kind == WIRE_DONE) take_result(&m, fd);
        if (m.kind == WIRE_READY) {
            client.ready = true;
            client.isolates = m.code == 1;
            snprintf(client.why, sizeof client.why, "%.*s", (int)sizeof m.why - 1, m.why);
        }
        if (fd >= 0) close(fd);
    }
    if (got < 0) helper_is_lost();
}

/* ---- the queue ------------------------------------------------------------------------------- */

static void send_job(Job *j)
{
    WireMessage m = {.kind = WIRE_RUN, .ticket = j->ticket};
    int fd = wire_memory(j->request.data, j->request.size, NULL, 0);
    int rc = fd < 0 ? -1 : wire_send(client.sock, &m, fd);
    if (fd >= 0) close(fd);
    buffer_free(&j->request);
    if (rc) {
        end_job(j, SANDBOX_BROKEN, "the sandbox helper takes no requests");
        return;
    }
    j->state = JOB_RUNS;
    j->given_up = clock_seconds() + j->wall_s + grace_s;
    client.running++;
}

static void start_job(Job *j)
{
    if (client.sock < 0)
        end_job(j, client.keeper ? SANDBOX_BROKEN : SANDBOX_REFUSED,
                client.keeper ? "the sandbox helper is gone"
                              : "this program has no sandbox helper");
    else if (!client.isolates && !j->allow_unsandboxed)
        end_job(j, SANDBOX_REFUSED, client.why);
    else
        send_job(j);
}

/* In the order of their tickets. */
static Job *next_job(void)
{
    Job *next = NULL;
    for (int i = 0; i < client.n_jobs; i++) {
        Job *j = &client.jobs[i];
        if (j->state == JOB_WAITS && (!next || j->ticket < next->ticket)) next = j;
    }
    return next;
}

/* A helper that does not answer is killed; its keeper starts another, whose hello ends what ran. */
static void give_up_late_jobs(void)
{
    double now = clock_seconds();
    for (int i = 0; i < client.n_jobs; i++)
        if (client.jobs[i].state == JOB_RUNS && now > client.jobs[i].given_up) {
            if (client.worker) kill(client.worker, SIGKILL);
            client.worker = 0;
            client.ready = false;
            break_running_jobs("the sandbox helper did not answer");
            return;
        }
}

/* A helper that does not come back must not keep anyone waiting. */
static void give_up_helper(void)
{
    if (client.ready || client.sock < 0)
        client.unready_since = 0;
    else if (!client.unready_since)
        client.unready_since = clock_seconds();
    else if (clock_seconds() - client.unready_since > restart_s)
        helper_is_lost();
}

static void pump(void)
{
    receive_all();
    if (client.running) give_up_late_jobs();
    give_up_helper();
    bool open = client.ready || client.sock < 0;
    for (Job *j; open && client.running < client.parallel && (j = next_job());) start_job(j);
}

/* ---- the caller's calls ---------------------------------------------------------------------- */

void sandbox_wait(double seconds)
{
    struct pollfd p = {.fd = client.sock, .events = POLLIN};
    pump();
    if (client.sock < 0 || (client.ready && !client.running)) return;
    poll(&p, 1, (int)(seconds * 1000) + 1);
    pump();
}

static bool wait_until(const bool *flag, double seconds)
{
    double end = clock_seconds() + seconds;
    receive_all();
    while (!*flag && client.sock >= 0 && clock_seconds() < end) {
        struct pollfd p = {.fd = client.sock, .events = POLLIN};
        poll(&p, 1, 100);
        receive_all();
    }
    return *flag;
}

/* The folder above a program's own: /opt/python/bin/python3 needs /opt/python. */
static char *installation(const char *program)
{
    char *path = mem_text(program), *slash;
    for (int i = 0; i < 2 && (slash = strrchr(path, '/')); i++) *slash = 0;
    if (*path) return path;
    mem_free(path);
    return NULL;
}

/* Adds a folder to be shown; true if it is a new one. */
static bool add_folder(const char *folder)
{
    const char *all = client.folders ? client.folders : "\n";
    bool usual = !folder || !strcmp(folder, "/usr") || !strncmp(folder, "/usr/", 5);
    char *line = usual ? NULL : mem_printf("\n%s\n", folder);
    bool is_new = line && !strstr(all, line);
    if (is_new) {
        char *more = mem_printf("%s%s", all, line + 1);
        mem_free(client.folders);
        client.folders = more;
    }
    mem_free(line);
    return is_new;
}

/* As the path is written, and where it leads. above: not itself, but the folder above its own. */
static int add_path(const char *path, bool above, bool *is_new)
{
    if (*path != '/') return fail("%s is no absolute path", path);
    if (strchr(path, '\n')) return fail("a path with a newline in it");
    char *real = realpath(path, NULL);
    if (!real) return fail("%s: %s", path, strerror(errno));
    const char *both[] = {path, real};
    for (int i = 0; i < 2; i++) {
        char *folder = above ? installation(both[i]) : mem_text(both[i]);
        *is_new |= add_folder(folder);
        mem_free(folder);
    }
    free(real);
    return 0;
}

static int add_paths(const SandboxOptions *o, bool *is_new)
{
    if (o->program && add_path(o->program, true, is_new)) return -1;
    char *copy = mem_text(o->folders ? o->folders : ""), *rest = copy, *folder;
    int rc = 0;
    while (!rc && (folder = strsep(&rest, ":")))
        if (*folder) rc = add_path(folder, false, is_new);
    mem_free(copy);
    return rc;
}

static int cores(void)
{
    cpu_set_t mask;
    int n = sched_getaffinity(0, sizeof mask, &mask) ? 1 : CPU_COUNT(&mask);
    return n < PARALLEL_MAX ? n : PARALLEL_MAX;
}

int sandbox_open(const SandboxOptions *o)
{
    bool is_new = false;
    int parallel = o->parallel ? o->parallel : cores();
    REQUIRE(parallel > 0 && parallel <= PARALLEL_MAX, "%d programs at once", parallel);
    if (!client.keeper) return fail("this program has no sandbox helper");
    if (add_paths(o, &is_new)) return -1;
    if (parallel > client.parallel) client.parallel = parallel;
    if (client.set_up && is_new) {
        wire_send(client.sock, &(WireMessage){.kind = WIRE_QUIT}, -1);
        client.ready = false;
    } else if (!client.set_up) {
        client.set_up = true;
        send_setup();
    }
    if (!wait_until(&client.ready, start_s))
        return fail("the sandbox helper was not ready within %g s", start_s);
    if (client.isolates || o->allow_unsandboxed) return 0;
    return fail("programs cannot be isolated on this machine (%s): run where user namespaces are "
                "allowed (troupe doctor says it), or set allow_unsandboxed: true to run what the "
                "model writes with this user's rights",
                client.why);
}

bool sandbox_isolates(void)
{
    return client.isolates;
}

uint64_t sandbox_begin(const SandboxRun *run)
{
    const SandboxLimits *l = &run->limits;
    REQUIRE(l->cpu_s > 0 && l->wall_s > 0 && l->memory_mb > 0 && l->files_mb > 0 &&
                l->output_kb > 0 && l->processes > 0,
            "a limit of %s is not positive", run->argv[0]);
    REQUIRE(client.set_up || !client.keeper, "sandbox_open was not called");
    if (client.n_jobs == client.capacity) {
        int more = client.capacity ? 2 * client.capacity : 64;
        client.jobs = mem_resize(client.jobs, (size_t)client.n_jobs, (size_t)more, sizeof(Job));
        client.capacity = more;
    }
    Job *j = &client.jobs[client.n_jobs++];
    *j = (Job){.ticket = ++client.tickets,
               .allow_unsandboxed = run->allow_unsandboxed,
               .wall_s = l->wall_s};
    request_pack(run, &j->request);
    uint64_t ticket = j->ticket;
    if (!client.parallel) client.parallel = 1; /* opened by nobody: it will be refused */
    pump();
    return ticket;
}

bool sandbox_poll(uint64_t ticket, SandboxResult *result)
{
    pump();
    Job *j = find_job(ticket);
    REQUIRE(j, "no run has ticket %llu", (unsigned long long)ticket);
    if (j->state != JOB_DONE) return false;
    *result = j->result;
    j->result = (SandboxResult){0};
    remove_job(j);
    return true;
}

void sandbox_cancel(uint64_t ticket)
{
    Job *j = find_job(ticket);
    if (!j) return;
    if (j->state != JOB_RUNS) {
        remove_job(j);
        return;
    }
    j->unwanted = true;
    wire_send(client.sock, &(WireMessage){.kind = WIRE_CANCEL, .ticket = ticket}, -1);
}

void sandbox_run(const SandboxRun *run, SandboxResult *result)
{
    uint64_t ticket = sandbox_begin(run);
    while (!sandbox_poll(ticket, result)) sandbox_wait(0.1);
}

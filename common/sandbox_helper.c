/* See sandbox_internal.h: the helper. Two processes: the keeper, forked at program start, does
 * nothing but start a worker, and another one should that one die (it could not be forked from a
 * big rank later); the worker runs programs. Nothing here can be reached by a program: the worker
 * only reads bytes from its pipes. */
#define _GNU_SOURCE
#include "common/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errors.h"

enum { CHILDREN_MAX = 256, READ_SIZE = 65536 };
static const double watch_s = 0.02; /* how often memory is looked at */

typedef struct {
    int sock;
    Jail jail;
    bool ready;
    Child *children[CHILDREN_MAX];
    int n;
    double watched;
} Worker;

/* ---- results --------------------------------------------------------------------------------- */

static void send_done(Worker *w, WireMessage *m, const Buffer text[2])
{
    m->kind = WIRE_DONE;
    int fd = -1;
    if (text && (text[0].size || text[1].size)) {
        fd = wire_memory(text[0].data, text[0].size, text[1].data, text[1].size);
        if (fd < 0) {
            m->outcome = SANDBOX_BROKEN;
            snprintf(m->why, sizeof m->why, "keeping its output: %s", strerror(errno));
        } else {
            m->n_out = text[0].size;
            m->n_err = text[1].size;
        }
    }
    wire_send(w->sock, m, fd); /* where that fails, the caller is gone, and so are we soon */
    if (fd >= 0) close(fd);
}

static void send_broken(Worker *w, uint64_t ticket, const char *why)
{
    WireMessage m = {.ticket = ticket, .outcome = SANDBOX_BROKEN};
    snprintf(m.why, sizeof m.why, "%s", why);
    send_done(w, &m, NULL);
}

/* An end that we forced is said as such; one that the program brought about itself, by whatever
 * means, is the program's. */
static void judge_end(const Child *c, WireMessage *m)
{
    int status = c->last.code;
    m->outcome = SANDBOX_KILLED;
    m->code = SIGKILL; /* its init process was killed: by the kernel, short of memory */
    if (!c->started) {
        m->outcome = SANDBOX_BROKEN;
        snprintf(m->why, sizeof m->why, "the program was not begun %s",
                 c->forced == SANDBOX_TIMEOUT ? "within its time" : "by its first process");
    } else if (c->forced != SANDBOX_EXITED)
        m->outcome = c->forced;
    else if (c->ended && WIFEXITED(status)) {
        m->outcome = SANDBOX_EXITED;
        m->code = WEXITSTATUS(status);
    } else if (c->ended) {
        m->code = WTERMSIG(status);
        bool over = m->code == SIGXCPU || (m->code == SIGKILL && c->last.cpu_s >= c->cpu_s);
        if (over) m->outcome = SANDBOX_TIMEOUT;
    }
}

static void finish(Worker *w, int i)
{
    Child *c = w->children[i];
    WireMessage m = {.ticket = c->ticket};
    if (c->last.stage == STAGE_NO_EXEC) {
        m.outcome = SANDBOX_NOT_STARTED;
        m.code = c->last.code;
    } else if (c->last.stage == STAGE_SETUP_FAILED && *c->last.why) {
        m.outcome = SANDBOX_BROKEN;
        snprintf(m.why, sizeof m.why, "%s: %s", c->last.why, strerror(c->last.code));
    } else
        judge_end(c, &m);
    m.wall_s = clock_seconds() - c->began;
    m.cpu_s = c->ended ? c->last.cpu_s : 0;
    m.peak_kb = c->ended ? c->last.peak_kb : 0;
    send_done(w, &m, c->text);
    buffer_free(&c->text[0]);
    buffer_free(&c->text[1]);
    mem_free(c);
    w->children[i] = w->children[--w->n];
}

/* ---- programs that run ----------------------------------------------------------------------- */

/* What is there of one stream, up to the bound. */
static void read_output(Child *c, int stream)
{
    char part[READ_SIZE];
    while (c->output[stream] >= 0) {
        ssize_t n = read(c->output[stream], part, sizeof part);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return;
        if (n == 0) {
            close(c->output[stream]);
            c->output[stream] = -1;
            return;
        }
        size_t room = c->most_output - c->text[stream].size,
               kept = (size_t)n < room ? (size_t)n : room;
        buffer_add(&c->text[stream], part, kept);
        if (kept == (size_t)n) continue;
        if (c->forced == SANDBOX_EXITED) c->forced = SANDBOX_FLOOD;
        close(c->output[stream]);
        c->output[stream] = -1;
    }
}

/* True at the end of the pipe: its first process is gone. */
static bool read_reports(Child *c)
{
    StageReport r;
    for (;;) {
        ssize_t n = read(c->report, &r, sizeof r);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n != sizeof r) return true;
        if (r.stage == STAGE_STARTED) c->started = true; /* or about to be: see program_main */
        if (r.stage == STAGE_ENDED) c->ended = true;
        c->last = r;
    }
}

static bool over_bounds(Worker *w, const Child *c)
{
    int n;
    return processes_below(w->jail.proc, c->pid, 0, &n) > c->most_kb || n > c->most_processes;
}

/* Reads what it printed, looks at its bounds; true when it is over, and then nothing of it runs. */
static bool attend(Worker *w, Child *c, bool watch)
{
    read_output(c, 0);
    read_output(c, 1);
    bool gone = read_reports(c), late = clock_seconds() > c->deadline;
    if (!gone && late && c->forced == SANDBOX_EXITED) c->forced = SANDBOX_TIMEOUT;
    if (!gone && watch && c->forced == SANDBOX_EXITED && over_bounds(w, c))
        c->forced = SANDBOX_KILLED;
    if (!gone && c->forced == SANDBOX_EXITED) return false;
    child_kill(c, &w->jail);
    read_reports(c);
    read_output(c, 0); /* what was in the pipes */
    read_output(c, 1);
    child_close(c);
    return true;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void start_request(Worker *w, const WireMessage *m, int fd)
{
    Request r;
    size_t n;
    char why[200] = "";
    const char *data = wire_map(fd, &n);
    Child *c = NEW(Child, 1);
    *c = (Child){.ticket = m->ticket, .report = -1, .output = {-1, -1}};
    if (w->n == CHILDREN_MAX || !w->ready || request_unpack(&r, data, n))
        snprintf(why, sizeof why, "a request that the helper cannot take");
    else if (!w->jail.jailed && !r.allow_unsandboxed)
        snprintf(why, sizeof why, "nothing isolates here");
    else if (!child_start(c, &w->jail, &r, why))
        w->children[w->n++] = c;
    if (data) munmap((void *)(uintptr_t)data, n); /* the child has its own */
    if (*why) {
        send_broken(w, m->ticket, why);
        mem_free(c);
    }
}

static void cancel(Worker *w, uint64_t ticket)
{
    for (int i = 0; i < w->n; i++) {
        Child *c = w->children[i];
        if (c->ticket != ticket) continue;
        child_kill(c, &w->jail);
        child_close(c);
        finish(w, i);
        return;
    }
}

static bool trial_works(const Jail *j, char why[200])
{
    static const char *const argv[] = {"true", NULL};
    Request r = {.argv = {argv[0]}, .limits = {1, 5, 256, 1, 1, 4}, .input = ""};
    Child c = {.report = -1, .output = {-1, -1}};
    if (child_start(&c, j, &r, why)) return false;
    struct pollfd end = {.fd = c.report, .events = POLLIN};
    while (!read_reports(&c) && poll(&end, 1, 5000) > 0) {
    }
    child_kill(&c, j);
    child_close(&c);
    if (c.ended && c.last.code == 0) return true;
    snprintf(why, 200, "%s: %s", *c.last.why ? c.last.why : "a trial run",
             c.last.code ? strerror(c.last.code) : "it did not end well");
    return false;
}

/* A failure may leave a process half in: so it is tried in one that ends. */
static int try_jail(const Worker *w, const char *folders, char why[200])
{
    int result[2], status;
    if (pipe2(result, O_CLOEXEC)) return -1;
    pid_t child = fork();
    if (!child) {
        Jail j = w->jail;
        char text[200] = "";
        bool good = !jail_build(&j, folders) && trial_works(&j, text);
        const char *said = *text ? text : j.why;
        ssize_t n = write(result[1], said, strlen(said));
        _exit(good && n >= 0 ? 0 : 1);
    }
    close(result[1]);
    ssize_t n = read(result[0], why, 199);
    why[n > 0 ? n : 0] = 0;
    close(result[0]);
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return status ? -1 : 0;
}

static void set_up(Worker *w, int fd)
{
    size_t n;
    const char *data = wire_map(fd, &n);
    char *folders = mem_text_n(data ? data : "", n);
    Jail *j = &w->jail;
    WireMessage m = {.kind = WIRE_READY};
    if (data) munmap((void *)(uintptr_t)data, n);
    if (w->ready) _exit(WORKER_AGAIN);
    if (!try_jail(w, folders, m.why)) {
        if (jail_build(j, folders)) _exit(1); /* what worked a moment ago: try again from new */
    } else if (seccomp_build(&j->filter))
        snprintf(m.why, sizeof m.why, "the list of system calls cannot be made");
    mem_free(folders);
    w->ready = true;
    m.code = j->jailed;
    wire_send(w->sock, &m, -1);
}

static _Noreturn void leave(Worker *w, int code)
{
    for (int i = 0; i < w->n; i++) {
        child_kill(w->children[i], &w->jail);
        child_close(w->children[i]);
    }
    _exit(code);
}

static void take_messages(Worker *w)
{
    WireMessage m;
    int fd, got;
    while ((got = wire_receive(w->sock, &m, &fd)) > 0) {
        if (m.kind == WIRE_SETUP) set_up(w, fd);
        if (m.kind == WIRE_RUN) start_request(w, &m, fd);
        if (m.kind == WIRE_CANCEL) cancel(w, m.ticket);
        if (m.kind == WIRE_QUIT) leave(w, WORKER_AGAIN);
        if (fd >= 0) close(fd);
    }
    if (got < 0) leave(w, 0);
}

/* ---- loops ----------------------------------------------------------------------------------- */

static void wait_for_something(Worker *w)
{
    struct pollfd list[1 + 3 * CHILDREN_MAX];
    int n = 0;
    double now = clock_seconds(), until = w->watched + watch_s;
    list[n++] = (struct pollfd){.fd = w->sock, .events = POLLIN};
    for (int i = 0; i < w->n; i++) {
        const Child *c = w->children[i];
        if (c->deadline < until) until = c->deadline;
        list[n++] = (struct pollfd){.fd = c->report, .events = POLLIN};
        list[n++] = (struct pollfd){.fd = c->output[0], .events = POLLIN}; /* -1: passed over */
        list[n++] = (struct pollfd){.fd = c->output[1], .events = POLLIN};
    }
    double ms = (until - now) * 1000 + 1;
    poll(list, (nfds_t)n, w->n ? (ms > 0 ? (int)ms : 0) : -1);
}

/* Where there is no pid namespace, what was orphaned comes to us. */
static void end_strays(Worker *w)
{
    int n;
    if (w->n || w->jail.jailed) return;
    processes_below(w->jail.proc, getpid(), SIGKILL, &n);
    while (n > 1 && waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

static _Noreturn void worker_main(int sock)
{
    Worker *w = NEW(Worker, 1);
    WireMessage hello = {.kind = WIRE_HELLO, .pid = getpid()};
    w->sock = sock;
    w->jail.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (wire_send(sock, &hello, -1)) _exit(0);
    for (;;) {
        wait_for_something(w);
        double now = clock_seconds();
        bool watch = now - w->watched >= watch_s;
        if (watch) w->watched = now;
        for (int i = w->n - 1; i >= 0; i--)
            if (attend(w, w->children[i], watch)) finish(w, i);
        end_strays(w);
        take_messages(w);
    }
}

static void exit_now(int code)
{
    _exit(code);
}

/* Leaves everything of the rank behind but the socket: its files, its terminal, its signals. */
static void detach(int sock, pid_t parent)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    int n_files = 4096;
    prctl(PR_SET_NAME, "troupe-sandbox", 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) _exit(0);
    setsid();
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
    errors_set_abort(exit_now);
    if (sock != 3) dup2(sock, 3); /* first: it may be one of the three below */
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
#ifdef SYS_close_range
    if (!syscall(SYS_close_range, 4u, ~0u, 0u)) n_files = 0;
#endif
    for (int fd = 4; fd < n_files; fd++) close(fd);
    fcntl(3, F_SETFD, FD_CLOEXEC);
}

_Noreturn void keeper_main(int sock, pid_t parent)
{
    detach(sock, parent);
    poll(&(struct pollfd){.fd = 3, .events = POLLIN}, 1, -1); /* until somebody wants something */
    for (;;) {
        int status = 0;
        pid_t self = getpid(), worker = fork();
        if (!worker) {
            prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
            if (getppid() != self) _exit(0);
            worker_main(3);
        }
        while (worker > 0 && waitpid(worker, &status, 0) < 0 && errno == EINTR) {
        }
        if (worker > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) _exit(0);
        if (worker < 0 || !WIFEXITED(status)) usleep(100000); /* no race against a sick machine */
    }
}

/* See sandbox_internal.h: one program. Its first process (pid 1 of its namespace) is ours: it puts
 * the files into place, starts the program, waits for it and reports over a pipe that the program
 * does not have; it cannot be traced or killed from inside. When it ends, the kernel ends
 * everything else in the namespace. So a verdict comes from the exit status that we saw and from
 * pipes that nobody can open again: there is no /proc inside. */
#define _GNU_SOURCE
#include "common/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

/* ---- inside ---------------------------------------------------------------------------------- */

typedef struct {
    int report, go, input, out, err;
} Ends;

static void report(int fd, Stage stage, int code, const char *why, const struct rusage *use)
{
    StageReport r = {.stage = stage, .code = code};
    snprintf(r.why, sizeof r.why, "%s", why);
    if (use) {
        r.cpu_s = (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) +
                  1e-6 * (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec);
        r.peak_kb = use->ru_maxrss;
    }
    ssize_t n = write(fd, &r, sizeof r);
    (void)n; /* nobody to tell: the reader then sees the pipe's end */
}

static _Noreturn void setup_failed(const Ends *e, const char *what)
{
    report(e->report, STAGE_SETUP_FAILED, errno, what, NULL);
    _exit(1);
}

static int put_file(const SandboxFile *f)
{
    int fd = open(f->name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
                  f->executable ? 0700 : 0600);
    const char *p = f->data;
    size_t left = f->size;
    if (fd < 0) return -1;
    while (left) {
        ssize_t n = write(fd, p, left);
        if (n <= 0) break;
        p += n;
        left -= (size_t)n;
    }
    int why = errno;
    close(fd);
    errno = why;
    return left ? -1 : 0;
}

static int set_limit(int resource, double value)
{
    struct rlimit r = {(rlim_t)value, (rlim_t)value};
    if (resource == RLIMIT_CPU) r.rlim_max++; /* first a signal that says why, then the end */
    return setrlimit((__rlimit_resource_t)resource, &r);
}

/* Before 5.14 the kernel counts a user's processes all over the machine: there, and without
 * namespaces, the worker counts instead. */
static bool counts_processes(const Jail *j)
{
    struct utsname u;
    int major = 0, minor = 0;
    if (!j->jailed || uname(&u) || sscanf(u.release, "%d.%d", &major, &minor) != 2) return false;
    return major > 5 || (major == 5 && minor >= 14);
}

static int set_limits(const Jail *j, const SandboxLimits *l)
{
    double mb = 1 << 20;
    return set_limit(RLIMIT_CORE, 0) || set_limit(RLIMIT_CPU, ceil(l->cpu_s)) ||
           set_limit(RLIMIT_FSIZE, (double)l->files_mb * mb) || set_limit(RLIMIT_NOFILE, 256) ||
           set_limit(RLIMIT_MSGQUEUE, 0) || set_limit(RLIMIT_MEMLOCK, 65536) ||
           (counts_processes(j) && set_limit(RLIMIT_NPROC, l->processes + 1)) ||
           set_limit(RLIMIT_AS, (double)l->memory_mb * mb);
}

static void reset_signals(void)
{
    sigset_t none;
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The environment is the same on every machine; in a jail, so are its folders. */
static char home[320] = "HOME=/program", temporary[320] = "TMPDIR=/program";
static char *const environment[] = {home,
                                    temporary,
                                    "PATH=/usr/local/bin:/usr/bin:/bin",
                                    "LANG=C.UTF-8",
                                    "LC_ALL=C.UTF-8",
                                    "TZ=UTC",
                                    "OMP_NUM_THREADS=1",
                                    "PYTHONHASHSEED=0",
                                    "PYTHONDONTWRITEBYTECODE=1",
                                    NULL};

static void live_in(const char *folder)
{
    snprintf(home, sizeof home, "HOME=%s", folder);
    snprintf(temporary, sizeof temporary, "TMPDIR=%s", folder);
}

/* Looks for a plain name itself: the C library's search would use more memory than is left. */
static void exec_program(const char *const *argv)
{
    static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/bin"};
    char path[512];
    int why = ENOENT;
    char *const *arguments = (char *const *)(uintptr_t)argv;
    if (strchr(argv[0], '/')) {
        execve(argv[0], arguments, environment);
        return;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], argv[0]);
        execve(path, arguments, environment);
        if (errno != ENOENT) why = errno;
    }
    errno = why;
}

static int lock_up(const Jail *j, const Request *r, const Ends *e)
{
    if (setsid() < 0 || dup2(e->input, 0) < 0 || dup2(e->out, 1) < 0 || dup2(e->err, 2) < 0)
        return -1;
    reset_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* where no namespace ends with its first process */
    jail_drop_capabilities();
    if (set_limits(j, &r->limits)) return -1;
    return seccomp_enter(&j->filter) && j->jailed ? -1 : 0;
}

/* What the program's own process does until it is the program. It reports only while it is ours;
 * and that it is begun it reports before it is, so that nothing the program does comes first. */
static _Noreturn void program_main(const Jail *j, const Request *r, const Ends *e, int failure)
{
    Stage stage = STAGE_SETUP_FAILED;
    if (!lock_up(j, r, e)) {
        stage = STAGE_NO_EXEC;
        report(e->report, STAGE_STARTED, 0, "", NULL);
        exec_program(r->argv);
    }
    report(failure, stage, errno, "limits and the list of system calls", NULL);
    _exit(127);
}

/* Where there is no pid namespace: ends what is left, so that nobody outlives the result. */
static void end_descendants(const Jail *j)
{
    int n = 2;
    for (int i = 0; i < 200 && n > 1; i++) {
        processes_below(j->proc, getpid(), SIGKILL, &n);
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (n > 1) usleep(1000);
    }
}

static void wait_for_program(pid_t program, const Ends *e)
{
    struct rusage use;
    int status;
    pid_t pid;
    do pid = wait4(-1, &status, 0, &use); /* orphans are reaped here too */
    while ((pid >= 0 && pid != program) || (pid < 0 && errno == EINTR));
    report(e->report, STAGE_ENDED, status, "", &use);
}

static void prepare(const Jail *j, const Request *r, const Ends *e)
{
    char go = 0;
    prctl(PR_SET_NAME, "troupe-init", 0, 0, 0);
    if (read(e->go, &go, 1) != 1 || go != 'g') _exit(1); /* the worker says why */
    if (jail_become_user(j)) setup_failed(e, "becoming the program's user");
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* after the ids: a change of them undoes it */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (jail_mount_folder(j, r->limits.files_mb)) setup_failed(e, "a folder in memory");
    for (int i = 0; i < r->n_files; i++)
        if (put_file(&r->files[i])) setup_failed(e, "writing the program's files");
}

static _Noreturn void init_main(const Jail *j, const Request *r, const Ends *e)
{
    int failure[2];
    StageReport why;
    prepare(j, r, e);
    if (pipe2(failure, O_CLOEXEC)) setup_failed(e, "a pipe");
    pid_t program = fork();
    if (program < 0) setup_failed(e, "a process");
    if (!program) program_main(j, r, e, failure[1]);
    close(failure[1]);
    close(e->out);
    close(e->err);
    if (read(failure[0], &why, sizeof why) == sizeof why) {
        report(e->report, (Stage)why.stage, why.code, why.why, NULL);
        _exit(1);
    }
    wait_for_program(program, e);
    if (!j->jailed) end_descendants(j);
    _exit(0);
}

/* ---- outside --------------------------------------------------------------------------------- */

static int failed(char why[200], const char *what)
{
    snprintf(why, 200, "%s: %s", what, strerror(errno));
    return -1;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Without a jail the folder lies where temporary files do. */
static int make_folder(Child *c, const Jail *j)
{
    const char *base = getenv("TMPDIR");
    if (j->jailed) return 0;
    c->folder = mem_printf("%s/troupe-program-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(c->folder)) return -1;
    return geteuid() ? 0 : chown(c->folder, NOBODY, NOBODY);
}

static int remove_entry(const char *path, const struct stat *s, int kind, struct FTW *f)
{
    (void)s;
    (void)kind;
    (void)f;
    remove(path);
    return 0;
}

static void remove_folder(Child *c)
{
    if (c->folder) nftw(c->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(c->folder);
    c->folder = NULL;
}

typedef struct {
    int report[2], go[2], out[2], err[2], input;
} Pipes;

static int open_pipes(Pipes *p, const Request *r)
{
    *p = (Pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, -1};
    if (pipe2(p->report, O_CLOEXEC) || pipe2(p->go, O_CLOEXEC) || pipe2(p->out, O_CLOEXEC) ||
        pipe2(p->err, O_CLOEXEC))
        return -1;
    p->input = wire_memory(r->input, r->n_input, NULL, 0);
    if (p->input < 0) return -1;
    int reading[] = {p->report[0], p->out[0], p->err[0]};
    for (int i = 0; i < 3; i++)
        if (fcntl(reading[i], F_SETFL, O_NONBLOCK)) return -1;
    return 0;
}

static void close_pipes(Pipes *p)
{
    for (int i = 0; i < 2; i++) {
        close_fd(&p->report[i]);
        close_fd(&p->go[i]);
        close_fd(&p->out[i]);
        close_fd(&p->err[i]);
    }
    close_fd(&p->input);
}

static void take_end(int *to, int *from)
{
    *to = *from;
    *from = -1;
}

int child_start(Child *c, const Jail *j, const Request *r, char why[200])
{
    Pipes p;
    int rc = -1;
    if (open_pipes(&p, r)) {
        failed(why, "pipes");
        goto done;
    }
    if (make_folder(c, j)) {
        failed(why, "a folder for the program");
        goto done;
    }
    c->began = clock_seconds();
    c->deadline = c->began + r->limits.wall_s;
    c->most_output = (size_t)r->limits.output_kb << 10;
    c->most_kb = 2 * (r->limits.memory_mb << 10);
    c->most_processes = r->limits.processes + 2;
    c->cpu_s = r->limits.cpu_s;
    c->pid = jail_fork(j);
    if (c->pid < 0) {
        failed(why, "a process in namespaces of its own");
        goto done;
    }
    if (!c->pid) {
        if (c->folder && chdir(c->folder)) _exit(1);
        if (c->folder) live_in(c->folder);
        close_fd(&p.go[1]); /* the worker's end of it, so that its death ends our wait */
        init_main(j, r, &(Ends){p.report[1], p.go[0], p.input, p.out[1], p.err[1]});
    }
    take_end(&c->report, &p.report[0]);
    take_end(&c->output[0], &p.out[0]);
    take_end(&c->output[1], &p.err[0]);
    bool admitted = !jail_admit(j, c->pid);
    if (!admitted) failed(why, "mapping user ids");
    if (!admitted || write(p.go[1], "g", 1) != 1) {
        child_kill(c, j);
        child_close(c);
        goto done;
    }
    rc = 0;
done:
    close_pipes(&p);
    if (rc) remove_folder(c);
    return rc;
}

void child_kill(Child *c, const Jail *j)
{
    int n = 2;
    for (int i = 0; !j->jailed && i < 200 && n > 1; i++) {
        processes_below(j->proc, c->pid, SIGKILL, &n);
        if (n > 1) usleep(1000);
    }
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

void child_close(Child *c)
{
    close_fd(&c->report);
    close_fd(&c->output[0]);
    close_fd(&c->output[1]);
    remove_folder(c);
}

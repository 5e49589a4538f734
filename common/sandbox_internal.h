/* Between the files of the sandbox.
 *
 *   sandbox.c          the caller's side: queue, tickets, a helper that died
 *   sandbox_wire.c     messages between the two, with memory passed as file descriptors
 *   sandbox_helper.c   the helper: keeper, and the worker's loop over the programs that run
 *   sandbox_jail.c     what the worker and its programs see: namespaces, file system, user ids
 *   sandbox_child.c    one program: its init process, limits, exec
 *   sandbox_seccomp.c  the list of allowed system calls
 */
#ifndef COMMON_SANDBOX_INTERNAL_H
#define COMMON_SANDBOX_INTERNAL_H

#include <linux/filter.h>
#include <sys/types.h>

#include "common/memory.h"
#include "common/sandbox.h"

/* ---- messages -------------------------------------------------------------------------------- */

typedef enum {
    WIRE_HELLO, /* worker: is there (pid); what an earlier one ran is lost */
    WIRE_SETUP, /* caller: memory holds the folders to show, one a line */
    WIRE_READY, /* worker: code 1 if it isolates, 0 and why if it cannot */
    WIRE_RUN,   /* caller: ticket; memory holds a packed request */
    WIRE_CANCEL,
    WIRE_DONE, /* worker: ticket and the result; memory holds output, then errors */
    WIRE_QUIT, /* caller: make room for a new worker (SETUP can be done once) */
} WireKind;

typedef struct {
    uint32_t kind;
    int32_t pid;
    uint64_t ticket, n_out, n_err;
    int32_t outcome, code;
    double wall_s, cpu_s;
    int64_t peak_kb;
    char why[200];
} WireMessage;

int wire_send(int sock, const WireMessage *m, int fd); /* fd: passed along; -1: none. 0 or -1 */
/* 1: a message, *fd owned by the caller or -1; 0: none there; -1: the other side is gone. */
int wire_receive(int sock, WireMessage *m, int *fd);
/* Memory with a name that only its descriptor has, filled and sealed; -1 with errno. */
int wire_memory(const void *a, size_t n_a, const void *b, size_t n_b);
/* Maps it for reading; NULL if that fails or it is empty. Unmap with munmap(p, *n). */
const char *wire_map(int fd, size_t *n);

/* A request as it travels; strings and data point into the mapped memory. */
enum { REQUEST_ARGS_MAX = 64, REQUEST_FILES_MAX = 16 };
typedef struct {
    SandboxLimits limits;
    bool allow_unsandboxed;
    const char *argv[REQUEST_ARGS_MAX + 1];
    SandboxFile files[REQUEST_FILES_MAX];
    int n_files;
    const char *input;
    size_t n_input;
} Request;
void request_pack(const SandboxRun *run, Buffer *out);
int request_unpack(Request *r, const char *data, size_t n); /* 0, or -1 */

/* ---- the helper's side ----------------------------------------------------------------------- */

enum { WORKER_AGAIN = 3 }; /* exit status: start another one */
enum { NOBODY = 65534 };   /* the user that root runs programs as */
_Noreturn void keeper_main(int sock, pid_t parent);

typedef struct {
    int proc;       /* /proc of the outside, as a folder */
    bool jailed;    /* false: no namespaces */
    bool root;      /* programs run as `uid` of the outside, else as ourselves */
    uid_t uid, gid; /* of the outside */
    struct sock_fprog filter;
    char why[200]; /* why it is not jailed */
} Jail;

/* Makes the calling process (the worker) live in the jail. 0, or -1 with j->why; then the process
 * may be in any state between. */
int jail_build(Jail *j, const char *folders);
/* A new process like fork's, in namespaces of its own (jailed); it must wait until the parent has
 * called jail_admit. */
pid_t jail_fork(const Jail *j);
int jail_admit(const Jail *j, pid_t child);
/* In the child: becomes the program's user. */
int jail_become_user(const Jail *j);
/* In the child: a folder in memory, of which nobody else knows, at /program (/tmp is a link to it,
 * unless something of the outside is shown there). */
int jail_mount_folder(const Jail *j, int64_t files_mb);
void jail_drop_capabilities(void);

/* What the init process of a program reports, each in one write. */
typedef enum { STAGE_SETUP_FAILED, STAGE_NO_EXEC, STAGE_STARTED, STAGE_ENDED } Stage;
typedef struct {
    int32_t stage, code; /* errno, or the status of wait */
    double cpu_s;
    int64_t peak_kb;
    char why[64];
} StageReport;

typedef struct {
    uint64_t ticket;
    pid_t pid;     /* its init process; kill it and all are gone (jailed) */
    int report;    /* StageReports */
    int output[2]; /* what it prints: standard output, standard error; -1 once closed */
    Buffer text[2];
    size_t most_output;
    double began, deadline, cpu_s;
    int64_t most_kb;
    int most_processes;
    char *folder;          /* not jailed: to be removed */
    SandboxOutcome forced; /* why we ended it; SANDBOX_EXITED: we did not */
    bool started, ended;
    StageReport last;
} Child;

/* Starts a program. 0, or -1 with why (an error of our machinery). */
int child_start(Child *c, const Jail *j, const Request *r, char why[200]);
/* Ends it and everything it started, and waits until they are gone. What it printed before can
 * still be read. */
void child_kill(Child *c, const Jail *j);
void child_close(Child *c);

int seccomp_build(struct sock_fprog *filter); /* 0, or -1 */
int seccomp_enter(const struct sock_fprog *filter);

/* Walks over the processes below pid (pid itself included): resident memory that is not shared, in
 * kB. signal > 0: sends it to those below. *n: how many. */
int64_t processes_below(int proc, pid_t pid, int signal, int *n);

#endif

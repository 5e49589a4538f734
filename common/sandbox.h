/* Runs programs that nobody vouches for: code that a model wrote, judged by a reward.
 *
 * A small helper process is forked at program start, before MPI_Init and before a model is loaded:
 * forking a big rank costs 38 ms a GB, and forking after MPI_Init is not safe. It sleeps until it
 * is asked. Each program runs in namespaces of its own (user, pid, ipc, mount; a network without
 * any interface), behind a list of allowed system calls, with limits of time, memory, processes and
 * output, in a folder in memory that is gone afterwards. It sees /usr and its likes read-only and
 * nothing else of the machine: no home, no /proc, no run folder. What a run left behind is killed
 * with its pid namespace before its result is given.
 *
 * Everything here is local to the process and for one thread: the one that called sandbox_start.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the helper ------------------------------------------------------------------------------ */

/* Forks the helper (0.1 ms; one process that sleeps until it is used). Call it in main's thread
 * before MPI_Init, threads and big allocations; a second call does nothing. The helper ends with
 * this process, however that ends, and is started anew when it dies itself. 0, or -1 with the
 * reason. */
int sandbox_start(void);
bool sandbox_started(void);
/* Ends the helper and everything it runs. Without it, the end of the process does the same. */
void sandbox_stop(void);

typedef struct {
    /* Where the machine gives no namespaces: run programs all the same, with limits and the list of
     * system calls only. They can then read and write what this user can. */
    bool allow_unsandboxed;
    int parallel; /* programs that run at the same time, at most; 0: a core each */
    /* An absolute path of a program outside /usr whose installation (the folder above its own) must
     * be visible inside, links followed; NULL: none. */
    const char *program;
    const char *folders; /* more absolute paths to be visible, between colons; NULL: none */
} SandboxOptions;

/* Makes the sandbox ready and tries it out (a few ms the first time). May be called once per user:
 * folders add up, the largest `parallel` holds. 0, or -1 with the reason and what to do. */
int sandbox_open(const SandboxOptions *o);
/* Does it isolate? False where only allow_unsandboxed made sandbox_open succeed. */
bool sandbox_isolates(void);

/* ---- running a program ----------------------------------------------------------------------- */

typedef struct {
    const char *name; /* a plain file name, no folders */
    const void *data; /* [size] */
    size_t size;
    bool executable;
} SandboxFile;

typedef struct {
    double cpu_s;      /* of each process, in whole seconds (rounded up) */
    double wall_s;     /* from its start, however busy the machine is */
    int64_t memory_mb; /* address space of each process; twice that resident for all together */
    int64_t files_mb;  /* all files of its folder together, and each of them */
    int64_t output_kb; /* of standard output and of standard error: at the bound the run is ended */
    int processes;     /* and threads, at the same time */
} SandboxLimits;

typedef struct {
    const char *const *argv;  /* ends with NULL; argv[0] is looked up in /usr/local/bin, /usr/bin,
                                 /bin, or begins with / or ./ (its folder) */
    const SandboxFile *files; /* [n_files] put into its folder, which it starts in */
    int n_files;
    const void *input; /* [n_input] standard input: a file that cannot be written */
    size_t n_input;
    SandboxLimits limits;
    bool allow_unsandboxed; /* as in SandboxOptions, for this run */
} SandboxRun;

typedef enum {
    SANDBOX_EXITED,      /* ended by itself; code: its exit status */
    SANDBOX_KILLED,      /* ended by a signal, or for its memory; code: the signal */
    SANDBOX_TIMEOUT,     /* used up its time */
    SANDBOX_FLOOD,       /* printed more than the bound */
    SANDBOX_NOT_STARTED, /* no such program, or not one; code: errno */
    SANDBOX_BROKEN,      /* our machinery failed, which says nothing about the program; see why */
    SANDBOX_REFUSED,     /* nothing isolates here, and the run does not allow going without */
} SandboxOutcome;
const char *sandbox_outcome_name(SandboxOutcome o);

typedef struct {
    SandboxOutcome outcome;
    int code;
    double wall_s, cpu_s; /* cpu_s: of the program and the children it waited for */
    int64_t peak_kb;      /* resident, largest process */
    char *out, *err; /* [n_out], [n_err], NUL added; owned, never NULL: what was printed within the
                        bound */
    size_t n_out, n_err;
    char why[200]; /* for BROKEN and REFUSED */
} SandboxResult;
void sandbox_result_free(SandboxResult *r);

/* Takes a copy of the request and gives a ticket. Never blocks. Any number may wait; those above
 * `parallel` are started when others end. Limits are REQUIREd to be positive. */
uint64_t sandbox_begin(const SandboxRun *run);
/* True once the run has ended: *result is filled (caller frees) and the ticket is used up. Never
 * blocks. Every run ends, at the latest 10 s after its wall_s (a helper that does not answer is
 * killed and started anew). */
bool sandbox_poll(uint64_t ticket, SandboxResult *result);
/* The result is not wanted any more. */
void sandbox_cancel(uint64_t ticket);
/* Sleeps until a run has ended or `seconds` are over; at once when nothing runs. */
void sandbox_wait(double seconds);
/* sandbox_begin, and waits for the end. */
void sandbox_run(const SandboxRun *run, SandboxResult *result);

#endif

/* The opening of a training job: every rank comes to the same configuration, layout, kernel set and
 * starting point, or all of them end. */
#ifndef LAUNCH_START_H
#define LAUNCH_START_H

#include "common/checkpoint.h"
#include "common/comm.h"
#include "common/config.h"

typedef struct {
    const char *config_path;
    const char *const *sets; /* [n_sets] section.name=value */
    int n_sets;
    bool resume;
} StartArguments;

typedef struct {
    Comm *comm;
    Config cfg;
    char *dir; /* run.dir/run.name */
    KernelSet kernels;
    bool resume;           /* asked for: a run that is there already goes on */
    bool finished;         /* all steps are done, and the end was reported: nothing is left */
    bool resumed;          /* a checkpoint was found: */
    char checkpoint[4096]; /* its path */
    CheckpointState state; /* all of it on rank 0; counters on the others */
} Start;

/* Reads the configuration on rank 0 and gives it to all, fixes the roles, finds the checkpoint to
 * go on from, chooses (or takes over) the kernel set. 0 and *s filled, or an exit code, the same on
 * every rank; the reason was said on rank 0, or on the rank that differs. Collective. */
int start_job(Start *s, Comm *comm, const StartArguments *a);
void start_free(Start *s);

/* Between these two only rank 0 speaks; what went wrong elsewhere alone is then said by the lowest
 * rank that it happened to. `code` is this rank's, 0 or an exit code; returned is that of the
 * lowest rank that failed, the same on all. Collective. */
void start_quietly(Comm *c);
int start_together(Comm *c, int code, const char *what);

/* Threads for this rank: layout.threads, or what was asked of Slurm for a task, or this machine's
 * cores shared among the ranks on it that compute at the same time (dedicated actors and
 * learners take turns unless there is a lag, reward ranks hardly compute). */
int start_threads(const Start *s);

#endif

/* The run directory's records (design.md 5, operations.md 3.3): run.h5 (small, rewritten whole), rollouts/steps-*.h5 (closed segments),
 * rollouts/live.log (frames of the interval in progress), metrics.jsonl (a line a step), summary.json. Rank 0 is the only writer. No HDF5 file grows in place. */
#ifndef COMMON_RUNFILE_H
#define COMMON_RUNFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/kernelset.h"
#include "common/sample.h"

typedef struct RunFile RunFile;

typedef struct {
    const char *config_text, *version_text; /* as given; `troupe --version` */
    char run_id[40];                        /* random hex; made by runfile_open when new */
    uint64_t seed;
    KernelSet kernels;
    int n_components;                       /* names of the reward's components */
    const char *const *components;
    const char *layout;                     /* "workers 2, rewardsvc 1" */
} RunInfo;

/* Opens (creates, 0750) the run directory and takes its lock (a second job is refused: host, pid said). resume_step >= 0: continues after that step: metrics cut to it,
 * live.log moved aside to live.previous.log so that re-made rollouts can be compared with it. -1: refuses a directory that already holds a run (says --resume). NULL with the reason. */
RunFile *runfile_open(const char *dir, RunInfo *info, int64_t resume_step);
void runfile_close(RunFile *r);

/* A step's groups: appended to live.log, kept for the segment. If a kept previous log has the same step: compared; -1 if tokens or log-probabilities differ
 * (the promise "a run is a number" is broken), 0 otherwise. */
int runfile_add_groups(RunFile *r, int64_t step, const Group *groups, int n);

/* One line of metrics.jsonl and a row of the metrics table; `step`, and whatever the object has. Steals nothing. */
void runfile_add_metrics(RunFile *r, int64_t step, const json_t *metrics);

/* At a checkpoint: closes the segment (rename), rewrites run.h5, truncates live.log. -1 with the reason; the run may go on. */
int runfile_cut_segment(RunFile *r, int64_t step);

/* summary.json, written aside and renamed. */
int runfile_summary(RunFile *r, const json_t *summary);

/* ---- reading, for inspect ------------------------------------------------------------------------------------------- */
/* All metrics of a run, an array of objects in step order (from metrics.jsonl). NULL with the reason. */
json_t *runfile_read_metrics(const char *dir);
/* Groups of a step, from its segment or the live log. Caller frees each and the array. -1 with the reason. */
int runfile_read_groups(const char *dir, int64_t step, Group **groups, int *n);
/* run.h5's attributes as an object: config, seed, run_id, components, kernels, launches, segments. */
json_t *runfile_read_info(const char *dir);

#endif

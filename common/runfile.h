/* The run directory's records (design.md 5, operations.md 3.3): run.h5 (small, rewritten whole),
 * rollouts/steps-*.h5 (closed segments), rollouts/live.log (frames of the interval in progress),
 * metrics.jsonl (a line a step), summary.json, launches.txt (a line a launch), lock. Rank 0 is the
 * only writer. No HDF5 file grows in place; all of them open with h5py and h5dump.
 *
 * A step's number counts from 1: it is the number of optimiser steps done once the step is over, as
 * in checkpoints; 0 is what comes before the first.
 *
 * run.h5            attributes format, run_id, layout, last_step; datasets
 *   info            u8 [..]        all of the run as JSON: run_id, seed, config, version, layout,
 *                                  last_step, components, kernels, launches, segments,
 *                                  reward_files (rewardsvc/reward_files.h)
 *   config version  text           as given; `troupe --version`
 *   metrics/KEY     f64 [lines]    a column for each number of metrics.jsonl (an object's inner
 *                                  ones as KEY.inner), NaN where a line has none
 *
 * rollouts/steps-FIRST-LAST.h5: n groups, N samples, T tokens in all, K components;
 * NAME_offset [count + 1] are the ends of ragged parts
 *   groups/         step id problem i64 [n], kind u8 [n] (0 train, 1 eval, 2 demonstration),
 *                   version n_components i32 [n], sample_offset i64 [n+1],
 *                   prompt i32 [..] by prompt_offset,
 *                   prompt_text and record u8 [..] by prompt_text_offset and record_offset
 *   samples/        token_offset i64 [N+1]; tokens i32, logprobs logprobs_untempered
 *                   logprobs_sampled f32, versions i32, mask u8, text_end i32 [T] (bytes of the
 *                   answer's text once the token is written; -1: not known);
 *                   finish u8 [N] (0 end of text, 1 stop string, 2 length), reward f64,
 *                   reward_status u8, advantage f32 [N], text u8 by text_offset; where answers
 *                   have rewards of steps: step_end i32 (tokens), step_reward f64,
 *                   step_advantage f32, by step_offset i64 [N+1]
 *   components/     value f64 [N, K], status u8 [N, K] (0 ok, 1 timeout, 2 error, 3 refused,
 *                   4 not applicable), name u8 by name_offset; where judges wrote anything:
 *                   note u8 [..] by note_offset i64 [N * K + 1]
 *   times/          latency_s f32 [N, K]: outside every equality
 */
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
    int n_components; /* names of the reward's components */
    const char *const *components;
    const char *layout;   /* "workers 2, rewardsvc 1" */
    json_t *reward_files; /* what files of the reward block hold; NULL: none. A reference is kept */
    /* with resume_step = 0: the last line of stage "sft" that stays; INT64_MIN: none */
    int64_t resume_sft_step;
} RunInfo;

/* Before anything of a run is read to go on with it: takes its lock, which this process then keeps
 * to its end; runfile_open does the rest. 0 (also where there is no run yet), or -1: another job is
 * at it, which is said. */
int runfile_reserve(const char *dir);

/* Opens (creates, 0750) the run directory and takes its lock (a second job is refused: host, pid
 * said). resume_step > 0: continues after that step: lines of metrics after it are cut, segments
 * after it renamed to *.old, and live.log moved aside to live.previous.log so that re-made rollouts
 * can be compared with it; lines with "stage": "sft" stay. resume_step = 0: the same, before the
 * first step: all lines are cut but those of stage "sft" whose step is at most
 * info->resume_sft_step (a run that died before its first checkpoint: INT64_MIN). resume_step < 0:
 * a new run; refuses a directory that already holds one (says --resume). NULL with the reason. */
RunFile *runfile_open(const char *dir, RunInfo *info, int64_t resume_step);
void runfile_close(RunFile *r);

/* A step's groups: appended to live.log, kept for the segment. If a kept previous log has the same
 * step: compared; -1 if tokens or log-probabilities differ (the promise "a run is a number" is
 * broken), 0 otherwise. */
int runfile_add_groups(RunFile *r, int64_t step, const Group *groups, int n);

/* One line of metrics.jsonl and a row of the metrics table; `step`, and whatever the object has.
 * Steals nothing. */
void runfile_add_metrics(RunFile *r, int64_t step, const json_t *metrics);

/* At a checkpoint: closes the segment (rename), rewrites run.h5, truncates live.log. -1 with the
 * reason; the run may go on. */
int runfile_cut_segment(RunFile *r, int64_t step);

/* summary.json, written aside and renamed. */
int runfile_summary(RunFile *r, const json_t *summary);

/* ---- reading, for inspect -------------------------------------------------------------------- */
/* All metrics of a run, an array of objects in step order (from metrics.jsonl). NULL with the
 * reason. */
json_t *runfile_read_metrics(const char *dir);
/* Groups of a step, from its segment or the live log. Caller frees each and the array. -1 with the
 * reason. */
int runfile_read_groups(const char *dir, int64_t step, Group **groups, int *n);
/* Every group of a run in the order it was recorded, segments first, then the live log: f is called
 * for each (g is the caller's only until f returns) and ends the walk by not returning 0. That
 * value, 0 at the end, or -1 with the reason. */
int runfile_each_group(const char *dir, int (*f)(void *ctx, int64_t step, const Group *g),
                       void *ctx);
/* run.h5's attributes as an object: config, seed, run_id, components, kernels, launches, segments.
 */
json_t *runfile_read_info(const char *dir);

#endif

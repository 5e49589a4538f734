/* The end of a run, for people and programs: summary.json, the plot in the terminal and as
 * plot.png, answers before and after. Everything is read back from the run's own metrics, so a
 * resumed run reports the whole of it. */
#ifndef LAUNCH_REPORT_H
#define LAUNCH_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/runfile.h"
#include "launch/busy.h"

typedef struct {
    const char *run_id, *reason;
    int64_t steps;
    double seconds, tokens_per_s;
    const size_t *peak_memory; /* [n_ranks] bytes */
    const BusyShare *share;    /* [n_ranks] of this launch's time */
    int n_ranks;
    uint32_t weights_crc; /* of the final compute weights: equal runs have equal ones */
} ReportTotals;

/* Writes summary.json; when the run is complete also the plots and the answers, on standard error.
 */
void report_end(RunFile *file, const char *dir, const ReportTotals *totals, bool complete);

/* The steps of the run in `dir` if its summary says that it finished; -1 otherwise. Only looks. */
int64_t report_finished_steps(const char *dir);

/* The plot of a run's metrics (an array of objects as runfile_read_metrics gives): reward as a
 * line, held-out accuracy as dots. terminal and png may be NULL. The title is the last part of dir.
 * 0, or -1: the picture was not written. Also for `inspect`. */
int report_plot(const json_t *metrics, const char *dir, FILE *terminal, const char *png);

#endif

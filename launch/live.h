/* The line that a person watches: on a terminal one line that renews itself, in a log a plain line
 * now and then (operations.md 7). */
#ifndef LAUNCH_LIVE_H
#define LAUNCH_LIVE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool terminal;      /* standard error is one */
    double began, last; /* seconds: start of this launch, last line written */
    double work_done, work_at_start,
        work_all; /* of the whole run in units that take about the same time: for the time left */
} Live;

typedef struct {
    const char *stage; /* "imitation", "grpo" */
    int64_t step, steps;
    double loss; /* NaN: not shown; as the next two */
    double reward, accuracy;
    double tokens_per_s;
    int64_t behind; /* steps that the weights of the rollouts are behind; 0: not shown */
    char busy[64];  /* "busy 97 12 3 %": the ranks' shares of work; "": not shown */
    char doing[40]; /* within the step: "answers 37/128"; "" between steps */
} LiveState;

void live_init(Live *l);
/* Sets how far the run is: done of all units of work; the first call fixes where this launch began.
 */
void live_work(Live *l, double done, double all);
/* Shows the state; in a log at most every 10 s unless `always`. */
void live_show(Live *l, const LiveState *s, bool always);
/* Ends the line on a terminal, so that other text can follow. */
void live_end(Live *l);

#endif

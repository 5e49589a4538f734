/* Is the reward still a measure of what is wanted? After each evaluation the optimised reward
 * (proxy) and a component that says what is wanted (gold: `monitor.gold`) are compared over the
 * held-out problems, and rewardsvc/monitor.h's detectors asked. Rank 0. */
#ifndef LAUNCH_WATCH_H
#define LAUNCH_WATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "common/config.h"
#include "common/sample.h"
#include "rewardsvc/monitor.h"

typedef struct {
    const Config *cfg; /* borrowed */
    int gold, proxy;   /* components; gold -1: nothing is watched; proxy -1: the reward */
    /* of the evaluation in progress, by problem, so that sums do not depend on the order of
     * arrival: [eval.problems], NAN where a score is not ok */
    double *proxies, *golds, *lengths;
    MonitorPoint *history; /* [n] */
    int n, capacity;
    double proxy_std, gold_std; /* over problems, at the first evaluation */
    unsigned alarms;            /* of the newest (MonitorAlarm) */
    bool stop;                  /* the decisive one rang anew, and monitor.on_alarm is stop */
} Watch;

/* component_names [n]: of the reward block. -1: monitor.gold or monitor.proxy is none of them
 * (said). */
int watch_init(Watch *w, const Config *cfg, const char *const *component_names, int n);
void watch_free(Watch *w);
bool watch_on(const Watch *w);

void watch_begin(Watch *w);
void watch_add(Watch *w, const Group *g); /* an evaluation's */

/* After all of an evaluation: adds {proxy, gold, proxy_std, gold_std, length, gap, alarms: [text]}
 * to the step's line as "monitor", and says alarms that did not ring before on standard error. */
void watch_report(Watch *w, int64_t step, json_t *line);

/* A run that goes on: the history as the lines of its metrics have it. Nothing is said. */
void watch_restore(Watch *w, const json_t *metrics);

#endif

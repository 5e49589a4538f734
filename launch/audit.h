/* What another reward block would have done to a run's advantages: sums over groups that were
 * judged twice. `troupe audit` (verbs/audit.c) feeds it and prints what comes of it. */
#ifndef LAUNCH_AUDIT_H
#define LAUNCH_AUDIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/sample.h"
#include "rewardsvc/reward.h"

/* A component of the new block, and what the run has under the same label. */
typedef struct {
    const char *name;
    int old; /* index in the run; -1: the run has none of that name */
    bool rule;
    int alike;        /* same reward and settings in both configurations: 1, 0, or -1: not known */
    int64_t n, equal; /* scores of both, and how many have the same status and the same bits */
    int64_t step, group; /* of the first that differ */
    int sample;
    Score was, is;
    double sum[2], n_ok[2]; /* values that are ok: in the run, now */
} AuditComponent;

typedef struct {
    int64_t step, n, groups;
    double sum[2], n_ok[2]; /* rewards that are ok: in the run, now */
    int64_t signs_changed; /* samples whose advantage was above 0 and is below it, or the reverse */
    int64_t flat[2], became_flat, ceased_flat; /* groups without any advantage */
} AuditStep;

typedef struct {
    const RewardBlock *block;
    AuditComponent *components; /* [block->n] */
    AuditStep *steps;           /* [n_steps] */
    int n_steps, steps_capacity;
    int64_t signs[3][3]; /* samples by the advantage's sign, -1 0 +1: in the run, now */
    double *was, *is;    /* [n] advantages of samples that had an ok reward both times */
    int n, capacity;
    json_t **changed; /* [most] groups by how much changed, most first */
    double *changes;  /* [n_changed] mean of |advantage - old advantage| */
    int n_changed, most;
} Audit;

void audit_init(Audit *a, const RewardBlock *block, int most);
void audit_free(Audit *a);

/* A group as recorded and as judged now, advantages in both. Steps ascend. */
void audit_add(Audit *a, int64_t step, const Group *old, const Group *new);

/* {reward: {}, signs: {}, flat_groups: {}, rank_correlation, components: [], by_step: [],
 * most_changed: []}; null where there is nothing to divide by. */
json_t *audit_json(const Audit *a);

/* One sample of --out: {step, group, sample, old: {reward, status, advantage, components,
 * statuses}, new: {the same, notes}}. names: of the run's components [old->n_components]. */
json_t *audit_row(const Audit *a, int64_t step, const Group *old, const Group *new, int sample,
                  const json_t *names);

/* The report for people. all: audit_json with run, config and what else the verb adds. */
void audit_print(const json_t *all);

#endif

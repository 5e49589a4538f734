/* The reward service's role: groups in, scored groups out. */
#ifndef REWARDSVC_SERVICE_H
#define REWARDSVC_SERVICE_H

#include "common/comm.h"
#include "common/config.h"

#include "common/kernelset.h"
#include "rewardsvc/reward.h"

typedef struct ServiceCase ServiceCase;

typedef struct {
    Comm *comm;         /* borrowed */
    const Config *cfg;  /* borrowed */
    RewardBlock block;  /* owned */
    ServiceCase *cases; /* groups that wait for a judge, in order of arrival */
    /* Where rewards have state over steps (reward.h): it is of version `step`, -1 before it has
     * come; groups of later steps wait, and a later state waits until this rank's share of the
     * evaluation of `step` is judged. */
    bool has_state;
    int64_t step, started_at; /* started_at: the first that came */
    int64_t n_evaluated;      /* groups of that evaluation that are judged */
    ServiceCase *early;       /* groups of a later step than the state's */
    ServiceCase **judged; /* [P] on the first reward rank: the step's groups by id, NULL: not yet */
    int n_judged;
    JudgedGroup *advancing; /* [P] what the rewards look at while they advance; NULL: they do not */
} Service;

/* Opens the reward block of the configuration. 0, or -1 with every error said. Local. */
int service_init(Service *s, Comm *comm, const Config *cfg);
/* Opens the judges that it asks, once the run's folder is there; k is the run's. 0, or -1 with the
 * reason. Local. */
int service_prepare(Service *s, const KernelSet *k);
void service_free(Service *s);

/* Takes the groups that have arrived, lets the judges work for a moment, and passes on what is
 * judged: a training group to the learner that owns its slot and to rank 0, which records it; an
 * evaluation to rank 0. A group that only needs rules is passed on at once, whatever waits for
 * judges. True if anything was done. Local: sends are buffered. */
bool service_turn(Service *s);

/* Scores every sample of a group (components, latencies, notes, reward), waiting for judges. */
void service_score(RewardBlock *block, const Config *cfg, Group *g);

#endif

/* The reward service's role: groups in, scored groups out. */
#ifndef REWARDSVC_SERVICE_H
#define REWARDSVC_SERVICE_H

#include "common/comm.h"
#include "common/config.h"

#include "rewardsvc/reward.h"

typedef struct {
    Comm *comm;        /* borrowed */
    const Config *cfg; /* borrowed */
    RewardBlock block; /* owned */
} Service;

/* Opens the reward block of the configuration. 0, or -1 with every error said. Local. */
int service_init(Service *s, Comm *comm, const Config *cfg);
void service_free(Service *s);

/* Scores one group that has arrived and passes it on: a training group to the learner that owns its
 * slot and to rank 0, which records it; an evaluation to rank 0. True if there was one. Local:
 * sends are buffered. */
bool service_turn(Service *s);

/* Scores every sample of a group: components, latencies, sum. */
void service_score(const RewardBlock *block, const Config *cfg, Group *g);

#endif

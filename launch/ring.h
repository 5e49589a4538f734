/* The ring on one rank: the roles it hosts, each taking its turn, until rank 0 says that the run is
 * over. */
#ifndef LAUNCH_RING_H
#define LAUNCH_RING_H

#include "actors/actor.h"
#include "common/runfile_segment.h"
#include "launch/recorder.h"
#include "learner/learner.h"
#include "rewardsvc/service.h"

typedef struct {
    Comm *comm; /* borrowed, as all here; NULL: the rank does not host the role */
    const Config *cfg;
    Actor *actor;
    Service *service;
    Learner *learner;
    Recorder *recorder; /* rank 0 */
    Segment in_flight;  /* rank 0, resumed: judged groups of later steps, from the checkpoint */
    bool saving;        /* rank 0: a checkpoint is due and waits for the groups in flight */
} Ring;

/* Runs to the end, or until someone asks to save and leave (EXIT_AGAIN). Returns the exit code, the
 * same on every rank. Every wait has a name and a deadline. */
int ring_run(Ring *r);

#endif

/* What rank 0 keeps of a run and shows of it: metrics, rollouts, checkpoints, the live line, the
 * summary. Stages call nothing here: the ring does, after the work. */
#ifndef LAUNCH_RECORDER_H
#define LAUNCH_RECORDER_H

#include <jansson.h>

#include "common/checkpoint.h"
#include "common/runfile.h"

#include "launch/busy.h"
#include "launch/evaluation.h"
#include "launch/live.h"
#include "launch/watch.h"
#include "learner/learner.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/rewards_shown.h"

typedef struct {
    const Config *cfg; /* borrowed, as the next two */
    const RewardBlock *rewards;
    Learner *learner;
    char *dir; /* runs/<name> */
    RunFile *file;
    const char **component_names;
    CheckpointState state; /* what the next checkpoint says besides the learner's counters */
    bool has_state;        /* rewards have state over steps; state.service_state is that after */
    int64_t state_step;    /* so many steps: a step is not over before its own has come */
    RewardsStates coming;  /* of later steps */
    Evaluation evaluation;
    bool evaluating; /* a version's evaluation is awaited; its step's line is not written yet */
    Watch watch;     /* over the evaluations */
    json_t *line;    /* metrics of the step in progress */
    json_t *times;   /* what its "time" object gets besides */
    Busy busy;
    Live live;
    LiveState shown;
    /* this launch; its step; its last rollouts; seconds of launches before */
    double began, step_began, rolled_at, earlier_s;
    int64_t tokens, first_step; /* sampled by this launch; where it began */
    int n_failed_saves;         /* in a row */
    bool unsaved;               /* steps were done since the newest checkpoint */
} Recorder;

/* Opens the run directory (resume_step as runfile_open) and starts the clock. state: of the
 * checkpoint resumed from, or a fresh one; taken over. 0 or -1. */
int recorder_open(Recorder *r, const Config *cfg, const RewardBlock *rewards, Learner *learner,
                  const char *dir, const char *layout_text, CheckpointState *state,
                  int64_t resume_step, int64_t resume_sft_step);
void recorder_close(Recorder *r);

/* The live line says what goes on within the step. Cheap. */
void recorder_doing(Recorder *r, const char *what, int done, int all);

/* After a step of imitation. */
void recorder_imitated(Recorder *r);

/* After a step of reinforcement learning, while its groups are still in the inbox: keeps them,
 * begins the step's line. */
void recorder_trained(Recorder *r);

/* The rewards' state after `step` steps, whenever it comes; the line of that step says what it
 * shows anew, a checkpoint of that step holds it. */
void recorder_take_state(Recorder *r, int64_t step, const Buffer *text);

/* An evaluation of `version` begins; recorder_settle waits for it. */
void recorder_evaluate(Recorder *r, int64_t version);
/* A held-out problem of it, judged. */
void recorder_take_evaluated(Recorder *r, const Group *g);

/* Writes the step's line once its evaluation, if any, is complete and the rewards' state has come.
 * True when it was written: the step is over. */
bool recorder_settle(Recorder *r);

/* Writes a checkpoint and closes the segment of rollouts. -1: the reason was said, older
 * checkpoints are untouched; the run may go on once, a second failure in a row ends it (74). */
int recorder_save(Recorder *r);

/* The end: summary.json; when the run is complete also the exported model, the plots, answers
 * before and after. reason: "finished", "asked to leave". */
void recorder_finish(Recorder *r, bool complete, const char *reason);

#endif

/* The actor's role: for each version of the weights, write the answers that are due. */
#ifndef ACTORS_ACTOR_H
#define ACTORS_ACTOR_H

#include "common/comm.h"
#include "common/config.h"
#include "common/policy.h"
#include "common/prompts.h"

#include "common/engine.h"

typedef struct {
    Comm *comm; /* borrowed, as all below */
    const Config *cfg;
    const Prompts *prompts;
    Policy *policy;        /* shared with the learner of the same rank, if there is one */
    Engine *engine;        /* owned */
    int64_t version, done; /* weights held; newest version whose work is over; -1 = none */
    int64_t started_at;    /* version this launch began with */
    /* called (if not NULL) after every decode step, for who shows it: answers written of those due
     */
    void (*progress)(void *ctx, int done, int all);
    void *progress_ctx;
    int n_written, n_due; /* of the call of the engine in progress */
    char *stop_text;      /* stop strings, cut at | */
    const char *stops[16];
    int n_stops;
} Actor;

/* 0, or -1 with the reason. The actor holds no weights until it is told of a version. Local. */
int actor_init(Actor *a, Comm *comm, const Config *cfg, const Prompts *prompts, Policy *policy,
               int64_t started_at);
void actor_free(Actor *a);

/* On a rank that also learns, between turns: lends the memory of keys and values (mem_lend) until
 * the next. Local. */
void actor_lend(Actor *a);

/* On a rank that also learns: the model it shares has become `version`. Local. */
void actor_see_version(Actor *a, int64_t version);

/* Takes newer weights if they have arrived; if a version's work is due, writes all of this rank's
 * share (first the held-out answers, then the step's groups), sending each group to the reward
 * service as it is complete. True if anything was done. Local: sends are buffered. */
bool actor_turn(Actor *a);

/* Settings of the engine for training groups and for evaluation (greedy), as the configuration
 * says. */
GenerateParams actor_params(const Actor *a, GroupKind kind);

#endif

/* MPO's meta step (Kim et al. 2025; the authors' code): for each of some samples the meta judge
 * says where the rubric failed (analyse) and, in the same conversation, proposes a better one
 * (refine); then it merges the proposals into one rubric. On the ring: the first reward rank,
 * between two steps; models are asked, and nothing waits. */
#ifndef REWARDSVC_MPO_META_H
#define REWARDSVC_MPO_META_H

#include "rewardsvc/judge_inquiry.h"
#include "rewardsvc/judge_prompt.h"
#include "rewardsvc/mpo_buffer.h"
#include "rewardsvc/mpo_history.h"

extern const char mpo_analyse_template[], mpo_refine_template[], mpo_merge_template[],
    mpo_screen_template[];
#define MPO_PLACES_HELP                                                                            \
    "{rubric} {task} {score} {evaluation} {prompt} {answer} {think} {final} {reference} "          \
    "{record.FIELD} {mark}"

/* How the meta judge is asked. */
typedef struct {
    Asker asker;
    RewardValue values[N_ASK]; /* the asker's */
    const char *task, *analyse, *refine, *merge, *screen;
    int samples, strata; /* samples looked at; 3: a third of them from each third by score */
    bool prescreen;      /* looks at four times as many first, and takes the worst judged of them */
    int merge_words;     /* of all proposals together */
} MpoWays;

/* 0, or -1 with the reason: a template with a place that there is not. */
int mpo_ways_check(const MpoWays *w);

typedef struct MpoMeta MpoMeta;

/* Begins the step after `step` updates. w and b (not empty) stay until it is freed. */
MpoMeta *mpo_meta_begin(const MpoWays *w, const MpoVersion *rubric, const MpoBuffer *b,
                        uint64_t seed, int64_t step);
/* Looks at it, asks on: true once it is done. Never waits. */
bool mpo_meta_done(MpoMeta *m);
/* Of one that is done: the new rubric, as mpo_rubric_find gives it; {NULL, 0} with the reason. */
Span mpo_meta_rubric(const MpoMeta *m);
void mpo_meta_free(MpoMeta *m); /* withdraws what is open; NULL is fine */

#endif

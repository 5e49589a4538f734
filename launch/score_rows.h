/* Rows of JSON before a reward block: `troupe score` (verbs/score.c) reads them, here they become
 * evidence, are judged, one group at a time, and written. */
#ifndef LAUNCH_SCORE_ROWS_H
#define LAUNCH_SCORE_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/jsonl.h"
#include "rewardsvc/reward.h"

typedef struct {
    json_t *row;
    char *prompt, *completion;
} ScoreRow;

typedef struct {
    Config cfg; /* of --config; all zero for --reward */
    RewardBlock block;
    bool notes; /* what judges wrote is written too */
    /* the group that is being gathered: rows in a row with the same "group" */
    ScoreRow *rows;     /* [n] */
    Evidence *evidence; /* [n] */
    int n, capacity;
    int64_t n_rows, counts[SCORE_NOT_APPLICABLE + 1]; /* of all groups */
    double sum;                                       /* of rewards that are ok */
    double scoring_s;                                 /* seconds in rewards */
    int errors; /* wrong rows: from the first one on nothing more is written */
} Scoring;

enum { SCORE_LARGEST_GROUP = 4096 };

/* A row (a new reference is taken): ends the group before it if it does not belong to it; alone, it
 * is judged at once. 0, or -1 with what is wrong with it: the group it may belong to is dropped. */
int score_row(Scoring *s, const Jsonl *in, json_t *row);
/* Judges what is gathered, and writes it unless there were errors. */
void score_group(Scoring *s);
void score_free(Scoring *s); /* what is gathered, the block, the configuration */

#endif

/* The views of `troupe inspect`: each prints one of them to standard output, as a table for people,
 * CSV, or JSON, and returns the exit code. */
#ifndef LAUNCH_INSPECT_H
#define LAUNCH_INSPECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum { FORM_TABLE, FORM_CSV, FORM_JSON } Form;

/* launch/inspect_steps.c: metrics a step. all: every step; otherwise some twenty, evenly spread. */
void inspect_steps(const json_t *metrics, Form form, bool all);
/* What the run is and how it stands, in some lines (or one object with info, summary, checkpoints,
 * metrics). */
int inspect_summary(const char *dir, Form form);

/* launch/inspect_rewards.c: the reward's components over all recorded answers: each by itself, how
 * they go together, where a rule and a judge part, the answers worth reading. CSV: a line a
 * component. */
typedef struct {
    const char *component, *against; /* NULL: all; every rule against every judge */
    double threshold[2];             /* of their verdicts; NaN: the middle of what was seen */
    int worst;                       /* cases of each sort */
} RewardsWanted;
int inspect_rewards(const char *dir, const RewardsWanted *wanted, Form form);

/* launch/inspect_samples.c: the answers of a step; group < 0: of all its groups. */
int inspect_samples(const char *dir, int64_t step, int64_t group, Form form);

/* launch/inspect_checkpoint.c: the state and the arrays of a checkpoint. */
int inspect_checkpoint(const char *path, Form form);

#endif

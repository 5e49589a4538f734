/* The ledger of a run: every score of every recorded training answer, as columns. Texts stay in
 * the run file: whoever wants those of some rows walks it again (ledger_cases.c). */
#ifndef LAUNCH_LEDGER_H
#define LAUNCH_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/sample.h"

typedef enum { LEDGER_RULE, LEDGER_JUDGE, LEDGER_SHAPE, LEDGER_REWARD } LedgerKind;
const char *ledger_kind_name(LedgerKind kind); /* "rule", "judge", "shape", "reward" */

typedef struct {
    char name[64];
    LedgerKind kind;
    double *value;   /* [n] where status is ok */
    uint8_t *status; /* [n] ScoreStatus */
    float *latency;  /* [n] seconds; NULL for the reward */
} LedgerColumn;

typedef struct {
    int n, capacity; /* answers, in the order they were recorded */
    int64_t *step, *group;
    int *sample, *n_tokens; /* [n] its index in its group; tokens of the answer */
    int n_components;
    LedgerColumn *columns; /* [n_components] */
    LedgerColumn reward;
    int64_t n_groups;
} Ledger;

/* Reads all of a run: its rules, judges and shapes as its configuration says; a component that the
 * configuration does not tell of is a judge if it has written anything. 0, EXIT_CONFIG (a file is
 * damaged) or EXIT_NO_INPUT (nothing was scored yet), with the reason. */
int ledger_read(Ledger *l, const char *dir);
void ledger_free(Ledger *l);

/* Is this a group whose answers are rows of the ledger? */
bool ledger_has(const Group *g);

/* Column k; the reward for k = n_components. */
const LedgerColumn *ledger_column(const Ledger *l, int k);
/* The column of that name ("reward" too); -1 with the names that there are. */
int ledger_find(const Ledger *l, const char *name);

/* Range of what is ok in a column. False if nothing is. */
bool ledger_range(const Ledger *l, const LedgerColumn *c, double *least, double *most);

/* ---- views, as JSON: `inspect --rewards --json`, and what its tables are printed from ---------
 */

/* Which components, judged how. a, b: columns, or -1: all. */
typedef struct {
    int a, b;
    double threshold[2]; /* of a and b; NaN: the middle of what was seen */
    int worst;           /* how many cases of each sort */
} LedgerChoice;

/* ledger_scores.c: [{name, kind, n, mean, std, min, max, status: {}, quantiles: {}, histogram:
 * {low, high, counts: []}, latency_s: {}}]; mean to histogram of what is ok, absent if nothing is.
 */
json_t *ledger_scores(const Ledger *l, const LedgerChoice *choice);
/* ledger_agreement.c: [{a, b, n, pearson, spearman}] of components, the reward and the length of
 * the answer, over answers where both are ok; null where one of them is constant. */
json_t *ledger_correlations(const Ledger *l, const LedgerChoice *choice);
/* [{a, b, threshold_a, threshold_b, n, differ, kappa, a_only, b_only, first_third: {}, last_third:
 * {}, by_step: [{step, n, differ}]}]: the chosen pair, or every rule with every judge. */
json_t *ledger_agreement(const Ledger *l, const LedgerChoice *choice);
/* ledger_cases.c: {disagreements: [], failures: [], suspects: []}, with prompts, answers and notes.
 * NULL with the reason if the run cannot be read again. */
json_t *ledger_cases(const Ledger *l, const LedgerChoice *choice, const char *dir);

/* Pair i of those that ledger_agreement compares; false after the last. */
bool ledger_pair(const Ledger *l, const LedgerChoice *choice, int i, int *a, int *b);
/* The verdict's threshold of a column: the choice's, or the middle of what was seen. */
double ledger_threshold(const Ledger *l, const LedgerChoice *choice, int k);

#endif

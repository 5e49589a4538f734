/* Held-out accuracy: the tally of evaluated groups of one version of the weights. Rank 0. */
#ifndef LAUNCH_EVALUATION_H
#define LAUNCH_EVALUATION_H

#include <jansson.h>

#include "common/config.h"
#include "common/sample.h"

enum { EVALUATION_EXAMPLES = 4 };

typedef struct {
    const Config *cfg;
    int component;   /* judged by this component of the reward, -1: by the sum */
    int64_t version; /* of the weights */
    int n_wanted, n_in;
    int n_right,
        n_failed;     /* an answer whose scoring failed is not wrong: it is left out and counted */
    json_t *examples; /* [EVALUATION_EXAMPLES] of the first problems: prompt, answer, reward */
} Evaluation;

/* component_names [n]: of the reward block. -1: eval.component is none of them (said). */
int evaluation_init(Evaluation *e, const Config *cfg, const char *const *component_names, int n);
void evaluation_free(Evaluation *e);

void evaluation_begin(Evaluation *e, int64_t version);
void evaluation_add(Evaluation *e, const Group *g);
bool evaluation_complete(const Evaluation *e);

/* Share of right answers among those that could be scored; NaN if none could. */
double evaluation_accuracy(const Evaluation *e);

/* {"accuracy", "low", "high", "n", "failed", "examples"}; new reference. */
json_t *evaluation_json(const Evaluation *e);

#endif

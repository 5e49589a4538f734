/* The objective: what a trained token contributes to the step's loss, and its derivative with
 * respect to the token's log-probability.
 *
 *   LossRows    which tokens of a group are trained, in the order the model is asked for them, with
 * all that the loss must know loss_tokens a model_loss_fn (common/model.h) over LossRows: called
 * chunk by chunk
 *
 * The step's loss is sum_t weight_t L_t. The weights hold the denominators, which are counted over
 * the whole step on all ranks first: so the gradient does not depend on how groups are cut into
 * batches or dealt to ranks, and the parts only need adding.
 */
#ifndef LEARNER_LOSS_H
#define LEARNER_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sample.h"

typedef struct {
    double clip_low, clip_high; /* the ratio is clipped to [1 - clip_low, 1 + clip_high] */
    double kl;                  /* weight of k3 to the reference; 0 = ref is not read */
    double preclip; /* the ratio is held within [1 / preclip, preclip] and gives no gradient
                       outside; 0: e^20. Zhang et al. 2025 (R1-Reward, StableReinforce) */
} LossSettings;

/* One token: L and dL/dlp without weight and KL. *clipped: the clipped branch decided, the
 * derivative is 0. */
typedef double objective_fn(const LossSettings *s, double lp, double old, double advantage,
                            double *dlp, bool *clipped);
typedef struct {
    const char *name, *help;
    bool uses_old; /* reads the rollout's log-prob: then the ratio means something */
    objective_fn *token;
} Objective;
const Objective *objective_find(const char *name); /* NULL if there is none */

typedef enum {
    AGGREGATE_TOKEN,
    AGGREGATE_SEQUENCE
} Aggregate; /* mean over the step's tokens; mean over answers of their token means */
int aggregate_find(const char *name, Aggregate *out); /* "token", "sequence"; -1 if neither */

/* Trained tokens and answers that have any (leave_out: advantage.h): add over all groups of the
 * step, then over ranks. Integers in double, exact in any order. */
typedef struct {
    double n_tokens, n_sequences;
} LossCounts;
void loss_count(const Group *g, unsigned leave_out, LossCounts *c);

/* The trained tokens of one group, by sample and then position; a sample that does not count
 * (advantage_counts) has none; demonstrations (GROUP_DEMO) need no score and all count. */
typedef struct {
    int n;            /* n_want of model.h's trainer_group */
    int *sample;      /* [n] which answer */
    int *position;    /* [n] which token of it, from 0: predicted by the row before it */
    int32_t *target;  /* [n] the token */
    float *old;       /* [n] log-prob when sampled (Sample.logprobs); 0 for demonstrations */
    float *ref;       /* [n] log-prob under the reference: caller fills (loss_record); NULL until
                         loss_rows_want_ref */
    float *advantage; /* [n] the sample's, or its step's */
    double *weight;   /* [n] share in the step's loss */
    int capacity;
} LossRows;

/* Fills r (keeps its memory for the next group). step: counts over the whole step, all ranks. */
void loss_rows_fill(LossRows *r, const Group *g, unsigned leave_out, Aggregate aggregate,
                    const LossCounts *step);
void loss_rows_want_ref(LossRows *r); /* makes r->ref [n] */
void loss_rows_free(LossRows *r);

/* Sums over trained tokens, all double so that ranks can add them as an array; ratio_max and
 * ratio_min are not sums and come last. */
typedef struct {
    double n_tokens;
    double loss;       /* sum weight (L + kl k3): over all ranks it is the step's loss */
    double clipped;    /* tokens whose clipped branch decided */
    double kl;         /* k3 to the reference; 0 without one */
    double kl_old;     /* k3 of the weights that sampled against the current: drift within a step's
                          epochs */
    double entropy;    /* nats */
    double off_ratio;  /* tokens whose log-prob has not the bits of the rollout's: 0 on-policy
                          (design.md, promise 1); of groups by these weights only */
    double not_finite; /* tokens left out because a log-prob was NaN or infinite */
    double ratio_max, ratio_min;
} LossStats;
#define LOSS_STATS_SUMS 8            /* leading members that are sums */
void loss_stats_clear(LossStats *s); /* sums 0, ratio_max -inf, ratio_min +inf */
void loss_stats_add(LossStats *s, const LossStats *other);

/* What trainer_group is given as ctx beside loss_tokens. stats are added to. */
typedef struct {
    const Objective *objective;
    LossSettings settings;
    const LossRows *rows;
    LossStats stats;
} Loss;

/* model_loss_fn; stats follow the order of rows, whatever the chunks. dlp_i = weight_i (dL/dlp + kl
 * dk3/dlp); exactly 0 where the advantage is 0 and kl is 0. entropy may be NULL.
 *
 *   ratio rho = exp(clamp(lp - old, +-20, or +-log preclip));  L = max(-A rho, -A clip(rho, 1 -
 * clip_low, 1 + clip_high))      (grpo) d = clamp(ref - lp, +-20);  k3 = min(exp(d) - d - 1, 10);
 * dk3/dlp = 1 - exp(d), 0 where clamped
 *
 * Source: Shao et al. 2024 (DeepSeekMath), equation 3; Schulman 2020 for k3; asymmetric clip: Yu et
 * al. 2025 (DAPO). */
void loss_tokens(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp);

/* model_loss_fn that only keeps lp: ctx is a float [n_want] array. For the reference, and for
 * checks. */
void loss_record(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp);

#endif

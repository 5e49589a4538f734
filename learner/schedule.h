/* The learning rate at a step: linear warm-up, then constant, linear or cosine. Pure arithmetic, so
 * a resumed run needs no state. */
#ifndef LEARNER_SCHEDULE_H
#define LEARNER_SCHEDULE_H

#include <stdint.h>

/* The rate of optimiser step `step` of `n_steps` (1-based; 1 <= step <= n_steps).
 *
 *   decay   "constant", "linear" or "cosine" (REQUIREd)
 *   peak    the rate at the end of warm-up
 *   warmup  steps of warm-up: step s <= warmup has peak * s / warmup; 0 = none
 *
 * After warm-up linear and cosine fall from peak (at step `warmup`) to exactly 0 at step n_steps. A
 * warm-up as long as the run leaves no decay.
 */
double schedule_lr(const char *decay, double peak, int64_t warmup, int64_t step, int64_t n_steps);

#endif

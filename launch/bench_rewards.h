/* troupe bench --rewards: samples a second of each rule, as a reward rank judges them. */
#ifndef LAUNCH_BENCH_REWARDS_H
#define LAUNCH_BENCH_REWARDS_H

#include "launch/bench_figures.h"

/* `processes` at once, each for `seconds` a rule. The exit code. */
int bench_rewards(Figures *f, int processes, double seconds);

#endif

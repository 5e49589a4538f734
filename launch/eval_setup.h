/* What `troupe eval` is made of, and its opening: what is asked, who judges, who answers and how.
 */
#ifndef LAUNCH_EVAL_SETUP_H
#define LAUNCH_EVAL_SETUP_H

#include <stdio.h>

#include "common/prompts.h"
#include "launch/model_args.h"
#include "launch/progress.h"
#include "launch/tally.h"
#include "rewardsvc/reward.h"

enum { EVAL_SETS = 128 };

typedef struct {
    ModelArgs args;
    const char *path, *config, *task, *jsonl, *reward, *out;
    const char *sets[EVAL_SETS]; /* the command line's */
    char *made_sets[4];          /* what other options mean */
    int n_sets, n_made, samples;
    long long limit;
    double threshold;
    bool json;

    Config cfg;
    KernelSet run_kernels; /* of a run */
    bool is_run;
    Policy policy;
    Prompts *prompts;
    RewardBlock block;
    Engine *engine;
    GenerateParams params;
    char *stop_text;
    const char *stops[MODEL_ARGS_STOPS];
    Tally tally;
    FILE *out_file;
    Progress progress;
    const Group *groups; /* [n_groups] those in flight */
    int n_groups;
    int64_t n_done; /* answers to the problems before them */
} Eval;

/* From the arguments to all that is open. 0, or an exit code with the reason said; eval_close
 * either way. */
int eval_open(Eval *e);
void eval_close(Eval *e);

#endif

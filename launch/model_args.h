/* What the verbs that run a model share: options for sampling and precision, opening the model, the
 * prompt's template. */
#ifndef LAUNCH_MODEL_ARGS_H
#define LAUNCH_MODEL_ARGS_H

#include <argp.h>

#include "common/engine.h"
#include "common/policy.h"

enum { MODEL_ARGS_STOPS = 16 };

/* Numbers are NaN (temperature, top_p, min_p) or -1 (the others) where not given. */
typedef struct {
    double temperature, top_p, min_p;
    long long top_k, max_tokens, seed;
    const char *stops[MODEL_ARGS_STOPS];
    int n_stops;
    const char *precision; /* "f32", "bf16", NULL: not given */
} ModelArgs;

/* For argp children; its input is a ModelArgs that model_args_empty made. */
extern const struct argp model_argp;
ModelArgs model_args_empty(void);

/* The options' values, with `otherwise` where one was not given. Borrows the stop strings of both.
 */
GenerateParams model_args_params(const ModelArgs *a, const GenerateParams *otherwise);

/* Reads a number of an option strictly: whole text, in [least, most]; otherwise argp's error, which
 * ends the program (64). */
double arg_number(const struct argp_state *state, const char *option, const char *text,
                  double least, double most);
long long arg_integer(const struct argp_state *state, const char *option, const char *text,
                      long long least, long long most);

/* Opens the model at path for inference, measuring the kernels for a precision ("f32", "bf16"). 0,
 * or an exit code with the reason said. */
int model_args_open(Policy *p, const char *path, const char *precision);

#endif

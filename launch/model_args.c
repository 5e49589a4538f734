/* See model_args.h. */
#include "launch/model_args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"

enum {
    KEY_TEMPERATURE = 0x100,
    KEY_TOP_K,
    KEY_TOP_P,
    KEY_MIN_P,
    KEY_MAX_TOKENS,
    KEY_SEED,
    KEY_STOP,
    KEY_PRECISION
};

ModelArgs model_args_empty(void)
{
    return (ModelArgs){
        .temperature = NAN, .top_p = NAN, .min_p = NAN, .top_k = -1, .max_tokens = -1, .seed = -1};
}

double arg_number(const struct argp_state *state, const char *option, const char *text,
                  double least, double most)
{
    char *end;
    errno = 0;
    double x = strtod(text, &end);
    if (end == text || *end || errno || !(x >= least && x <= most))
        argp_error(state, "--%s: %s is not a number in [%g, %g]", option, text, least, most);
    return x;
}

long long arg_integer(const struct argp_state *state, const char *option, const char *text,
                      long long least, long long most)
{
    char *end;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    if (end == text || *end || errno || x < least || x > most)
        argp_error(state, "--%s: %s is not a whole number in [%lld, %lld]", option, text, least,
                   most);
    return x;
}

/* "\n", "\t" and "\\" are understood, so that a shell can say a line's end. */
static const char *unescaped(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        char c = *from;
        if (c == '\\' && from[1]) {
            c = *++from;
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        *to++ = c;
    }
    *to = 0;
    return text;
}

static void add_stop(ModelArgs *a, char *text, const struct argp_state *state)
{
    if (!*text) argp_error(state, "--stop: an empty string would stop everything");
    if (a->n_stops == MODEL_ARGS_STOPS)
        argp_error(state, "--stop: more than %d stop strings", MODEL_ARGS_STOPS);
    a->stops[a->n_stops++] = unescaped(text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    ModelArgs *a = state->input;
    switch (key) {
    case KEY_TEMPERATURE:
        a->temperature = arg_number(state, "temperature", arg, 0, 100);
        return 0;
    case KEY_TOP_K:
        a->top_k = arg_integer(state, "top-k", arg, 0, 1000000);
        return 0;
    case KEY_TOP_P:
        a->top_p = arg_number(state, "top-p", arg, 1e-4, 1);
        return 0;
    case KEY_MIN_P:
        a->min_p = arg_number(state, "min-p", arg, 0, 1);
        return 0;
    case KEY_MAX_TOKENS:
        a->max_tokens = arg_integer(state, "max-tokens", arg, 1, 1 << 20);
        return 0;
    case KEY_SEED:
        a->seed = arg_integer(state, "seed", arg, 0, INT64_MAX);
        return 0;
    case KEY_STOP:
        add_stop(a, arg, state);
        return 0;
    case KEY_PRECISION:
        if (strcmp(arg, "f32") && strcmp(arg, "bf16"))
            argp_error(state, "--precision: %s is neither f32 nor bf16", arg);
        a->precision = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"temperature", KEY_TEMPERATURE, "T", 0, "divides the logits; 0 takes the most probable token",
     0},
    {"top-k", KEY_TOP_K, "K", 0, "sample among the K most probable tokens; 0 = all", 0},
    {"top-p", KEY_TOP_P, "P", 0, "sample among the most probable tokens of mass P", 0},
    {"min-p", KEY_MIN_P, "P", 0, "sample among tokens of at least P times the largest probability",
     0},
    {"max-tokens", KEY_MAX_TOKENS, "N", 0, "longest answer", 0},
    {"seed", KEY_SEED, "N", 0, "of the random numbers", 0},
    {"stop", KEY_STOP, "TEXT", 0,
     "ends an answer where TEXT begins (\\n is a newline); may be repeated", 0},
    {"precision", KEY_PRECISION, "bf16|f32", 0, "of products", 0},
    {0}};

const struct argp model_argp = {.options = options, .parser = parse};

GenerateParams model_args_params(const ModelArgs *a, const GenerateParams *otherwise)
{
    GenerateParams p = *otherwise;
    if (!isnan(a->temperature)) p.sampling.temperature = (float)a->temperature;
    if (!isnan(a->top_p)) p.sampling.top_p = (float)a->top_p;
    if (!isnan(a->min_p)) p.sampling.min_p = (float)a->min_p;
    if (a->top_k >= 0) p.sampling.top_k = (int)a->top_k;
    if (a->max_tokens >= 0) p.max_tokens = (int)a->max_tokens;
    if (a->seed >= 0) p.seed = (uint64_t)a->seed;
    if (a->n_stops) p.stops = a->stops, p.n_stops = a->n_stops;
    return p;
}

int model_args_open(Policy *p, const char *path, const char *precision)
{
    KernelSet k;
    *p = (Policy){0};
    if (access(path, F_OK)) {
        fail("%s: %s; a model is a Hugging Face folder, a .gguf file or a run's folder", path,
             strerror(errno));
        return EXIT_NO_INPUT;
    }
    kernelset_choose(&k, strcmp(precision, "f32") ? PRECISION_BF16 : PRECISION_F32);
    return policy_open(p, path, &k, false) ? EXIT_CONFIG : 0;
}

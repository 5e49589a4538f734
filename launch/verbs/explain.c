/* troupe explain: what an option of an experiment file means. */
#include <argp.h>
#include <stdio.h>

#include "common/config.h"
#include "common/errors.h"
#include "launch/verb.h"

typedef struct {
    const char *keys[64];
    int n_keys;
} Arguments;

static error_t parse_argument(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    if (key != ARGP_KEY_ARG) return ARGP_ERR_UNKNOWN;
    if (a->n_keys == 64) argp_error(state, "too many keys");
    a->keys[a->n_keys++] = arg;
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_argument,
        .args_doc = "[KEY...]",
        .doc = "Documents options of experiment files: KEY is section.name (learner.lr), a section "
               "(learner) or a name (lr); without one, everything."
               "\vExample: troupe explain learner.lr",
    };
    Arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!a.n_keys) return config_explain(NULL, stdout) ? EXIT_USAGE : 0;
    int code = 0;
    for (int i = 0; i < a.n_keys; i++)
        if (config_explain(a.keys[i], stdout)) code = EXIT_USAGE;
    return code;
}

const Verb verb_explain = {"explain", "what an option of an experiment file means", 120, run};

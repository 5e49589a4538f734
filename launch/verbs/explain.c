/* troupe explain: what an option of an experiment file means; with --config, what a file comes to
 * once defaults and --set are in. */
#include <argp.h>
#include <stdio.h>
#include <unistd.h>

#include "common/config.h"
#include "common/errors.h"
#include "launch/reward_explain.h"
#include "launch/sets.h"
#include "launch/verb.h"
#include "rewardsvc/reward.h"

typedef struct {
    Sets sets;
    const char *config;
    const char *keys[64];
    int n_keys;
} Arguments;

static error_t parse_argument(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->sets;
        return 0;
    case 'c':
        a->config = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (a->n_keys == 64) argp_error(state, "too many keys");
        a->keys[a->n_keys++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (a->config && a->n_keys) argp_error(state, "either KEY or --config");
        if (!a->config && a->sets.n) argp_error(state, "--set needs --config");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int explain_keys(const Arguments *a)
{
    int code = 0;
    if (!a->n_keys) {
        code = config_explain(NULL, stdout) ? EXIT_USAGE : 0;
        printf("\nreward, judges: lists of their own (troupe explain reward judges)\n");
    }
    for (int i = 0; i < a->n_keys; i++) {
        const char *key = a->keys[i];
        if (reward_explains(key) ? reward_explain(key) : config_explain(key, stdout))
            code = EXIT_USAGE;
    }
    return code;
}

/* The formula is a comment, so that what is printed is an experiment file again. */
static int explain_config(const Arguments *a)
{
    Config c;
    RewardBlock rewards = {0};
    int code = access(a->config, R_OK) ? EXIT_NO_INPUT : EXIT_CONFIG;
    if (config_read(&c, a->config, a->sets.list, a->sets.n)) return code;
    int rc = c.reward ? reward_block_read(&rewards, &c) : 0;
    if (!rc) config_print(&c, stdout);
    if (!rc && c.reward) {
        char *formula = reward_block_formula(&rewards);
        printf("# reward = %s\n", formula);
        mem_free(formula);
    }
    reward_block_close(&rewards);
    config_free(&c);
    return rc ? EXIT_CONFIG : 0;
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0,
         "prints this experiment file with every option, its value and meaning", 0},
        {0},
    };
    static const struct argp_child children[] = {{&sets_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_argument,
        .args_doc = "[KEY...]",
        .doc = "Documents options of experiment files: KEY is section.name (learner.lr), a section "
               "(learner) or a name (lr); reward, reward.NAME or reward.NAME.SETTING; judges or "
               "judges.SETTING; without one, everything."
               "\vExamples:\n"
               "  troupe explain learner.lr\n"
               "  troupe explain reward.math_equal\n"
               "  troupe explain --config configs/arithmetic.yaml --set learner.lr=1e-4",
        .children = children,
    };
    Arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    return a.config ? explain_config(&a) : explain_keys(&a);
}

const Verb verb_explain = {"explain", "what an option, or a whole experiment file, means", 120,
                           run};

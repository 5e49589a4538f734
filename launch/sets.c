/* See sets.h. What the words mean is config_parse's business: here they are only collected. */
#include "launch/sets.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Sets *s = state->input;
    if (key != 's') return ARGP_ERR_UNKNOWN;
    if (s->n == SETS_MOST) argp_error(state, "more than %d --set", SETS_MOST);
    s->list[s->n++] = arg;
    return 0;
}

static const struct argp_option options[] = {
    {"set", 's', "SECTION.NAME=VALUE", 0, "overrides one option of the file; may be repeated", 0},
    {0},
};

const struct argp sets_argp = {.options = options, .parser = parse};

/* The command line's --set options, for the verbs that read an experiment file: an argp child whose
 * input is a Sets. */
#ifndef LAUNCH_SETS_H
#define LAUNCH_SETS_H

#include <argp.h>

enum { SETS_MOST = 256 };

typedef struct {
    const char *list[SETS_MOST]; /* [n] section.name=value, borrowed from the command line */
    int n;
} Sets;

extern const struct argp sets_argp;

#endif

/* A verb of the program: one file in launch/verbs/ that ends in `const Verb verb_<stem> = {...};`.
 */
#ifndef LAUNCH_VERB_H
#define LAUNCH_VERB_H

typedef struct {
    const char *name;
    const char *help; /* one line, for the list */
    int order;        /* place in the list */
    /* argv[0] is "troupe NAME"; returns the exit code. Parses with argp; --help has an example */
    int (*run)(int argc, char **argv);
} Verb;

/* "troupe 0.1.0 (commit), Open MPI ..., HDF5 ..., oneDNN ..." */
extern const char *const troupe_version;

#endif

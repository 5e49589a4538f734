/* The program: finds the verb (a file of launch/verbs/) and runs it. MPI is started by the verbs
 * that need it, so that
 * `--help`, `check` and `plan` work on a login node.
 *
 * libgomp reads how long an idle thread spins when it is loaded, before main: ranks that share
 * cores would burn each other's time. So main sets the variables that the user has not set and
 * starts the program once more in place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/yaml.h"
#include "launch/verb.h"

#define ROW(stem) extern const Verb verb_##stem;
#include "verb_list.h"
#undef ROW

static const Verb *const verbs[] = {
#define ROW(stem) &verb_##stem,
#include "verb_list.h"
#undef ROW
};
enum { N_VERBS = sizeof verbs / sizeof *verbs };

/* Idle OpenMP threads spin for a few microseconds, then sleep; HDF5 does not lock (many shared file
 * systems cannot). */
static void set_environment_once(char **argv)
{
    char self[4096];
    bool threads = !getenv("OMP_WAIT_POLICY") && !getenv("GOMP_SPINCOUNT");
    if (threads) {
        setenv("OMP_WAIT_POLICY", "passive", 1);
        setenv("GOMP_SPINCOUNT", "5000", 1);
    }
    setenv("HDF5_USE_FILE_LOCKING", "FALSE",
           0); /* read when a file is opened: no restart needed for it */
    if (!threads || getenv("TROUPE_RESTARTED")) return;
    setenv("TROUPE_RESTARTED", "1", 1); /* whatever happens to the variables above, never twice */
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0 || n == sizeof self - 1)
        return; /* no /proc: slower where cores are shared, right all the same */
    self[n] = 0;
    execv(self, argv);
}

static int by_order(const void *a, const void *b)
{
    const Verb *const *x = a, *const *y = b;
    return (*x)->order != (*y)->order ? (*x)->order - (*y)->order : strcmp((*x)->name, (*y)->name);
}

static void print_help(FILE *out)
{
    const Verb *sorted[N_VERBS];
    memcpy(sorted, verbs, sizeof sorted);
    qsort(sorted, N_VERBS, sizeof *sorted, by_order);
    fprintf(out, "Usage: troupe VERB [ARGUMENTS]\n"
                 "Post-trains language models by reinforcement learning, over MPI.\n\n");
    for (int i = 0; i < N_VERBS; i++)
        fprintf(out, "  %-12s %s\n", sorted[i]->name, sorted[i]->help);
    fprintf(out, "\n  troupe VERB --help    what a verb takes, with an example\n"
                 "  troupe --version      this build and its libraries\n\n"
                 "Example: mpirun -np 3 troupe train configs/arithmetic.yaml\n");
}

static const Verb *find_verb(const char *name)
{
    const char *names[N_VERBS];
    for (int i = 0; i < N_VERBS; i++) {
        if (!strcmp(verbs[i]->name, name)) return verbs[i];
        names[i] = verbs[i]->name;
    }
    const char *near = nearest_word(name, names, N_VERBS);
    fail("there is no verb %.64s%s%s (troupe --help lists them)", name,
         near ? "; did you mean " : "", near ? near : "");
    return NULL;
}

static int run_verb(int argc, char **argv)
{
    char name[80], help[] = "--help", *help_argv[] = {name, help, NULL};
    const char *word = argc > 1 ? argv[1] : "";
    if (!strcmp(word, "--version") || !strcmp(word, "-V"))
        return puts(troupe_version) < 0 ? EXIT_IO : 0;
    bool asked = !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
    if (argc < 2 || (asked && argc < 3)) {
        print_help(asked ? stdout : stderr);
        return asked ? 0 : EXIT_USAGE;
    }
    const Verb *verb = find_verb(asked ? argv[2] : word);
    if (!verb) return EXIT_USAGE;
    snprintf(name, sizeof name, "troupe %s", verb->name);
    if (asked) return verb->run(2, help_argv);
    argv[1] = name;
    return verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    set_environment_once(argv);
    int code = run_verb(argc, argv);
    if (fflush(stdout) && code == 0) {
        fail("standard output could not be written");
        code = EXIT_IO;
    }
    return code;
}

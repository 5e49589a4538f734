/* troupe inspect: a run or a checkpoint, for people and programs. Works while the run goes on;
 * writes nothing, needs no MPI. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"
#include "launch/inspect.h"
#include "launch/report.h"
#include "launch/verb.h"

typedef struct {
    const char *path;
    bool steps, rewards, samples, plot;
    const char *png;
    int64_t step, group;
    RewardsWanted wanted;
    Form form;
} Arguments;

enum {
    KEY_STEPS = 256,
    KEY_REWARDS,
    KEY_SAMPLES,
    KEY_GROUP,
    KEY_PLOT,
    KEY_CSV,
    KEY_JSON,
    KEY_COMPONENT,
    KEY_AGAINST,
    KEY_THRESHOLD,
    KEY_WORST
};

static const struct argp_option options[] = {
    {"steps", KEY_STEPS, NULL, 0, "the metrics of every step", 0},
    {"rewards", KEY_REWARDS, NULL, 0,
     "each component of the reward over all answers: distribution, statuses, latencies; how "
     "components go together; where rules and judges part; the answers worth reading",
     0},
    {"samples", KEY_SAMPLES, "STEP", 0, "the answers of a step with reward and advantage", 0},
    {"plot", KEY_PLOT, "FILE.png", OPTION_ARG_OPTIONAL,
     "reward and held-out accuracy as curves, in the terminal or as a picture", 0},
    {"group", KEY_GROUP, "ID", 0, "with --samples: of this group only", 0},
    {"component", KEY_COMPONENT, "NAME", 0, "with --rewards: this one only", 0},
    {"against", KEY_AGAINST, "NAME", 0, "with --component: compared with this one", 0},
    {"threshold", KEY_THRESHOLD, "X[,Y]", 0,
     "with --component: its verdict is value >= X, that of --against >= Y; default: the middle of "
     "the values seen",
     0},
    {"worst", KEY_WORST, "N", 0, "with --rewards: so many answers of each sort (default 3)", 0},
    {"csv", KEY_CSV, NULL, 0, "comma-separated values", 1},
    {"json", KEY_JSON, NULL, 0, "JSON", 1},
    {0},
};

static int64_t number(const char *text, struct argp_state *state)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end) argp_error(state, "%s is not a whole number", text);
    return v;
}

static void read_thresholds(double out[2], const char *text, struct argp_state *state)
{
    char *end = NULL;
    for (int i = 0; i < 2; i++) {
        out[i] = strtod(text, &end);
        if (end == text || !isfinite(out[i])) argp_error(state, "%s is not a number", text);
        if (!*end) return;
        if (*end != ',' || i) argp_error(state, "--threshold X or X,Y");
        text = end + 1;
    }
}

static void check_rewards(const Arguments *a, const struct argp_state *state)
{
    const RewardsWanted *w = &a->wanted;
    if (w->component && !a->rewards) argp_error(state, "--component goes with --rewards");
    if ((w->against || !isnan(w->threshold[0])) && !w->component)
        argp_error(state, "--against and --threshold go with --component NAME");
    if (w->worst < 0 || w->worst > 1000) argp_error(state, "--worst is in [0, 1000]");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case KEY_STEPS:
        a->steps = true;
        return 0;
    case KEY_REWARDS:
        a->rewards = true;
        return 0;
    case KEY_SAMPLES:
        a->samples = true, a->step = number(arg, state);
        return 0;
    case KEY_PLOT:
        a->plot = true, a->png = arg;
        return 0;
    case KEY_GROUP:
        a->group = number(arg, state);
        return 0;
    case KEY_COMPONENT:
        a->wanted.component = arg;
        return 0;
    case KEY_AGAINST:
        a->wanted.against = arg;
        return 0;
    case KEY_THRESHOLD:
        read_thresholds(a->wanted.threshold, arg, state);
        return 0;
    case KEY_WORST:
        a->wanted.worst = (int)number(arg, state);
        return 0;
    case KEY_CSV:
        a->form = FORM_CSV;
        return 0;
    case KEY_JSON:
        a->form = FORM_JSON;
        return 0;
    case ARGP_KEY_ARG:
        if (a->path) argp_error(state, "one run or checkpoint at a time");
        a->path = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->path) argp_error(state, "which run? for example: troupe inspect runs/addition");
        if (a->steps + a->rewards + a->samples + a->plot > 1)
            argp_error(state, "one of --steps, --rewards, --samples and --plot at a time");
        if (a->group >= 0 && !a->samples) argp_error(state, "--group goes with --samples STEP");
        check_rewards(a, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool holds(const char *dir, const char *name)
{
    char *path = mem_printf("%s/%s", dir, name);
    bool there = !access(path, F_OK);
    mem_free(path);
    return there;
}

static int show_steps(const Arguments *a)
{
    json_t *metrics = runfile_read_metrics(a->path);
    if (!metrics) return EXIT_NO_INPUT;
    inspect_steps(metrics, a->form, true);
    json_decref(metrics);
    return 0;
}

static int show_plot(const Arguments *a)
{
    json_t *metrics = runfile_read_metrics(a->path);
    if (!metrics) return EXIT_NO_INPUT;
    int rc = report_plot(metrics, a->path, a->png ? NULL : stdout, a->png);
    json_decref(metrics);
    return rc ? EXIT_CREATE : 0;
}

static int run(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "RUN|CHECKPOINT",
        .doc = "Shows a run (its directory): what it is, how it stands, its metrics, rewards and "
               "answers; or the "
               "arrays of a checkpoint. A run may be looked at while it goes on."
               "\vExamples:\n"
               "  troupe inspect runs/addition\n"
               "  troupe inspect runs/addition --samples 12 --group 97\n"
               "  troupe inspect runs/addition --rewards --component exact --against judge\n"
               "  troupe inspect runs/addition --steps --csv > steps.csv\n"
               "  troupe inspect runs/addition/checkpoints/step-000080",
    };
    Arguments a = {.group = -1, .wanted = {.threshold = {NAN, NAN}, .worst = 3}};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    struct stat st;
    if (stat(a.path, &st) || !S_ISDIR(st.st_mode)) {
        fail("%s: there is no such directory", a.path);
        return EXIT_NO_INPUT;
    }
    if (holds(a.path, "MANIFEST")) return inspect_checkpoint(a.path, a.form);
    if (!holds(a.path, "metrics.jsonl") && !holds(a.path, "run.h5")) {
        fail("%s: neither a run (metrics.jsonl) nor a checkpoint (MANIFEST) is there", a.path);
        return EXIT_NO_INPUT;
    }
    if (a.steps) return show_steps(&a);
    if (a.rewards) return inspect_rewards(a.path, &a.wanted, a.form);
    if (a.plot) return show_plot(&a);
    if (a.samples) return inspect_samples(a.path, a.step, a.group, a.form);
    return inspect_summary(a.path, a.form);
}

const Verb verb_inspect = {"inspect", "a run or a checkpoint: steps, rewards, answers, arrays", 40,
                           run};

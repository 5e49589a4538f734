/* troupe train: runs an experiment file, under mpirun or srun with the roles of its layout, or
 * alone with all roles in one process. */
#include <argp.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/sandbox.h"
#include "launch/ring.h"
#include "launch/run_config.h"
#include "launch/sets.h"
#include "launch/start.h"
#include "launch/state.h"
#include "launch/verb.h"
#include "rewardsvc/reward_files.h"

typedef struct {
    StartArguments start;
    Sets sets;
} Arguments;

static error_t parse_argument(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->sets;
        return 0;
    case 'r':
        a->start.resume = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->start.config_path)
            argp_error(state, "one experiment file, please: what is %s?", arg);
        a->start.config_path = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which experiment file? For instance configs/arithmetic.yaml");
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"resume", 'r', NULL, 0,
     "goes on from the run's newest whole checkpoint, or starts it where there is none yet", 0},
    {0},
};

/* The roles of this rank, and what they share. */
typedef struct {
    Policy policy;
    Prompts *prompts;
    RewardBlock rewards; /* rank 0: names of components */
    Actor actor;
    Service service;
    Learner learner;
    Recorder recorder;
    Ring ring;
} Roles;

static bool missing(const char *path)
{
    return *path && access(path, R_OK);
}

static int open_policy(Roles *r, const Start *s)
{
    const Config *c = &s->cfg;
    bool learns = comm_hosts(s->comm, ROLE_LEARNER);
    if (!learns && !comm_hosts(s->comm, ROLE_ACTOR)) return 0;
    if (!policy_from_config(&r->policy, c, &s->kernels, learns))
        r->prompts = prompts_open(c, r->policy.tok);
    if (r->prompts) return 0;
    return missing(c->model.path) || missing(c->task.train) || missing(c->task.heldout)
               ? EXIT_NO_INPUT
               : EXIT_CONFIG;
}

static int open_learner(Roles *r, Start *s)
{
    const Config *c = &s->cfg;
    if (learner_init(&r->learner, s->comm, c, r->prompts, &r->policy)) return EXIT_CONFIG;
    r->ring.learner = &r->learner;
    uint32_t model_hash = model_crc(r->policy.model);
    if (s->resumed) {
        bool other = comm_rank(s->comm) == 0 && s->state.model_hash != model_hash && *c->model.path;
        if (other)
            fail("%s is not the model that this run was started from (CRC %08x, then %08x)",
                 c->model.path, model_hash, s->state.model_hash);
        return other || state_load(s->checkpoint, &s->state, &r->learner) ? EXIT_CONFIG : 0;
    }
    s->state.model_hash = model_hash;
    s->state.config_hash = config_hash(c);
    s->state.accuracy_before = NAN;
    s->state.config_text = run_config_text(c);
    s->state.service_state = mem_text("");
    if (!c->sft.steps) learner_begin_rl(&r->learner);
    return 0;
}

/* Rank 0 of a run that goes on: the files that its rewards name hold what they held when it began.
 */
static int check_files(const Roles *r, const Start *s)
{
    char *path = mem_printf("%s/run.h5", s->dir);
    json_t *info = s->resume && !access(path, F_OK) ? runfile_read_info(s->dir) : NULL,
           *now = reward_files(&r->rewards);
    int rc = now ? reward_files_check(json_object_get(info, "reward_files"), now) : -1;
    json_decref(info);
    json_decref(now);
    mem_free(path);
    return rc;
}

/* Ranks that judge must read the same in them. Collective. */
static int agree_on_files(const Roles *r, const Start *s)
{
    bool first = comm_rank(s->comm) == 0;
    const RewardBlock *b = first ? &r->rewards : r->ring.service ? &r->service.block : NULL;
    json_t *files = b ? reward_files(b) : NULL;
    uint32_t own = reward_files_crc(files), all = own;
    comm_share(s->comm, &all, sizeof all, "the files that rewards name");
    if (!b) own = all;
    bool unread = b && !files;
    json_decref(files);
    return comm_agree(s->comm, unread ? ~all : own, "what is in the files that rewards name")
               ? EXIT_CONFIG
               : 0;
}

static int open_recorder(Roles *r, Start *s)
{
    char layout[128];
    Comm *c = s->comm;
    snprintf(layout, sizeof layout, "%d rank%s: %d learner%s, %d actor%s, %d reward", comm_size(c),
             comm_size(c) > 1 ? "s" : "", comm_count(c, ROLE_LEARNER),
             comm_count(c, ROLE_LEARNER) > 1 ? "s" : "", comm_count(c, ROLE_ACTOR),
             comm_count(c, ROLE_ACTOR) > 1 ? "s" : "", comm_count(c, ROLE_REWARD));
    if (!s->cfg.reward) {
        fail("%s: no `reward:` block: name at least one reward", s->cfg.file);
        return EXIT_CONFIG;
    }
    if (reward_block_read(&r->rewards, &s->cfg)) return EXIT_CONFIG;
    if (s->cfg.run.max_staleness && reward_block_has_state(&r->rewards)) {
        fail("%s: run.max_staleness is %lld, and the reward block has a component with state over "
             "steps, which needs 0 in this version",
             s->cfg.file, (long long)s->cfg.run.max_staleness);
        return EXIT_CONFIG;
    }
    if (check_files(r, s)) return EXIT_CONFIG;
    r->ring.recorder = &r->recorder;
    /* No checkpoint yet: everything that a launch before this one left behind is made again. */
    int64_t resume_step = !s->resume ? -1 : s->resumed ? s->state.step : 0;
    int64_t sft_line = s->resumed ? s->state.sft_step - 1 - s->cfg.sft.steps : INT64_MIN;
    int rc = recorder_open(&r->recorder, &s->cfg, &r->rewards, &r->learner, s->dir, layout,
                           &s->state, resume_step, sft_line);
    s->state.config_text = s->state.service_state = NULL; /* the recorder's now */
    if (rc) return EXIT_CREATE;
    bool read = !s->resumed || !checkpoint_read_in_flight(s->checkpoint, &r->ring.in_flight);
    return read ? 0 : EXIT_CONFIG;
}

static void show_answers(void *recorder, int done, int all)
{
    recorder_doing(recorder, "answers", done, all);
}

/* Local; 0 or an exit code, with the reason. */
static int open_roles(Roles *r, Start *s)
{
    Comm *c = s->comm;
    r->ring = (Ring){.comm = c, .cfg = &s->cfg};
    int code = open_policy(r, s);
    if (!code && comm_hosts(c, ROLE_LEARNER)) code = open_learner(r, s);
    if (!code && comm_rank(c) == 0) code = open_recorder(r, s);
    if (code) return code;
    if (comm_hosts(c, ROLE_REWARD)) {
        if (service_init(&r->service, c, &s->cfg)) return EXIT_CONFIG;
        r->ring.service = &r->service;
    }
    if (comm_hosts(c, ROLE_ACTOR)) {
        if (actor_init(&r->actor, c, &s->cfg, r->prompts, &r->policy, s->state.step))
            return EXIT_CONFIG;
        r->ring.actor = &r->actor;
        if (r->ring.recorder) {
            r->actor.progress = show_answers;
            r->actor.progress_ctx = r->ring.recorder;
        }
    }
    return 0;
}

static void close_roles(Roles *r)
{
    if (r->ring.actor) actor_free(&r->actor);
    if (r->ring.service) service_free(&r->service);
    if (r->ring.recorder) recorder_close(&r->recorder);
    if (r->ring.learner) learner_free(&r->learner);
    reward_block_close(&r->rewards);
    if (r->prompts) prompts_close(r->prompts);
    policy_close(&r->policy);
}

static int train(Start *s)
{
    omp_set_num_threads(start_threads(s));
    Roles *r = NEW(Roles, 1);
    start_quietly(s->comm);
    int code = start_together(s->comm, open_roles(r, s), "whether every rank has its roles");
    if (!code) code = agree_on_files(r, s);
    if (!code) {
        start_quietly(s->comm);
        bool judges = !r->ring.service || !service_prepare(&r->service, &s->kernels);
        code = start_together(s->comm, judges ? 0 : EXIT_CONFIG, "whether every judge is there");
    }
    if (!code) {
        if (comm_rank(s->comm) == 0)
            fprintf(stderr, "troupe: %s, %s%lld threads a rank; run in %s\n", s->kernels.cpu,
                    s->resumed ? "resumed, " : "", (long long)start_threads(s), s->dir);
        code = ring_run(&r->ring);
    }
    close_roles(r);
    mem_free(r);
    return code;
}

static int run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&sets_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .children = children,
        .options = options,
        .parser = parse_argument,
        .args_doc = "EXPERIMENT.yaml",
        .doc =
            "Trains a policy as the experiment file says, on the ranks that its layout names; "
            "without mpirun all roles share this process."
            "\vExamples:\n"
            "  mpirun -np 3 troupe train configs/arithmetic.yaml\n"
            "  troupe train configs/arithmetic.yaml --set run.seed=2 --set run.name=seed2\n"
            "Signals: USR1 saves at the end of the step and leaves with exit code 75; --resume "
            "goes on. "
            "A second USR1, or TERM, does not wait for the step: what it has so far is made again.",
    };
    Arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    a.start.sets = a.sets.list;
    a.start.n_sets = a.sets.n;
    if (sandbox_start()) return EXIT_UNABLE; /* before MPI and the model: see sandbox.h */
    Comm *comm = comm_open(&argc, &argv);
    Start start;
    int code = start_job(&start, comm, &a.start);
    if (!code && start.finished) {
        if (comm_rank(comm) == 0)
            fprintf(stderr, "troupe: %s has done its %lld steps already\n", start.dir,
                    (long long)start.state.step);
    } else if (!code)
        code = train(&start);
    start_free(&start);
    comm_close(comm);
    return code;
}

const Verb verb_train = {"train", "runs an experiment file under mpirun or srun, or alone", 10,
                         run};

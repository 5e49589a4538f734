/* See start.h. World-wide exchanges happen here and at the end of a job only (operations.md 9). */
#define _GNU_SOURCE

#include "launch/start.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/runfile.h"
#include "launch/report.h"

enum { CONFIG_LIMIT = 1 << 20 };

/* Rank 0 reads the file, all parse the same text; errors are printed once. */
static int read_config(Start *s, const StartArguments *a)
{
    bool first = comm_rank(s->comm) == 0;
    Buffer text = {0};
    int64_t size = -1;
    if (first && !file_read(a->config_path, CONFIG_LIMIT, &text)) size = (int64_t)text.size;
    comm_share(s->comm, &size, sizeof size, "the size of the experiment file");
    if (size < 0) return EXIT_NO_INPUT;
    char *data = mem_zeroed((size_t)size + 1, 1);
    if (first) memcpy(data, text.data, (size_t)size);
    buffer_free(&text);
    comm_share(s->comm, data, (size_t)size, "the experiment file");
    if (!first) errors_quiet(1);
    int rc = config_parse(&s->cfg, a->config_path, data, a->sets, a->n_sets);
    if (!first) errors_quiet(-1);
    mem_free(data);
    return rc ? EXIT_CONFIG : 0;
}

static int set_layout(Start *s)
{
    const Config *c = &s->cfg;
    Layout layout = {(int)c->layout.workers, (int)c->layout.actors, (int)c->layout.learners,
                     (int)c->layout.rewardsvc, c->run.deadline_s};
    if (comm_rank(s->comm)) errors_quiet(1);
    int rc = comm_set_layout(s->comm, &layout, (int)c->learner.reduction_slots);
    if (comm_rank(s->comm)) errors_quiet(-1);
    return rc ? EXIT_UNABLE : 0;
}

/* What rank 0 found, as plain bytes for the others. */
typedef struct {
    int code;
    bool resumed, reported;
    char checkpoint[4096];
    int64_t sft_step, step, adam_step;
    KernelSet kernels;
    uint32_t config_hash;
} Found;

static int check_checkpoint(const Start *s, const CheckpointState *state)
{
    uint32_t hash = config_hash(&s->cfg);
    if (state->config_hash == hash) return 0;
    return fail(
        "%s: the run in %s was started with other options (hash %08x, now %08x), which would make "
        "it another run: `troupe inspect %s` shows its own; give this one another run.name",
        s->cfg.file, s->dir, state->config_hash, hash, s->dir);
}

static void find_checkpoint(Start *s, Found *f)
{
    if (runfile_reserve(s->dir)) {
        f->code = EXIT_CREATE;
        return;
    }
    if (checkpoint_find(s->dir, f->checkpoint, sizeof f->checkpoint)) return;
    if (checkpoint_read_state(f->checkpoint, &s->state) || check_checkpoint(s, &s->state)) {
        f->code = EXIT_CONFIG;
        return;
    }
    f->resumed = true;
    f->reported = report_finished_steps(s->dir) >= 0;
    f->sft_step = s->state.sft_step, f->step = s->state.step, f->adam_step = s->state.adam_step;
    f->kernels = s->state.kernels;
}

void start_quietly(Comm *c)
{
    if (comm_rank(c)) errors_quiet(1);
}

int start_together(Comm *c, int code, const char *what)
{
    if (comm_rank(c)) errors_quiet(-1);
    int who, all = comm_first_failure(c, code, what, &who);
    if (all && comm_rank(c) && comm_rank(c) == who) fail("%s", errors_last());
    return all;
}

/* Every rank that computes must make the bits of the chosen set. */
static int verify_kernels(Start *s)
{
    bool computes = comm_hosts(s->comm, ROLE_ACTOR) || comm_hosts(s->comm, ROLE_LEARNER);
    start_quietly(s->comm);
    bool differs = computes && kernelset_verify(&s->kernels) != 0;
    if (differs && !s->cfg.run.allow_other_kernels)
        return start_together(s->comm, EXIT_UNABLE, "the kernel set");
    int code = start_together(s->comm, 0, "the kernel set");
    if (differs)
        fail("%s; going on, as run.allow_other_kernels says: bits may differ from here on",
             errors_last());
    return code;
}

static int find_start(Start *s, const StartArguments *a)
{
    Found *f = NEW(Found, 1);
    if (comm_rank(s->comm) == 0) {
        if (a->resume) find_checkpoint(s, f);
        if (!f->resumed && !f->code)
            kernelset_named(&f->kernels, s->cfg.model.precision, s->cfg.model.products);
    }
    comm_share(s->comm, f, sizeof *f, "the starting point");
    int code = f->code;
    s->resumed = f->resumed;
    s->finished =
        f->resumed && f->reported && f->step >= s->cfg.run.steps && f->sft_step >= s->cfg.sft.steps;
    s->kernels = f->kernels;
    memcpy(s->checkpoint, f->checkpoint, sizeof s->checkpoint);
    s->state.sft_step = f->sft_step, s->state.step = f->step, s->state.adam_step = f->adam_step;
    mem_free(f);
    return code;
}

int start_job(Start *s, Comm *comm, const StartArguments *a)
{
    *s = (Start){.comm = comm, .resume = a->resume};
    int code = read_config(s, a);
    if (!code) code = set_layout(s);
    if (code) return code;
    s->dir = mem_printf("%s/%s", s->cfg.run.dir, s->cfg.run.name);
    code = find_start(s, a);
    return code ? code : verify_kernels(s);
}

void start_free(Start *s)
{
    config_free(&s->cfg);
    mem_free(s->dir);
    mem_free(s->state.config_text);
    mem_free(s->state.service_state);
    *s = (Start){0};
}

static int environment_number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    int n = text ? atoi(text) : 0;
    return n > 0 ? n : otherwise;
}

int start_threads(const Start *s)
{
    if (s->cfg.layout.threads) return (int)s->cfg.layout.threads;
    cpu_set_t mask;
    CPU_ZERO(&mask);
    int online = (int)sysconf(_SC_NPROCESSORS_ONLN),
        allowed = sched_getaffinity(0, sizeof mask, &mask) ? online : CPU_COUNT(&mask);
    int asked = environment_number("SLURM_CPUS_PER_TASK", 0);
    if (asked) return asked < allowed ? asked : allowed;
    if (allowed < online)
        return allowed > 0 ? allowed
                           : 1; /* bound by the launcher: these cores are this rank's own */
    int size = comm_size(s->comm), here = environment_number("OMPI_COMM_WORLD_LOCAL_SIZE", size);
    int actors = comm_count(s->comm, ROLE_ACTOR), learners = comm_count(s->comm, ROLE_LEARNER);
    bool together = s->cfg.run.max_staleness > 0 && size > 1 && !s->cfg.layout.workers;
    int computing = together ? actors + learners : actors > learners ? actors : learners;
    int busy = (computing * here + size - 1) / size;
    int threads = allowed / (busy ? busy : 1);
    return threads > 0 ? threads : 1;
}

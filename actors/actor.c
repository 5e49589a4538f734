/* The actor's turn. On the ring: prompts in, groups out to the reward service. One turn does a
 * whole version's share, so that the engine sees all its prompts at once and keeps its batch full;
 * `comm_progress` is called between decode steps, so that the rank stays heard. */
#include "actors/actor.h"

#include <string.h>

#include "common/errors.h"
#include "common/work.h"

static int read_stops(Actor *a)
{
    a->stop_text = mem_text(a->cfg->rollout.stop);
    char *rest = a->stop_text;
    for (char *word; rest && *rest && (word = strsep(&rest, "|"));) {
        if (!*word) continue;
        if (a->n_stops == (int)(sizeof a->stops / sizeof *a->stops))
            return fail("rollout.stop: more than %zu stop strings",
                        sizeof a->stops / sizeof *a->stops);
        a->stops[a->n_stops++] = word;
    }
    return 0;
}

int actor_init(Actor *a, Comm *comm, const Config *cfg, const Prompts *prompts, Policy *policy,
               int64_t started_at)
{
    *a = (Actor){.comm = comm,
                 .cfg = cfg,
                 .prompts = prompts,
                 .policy = policy,
                 .version = -1,
                 .done = started_at - 1,
                 .started_at = started_at};
    if (read_stops(a)) return -1;
    a->engine = engine_new(policy->model, policy->tok, (int)cfg->rollout.batch, 0);
    return 0;
}

void actor_free(Actor *a)
{
    engine_free(a->engine);
    mem_free(a->stop_text);
    *a = (Actor){0};
}

void actor_lend(Actor *a)
{
    engine_lend(a->engine);
}

void actor_see_version(Actor *a, int64_t version)
{
    a->version = version;
}

GenerateParams actor_params(const Actor *a, GroupKind kind)
{
    const Config *c = a->cfg;
    SamplingParams sampled = {(float)c->rollout.temperature, (int)c->rollout.top_k,
                              (float)c->rollout.top_p, (float)c->rollout.min_p};
    SamplingParams greedy = {0, 0, 1, 0};
    return (GenerateParams){.sampling = kind == GROUP_EVAL ? greedy : sampled,
                            .max_tokens = (int)c->rollout.max_tokens,
                            .n_stops = a->n_stops,
                            .stops = a->stops,
                            .ignore_eos = c->rollout.ignore_eos,
                            .seed = (uint64_t)c->run.seed};
}

static void send_group(void *ctx, Group *g)
{
    Actor *a = ctx;
    comm_send_group(a->comm, ROLE_REWARD, work_owner(g->id, comm_count(a->comm, ROLE_REWARD)), g);
    a->n_written += g->n_samples;
    comm_worked(a->comm);
}

static void keep_in_touch(void *ctx)
{
    Actor *a = ctx;
    comm_worked(a->comm);
    comm_progress(a->comm);
    if (a->progress) a->progress(a->progress_ctx, a->n_written, a->n_due);
    if (comm_stopping(a->comm) || (comm_rank(a->comm) == 0 && comm_asked_to_leave_now(a->comm)))
        engine_abandon(a->engine); /* the groups are made again, to the same bits, on resume */
}

/* Writes this actor's groups among first .. first + n - 1. */
static void write_groups(Actor *a, GroupKind kind, int64_t first, int64_t n, int n_samples)
{
    int n_actors = comm_count(a->comm, ROLE_ACTOR), me = comm_index(a->comm, ROLE_ACTOR), mine = 0;
    Group *groups = NEW(Group, n / n_actors + 1), **due = NEW(Group *, n / n_actors + 1);
    for (int64_t id = first; id < first + n; id++) {
        if (work_owner(id, n_actors) != me) continue;
        if (prompts_fill(a->prompts, kind, id, n_samples, (int32_t)a->version, &groups[mine]))
            die(EXIT_CONFIG, "problem %lld cannot be asked (the reason is above)", (long long)id);
        due[mine] = &groups[mine];
        mine++;
    }
    GenerateParams params = actor_params(a, kind);
    a->n_written = 0, a->n_due = mine * n_samples;
    engine_generate(a->engine, due, mine, &params, (int32_t)a->version, send_group, keep_in_touch,
                    a);
    for (int i = 0; i < mine; i++) group_free(&groups[i]);
    mem_free(groups);
    mem_free(due);
}

static void take_weights(Actor *a)
{
    if (comm_hosts(a->comm, ROLE_LEARNER))
        return; /* the model is shared; actor_see_version tells */
    const void *wire;
    int64_t version = comm_take_weights(a->comm, &wire, model_wire_bytes(a->policy->model));
    if (version < 0) return;
    model_wire_read(a->policy->model, wire);
    a->version = version;
}

bool actor_turn(Actor *a)
{
    take_weights(a);
    if (a->version <= a->done) return false;
    const Config *c = a->cfg;
    if (c->eval.problems &&
        work_evaluation_due(a->version, c->run.steps, c->eval.every, a->started_at))
        write_groups(a, GROUP_EVAL, 0, c->eval.problems, 1);
    int64_t first, last, P = c->rollout.prompts;
    work_steps_due(a->version, c->run.max_staleness, c->run.steps, &first, &last);
    for (int64_t step = first; step <= last && !comm_stopping(a->comm); step++)
        write_groups(a, GROUP_TRAIN, step * P, P, (int)c->rollout.samples);
    a->done = a->version;
    return true;
}

/* The reward service's turn. On the ring: between actors and learners. It keeps a group only while
 * a judge has it; the staleness bound limits how many that can be. */
#include "rewardsvc/service.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/work.h"
#include "rewardsvc/reward_case.h"

int service_init(Service *s, Comm *comm, const Config *cfg)
{
    *s = (Service){.comm = comm, .cfg = cfg};
    if (!cfg->reward) return fail("%s: no `reward:` block: name at least one reward", cfg->file);
    return reward_block_read(&s->block, cfg);
}

int service_prepare(Service *s, const KernelSet *k)
{
    char *dir = mem_printf("%s/%s", s->cfg->run.dir, s->cfg->run.name);
    int rc = reward_block_prepare(&s->block, k, dir, comm_rank(s->comm));
    mem_free(dir);
    return rc;
}

/* ---- one group ------------------------------------------------------------------------------- */

struct ServiceCase {
    ServiceCase *next;
    Group g;
    json_t *record;
    Evidence *evidence; /* [g.n_samples] */
    RewardCase *c;
};

/* The optimiser step that a group belongs to: schedules of the reward follow it. */
static int64_t step_of(const Group *g, const Config *cfg)
{
    return g->kind == GROUP_TRAIN ? g->id / cfg->rollout.prompts : g->version;
}

/* Takes the group over. */
static ServiceCase *case_open(RewardBlock *block, const Config *cfg, const Group *g)
{
    ServiceCase *k = NEW(ServiceCase, 1);
    json_error_t why;
    k->g = *g;
    k->record = json_loads(g->record ? g->record : "{}", JSON_REJECT_DUPLICATES, &why);
    REQUIRE(k->record, "record of problem %lld: %s", (long long)g->problem, why.text);
    k->evidence = NEW(Evidence, g->n_samples);
    for (int i = 0; i < g->n_samples; i++) {
        const Sample *s = &g->samples[i];
        k->evidence[i] = (Evidence){.prompt = g->prompt_text,
                                    .n_prompt = strlen(g->prompt_text),
                                    .text = s->text,
                                    .n_text = strlen(s->text),
                                    .n_tokens = s->n_tokens,
                                    .finish = s->finish,
                                    .record = k->record,
                                    .max_tokens = (int)cfg->rollout.max_tokens,
                                    .seed = (uint64_t)cfg->run.seed,
                                    .group = g->id,
                                    .sample = i,
                                    .training = g->kind == GROUP_TRAIN};
    }
    k->c = reward_case_open(block, k->evidence, g->n_samples, step_of(g, cfg), cfg->run.steps);
    return k;
}

/* Frees the case; the group, with its scores if the case is settled, is the caller's. */
static Group case_close(ServiceCase *k)
{
    Group g = k->g;
    reward_case_close(k->c);
    json_decref(k->record);
    mem_free(k->evidence);
    mem_free(k);
    return g;
}

static Group case_finish(ServiceCase *k, int n_components)
{
    Group *g = &k->g;
    group_reserve_scores(g, n_components);
    for (int i = 0; i < g->n_samples; i++) {
        Sample *s = &g->samples[i];
        for (int j = 0; j < n_components; j++) {
            s->components[j] = reward_case_score(k->c, j, i);
            s->latencies_s[j] = reward_case_latency(k->c, j, i);
            const char *note = reward_case_note(k->c, j, i);
            if (note) s->notes[j] = mem_text(note);
        }
        s->reward = reward_case_reward(k->c, i);
    }
    return case_close(k);
}

void service_score(RewardBlock *block, const Config *cfg, Group *g)
{
    ServiceCase *k = case_open(block, cfg, g);
    struct timespec nap = {.tv_nsec = 200000};
    while (!reward_case_settled(k->c))
        if (!reward_block_work(block)) nanosleep(&nap, NULL);
    *g = case_finish(k, block->n);
}

/* ---- the turn -------------------------------------------------------------------------------- */

static void pass_on(Service *s, const Group *g)
{
    int to = 0;
    if (g->kind == GROUP_TRAIN) {
        int S = (int)s->cfg->learner.reduction_slots;
        to = work_slot_learner(work_slot(g->id, (int)s->cfg->rollout.prompts, S), S,
                               comm_count(s->comm, ROLE_LEARNER));
    }
    comm_send_group(s->comm, ROLE_LEARNER, to, g);
    if (to) comm_send_group(s->comm, ROLE_LEARNER, 0, g);
}

static bool take_groups(Service *s)
{
    bool any = false;
    ServiceCase **end = &s->cases;
    while (*end) end = &(*end)->next;
    for (Group g = {0}; comm_take_group(s->comm, ROLE_REWARD, &g); any = true, g = (Group){0}) {
        *end = case_open(&s->block, s->cfg, &g);
        end = &(*end)->next;
    }
    return any;
}

static bool pass_on_settled(Service *s)
{
    bool any = false;
    for (ServiceCase **at = &s->cases; *at;) {
        ServiceCase *k = *at;
        if (!reward_case_settled(k->c)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        Group g = case_finish(k, s->block.n);
        pass_on(s, &g);
        group_free(&g);
        any = true;
    }
    return any;
}

bool service_turn(Service *s)
{
    bool worked = take_groups(s);
    if (s->cases) worked |= reward_block_work(&s->block);
    worked |= pass_on_settled(s);
    if (worked) comm_worked(s->comm);
    return worked;
}

void service_free(Service *s)
{
    while (s->cases) {
        ServiceCase *k = s->cases;
        s->cases = k->next;
        Group g = case_close(k);
        group_free(&g);
    }
    reward_block_close(&s->block);
    *s = (Service){0};
}

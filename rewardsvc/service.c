/* The reward service's turn. On the ring: between actors and learners. It keeps no group: what it
 * is sent, it judges and sends on. */
#include "rewardsvc/service.h"

#include <jansson.h>
#include <string.h>

#include "common/errors.h"
#include "common/work.h"

int service_init(Service *s, Comm *comm, const Config *cfg)
{
    *s = (Service){.comm = comm, .cfg = cfg};
    if (!cfg->reward) return fail("%s: no `reward:` block: name at least one reward", cfg->file);
    return reward_block_open(&s->block, cfg->reward);
}

void service_free(Service *s)
{
    reward_block_close(&s->block);
    *s = (Service){0};
}

void service_score(const RewardBlock *block, const Config *cfg, Group *g)
{
    json_error_t why;
    json_t *record = json_loads(g->record ? g->record : "{}", JSON_REJECT_DUPLICATES, &why);
    REQUIRE(record, "record of problem %lld: %s", (long long)g->problem, why.text);
    group_reserve_scores(g, block->n);
    for (int i = 0; i < g->n_samples; i++) {
        Sample *s = &g->samples[i];
        Evidence e = {.prompt = g->prompt_text,
                      .n_prompt = strlen(g->prompt_text),
                      .text = s->text,
                      .n_text = strlen(s->text),
                      .n_tokens = s->n_tokens,
                      .finish = s->finish,
                      .record = record,
                      .max_tokens = (int)cfg->rollout.max_tokens,
                      .seed = (uint64_t)cfg->run.seed,
                      .group = g->id,
                      .sample = i};
        s->reward = reward_block_score(block, &e, s->components, s->latencies_s);
    }
    json_decref(record);
}

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

bool service_turn(Service *s)
{
    Group g = {0};
    if (!comm_take_group(s->comm, ROLE_REWARD, &g)) return false;
    service_score(&s->block, s->cfg, &g);
    pass_on(s, &g);
    group_free(&g);
    comm_worked(s->comm);
    return true;
}

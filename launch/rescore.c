/* See rescore.h. The step that schedules and states are judged at is the one before the recorded
 * number: a group of step 1 was judged when 0 optimiser steps were done. */
#include "launch/rescore.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/reward_case.h"

typedef struct {
    Group *g;
    json_t *record;
    Evidence *evidence; /* [g->n_samples] */
    RewardCase *c;
    JudgedGroup judged; /* of a block with state */
} Item;

Group group_copy(const Group *g)
{
    Group copy;
    Buffer bytes = {0};
    group_pack(g, &bytes);
    REQUIRE(!group_unpack(&copy, bytes.data, bytes.size), "a copy of group %lld", (long long)g->id);
    buffer_free(&bytes);
    return copy;
}

static int item_open(Item *o, Group *g, const RescoreRun *run)
{
    json_error_t why;
    o->g = g;
    o->record =
        json_loads(g->record && *g->record ? g->record : "{}", JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(o->record))
        return fail("group %lld: its record is no JSON object", (long long)g->id);
    o->evidence = NEW(Evidence, g->n_samples);
    for (int i = 0; i < g->n_samples; i++) {
        const Sample *s = &g->samples[i];
        const char *prompt = g->prompt_text ? g->prompt_text : "", *text = s->text ? s->text : "";
        o->evidence[i] = (Evidence){.prompt = prompt,
                                    .n_prompt = strlen(prompt),
                                    .text = text,
                                    .n_text = strlen(text),
                                    .n_tokens = s->n_tokens,
                                    .finish = s->finish,
                                    .record = o->record,
                                    .max_tokens = run->max_tokens,
                                    .seed = run->seed,
                                    .group = g->id,
                                    .sample = i,
                                    .training = g->kind == GROUP_TRAIN};
    }
    return 0;
}

static void item_close(Item *o)
{
    reward_case_close(o->c);
    json_decref(o->record);
    mem_free(o->evidence);
    mem_free((void *)o->judged.g.scores);
    mem_free((void *)o->judged.reward);
    mem_free((void *)o->judged.notes);
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static void settle(RewardBlock *b, Item *items, int n)
{
    for (bool all = false; !all;) {
        all = true;
        for (int i = 0; i < n; i++) all &= reward_case_settled(items[i].c);
        if (!all && !reward_block_work(b)) pause_briefly();
    }
}

static void take_scores(const RewardBlock *b, const Item *o)
{
    group_reserve_scores(o->g, b->n);
    for (int i = 0; i < o->g->n_samples; i++) {
        Sample *s = &o->g->samples[i];
        for (int k = 0; k < b->n; k++) {
            s->components[k] = reward_case_score(o->c, k, i);
            s->latencies_s[k] = reward_case_latency(o->c, k, i);
            s->notes[k] = mem_text(reward_case_note(o->c, k, i));
        }
        s->reward = reward_case_reward(o->c, i);
    }
}

static JudgedGroup judged_group(const Item *o, int64_t step, int64_t steps)
{
    int n = o->g->n_samples, K = o->g->n_components;
    Score *scores = NEW(Score, K * n), *reward = NEW(Score, n);
    const char **notes = NEW(const char *, K *n);
    for (int i = 0; i < n; i++) {
        reward[i] = o->g->samples[i].reward;
        for (int k = 0; k < K; k++) {
            scores[k * n + i] = o->g->samples[i].components[k];
            notes[k * n + i] = o->g->samples[i].notes[k];
        }
    }
    return (JudgedGroup){.g = {.n = n,
                               .samples = o->evidence,
                               .step = step,
                               .steps = steps,
                               .n_components = K,
                               .scores = scores},
                         .reward = reward,
                         .notes = notes};
}

static void advance(RewardBlock *b, Item *items, int n, int64_t step, int64_t steps)
{
    JudgedGroup *groups = NEW(JudgedGroup, n);
    for (int i = 0; i < n; i++) groups[i] = items[i].judged = judged_group(&items[i], step, steps);
    reward_block_advance(b, groups, n, step);
    while (!reward_block_advanced(b))
        if (!reward_block_work(b)) pause_briefly();
    mem_free(groups);
}

int rescore_step(RewardBlock *b, const RescoreRun *run, int64_t step, Group *groups, int n)
{
    Item *items = NEW(Item, n);
    int rc = 0;
    for (int i = 0; i < n && !rc; i++) rc = item_open(&items[i], &groups[i], run);
    for (int i = 0; i < n && !rc; i++)
        items[i].c =
            reward_case_open(b, items[i].evidence, groups[i].n_samples, step - 1, run->steps);
    if (!rc) {
        settle(b, items, n);
        for (int i = 0; i < n; i++) take_scores(b, &items[i]);
        if (reward_block_has_state(b)) advance(b, items, n, step - 1, run->steps);
    }
    for (int i = 0; i < n; i++) item_close(&items[i]);
    mem_free(items);
    return rc;
}

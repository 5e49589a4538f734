/* State over steps of a block's components (reward.h): begun, awaited, kept and taken back. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/reward.h"

bool reward_block_has_state(const RewardBlock *b)
{
    for (int i = 0; i < b->n; i++)
        if (b->components[i].reward->advance) return true;
    return false;
}

void reward_block_advance(RewardBlock *b, JudgedGroup *groups, int n, int64_t step)
{
    for (int i = 0; i < b->n; i++) {
        RewardComponent *c = &b->components[i];
        for (int k = 0; k < n; k++) groups[k].self = i;
        if (c->reward->advance) c->reward->advance(c->values, c->state, groups, n, step);
    }
}

bool reward_block_advanced(RewardBlock *b)
{
    bool all = true;
    for (int i = 0; i < b->n; i++) {
        RewardComponent *c = &b->components[i];
        if (c->reward->advance) all &= c->reward->advanced(c->values, c->state);
    }
    return all;
}

char *reward_block_save(const RewardBlock *b)
{
    json_t *all = json_object();
    for (int i = 0; i < b->n; i++) {
        const RewardComponent *c = &b->components[i];
        if (c->reward->advance) json_object_set_new(all, c->name, c->reward->save(c->state));
    }
    char *json = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    REQUIRE(json, "a reward's state cannot be written as JSON");
    char *text = mem_text(json);
    free(json);
    json_decref(all);
    return text;
}

int reward_block_load(RewardBlock *b, const char *text)
{
    json_error_t why;
    json_t *all = *text ? json_loads(text, JSON_REJECT_DUPLICATES, &why) : json_object();
    if (!all) return fail("the rewards' state cannot be read: %s", why.text);
    int rc = 0;
    for (int i = 0; i < b->n && !rc; i++) {
        RewardComponent *c = &b->components[i];
        const json_t *saved = json_object_get(all, c->name);
        if (!c->reward->advance) continue;
        if (*text && !saved)
            rc = fail("reward %s has state, and the checkpoint has none of it", c->name);
        else if (c->reward->load(c->values, c->state, saved))
            rc = fail("reward %s: its state cannot be taken: %s", c->name, errors_last());
    }
    json_decref(all);
    return rc;
}

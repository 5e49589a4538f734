/* The reward block at work: scoring, closing, its formula (reward.h). Reading it from an experiment
 * file is reward_config.c. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/reward_values.h"

int reward_settings_count(const Reward *r)
{
    int n = 0;
    while (r->settings && r->settings[n].key) n++;
    return n;
}

RewardValue *reward_values_default(const Reward *r)
{
    int n = reward_settings_count(r);
    RewardValue *v = NEW(RewardValue, n ? n : 1);
    for (int i = 0; i < n; i++) {
        const RewardSetting *s = &r->settings[i];
        switch (s->type) {
        case SETTING_NUMBER:
            v[i].number = s->number;
            break;
        case SETTING_BOOL:
            v[i].flag = s->number != 0;
            break;
        case SETTING_TEXT:
            v[i].text = mem_text(s->text ? s->text : "");
            break;
        }
    }
    return v;
}

void reward_values_free(const Reward *r, RewardValue *v)
{
    for (int i = 0, n = v ? reward_settings_count(r) : 0; i < n; i++)
        if (r->settings[i].type == SETTING_TEXT) mem_free((char *)v[i].text);
    mem_free(v);
}

int reward_component_start(RewardComponent *c)
{
    return c->reward->open ? c->reward->open(c->values, &c->state) : 0;
}

int reward_block_single(RewardBlock *b, const char *name)
{
    *b = (RewardBlock){0};
    const Reward *r = reward_find(name);
    if (!r) return fail("no reward is called %s (troupe score --list shows them)", name);
    b->components = NEW(RewardComponent, 1);
    b->components[0] = (RewardComponent){
        .reward = r, .name = mem_text(name), .weight = 1, .values = reward_values_default(r)};
    b->n = 1;
    if (reward_component_start(&b->components[0]) == 0) return 0;
    b->n = 0; /* not opened: nothing to close */
    reward_values_free(r, b->components[0].values);
    mem_free(b->components[0].name);
    mem_free(b->components);
    b->components = NULL;
    return -1;
}

void reward_block_close(RewardBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        RewardComponent *c = &b->components[i];
        if (c->reward->close) c->reward->close(c->state);
        reward_values_free(c->reward, c->values);
        mem_free(c->name);
    }
    mem_free(b->components);
    *b = (RewardBlock){0};
}

static Score checked(Score s)
{
    if (s.status != SCORE_OK) return score_failed(s.status);
    if (isfinite(s.value)) return s;
    fail("the value is %g", s.value);
    return score_failed(SCORE_ERROR); /* must not reach a mean */
}

/* The first error of a component is printed, since a run that stops for failed rewards must have
 * said why; the rest would bury it. */
static Score component_score(RewardComponent *c, const Evidence *e)
{
    errors_quiet(1);
    Score s = checked(c->reward->score(c->values, c->state, e));
    errors_quiet(-1);
    if (s.status == SCORE_ERROR && !c->complained) {
        c->complained = true;
        char *why = mem_text(errors_last());
        fail("reward %s, group %lld, sample %d: %s (its later errors are counted, not printed)",
             c->name, (long long)e->group, e->sample, why);
        mem_free(why);
    }
    return s;
}

/* Weight 0 is a component that is only watched: it can neither help nor spoil the sum. */
Score reward_block_score(const RewardBlock *b, const Evidence *e, Score *components,
                         float *latencies_s)
{
    Score sum = {0, SCORE_OK};
    bool any = false;
    for (int i = 0; i < b->n; i++) {
        RewardComponent *c = &b->components[i];
        double start = clock_seconds();
        Score s = components[i] = component_score(c, e);
        latencies_s[i] = (float)(clock_seconds() - start);
        if (c->weight == 0 || s.status == SCORE_NOT_APPLICABLE) continue;
        if (s.status == SCORE_OK) {
            sum.value += c->weight * s.value;
            any = true;
        } else if (sum.status == SCORE_OK) {
            sum.status = s.status;
        }
    }
    if (sum.status != SCORE_OK) return score_failed(sum.status);
    if (!any) return score_failed(SCORE_NOT_APPLICABLE);
    return isfinite(sum.value) ? sum : score_failed(SCORE_ERROR);
}

char *reward_block_formula(const RewardBlock *b)
{
    Buffer text = {0};
    buffer_text(&text, "");
    for (int i = 0; i < b->n; i++) {
        const RewardComponent *c = &b->components[i];
        bool minus = c->weight < 0;
        buffer_text(&text, i == 0 ? (minus ? "-" : "") : minus ? " - " : " + ");
        buffer_printf(&text, "%.15g * %s", fabs(c->weight), c->name);
    }
    char *out = mem_text_n(text.data ? text.data : "", text.size);
    buffer_free(&text);
    return out;
}

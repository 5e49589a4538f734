/* The reward block's own: opening, closing, weights, its formula (reward.h). Reading it from an
 * experiment file is reward_config.c, judging a group reward_case.c. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/judge.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/reward_case.h"
#include "rewardsvc/reward_component.h"
#include "rewardsvc/settings.h"

RewardComponent reward_component_default(const Reward *r, const char *label)
{
    const double deadline_s = 120;
    return (RewardComponent){.reward = r,
                             .name = mem_text(label),
                             .weight = {.from = 1},
                             .deadline_s = deadline_s,
                             .values = settings_default(r->settings)};
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
    if (r->shape)
        return fail("%s shapes the rewards of other components: it needs a `reward:` list", name);
    for (const RewardSetting *s = r->settings; s && s->key; s++)
        if (s->required)
            return fail("%s needs `%s` (%s): put it into the `reward:` list of an experiment file",
                        name, s->key, s->help);
    b->components = NEW(RewardComponent, 1);
    b->components[0] = reward_component_default(r, name);
    b->n = 1;
    if (reward_component_start(&b->components[0]) == 0) return 0;
    b->n = 0; /* not opened: nothing to close */
    settings_free(r->settings, b->components[0].values);
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
        settings_free(c->reward->settings, c->values);
        mem_free(c->name);
    }
    mem_free(b->components);
    judges_close(b->judges); /* after those whose questions they hold */
    *b = (RewardBlock){0};
}

int reward_block_read(RewardBlock *b, const Config *cfg)
{
    if (reward_block_open(b, cfg->reward)) return -1;
    int rc = (b->judges = judges_read(cfg)) ? 0 : -1;
    for (int i = 0; i < b->n && b->judges; i++) {
        RewardComponent *c = &b->components[i];
        errors_quiet(1);
        int bound = c->reward->bind ? c->reward->bind(b->judges, c->name, c->values, c->state) : 0;
        errors_quiet(-1);
        if (bound) rc = fail("%s: reward %s: %s", cfg->file, c->name, errors_last());
    }
    errors_quiet(1);
    int unfit = rc ? 0 : judges_check(b->judges);
    errors_quiet(-1);
    if (unfit) rc = fail("%s: %s", cfg->file, errors_last());
    if (rc) reward_block_close(b);
    return rc;
}

int reward_block_prepare(RewardBlock *b, const KernelSet *k, const char *dir, int rank)
{
    for (int i = 0; i < b->n; i++) {
        RewardComponent *c = &b->components[i];
        if (c->reward->prepare && c->reward->prepare(c->values, c->state))
            return fail("reward %s cannot judge here: %s", c->name, errors_last());
    }
    return b->judges ? judges_prepare(b->judges, k, dir, rank) : 0;
}

bool reward_block_work(RewardBlock *b)
{
    bool moved = false;
    for (int i = 0; i < b->n; i++) {
        RewardComponent *c = &b->components[i];
        if (c->reward->work) moved |= c->reward->work(c->state);
    }
    return moved;
}

void reward_block_wait(RewardBlock *b)
{
    const struct timespec nap = {.tv_nsec = 200000};
    if (!reward_block_work(b)) nanosleep(&nap, NULL);
}

Score reward_block_score(RewardBlock *b, const Evidence *e, Score *components, float *latencies_s)
{
    RewardCase *c = reward_case_open(b, e, 1, 0, 0);
    while (!reward_case_settled(c)) reward_block_wait(b);
    for (int k = 0; k < b->n; k++) {
        components[k] = reward_case_score(c, k, 0);
        latencies_s[k] = reward_case_latency(c, k, 0);
    }
    Score sum = reward_case_reward(c, 0);
    reward_case_close(c);
    return sum;
}

/* ---- weights, and the formula ---------------------------------------------------------------- */

double reward_weight_at(const RewardWeight *w, int64_t step)
{
    const double pi = 3.14159265358979323846;
    double x = w->steps > 0 ? (double)step / w->steps : 1, left;
    switch (w->kind) {
    case WEIGHT_LINEAR:
        left = x < 1 ? 1 - x : 0;
        break;
    case WEIGHT_COSINE:
        left = x < 1 ? (1 + cos(pi * x)) / 2 : 0;
        break;
    case WEIGHT_EXP:
        left = exp(-x);
        break;
    default:
        return w->from;
    }
    return w->to + (w->from - w->to) * left;
}

static void add_weight(Buffer *text, const RewardWeight *w, bool first)
{
    static const char *const kinds[] = {"constant", "linear", "cosine", "exp"};
    if (w->kind == WEIGHT_CONSTANT) {
        bool minus = w->from < 0;
        buffer_printf(text, "%s%.15g",
                      first   ? (minus ? "-" : "")
                      : minus ? " - "
                              : " + ",
                      fabs(w->from));
    } else {
        buffer_printf(text, "%s%s(%.15g -> %.15g over %.15g steps)", first ? "" : " + ",
                      kinds[w->kind], w->from, w->to, w->steps);
    }
}

static void add_term(Buffer *text, const RewardBlock *b, const RewardComponent *c, bool first)
{
    add_weight(text, &c->weight, first);
    buffer_text(text, " * ");
    if (c->gated) buffer_printf(text, "[%s >= %.15g] * ", b->components[c->gate].name, c->at_least);
    if (c->wants_mixed) buffer_printf(text, "[%s mixed] * ", b->components[c->mixed].name);
    if (c->clips) buffer_text(text, "clip(");
    buffer_printf(text, c->normalise ? "normalise(%s)" : "%s", c->name);
    if (c->clips) buffer_printf(text, ", %.15g, %.15g)", c->least, c->most);
}

/* The text becomes what the shape makes of it. */
static void shape_formula(Buffer *text, const RewardBlock *b, const RewardComponent *c)
{
    const char **names = NEW(const char *, b->n), *before = text->size ? text->data : "0";
    for (int i = 0; i < b->n; i++) names[i] = b->components[i].name;
    char *after = c->reward->formula ? c->reward->formula(c->values, names, before)
                                     : mem_printf("%s(%s)", c->name, before);
    buffer_free(text);
    buffer_text(text, after);
    mem_free(after);
    mem_free(names);
}

/* Components of weight 0 stand in no term: what uses them names them. */
char *reward_block_formula(const RewardBlock *b)
{
    Buffer text = {0};
    for (int i = 0; i < b->n; i++) {
        const RewardComponent *c = &b->components[i];
        if (c->reward->shape)
            shape_formula(&text, b, c);
        else if (c->weight.kind != WEIGHT_CONSTANT || c->weight.from != 0)
            add_term(&text, b, c, text.size == 0);
    }
    char *out = mem_text_n(text.data ? text.data : "0", text.size ? text.size : 1);
    buffer_free(&text);
    return out;
}

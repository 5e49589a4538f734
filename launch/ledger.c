/* See ledger.h. */
#include "launch/ledger.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"
#include "launch/run_config.h"
#include "rewardsvc/reward.h"

const char *ledger_kind_name(LedgerKind kind)
{
    static const char *const names[] = {"rule", "judge", "shape", "reward"};
    return names[kind];
}

const LedgerColumn *ledger_column(const Ledger *l, int k)
{
    return k < l->n_components ? &l->columns[k] : &l->reward;
}

int ledger_find(const Ledger *l, const char *name)
{
    for (int k = 0; k <= l->n_components; k++)
        if (!strcmp(ledger_column(l, k)->name, name)) return k;
    Buffer why = {0};
    for (int k = 0; k <= l->n_components; k++)
        buffer_printf(&why, "%s %s", k ? "," : "", ledger_column(l, k)->name);
    fail("no component is called %.60s; there are%s", name, why.data);
    buffer_free(&why);
    return -1;
}

bool ledger_range(const Ledger *l, const LedgerColumn *c, double *least, double *most)
{
    *least = INFINITY, *most = -INFINITY;
    for (int i = 0; i < l->n; i++)
        if (c->status[i] == SCORE_OK)
            *least = fmin(*least, c->value[i]), *most = fmax(*most, c->value[i]);
    return *least <= *most;
}

bool ledger_has(const Group *g)
{
    return g->kind == GROUP_TRAIN && g->n_components > 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void column_grow(LedgerColumn *c, int old, int new)
{
    c->value = mem_resize(c->value, (size_t)old, (size_t) new, sizeof *c->value);
    c->status = mem_resize(c->status, (size_t)old, (size_t) new, sizeof *c->status);
    c->latency = mem_resize(c->latency, (size_t)old, (size_t) new, sizeof *c->latency);
}

static void grow(Ledger *l, int n)
{
    if (n <= l->capacity) return;
    int old = l->capacity, new = n + l->capacity / 2 + 1024;
    l->step = mem_resize(l->step, (size_t)old, (size_t) new, sizeof *l->step);
    l->group = mem_resize(l->group, (size_t)old, (size_t) new, sizeof *l->group);
    l->sample = mem_resize(l->sample, (size_t)old, (size_t) new, sizeof *l->sample);
    l->n_tokens = mem_resize(l->n_tokens, (size_t)old, (size_t) new, sizeof *l->n_tokens);
    for (int k = 0; k < l->n_components; k++) column_grow(&l->columns[k], old, new);
    column_grow(&l->reward, old, new);
    l->capacity = new;
}

/* A column more; what was recorded before it did not apply. */
static LedgerColumn *add_column(Ledger *l)
{
    int k = l->n_components++;
    l->columns = mem_resize(l->columns, (size_t)k, (size_t)k + 1, sizeof *l->columns);
    LedgerColumn *c = &l->columns[k];
    *c = (LedgerColumn){0};
    snprintf(c->name, sizeof c->name, "component %d", k);
    column_grow(c, 0, l->capacity);
    for (int i = 0; i < l->n; i++) c->status[i] = SCORE_NOT_APPLICABLE;
    return c;
}

typedef struct {
    Ledger *l;
    const YamlNode *rewards; /* of the run's configuration; NULL: not known */
} Reading;

static void put(LedgerColumn *c, int row, Score s, float latency)
{
    c->status[row] = (uint8_t)s.status;
    c->value[row] = s.status == SCORE_OK ? s.value : 0;
    c->latency[row] = latency;
}

static void add_sample(Reading *r, int64_t step, const Group *g, int i)
{
    Ledger *l = r->l;
    const Sample *s = &g->samples[i];
    int row = l->n++;
    l->step[row] = step;
    l->group[row] = g->id;
    l->sample[row] = i;
    l->n_tokens[row] = s->n_tokens;
    put(&l->reward, row, s->reward, 0);
    for (int k = 0; k < l->n_components; k++) {
        bool has = k < g->n_components;
        put(&l->columns[k], row, has ? s->components[k] : (Score){0, SCORE_NOT_APPLICABLE},
            has ? s->latencies_s[k] : 0);
        if (has && !r->rewards && s->notes && s->notes[k]) l->columns[k].kind = LEDGER_JUDGE;
    }
}

static int add_group(void *ctx, int64_t step, const Group *g)
{
    Reading *r = ctx;
    if (!ledger_has(g)) return 0;
    while (r->l->n_components < g->n_components) add_column(r->l);
    grow(r->l, r->l->n + g->n_samples);
    for (int i = 0; i < g->n_samples; i++) add_sample(r, step, g, i);
    r->l->n_groups++;
    return 0;
}

static void name_columns(Reading *r, const json_t *info)
{
    const json_t *names = json_object_get(info, "components");
    for (size_t k = 0; k < json_array_size(names); k++) {
        LedgerColumn *c = add_column(r->l);
        const char *name = json_string_value(json_array_get(names, k)),
                   *reward = run_config_reward(r->rewards, (int)k);
        if (name) snprintf(c->name, sizeof c->name, "%s", name);
        const Reward *known = reward ? reward_find(reward) : NULL;
        if (known) c->kind = known->ask ? LEDGER_JUDGE : known->shape ? LEDGER_SHAPE : LEDGER_RULE;
    }
}

int ledger_read(Ledger *l, const char *dir)
{
    *l = (Ledger){.reward = {.name = "reward", .kind = LEDGER_REWARD}};
    Config cfg;
    errors_quiet(1); /* without run.h5 components are numbered */
    json_t *info = runfile_read_info(dir);
    run_config_read(info, dir, &cfg);
    errors_quiet(-1);
    Reading r = {l, cfg.reward};
    name_columns(&r, info);
    int code = runfile_each_group(dir, add_group, &r) ? EXIT_CONFIG : 0;
    if (!code && !l->n) {
        fail("%s: no scored rollouts yet", dir);
        code = EXIT_NO_INPUT;
    }
    json_decref(info);
    config_free(&cfg);
    if (code) ledger_free(l);
    return code;
}

static void column_free(LedgerColumn *c)
{
    mem_free(c->value);
    mem_free(c->status);
    mem_free(c->latency);
}

void ledger_free(Ledger *l)
{
    for (int k = 0; k < l->n_components; k++) column_free(&l->columns[k]);
    column_free(&l->reward);
    void *owned[] = {l->columns, l->step, l->group, l->sample, l->n_tokens};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
    *l = (Ledger){0};
}

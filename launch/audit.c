/* See audit.h. */
#include "launch/audit.h"

#include <math.h>
#include <string.h>

#include "common/association.h"
#include "common/memory.h"
#include "launch/json_text.h"

void audit_init(Audit *a, const RewardBlock *block, int most)
{
    *a = (Audit){.block = block,
                 .components = NEW(AuditComponent, block->n),
                 .changed = NEW(json_t *, most + 1),
                 .changes = NEW(double, most + 1),
                 .most = most};
    for (int k = 0; k < block->n; k++)
        a->components[k] = (AuditComponent){.name = block->components[k].name,
                                            .old = -1,
                                            .rule = block->components[k].reward->score != NULL,
                                            .alike = -1};
}

void audit_free(Audit *a)
{
    for (int i = 0; i < a->n_changed; i++) json_decref(a->changed[i]);
    void *owned[] = {a->components, a->steps, a->was, a->is, a->changed, a->changes};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
    *a = (Audit){0};
}

/* ---- adding ---------------------------------------------------------------------------------- */

static AuditStep *step_of(Audit *a, int64_t step)
{
    if (a->n_steps && a->steps[a->n_steps - 1].step == step) return &a->steps[a->n_steps - 1];
    if (a->n_steps == a->steps_capacity) {
        size_t old = (size_t)a->steps_capacity, new = 2 * old + 64;
        a->steps = mem_resize(a->steps, old, new, sizeof *a->steps);
        a->steps_capacity = (int)new;
    }
    a->steps[a->n_steps] = (AuditStep){.step = step};
    return &a->steps[a->n_steps++];
}

static void keep_advantages(Audit *a, double was, double is)
{
    if (a->n == a->capacity) {
        size_t old = (size_t)a->capacity, new = 2 * old + 1024;
        a->was = mem_resize(a->was, old, new, sizeof *a->was);
        a->is = mem_resize(a->is, old, new, sizeof *a->is);
        a->capacity = (int)new;
    }
    a->was[a->n] = was;
    a->is[a->n++] = is;
}

static bool same_score(Score a, Score b)
{
    return a.status == b.status &&
           (a.status != SCORE_OK || !memcmp(&a.value, &b.value, sizeof a.value));
}

static void add_component(AuditComponent *c, int k, int64_t step, const Group *old,
                          const Group *new, int i)
{
    Score is = new->samples[i].components[k];
    if (is.status == SCORE_OK) c->sum[1] += is.value, c->n_ok[1]++;
    if (c->old < 0 || c->old >= old->n_components) return;
    Score was = old->samples[i].components[c->old];
    if (was.status == SCORE_OK) c->sum[0] += was.value, c->n_ok[0]++;
    c->n++;
    if (same_score(was, is)) {
        c->equal++;
    } else if (c->n - c->equal == 1) {
        c->step = step, c->group = old->id, c->sample = i;
        c->was = was, c->is = is;
    }
}

static int sign(float x)
{
    return (x > 0) - (x < 0);
}

static bool is_flat(const Group *g)
{
    for (int i = 0; i < g->n_samples; i++)
        if (g->samples[i].advantage != 0) return false;
    return true;
}

static void add_sample(Audit *a, AuditStep *s, const Sample *old, const Sample *new)
{
    const Sample *both[] = {old, new};
    for (int k = 0; k < 2; k++)
        if (both[k]->reward.status == SCORE_OK) s->sum[k] += both[k]->reward.value, s->n_ok[k]++;
    if (old->reward.status == SCORE_OK && new->reward.status == SCORE_OK)
        keep_advantages(a, (double)old->advantage, (double)new->advantage);
    int was = sign(old->advantage), is = sign(new->advantage);
    a->signs[was + 1][is + 1]++;
    s->signs_changed += was * is < 0;
    s->n++;
}

static json_t *score_json(Score s)
{
    return s.status == SCORE_OK ? json_real(s.value) : json_string(score_status_name(s.status));
}

static json_t *text_of(const char *s)
{
    return json_text(s ? s : "", s ? strlen(s) : 0);
}

static json_t *group_json(int64_t step, const Group *old, const Group *new, double change)
{
    json_t *samples = json_array();
    for (int i = 0; i < old->n_samples; i++) {
        const Sample *o = &old->samples[i], *n = &new->samples[i];
        json_array_append_new(samples,
                              json_pack("{s:o, s:o, s:f, s:f, s:o}", "old_reward",
                                        score_json(o->reward), "new_reward", score_json(n->reward),
                                        "old_advantage", (double)o->advantage, "new_advantage",
                                        (double)n->advantage, "answer", text_of(o->text)));
    }
    return json_pack("{s:I, s:I, s:f, s:o, s:o}", "step", (json_int_t)step, "group",
                     (json_int_t)old->id, "mean_change", change, "prompt",
                     text_of(old->prompt_text), "samples", samples);
}

/* Of groups that changed as much the first stays. */
static void rank_group(Audit *a, int64_t step, const Group *old, const Group *new)
{
    double sum = 0;
    for (int i = 0; i < old->n_samples; i++)
        sum += fabs((double)new->samples[i].advantage - (double)old->samples[i].advantage);
    double change = old->n_samples ? sum / old->n_samples : 0;
    int at = a->n_changed;
    while (at > 0 && a->changes[at - 1] < change) at--;
    if (change == 0 || at == a->most) return;
    if (a->n_changed == a->most) json_decref(a->changed[--a->n_changed]);
    for (int i = a->n_changed++; i > at; i--)
        a->changed[i] = a->changed[i - 1], a->changes[i] = a->changes[i - 1];
    a->changed[at] = group_json(step, old, new, change);
    a->changes[at] = change;
}

void audit_add(Audit *a, int64_t step, const Group *old, const Group *new)
{
    AuditStep *s = step_of(a, step);
    bool was = is_flat(old), is = is_flat(new);
    s->groups++;
    s->flat[0] += was, s->flat[1] += is;
    s->became_flat += !was && is;
    s->ceased_flat += was && !is;
    for (int i = 0; i < old->n_samples; i++) {
        add_sample(a, s, &old->samples[i], &new->samples[i]);
        for (int k = 0; k < a->block->n; k++)
            add_component(&a->components[k], k, step, old, new, i);
    }
    rank_group(a, step, old, new);
}

/* ---- what came of it ------------------------------------------------------------------------- */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *mean_json(double sum, double n)
{
    return n > 0 ? number(sum / n) : json_null();
}

static json_t *step_json(const AuditStep *s)
{
    return json_pack("{s:I, s:I, s:I, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "step",
                     (json_int_t)s->step, "groups", (json_int_t)s->groups, "samples",
                     (json_int_t)s->n, "old_reward", mean_json(s->sum[0], s->n_ok[0]), "new_reward",
                     mean_json(s->sum[1], s->n_ok[1]), "old_ok", (json_int_t)s->n_ok[0], "new_ok",
                     (json_int_t)s->n_ok[1], "signs_changed", (json_int_t)s->signs_changed,
                     "old_flat", (json_int_t)s->flat[0], "new_flat", (json_int_t)s->flat[1],
                     "became_flat", (json_int_t)s->became_flat, "ceased_flat",
                     (json_int_t)s->ceased_flat);
}

static json_t *component_json(const AuditComponent *c)
{
    json_t *o = json_pack(
        "{s:s, s:s, s:o, s:o, s:o}", "name", c->name, "kind", c->rule ? "rule" : "judge or shape",
        "same_settings", c->alike < 0 ? json_null() : json_boolean(c->alike), "old_mean",
        mean_json(c->sum[0], c->n_ok[0]), "new_mean", mean_json(c->sum[1], c->n_ok[1]));
    if (c->old < 0) return o;
    json_object_set_new(o, "compared", json_integer(c->n));
    json_object_set_new(o, "equal", json_integer(c->equal));
    if (c->equal < c->n)
        json_object_set_new(o, "first_difference",
                            json_pack("{s:I, s:I, s:i, s:o, s:o}", "step", (json_int_t)c->step,
                                      "group", (json_int_t)c->group, "sample", c->sample, "old",
                                      score_json(c->was), "new", score_json(c->is)));
    return o;
}

static json_t *signs_json(const Audit *a)
{
    static const char *const names[] = {"negative", "zero", "positive"};
    json_t *o = json_object();
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            char key[40];
            snprintf(key, sizeof key, "%s_to_%s", names[i], names[k]);
            json_object_set_new(o, key, json_integer(a->signs[i][k]));
        }
    json_object_set_new(o, "changed", json_integer(a->signs[0][2] + a->signs[2][0]));
    return o;
}

json_t *audit_json(const Audit *a)
{
    AuditStep all = {0};
    json_t *steps = json_array(), *components = json_array(), *changed = json_array();
    for (int i = 0; i < a->n_steps; i++) {
        const AuditStep *s = &a->steps[i];
        json_array_append_new(steps, step_json(s));
        for (int k = 0; k < 2; k++)
            all.sum[k] += s->sum[k], all.n_ok[k] += s->n_ok[k], all.flat[k] += s->flat[k];
        all.n += s->n, all.groups += s->groups;
        all.became_flat += s->became_flat, all.ceased_flat += s->ceased_flat;
    }
    for (int k = 0; k < a->block->n; k++)
        json_array_append_new(components, component_json(&a->components[k]));
    for (int i = 0; i < a->n_changed; i++) json_array_append(changed, a->changed[i]);
    json_t *o =
        json_pack("{s:I, s:I, s:{s:o, s:o, s:I, s:I}}", "groups", (json_int_t)all.groups, "samples",
                  (json_int_t)all.n, "reward", "old_mean", mean_json(all.sum[0], all.n_ok[0]),
                  "new_mean", mean_json(all.sum[1], all.n_ok[1]), "old_ok", (json_int_t)all.n_ok[0],
                  "new_ok", (json_int_t)all.n_ok[1]);
    json_object_set_new(o, "signs", signs_json(a));
    json_object_set_new(o, "flat_groups",
                        json_pack("{s:I, s:I, s:I, s:I}", "old", (json_int_t)all.flat[0], "new",
                                  (json_int_t)all.flat[1], "became", (json_int_t)all.became_flat,
                                  "ceased", (json_int_t)all.ceased_flat));
    json_object_set_new(o, "rank_correlation", number(correlation_spearman(a->was, a->is, a->n)));
    json_object_set_new(o, "components", components);
    json_object_set_new(o, "by_step", steps);
    json_object_set_new(o, "most_changed", changed);
    return o;
}

/* ---- one sample ------------------------------------------------------------------------------ */

static json_t *sample_json(const Sample *s, int n, const char *const *names)
{
    json_t *values = json_object(), *statuses = json_object(), *notes = json_object();
    for (int k = 0; k < n; k++) {
        Score c = s->components[k];
        json_object_set_new(values, names[k],
                            c.status == SCORE_OK ? json_real(c.value) : json_null());
        json_object_set_new(statuses, names[k], json_string(score_status_name(c.status)));
        if (s->notes && s->notes[k]) json_object_set_new(notes, names[k], text_of(s->notes[k]));
    }
    bool ok = s->reward.status == SCORE_OK;
    return json_pack("{s:o, s:s, s:f, s:o, s:o, s:o}", "reward",
                     ok ? json_real(s->reward.value) : json_null(), "status",
                     score_status_name(s->reward.status), "advantage", (double)s->advantage,
                     "components", values, "statuses", statuses, "notes", notes);
}

json_t *audit_row(const Audit *a, int64_t step, const Group *old, const Group *new, int sample,
                  const json_t *names)
{
    const char **before = NEW(const char *, old->n_components + 1),
               **now = NEW(const char *, a->block->n + 1);
    char **made = NEW(char *, old->n_components + 1);
    for (int k = 0; k < old->n_components; k++) {
        before[k] = json_string_value(json_array_get(names, (size_t)k));
        if (!before[k]) before[k] = made[k] = mem_printf("component %d", k);
    }
    for (int k = 0; k < a->block->n; k++) now[k] = a->block->components[k].name;
    json_t *row = json_pack("{s:I, s:I, s:i, s:o, s:o}", "step", (json_int_t)step, "group",
                            (json_int_t)old->id, "sample", sample, "old",
                            sample_json(&old->samples[sample], old->n_components, before), "new",
                            sample_json(&new->samples[sample], a->block->n, now));
    for (int k = 0; k < old->n_components; k++) mem_free(made[k]);
    mem_free(made);
    mem_free(before);
    mem_free(now);
    return row;
}

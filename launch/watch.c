/* See watch.h. What is not measured on held-out problems (KL, entropy, groups without signal) is
 * that of the step's own answers, from the same metrics line. */
#include "launch/watch.h"

#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"

static int find_component(const Config *cfg, const char *key, const char *name,
                          const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], name)) return i;
    return fail("%s: monitor.%s: the reward block has no component `%s`", cfg->file, key, name);
}

int watch_init(Watch *w, const Config *cfg, const char *const *component_names, int n)
{
    *w = (Watch){.cfg = cfg, .gold = -1, .proxy = -1};
    const char *gold = cfg->monitor.gold, *proxy = cfg->monitor.proxy;
    if (!*gold) return 0;
    int at = find_component(cfg, "gold", gold, component_names, n);
    if (*proxy && (w->proxy = find_component(cfg, "proxy", proxy, component_names, n)) < 0)
        return -1;
    if (at < 0) return -1;
    w->gold = at;
    w->proxies = NEW(double, cfg->eval.problems);
    w->golds = NEW(double, cfg->eval.problems);
    w->lengths = NEW(double, cfg->eval.problems);
    return 0;
}

void watch_free(Watch *w)
{
    mem_free(w->proxies);
    mem_free(w->golds);
    mem_free(w->lengths);
    mem_free(w->history);
    *w = (Watch){.gold = -1};
}

bool watch_on(const Watch *w)
{
    return w->gold >= 0;
}

void watch_begin(Watch *w)
{
    for (int i = 0; watch_on(w) && i < w->cfg->eval.problems; i++)
        w->proxies[i] = w->golds[i] = w->lengths[i] = NAN;
}

void watch_add(Watch *w, const Group *g)
{
    if (!watch_on(w) || g->id < 0 || g->id >= w->cfg->eval.problems) return;
    const Sample *s = &g->samples[0];
    Score proxy = w->proxy < 0 ? s->reward : s->components[w->proxy], gold = s->components[w->gold];
    w->lengths[g->id] = s->n_tokens;
    if (proxy.status != SCORE_OK || gold.status != SCORE_OK) return; /* compared on the same ones */
    w->proxies[g->id] = proxy.value;
    w->golds[g->id] = gold.value;
}

/* ---- a point --------------------------------------------------------------------------------- */

/* Over what was measured; std with divisor n. */
static double mean_and_std(const double *x, int64_t n, double *std)
{
    double sum = 0, squares = 0, m = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(x[i])) sum += x[i], m++;
    double mean = m > 0 ? sum / m : NAN;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(x[i])) squares += (x[i] - mean) * (x[i] - mean);
    *std = m > 0 ? sqrt(squares / m) : NAN;
    return mean;
}

static double figure(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* From a line and its "monitor": the same for a line just made and one read back. */
static MonitorPoint point_of(const Watch *w, int64_t step, const json_t *line)
{
    const json_t *m = json_object_get(line, "monitor");
    MonitorPoint p = monitor_point(step);
    p.proxy = figure(m, "proxy");
    p.gold = figure(m, "gold");
    p.length = figure(m, "length");
    p.entropy = figure(line, "entropy");
    p.equal_share = figure(line, "flat_groups");
    if (w->cfg->learner.kl > 0) { /* else it is not measured */
        p.kl_token = figure(line, "kl");
        p.kl_answer = p.kl_token * figure(line, "answer_tokens");
    }
    return p;
}

static void add_point(Watch *w, int64_t step, const json_t *line)
{
    const json_t *m = json_object_get(line, "monitor");
    if (w->n == w->capacity) {
        size_t old = (size_t)w->capacity, new = 2 * old + 64;
        w->history = mem_resize(w->history, old, new, sizeof *w->history);
        w->capacity = (int)new;
    }
    w->history[w->n++] = point_of(w, step, line);
    if (w->n == 1) w->proxy_std = figure(m, "proxy_std"), w->gold_std = figure(m, "gold_std");
}

/* In standard deviations of the first evaluation; where all problems scored alike there is none. */
static double gap_of(const Watch *w)
{
    const MonitorPoint *first = &w->history[0], *now = &w->history[w->n - 1];
    if (!(w->proxy_std > 0) || !(w->gold_std > 0)) return NAN;
    return monitor_gap(now->proxy, first->proxy, w->proxy_std, now->gold, first->gold, w->gold_std);
}

static json_t *alarms_json(unsigned alarms)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < MONITOR_ALARMS; i++)
        if (alarms & 1u << i)
            json_array_append_new(list, json_string(monitor_alarm_text((MonitorAlarm)(1u << i))));
    return list;
}

static void warn(const Watch *w, int64_t step, unsigned new)
{
    const MonitorPoint *now = &w->history[w->n - 1], *first = &w->history[0];
    for (unsigned i = 0; i < MONITOR_ALARMS; i++)
        if (new & 1u << i)
            fail("step %lld: monitor: %s (held-out: %s %.4g, at first %.4g; %s %.4g, at first "
                 "%.4g)",
                 (long long)step, monitor_alarm_text((MonitorAlarm)(1u << i)),
                 w->proxy < 0 ? "reward" : w->cfg->monitor.proxy, now->proxy, first->proxy,
                 w->cfg->monitor.gold, now->gold, first->gold);
}

void watch_report(Watch *w, int64_t step, json_t *line)
{
    if (!watch_on(w)) return;
    double proxy_std, gold_std, unused;
    int64_t n = w->cfg->eval.problems;
    double proxy = mean_and_std(w->proxies, n, &proxy_std),
           gold = mean_and_std(w->golds, n, &gold_std),
           length = mean_and_std(w->lengths, n, &unused);
    json_t *m = json_pack("{s:o, s:o, s:o, s:o, s:o}", "proxy", number(proxy), "gold", number(gold),
                          "proxy_std", number(proxy_std), "gold_std", number(gold_std), "length",
                          number(length));
    json_object_set_new(line, "monitor", m);
    add_point(w, step, line);
    MonitorRules rules = monitor_rules();
    unsigned before = w->alarms;
    w->alarms = monitor_alarms(w->history, w->n, &rules);
    json_object_set_new(m, "gap", number(gap_of(w)));
    if (w->alarms) json_object_set_new(m, "alarms", alarms_json(w->alarms));
    warn(w, step, w->alarms & ~before);
    w->stop = !strcmp(w->cfg->monitor.on_alarm, "stop") &&
              (w->alarms & ~before & ALARM_OVEROPTIMISED) != 0;
}

void watch_restore(Watch *w, const json_t *metrics)
{
    size_t i;
    const json_t *line;
    if (!watch_on(w)) return;
    json_array_foreach(metrics, i, line) if (json_object_get(line, "monitor"))
        add_point(w, (int64_t)figure(line, "step"), line);
    MonitorRules rules = monitor_rules();
    if (w->n) w->alarms = monitor_alarms(w->history, w->n, &rules);
}

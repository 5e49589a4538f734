/* Rewards by component over all recorded answers. Only scores that are ok enter mean and standard
 * deviation: a failure is counted, never a 0. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"
#include "launch/inspect.h"

typedef struct {
    char name[64];
    int64_t n, status[SCORE_NOT_APPLICABLE + 1];
    double mean, m2, least, most; /* Welford's running moments of what is ok */
} Tally;

typedef struct {
    Tally *all; /* [n] components, then the sum */
    int n;
    int64_t groups, first_step, last_step;
} Rewards;

static void tally_add(Tally *t, const Score *s)
{
    t->n++;
    t->status[s->status]++;
    if (s->status != SCORE_OK) return;
    double d = s->value - t->mean;
    t->mean += d / (double)t->status[SCORE_OK];
    t->m2 += d * (s->value - t->mean);
    if (t->status[SCORE_OK] == 1 || s->value < t->least) t->least = s->value;
    if (t->status[SCORE_OK] == 1 || s->value > t->most) t->most = s->value;
}

static int add_group(void *ctx, int64_t step, const Group *g)
{
    Rewards *r = ctx;
    if (g->kind != GROUP_TRAIN || !g->n_components) return 0;
    while (r->n < g->n_components + 1) { /* more than run.h5 names */
        r->all = mem_resize(r->all, (size_t)r->n, (size_t)r->n + 1, sizeof *r->all);
        r->all[r->n] = r->n ? r->all[r->n - 1] : (Tally){.name = "reward"};
        if (r->n) r->all[r->n - 1] = (Tally){0};
        if (r->n) snprintf(r->all[r->n - 1].name, sizeof r->all[0].name, "component %d", r->n - 1);
        r->n++;
    }
    if (!r->groups++) r->first_step = step;
    r->last_step = step;
    for (int i = 0; i < g->n_samples; i++) {
        for (int k = 0; k < g->n_components; k++)
            tally_add(&r->all[k], &g->samples[i].components[k]);
        tally_add(&r->all[r->n - 1], &g->samples[i].reward);
    }
    return 0;
}

static double deviation(const Tally *t)
{
    return t->status[SCORE_OK] > 1 ? sqrt(t->m2 / (double)(t->status[SCORE_OK] - 1)) : 0;
}

static json_t *tally_json(const Tally *t)
{
    json_t *o = json_pack("{s:s, s:I}", "name", t->name, "n", (json_int_t)t->n),
           *status = json_object();
    for (int i = 0; i <= SCORE_NOT_APPLICABLE; i++)
        json_object_set_new(status, score_status_name((ScoreStatus)i), json_integer(t->status[i]));
    if (t->status[SCORE_OK])
        json_object_update_new(o, json_pack("{s:f, s:f, s:f, s:f}", "mean", t->mean, "std",
                                            deviation(t), "min", t->least, "max", t->most));
    json_object_set_new(o, "status", status);
    return o;
}

static void print_json(const Rewards *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->n; i++) json_array_append_new(list, tally_json(&r->all[i]));
    json_dumpf(list, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(list);
}

static void print_rows(const Rewards *r, Form form)
{
    bool csv = form == FORM_CSV;
    if (!csv)
        printf("%lld groups of steps %lld to %lld; mean and standard deviation of what is ok\n\n",
               (long long)r->groups, (long long)r->first_step, (long long)r->last_step);
    printf(csv ? "name,n,mean,std,min,max" : "%-20s%9s%10s%10s%10s%10s", "", "n", "mean", "std",
           "min", "max");
    for (int i = 0; i <= SCORE_NOT_APPLICABLE; i++)
        printf(csv ? ",%s" : " %14s", score_status_name((ScoreStatus)i));
    putchar('\n');
    for (int k = 0; k < r->n; k++) {
        const Tally *t = &r->all[k];
        printf(csv ? "%s,%lld" : "%-20s%9lld", t->name, (long long)t->n);
        if (t->status[SCORE_OK])
            printf(csv ? ",%.17g,%.17g,%.17g,%.17g" : "%10.4g%10.4g%10.4g%10.4g", t->mean,
                   deviation(t), t->least, t->most);
        else
            printf(csv ? ",,,," : "%40s", "");
        for (int i = 0; i <= SCORE_NOT_APPLICABLE; i++)
            printf(csv ? ",%lld" : " %14lld", (long long)t->status[i]);
        putchar('\n');
    }
}

static void name_components(Rewards *r, const char *dir)
{
    errors_quiet(1); /* without run.h5 they are numbered */
    json_t *info = runfile_read_info(dir), *names = json_object_get(info, "components");
    errors_quiet(-1);
    r->n = (int)json_array_size(names) + 1;
    r->all = NEW(Tally, r->n);
    for (int i = 0; i + 1 < r->n; i++)
        snprintf(r->all[i].name, sizeof r->all[i].name, "%s",
                 json_string_value(json_array_get(names, (size_t)i)));
    snprintf(r->all[r->n - 1].name, sizeof r->all[0].name, "reward");
    json_decref(info);
}

int inspect_rewards(const char *dir, Form form)
{
    Rewards r = {0};
    name_components(&r, dir);
    int code = runfile_each_group(dir, add_group, &r) ? EXIT_CONFIG : 0;
    if (!code && !r.groups) {
        fail("%s: no scored rollouts yet", dir);
        code = EXIT_NO_INPUT;
    }
    if (!code && form == FORM_JSON) print_json(&r);
    if (!code && form != FORM_JSON) print_rows(&r, form);
    mem_free(r.all);
    return code;
}

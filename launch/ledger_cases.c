/* The answers that are worth reading (ledger.h): where two components part most, what failed and
 * why, and high rewards that a rule denies. Rows are chosen from the columns; a second walk through
 * the run finds their texts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"
#include "launch/json_text.h"
#include "launch/ledger.h"

typedef struct {
    int row;
    json_t *to; /* the object that gets the case's texts; borrowed */
} Wanted;

typedef struct {
    const Ledger *l;
    Wanted *list; /* [n], by row once the second walk begins */
    int n, capacity, next;
    int row; /* of the second walk */
} Cases;

static json_t *want(Cases *c, int row)
{
    if (c->n == c->capacity) {
        int new = 2 * c->capacity + 16;
        c->list = mem_resize(c->list, (size_t)c->capacity, (size_t) new, sizeof *c->list);
        c->capacity = new;
    }
    json_t *o = json_pack("{s:I, s:I, s:i}", "step", (json_int_t)c->l->step[row], "group",
                          (json_int_t)c->l->group[row], "sample", c->l->sample[row]);
    c->list[c->n++] = (Wanted){row, o};
    return o;
}

/* ---- the rows of the largest figures --------------------------------------------------------- */

typedef struct {
    int n, most, *rows; /* [most] largest first; of equals the one that came first */
    double *figures;
} Top;

static void top_add(Top *t, int row, double figure)
{
    int at = t->n;
    while (at > 0 && t->figures[at - 1] < figure) at--;
    if (at == t->most) return;
    if (t->n < t->most) t->n++;
    for (int i = t->n - 1; i > at; i--)
        t->rows[i] = t->rows[i - 1], t->figures[i] = t->figures[i - 1];
    t->rows[at] = row, t->figures[at] = figure;
}

static Top top_new(int most)
{
    return (Top){.most = most, .rows = NEW(int, most + 1), .figures = NEW(double, most + 1)};
}

static void top_free(Top *t)
{
    mem_free(t->rows);
    mem_free(t->figures);
}

/* ---- which ----------------------------------------------------------------------------------- */

/* How far apart the two stand, each within the range that was seen of it: 0 to 1. */
static json_t *disagreements(Cases *c, int a, int b, int worst)
{
    const LedgerColumn *x = ledger_column(c->l, a), *y = ledger_column(c->l, b);
    double low[2], high[2];
    Top top = top_new(worst);
    bool both = ledger_range(c->l, x, &low[0], &high[0]) & ledger_range(c->l, y, &low[1], &high[1]);
    for (int i = 0; both && high[0] > low[0] && high[1] > low[1] && i < c->l->n; i++) {
        if (x->status[i] != SCORE_OK || y->status[i] != SCORE_OK) continue;
        double gap = fabs((x->value[i] - low[0]) / (high[0] - low[0]) -
                          (y->value[i] - low[1]) / (high[1] - low[1]));
        if (gap > 0) top_add(&top, i, gap);
    }
    json_t *list = json_array();
    for (int i = 0; i < top.n; i++) {
        json_t *o = want(c, top.rows[i]);
        json_object_set_new(o, "gap", json_real(top.figures[i]));
        json_array_append_new(list, o);
    }
    top_free(&top);
    return json_pack("{s:s, s:s, s:o}", "a", x->name, "b", y->name, "cases", list);
}

/* The newest first: what fails now is what can be mended. */
static void add_failures(Cases *c, int k, ScoreStatus status, int worst, json_t *to)
{
    const LedgerColumn *x = ledger_column(c->l, k);
    json_t *list = json_array();
    json_int_t n = 0;
    for (int i = c->l->n - 1; i >= 0; i--) {
        if (x->status[i] != status) continue;
        if (n++ < worst) json_array_append_new(list, want(c, i));
    }
    if (n)
        json_array_append_new(to, json_pack("{s:s, s:s, s:I, s:o}", "component", x->name, "status",
                                            score_status_name(status), "n", n, "cases", list));
    else
        json_decref(list);
}

static json_t *failures(Cases *c, const LedgerChoice *choice)
{
    json_t *list = json_array();
    for (int k = 0; k < c->l->n_components; k++)
        for (int s = SCORE_OK + 1; s < SCORE_NOT_APPLICABLE; s++)
            if (choice->a < 0 || k == choice->a || k == choice->b)
                add_failures(c, k, (ScoreStatus)s, choice->worst, list);
    return list;
}

static double mean_reward(const Ledger *l)
{
    double sum = 0, n = 0;
    for (int i = 0; i < l->n; i++)
        if (l->reward.status[i] == SCORE_OK) sum += l->reward.value[i], n++;
    return n > 0 ? sum / n : NAN;
}

/* Answers that the rule denies and whose reward is above the mean all the same: hacks, or a wrong
 * rule. */
static json_t *suspects(Cases *c, const LedgerChoice *choice, int rule)
{
    const LedgerColumn *x = ledger_column(c->l, rule), *reward = &c->l->reward;
    double threshold = ledger_threshold(c->l, choice, rule), mean = mean_reward(c->l);
    Top top = top_new(choice->worst);
    for (int i = 0; i < c->l->n; i++)
        if (x->status[i] == SCORE_OK && reward->status[i] == SCORE_OK && x->value[i] < threshold &&
            reward->value[i] > mean)
            top_add(&top, i, reward->value[i]);
    json_t *list = json_array();
    for (int i = 0; i < top.n; i++) json_array_append_new(list, want(c, top.rows[i]));
    top_free(&top);
    return json_pack("{s:s, s:f, s:o}", "rule", x->name, "threshold", threshold, "cases", list);
}

/* The rule that says what is right: the chosen one, or the first that a judge is compared with, or
 * the first. */
static int leading_rule(const Ledger *l, const LedgerChoice *choice)
{
    int a, b;
    if (choice->a >= 0 && ledger_column(l, choice->a)->kind == LEDGER_RULE) return choice->a;
    if (choice->b >= 0 && ledger_column(l, choice->b)->kind == LEDGER_RULE) return choice->b;
    if (ledger_pair(l, choice, 0, &a, &b) && ledger_column(l, a)->kind == LEDGER_RULE) return a;
    for (int k = 0; k < l->n_components; k++)
        if (l->columns[k].kind == LEDGER_RULE) return k;
    return -1;
}

/* ---- their texts ----------------------------------------------------------------------------- */

static json_t *text_of(const char *s)
{
    return json_text(s ? s : "", s ? strlen(s) : 0);
}

static json_t *score_of(Score s)
{
    return s.status == SCORE_OK ? json_real(s.value) : json_string(score_status_name(s.status));
}

static void tell(const Cases *c, const Group *g, const Sample *s, json_t *to)
{
    json_t *components = json_object(), *notes = json_object();
    for (int k = 0; k < g->n_components && k < c->l->n_components; k++) {
        const char *name = c->l->columns[k].name;
        json_object_set_new(components, name, score_of(s->components[k]));
        if (s->notes && s->notes[k]) json_object_set_new(notes, name, text_of(s->notes[k]));
    }
    json_object_set_new(to, "reward", score_of(s->reward));
    json_object_set_new(to, "components", components);
    json_object_set_new(to, "prompt", text_of(g->prompt_text));
    json_object_set_new(to, "record", text_of(g->record));
    json_object_set_new(to, "answer", text_of(s->text));
    json_object_set_new(to, "notes", notes);
}

static int visit(void *ctx, int64_t step, const Group *g)
{
    Cases *c = ctx;
    if (!ledger_has(g)) return 0;
    for (int i = 0; i < g->n_samples; i++, c->row++)
        while (c->next < c->n && c->list[c->next].row == c->row) {
            if (c->l->step[c->row] != step || c->l->group[c->row] != g->id)
                return fail("step %lld was replaced while it was read: look again",
                            (long long)step);
            tell(c, g, &g->samples[i], c->list[c->next++].to);
        }
    return c->next == c->n; /* all are found: the rest need not be read */
}

static int compare_rows(const void *a, const void *b)
{
    return ((const Wanted *)a)->row - ((const Wanted *)b)->row;
}

json_t *ledger_cases(const Ledger *l, const LedgerChoice *choice, const char *dir)
{
    Cases c = {.l = l};
    json_t *apart = json_array(), *all;
    for (int i = 0, a, b; ledger_pair(l, choice, i, &a, &b); i++)
        json_array_append_new(apart, disagreements(&c, a, b, choice->worst));
    all = json_pack("{s:o, s:o}", "disagreements", apart, "failures", failures(&c, choice));
    int rule = leading_rule(l, choice);
    if (rule >= 0) json_object_set_new(all, "suspects", suspects(&c, choice, rule));
    if (c.n) qsort(c.list, (size_t)c.n, sizeof *c.list, compare_rows);
    if (c.n && runfile_each_group(dir, visit, &c) < 0) {
        json_decref(all);
        all = NULL;
    }
    mem_free(c.list);
    return all;
}

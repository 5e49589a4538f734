/* The ledger's views put together (inspect.h): computed once, as JSON, which is one of the forms
 * and what the tables are printed from. */
#include "launch/inspect_rewards.h"

#include <math.h>
#include <stdio.h>

#include "common/errors.h"
#include "launch/inspect.h"
#include "launch/json_text.h"
#include "launch/ledger.h"

static void print_csv(const json_t *components)
{
    static const char *const figures[] = {"mean", "std", "min", "max"};
    const json_t *c, *status = json_object_get(json_array_get(components, 0), "status"), *count;
    const char *name;
    size_t i;
    printf("name,n,mean,std,min,max");
    json_object_foreach((json_t *)status, name, count) printf(",%s", name);
    json_array_foreach(components, i, c)
    {
        printf("\n%s,%.0f", json_string_value(json_object_get(c, "name")), json_figure(c, "n"));
        for (int k = 0; k < 4; k++)
            if (json_object_get(c, figures[k]))
                printf(",%.17g", json_figure(c, figures[k]));
            else
                putchar(',');
        json_object_foreach(json_object_get(c, "status"), name, count)
            printf(",%lld", (long long)json_integer_value(count));
    }
    putchar('\n');
}

static int choose(const Ledger *l, const RewardsWanted *w, LedgerChoice *choice)
{
    *choice = (LedgerChoice){-1, -1, {w->threshold[0], w->threshold[1]}, w->worst};
    if (w->component && (choice->a = ledger_find(l, w->component)) < 0) return -1;
    if (w->against && (choice->b = ledger_find(l, w->against)) < 0) return -1;
    return choice->a >= 0 && choice->a == choice->b ? fail("%s against itself", w->component) : 0;
}

static int show(const Ledger *l, const LedgerChoice *choice, const char *dir, Form form)
{
    json_t *scores = ledger_scores(l, choice);
    if (form == FORM_CSV) {
        print_csv(scores);
        json_decref(scores);
        return 0;
    }
    json_t *cases = ledger_cases(l, choice, dir);
    json_t *all = json_pack(
        "{s:I, s:I, s:I, s:o, s:o, s:o}", "groups", (json_int_t)l->n_groups, "first_step",
        (json_int_t)l->step[0], "last_step", (json_int_t)l->step[l->n - 1], "components", scores,
        "correlations", ledger_correlations(l, choice), "agreement", ledger_agreement(l, choice));
    if (cases) json_object_set_new(all, "cases", cases);
    if (form == FORM_JSON)
        json_dumpf(all, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER), putchar('\n');
    else
        rewards_print(all);
    json_decref(all);
    return cases ? 0 : EXIT_CONFIG;
}

int inspect_rewards(const char *dir, const RewardsWanted *wanted, Form form)
{
    Ledger l;
    LedgerChoice choice;
    int code = ledger_read(&l, dir);
    if (code) return code;
    code = choose(&l, wanted, &choice) ? EXIT_USAGE : show(&l, &choice, dir, form);
    ledger_free(&l);
    return code;
}

/* See bench_figures.h. */
#include "launch/bench_figures.h"

#include <stdio.h>
#include <string.h>

bool figures_wanted(const Figures *f, const char *name)
{
    return !f->only || strstr(name, f->only);
}

static void add_row(Figures *f, const char *name, double value, const char *unit, double limit,
                    const char *of)
{
    json_t *row = json_pack("{s:s, s:f, s:s}", "name", name, "value", value, "unit", unit);
    if (limit > 0) {
        json_object_set_new(row, "fraction", json_real(value / limit));
        json_object_set_new(row, "of", json_string(of));
    }
    if (!f->rows) f->rows = json_array();
    json_array_append_new(f->rows, row);
}

void figures_add(Figures *f, const char *name, double value, const char *unit, double limit,
                 const char *of)
{
    if (f->json) {
        add_row(f, name, value, unit, limit, of);
        return;
    }
    printf("%-46s %10.4g %-10s", name, value, unit);
    if (limit > 0) printf("  %5.1f %% of %s", 100 * value / limit, of);
    putchar('\n');
    fflush(stdout);
}

void figures_end(Figures *f, json_t *head)
{
    if (f->json) {
        json_object_set_new(head, "figures", f->rows ? f->rows : json_array());
        json_dumpf(head, stdout, JSON_INDENT(2));
        putchar('\n');
        f->rows = NULL;
    }
    json_decref(head);
}

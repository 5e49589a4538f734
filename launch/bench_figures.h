/* What `bench` found: a line or a JSON object for each figure, beside the limit or target that it
 * is held against. */
#ifndef LAUNCH_BENCH_FIGURES_H
#define LAUNCH_BENCH_FIGURES_H

#include <jansson.h>
#include <stdbool.h>

typedef struct {
    bool json;
    const char *only; /* NULL: every figure; else those whose name holds it */
    json_t *rows;     /* of json */
} Figures;

bool figures_wanted(const Figures *f, const char *name);
/* limit 0: held against nothing. */
void figures_add(Figures *f, const char *name, double value, const char *unit, double limit,
                 const char *of);
/* With json: prints `head` (taken over) with "figures". */
void figures_end(Figures *f, json_t *head);

#endif

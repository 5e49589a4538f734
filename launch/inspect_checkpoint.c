/* A checkpoint: what state it is of, and its arrays. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/checkpoint.h"
#include "common/errors.h"
#include "common/memory.h"
#include "launch/inspect.h"
#include "launch/rewards_state.h"

static double count_of(const CheckpointArray *a)
{
    double n = 1;
    for (int i = 0; i < a->n_dims; i++) n *= (double)a->dims[i];
    return n;
}

static json_t *shape_json(const CheckpointArray *a)
{
    json_t *shape = json_array();
    for (int i = 0; i < a->n_dims; i++) json_array_append_new(shape, json_integer(a->dims[i]));
    return shape;
}

static void print_json(const CheckpointState *s, const CheckpointArray *a, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "name", a[i].name, "shape", shape_json(&a[i])));
    json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:f, s:s, s:o}", "run_id", s->run_id, "sft_step",
                          (json_int_t)s->sft_step, "step", (json_int_t)s->step, "adam_step",
                          (json_int_t)s->adam_step, "trained_s", s->trained_s, "config",
                          s->config_text, "arrays", list);
    json_object_set_new(o, "rewards_state", rewards_shown(s->service_state));
    if (!isnan(s->accuracy_before))
        json_object_set_new(o, "accuracy_before", json_real(s->accuracy_before));
    json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(o);
}

static void print_arrays(const CheckpointArray *a, int n, bool csv)
{
    for (int i = 0; i < n; i++) {
        char shape[100];
        int at = 0;
        for (int d = 0; d < a[i].n_dims; d++)
            at += snprintf(shape + at, sizeof shape - (size_t)at, "%s%" PRId64, d ? " x " : "",
                           a[i].dims[d]);
        printf(csv ? "%s,%s,%.0f\n" : "%-64s %20s %14.0f\n", a[i].name, shape, count_of(&a[i]));
    }
}

static void print_rewards_state(const CheckpointState *s)
{
    json_t *shown = rewards_shown(s->service_state), *list, *element;
    const char *name;
    size_t i;
    json_object_foreach(shown, name, list) json_array_foreach(list, i, element)
    {
        putchar('\n');
        rewards_shown_print(stdout, name, element);
    }
    json_decref(shown);
}

static void print_table(const char *path, const CheckpointState *s, const CheckpointArray *a, int n)
{
    double all = 0;
    for (int i = 0; i < n; i++) all += count_of(&a[i]);
    printf("checkpoint  %s\nrun         %s\nsteps       %" PRId64 " supervised, %" PRId64
           " of reinforcement learning\n",
           path, s->run_id, s->sft_step, s->step);
    printf("trained     %.0f s\nkernels     %s, %s\narrays      %d, %.0f numbers of 4 bytes (%.1f "
           "MB)\n\n",
           s->trained_s, s->kernels.cpu, s->kernels.libraries, n, all, all * 4e-6);
    print_arrays(a, n, false);
    print_rewards_state(s);
}

int inspect_checkpoint(const char *path, Form form)
{
    CheckpointState s;
    CheckpointArray *a;
    int n;
    if (checkpoint_read_state(path, &s)) return EXIT_CONFIG;
    if (checkpoint_list(path, &a, &n)) return EXIT_CONFIG;
    if (form == FORM_JSON) print_json(&s, a, n);
    if (form == FORM_CSV) puts("name,shape,numbers"), print_arrays(a, n, true);
    if (form == FORM_TABLE) print_table(path, &s, a, n);
    for (int i = 0; i < n; i++) mem_free((char *)a[i].name);
    mem_free(a);
    mem_free(s.config_text);
    mem_free(s.service_state);
    return 0;
}

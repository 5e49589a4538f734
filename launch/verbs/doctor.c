/* troupe doctor: what a training job would find on this machine, and with --self-test whether
 * results can be trusted here. What is broken has a sentence that helps. */
#include <argp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/sandbox.h"
#include "launch/doctor.h"
#include "launch/json_text.h"
#include "launch/verb.h"

typedef struct {
    bool self_test, json;
} Arguments;

static const char *const state_names[] = {"ok", "absent", "warning", "broken"};

void findings_add(Findings *f, FindingState state, const char *name, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->items = mem_resize(f->items, (size_t)f->n, (size_t)f->n + 1, sizeof *f->items);
    f->items[f->n++] = (Finding){state, mem_text(name), mem_text(text)};
}

void findings_free(Findings *f)
{
    for (int i = 0; i < f->n; i++) {
        mem_free(f->items[i].name);
        mem_free(f->items[i].text);
    }
    mem_free(f->items);
    *f = (Findings){0};
}

const char *doctor_temporary(void)
{
    const char *path = getenv("TMPDIR");
    return path && *path ? path : "/tmp";
}

static int count(const Findings *f, FindingState state)
{
    int n = 0;
    for (int i = 0; i < f->n; i++) n += f->items[i].state == state;
    return n;
}

static void print_text(const Findings *f)
{
    int broken = count(f, FINDING_BROKEN), warnings = count(f, FINDING_WARNING);
    printf("%s\n", troupe_version);
    for (int i = 0; i < f->n; i++)
        printf("%-8s %-10s %s\n", state_names[f->items[i].state], f->items[i].name,
               f->items[i].text);
    if (broken)
        printf("%d broken: training cannot work here\n", broken);
    else if (warnings)
        printf("training works here; %d warning%s\n", warnings, warnings > 1 ? "s" : "");
    else
        printf("training works here\n");
}

static void print_json(const Findings *f)
{
    json_t *list = json_array();
    for (int i = 0; i < f->n; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o}", "name", f->items[i].name, "state",
                                        state_names[f->items[i].state], "text",
                                        json_text(f->items[i].text, strlen(f->items[i].text))));
    json_line(stdout, json_pack("{s:s, s:b, s:o}", "version", troupe_version, "ok",
                                !count(f, FINDING_BROKEN), "findings", list));
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case 't':
        a->self_test = true;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "no arguments are wanted: what is %s?", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"self-test", 't', NULL, 0,
         "tries out what results rest on: exact products, a decoder's gradient with one and two "
         "threads, an HDF5 file in TMPDIR",
         0},
        {"json", 'j', NULL, 0, "for programs", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Says what of cores, memory, MPI, PMIx, Slurm, HDF5, oneDNN, CUDA, CPU features and "
               "isolation for programs "
               "is there, and whether this build can use it."
               "\vExit status: 0, or 78 if something is broken.\n\n"
               "Examples:\n"
               "  troupe doctor --self-test\n"
               "  srun --mpi=pmix -n 2 troupe doctor",
    };
    Arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    Findings f = {0};
    bool helper = !sandbox_start(); /* before anything is allocated */
    doctor_machine(&f);
    doctor_libraries(&f);
    if (helper) doctor_sandbox(&f);
    if (a.self_test) doctor_self_test(&f);
    if (a.json)
        print_json(&f);
    else
        print_text(&f);
    int code = count(&f, FINDING_BROKEN) ? EXIT_UNABLE : 0;
    findings_free(&f);
    return code;
}

const Verb verb_doctor = {"doctor", "what this machine has, and whether this build can use it", 140,
                          run};

/* See report.h. */
#define _GNU_SOURCE /* program_invocation_name */
#include "launch/report.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "launch/json_text.h"
#include "launch/plot.h"

/* The first or the last line that holds an evaluation; NULL if none does. Borrowed. */
static const json_t *evaluation_line(const json_t *metrics, bool last)
{
    const json_t *found = NULL, *line;
    size_t i;
    json_array_foreach(metrics, i, line)
    {
        if (!json_object_get(line, "evaluation")) continue;
        found = line;
        if (!last) break;
    }
    return found;
}

static void add_accuracy(json_t *summary, const char *key, const json_t *line)
{
    const json_t *e = json_object_get(line, "evaluation");
    if (!e) return;
    json_object_set_new(
        summary, key,
        json_pack("{s:O, s:O, s:O, s:O, s:O}", "step", json_object_get(line, "step"), "accuracy",
                  json_object_get(e, "accuracy"), "low", json_object_get(e, "low"), "high",
                  json_object_get(e, "high"), "n", json_object_get(e, "n")));
}

static json_t *summary_of(const json_t *metrics, const ReportTotals *t)
{
    char crc[16];
    snprintf(crc, sizeof crc, "%08x", t->weights_crc);
    json_t *s = json_pack("{s:s, s:s, s:I, s:f, s:f, s:s}", "run_id", t->run_id, "exit_reason",
                          t->reason, "steps", (json_int_t)t->steps, "seconds", t->seconds,
                          "tokens_per_s", t->tokens_per_s, "weights_crc32c", crc);
    json_t *memory = json_array();
    for (int r = 0; r < t->n_ranks; r++)
        json_array_append_new(memory, json_integer((json_int_t)t->peak_memory[r]));
    json_object_set_new(s, "peak_memory_bytes", memory);              /* of every rank, in order */
    json_object_set_new(s, "ranks", busy_json(t->share, t->n_ranks)); /* of this launch */
    const json_t *before = evaluation_line(metrics, false), *after = evaluation_line(metrics, true);
    if (before) add_accuracy(s, "heldout_before", before);
    if (after && after != before) add_accuracy(s, "heldout_after", after);
    const json_t *last = json_array_get(metrics, json_array_size(metrics) - 1);
    if (json_object_get(last, "reward"))
        json_object_set(s, "reward_last", json_object_get(last, "reward"));
    return s;
}

int64_t report_finished_steps(const char *dir)
{
    char *path = mem_printf("%s/summary.json", dir);
    json_t *summary = json_load_file(path, 0, NULL);
    const char *reason = json_string_value(json_object_get(summary, "exit_reason"));
    bool finished = reason && !strcmp(reason, "finished");
    int64_t steps = finished ? json_integer_value(json_object_get(summary, "steps")) : -1;
    json_decref(summary);
    mem_free(path);
    return steps;
}

/* Points (step, value) of the lines that have one. Caller frees x and y. */
static PlotSeries series_of(const json_t *metrics, const char *name, bool dots)
{
    size_t i, n = json_array_size(metrics);
    PlotSeries s = {.name = name, .dots = dots};
    double *x = NEW(double, n), *y = NEW(double, n);
    const json_t *line;
    json_array_foreach(metrics, i, line)
    {
        double value = dots ? json_figure(json_object_get(line, "evaluation"), "accuracy")
                            : json_figure(line, "reward");
        if (isnan(value)) continue;
        x[s.n] = json_figure(line, "step");
        y[s.n++] = value;
    }
    s.x = x, s.y = y;
    return s;
}

int report_plot(const json_t *metrics, const char *dir, FILE *terminal, const char *png)
{
    const char *slash = strrchr(dir, '/'), *title = slash && slash[1] ? slash + 1 : dir;
    PlotSeries all[] = {series_of(metrics, "reward (training)", false),
                        series_of(metrics, "held-out accuracy", true)},
               shown[2];
    int n = 0, rc = 0;
    for (int i = 0; i < 2; i++)
        if (all[i].n) shown[n++] = all[i];
    setlocale(LC_CTYPE, "");
    bool ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    if (n && terminal) plot_terminal(terminal, title, "step", shown, n, 78, 20, ascii);
    if (n && png) rc = plot_png(png, title, "step", shown, n);
    for (int i = 0; i < 2; i++) {
        mem_free((void *)all[i].x);
        mem_free((void *)all[i].y);
    }
    return rc;
}

/* Model text on a terminal: control characters are shown, not sent. */
static void print_escaped(const char *label, const json_t *text)
{
    fprintf(stderr, "    %-7s ", label);
    const char *s = json_string_value(text);
    int column = 0;
    for (; s && *s && column < 400; s++, column++) {
        if (*s == '\n')
            fputs("\n            ", stderr);
        else if ((unsigned char)*s < 0x20 || *s == 0x7f)
            fprintf(stderr, "\\x%02x", (unsigned char)*s);
        else
            fputc(*s, stderr);
    }
    fputs(s && *s ? "...\n" : "\n", stderr);
}

static void print_examples(const json_t *before, const json_t *after)
{
    const json_t *b = json_object_get(json_object_get(before, "evaluation"), "examples");
    const json_t *a = json_object_get(json_object_get(after, "evaluation"), "examples");
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *was = json_array_get(b, i), *is = json_array_get(a, i);
        if (!json_is_object(was) || !json_is_object(is)) continue;
        fputc('\n', stderr);
        print_escaped("asked", json_object_get(is, "prompt"));
        print_escaped("before", json_object_get(was, "answer"));
        print_escaped("after", json_object_get(is, "answer"));
    }
}

static void print_accuracy(const json_t *before, const json_t *after)
{
    const json_t *b = json_object_get(before, "evaluation"),
                 *a = json_object_get(after, "evaluation");
    if (!a || !b || a == b) return;
    fprintf(stderr,
            "\n  held-out accuracy: %.1f %% before, %.1f %% after (95 %%: %.1f to %.1f; %g "
            "problems, greedy)\n",
            100 * json_figure(b, "accuracy"), 100 * json_figure(a, "accuracy"),
            100 * json_figure(a, "low"), 100 * json_figure(a, "high"), json_figure(a, "n"));
}

void report_end(RunFile *file, const char *dir, const ReportTotals *totals, bool complete)
{
    json_t *metrics = runfile_read_metrics(dir);
    if (!metrics) return;
    json_t *summary = summary_of(metrics, totals);
    runfile_summary(file, summary);
    if (complete) {
        const json_t *before = evaluation_line(metrics, false),
                     *after = evaluation_line(metrics, true);
        char *png = mem_printf("%s/plot.png", dir);
        fputc('\n', stderr);
        if (report_plot(metrics, dir, stderr, png))
            fail("the plot was not written (the reason is above)");
        print_examples(before, after);
        print_accuracy(before, after);
        fprintf(stderr, "  %s: summary.json, metrics.jsonl, plot.png, run.h5 (%s inspect %s)\n",
                dir, program_invocation_name, dir);
        mem_free(png);
    }
    json_decref(summary);
    json_decref(metrics);
}

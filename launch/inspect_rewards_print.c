/* The tables of `troupe inspect --rewards` (inspect_rewards.h). What models wrote is shown, never
 * sent to the terminal as it is. */
#include "launch/inspect_rewards.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/memory.h"
#include "launch/json_text.h"
#include "launch/plot.h"
#include "launch/text_show.h"

enum { MOST_SHOWN = 600 };

static bool is_ascii(void)
{
    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* ---- each by itself -------------------------------------------------------------------------- */

static void print_moments(const json_t *components)
{
    const json_t *c, *count;
    const char *name;
    size_t i;
    printf("%-20s%9s%10s%10s%10s%10s", "", "n", "mean", "std", "min", "max");
    json_object_foreach(json_object_get(json_array_get(components, 0), "status"), name, count)
        printf(" %14s", name);
    putchar('\n');
    json_array_foreach(components, i, c)
    {
        printf("%-20s%9.0f", json_word(c, "name"), json_figure(c, "n"));
        print_figure(json_figure(c, "mean"));
        print_figure(json_figure(c, "std"));
        print_figure(json_figure(c, "min"));
        print_figure(json_figure(c, "max"));
        json_object_foreach(json_object_get(c, "status"), name, count)
            printf(" %14lld", (long long)json_integer_value(count));
        putchar('\n');
    }
}

/* Heights of eight; what is there at all is never shown as nothing. */
static void print_histogram(const json_t *counts, bool ascii)
{
    const json_t *v;
    size_t i;
    double most = 1;
    json_array_foreach(counts, i, v) most = fmax(most, json_number_value(v));
    json_array_foreach(counts, i, v)
    {
        int height = (int)ceil(8 * json_number_value(v) / most);
        if (!height)
            putchar(' ');
        else if (ascii)
            putchar(" .:-=+*#@"[height]);
        else
            printf("\xe2\x96%c", 0x80 + height); /* U+2581 .. U+2588 */
    }
}

static void print_distributions(const json_t *components, bool ascii)
{
    static const char *const keys[] = {"5", "25", "50", "75", "95"};
    const json_t *c;
    size_t i;
    printf("\n%-20s%10s%10s%10s%10s%10s  least to most\n", "quantiles", "5 %", "25 %", "median",
           "75 %", "95 %");
    json_array_foreach(components, i, c)
    {
        const json_t *q = json_object_get(c, "quantiles");
        if (!q) continue;
        printf("%-20s", json_word(c, "name"));
        for (int k = 0; k < 5; k++) print_figure(json_figure(q, keys[k]));
        printf("  |");
        print_histogram(json_object_get(json_object_get(c, "histogram"), "counts"), ascii);
        printf("|\n");
    }
}

static void print_latencies(const json_t *components)
{
    static const char *const keys[] = {"50", "90", "99", "max"};
    const json_t *c;
    size_t i;
    printf("\n%-20s%10s%10s%10s%10s\n", "latency, ms", "median", "90 %", "99 %", "longest");
    json_array_foreach(components, i, c)
    {
        const json_t *q = json_object_get(c, "latency_s");
        if (!json_is_object(q)) continue;
        printf("%-20s", json_word(c, "name"));
        for (int k = 0; k < 4; k++) print_figure(1e3 * json_figure(q, keys[k]));
        putchar('\n');
    }
}

/* ---- together -------------------------------------------------------------------------------- */

static void print_correlations(const json_t *list)
{
    const json_t *p;
    size_t i;
    int constant = 0;
    printf("\n%-42s%9s%10s%10s\n", "correlation", "n", "Pearson", "Spearman");
    json_array_foreach(list, i, p)
    {
        if (isnan(json_figure(p, "pearson"))) {
            constant++;
            continue;
        }
        printf("%-20s  %-20s%9.0f", json_word(p, "a"), json_word(p, "b"), json_figure(p, "n"));
        printf("%10.3f%10.3f\n", json_figure(p, "pearson"), json_figure(p, "spearman"));
    }
    if (constant)
        printf("%d more pair%s: nothing is ok in both, or one never changes\n", constant,
               constant == 1 ? "" : "s");
}

static void print_verdicts(const char *what, const json_t *v, const json_t *pair)
{
    printf("  %-12s%7.0f answers, ", what, json_figure(v, "n"));
    if (isnan(json_figure(v, "differ"))) {
        printf("none judged by both\n");
        return;
    }
    printf("%.1f %% judged differently (only %s yes %.0f, only %s yes %.0f), kappa ",
           100 * json_figure(v, "differ"), json_word(pair, "a"), json_figure(v, "a_only"),
           json_word(pair, "b"), json_figure(v, "b_only"));
    printf(isnan(json_figure(v, "kappa")) ? "not defined\n" : "%.3f\n", json_figure(v, "kappa"));
}

static void print_by_step(const json_t *pair, bool ascii)
{
    const json_t *list = json_object_get(pair, "by_step"), *s;
    size_t i, n = json_array_size(list);
    if (n < 4) return;
    double *x = NEW(double, n), *y = NEW(double, n);
    json_array_foreach(list, i, s) x[i] = json_figure(s, "step"), y[i] = json_figure(s, "differ");
    PlotSeries series = {"share judged differently", x, y, (int)n, false};
    plot_terminal(stdout, "", "step", &series, 1, 78, 10, ascii);
    mem_free(x);
    mem_free(y);
}

static void print_agreement(const json_t *list, bool ascii)
{
    const json_t *p;
    size_t i;
    if (!json_array_size(list))
        printf("\nno judge is compared with a rule: --component NAME --against NAME compares any "
               "two\n");
    json_array_foreach(list, i, p)
    {
        printf("\n%s >= %.4g against %s >= %.4g\n", json_word(p, "a"),
               json_figure(p, "threshold_a"), json_word(p, "b"), json_figure(p, "threshold_b"));
        print_verdicts("all", p, p);
        print_verdicts("first third", json_object_get(p, "first_third"), p);
        print_verdicts("last third", json_object_get(p, "last_third"), p);
        print_by_step(p, ascii);
    }
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void print_text(const char *label, const char *text)
{
    printf("    %-8s", label);
    text_show(stdout, text, "            ", MOST_SHOWN);
    putchar('\n');
}

static void print_score(const char *name, const json_t *score)
{
    if (json_is_string(score))
        printf("%s %s", name, json_string_value(score));
    else
        printf("%s %.4g", name, json_number_value(score));
}

static void print_case(const json_t *c)
{
    const json_t *score, *note;
    const char *name;
    printf("  step %.0f, group %.0f, sample %.0f: ", json_figure(c, "step"),
           json_figure(c, "group"), json_figure(c, "sample"));
    print_score("reward", json_object_get(c, "reward"));
    json_object_foreach(json_object_get(c, "components"), name, score)
    {
        fputs(", ", stdout);
        print_score(name, score);
    }
    putchar('\n');
    print_text("prompt", json_word(c, "prompt"));
    print_text("answer", json_word(c, "answer"));
    json_object_foreach(json_object_get(c, "notes"), name, note)
        print_text(name, json_string_value(note));
}

static void print_list(const json_t *holder)
{
    const json_t *c;
    size_t i;
    json_array_foreach(json_object_get(holder, "cases"), i, c) print_case(c);
}

static void print_cases(const json_t *cases)
{
    const json_t *p, *suspects = json_object_get(cases, "suspects");
    size_t i;
    json_array_foreach(json_object_get(cases, "disagreements"), i, p)
    {
        if (!json_array_size(json_object_get(p, "cases"))) continue;
        printf("\n%s and %s are farthest apart\n", json_word(p, "a"), json_word(p, "b"));
        print_list(p);
    }
    json_array_foreach(json_object_get(cases, "failures"), i, p)
    {
        printf("\n%s: %s, %.0f times; the newest\n", json_word(p, "component"),
               json_word(p, "status"), json_figure(p, "n"));
        print_list(p);
    }
    if (!json_array_size(json_object_get(suspects, "cases"))) return;
    printf("\nhighest rewards although %s < %.4g: hacks, or a wrong rule\n",
           json_word(suspects, "rule"), json_figure(suspects, "threshold"));
    print_list(suspects);
}

void rewards_print(const json_t *all)
{
    const json_t *components = json_object_get(all, "components");
    bool ascii = is_ascii();
    printf("%.0f groups of steps %.0f to %.0f; mean and standard deviation of what is ok\n\n",
           json_figure(all, "groups"), json_figure(all, "first_step"),
           json_figure(all, "last_step"));
    print_moments(components);
    print_distributions(components, ascii);
    print_latencies(components);
    print_correlations(json_object_get(all, "correlations"));
    print_agreement(json_object_get(all, "agreement"), ascii);
    print_cases(json_object_get(all, "cases"));
}

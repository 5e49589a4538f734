/* Metrics as a table that fits the terminal, CSV of every number, or JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/checkpoint_folder.h"
#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"
#include "launch/inspect.h"
#include "launch/rewards_state.h"
#include "launch/text_show.h"

/* ---- the table ------------------------------------------------------------------------------- */

/* A number of a line by its place: "reward", or of an inner object "evaluation.accuracy". */
static double number_at(const json_t *line, const char *place)
{
    char outer[64];
    const char *dot = strchr(place, '.');
    if (dot) {
        snprintf(outer, sizeof outer, "%.*s", (int)(dot - place), place);
        line = json_object_get(line, outer);
        place = dot + 1;
    }
    const json_t *v = json_object_get(line, place);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* What a reader wants first; a column appears if any line has it and the terminal has room. */
static const struct {
    const char *title, *place;
} columns[] = {
    {"reward", "reward"},
    {"held-out", "evaluation.accuracy"},
    {"loss", "loss"},
    {"kl", "kl"},
    {"entropy", "entropy"},
    {"clipped", "clipped"},
    {"grad norm", "grad_norm"},
    {"tokens", "answer_tokens"},
    {"truncated", "truncated"},
    {"failed", "failed"},
    {"flat", "flat_groups"},
    {"lr", "lr"},
    {"tokens/s", "time.tokens_per_s"},
    {"seconds", "time.seconds"},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns, WIDTH = 11, FIRST_WIDTH = 14 };

static int terminal_width(void)
{
    struct winsize w;
    if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col > 0)
        return w.ws_col;
    const char *c = getenv("COLUMNS");
    int n = c ? (int)strtol(c, NULL, 10) : 0;
    return n > 0 ? n : 100;
}

static int choose_columns(const json_t *metrics, int chosen[N_COLUMNS])
{
    int n = 0, room = (terminal_width() - FIRST_WIDTH) / WIDTH;
    for (int k = 0; k < N_COLUMNS && n < room; k++) {
        bool any = false;
        for (size_t i = 0; i < json_array_size(metrics) && !any; i++)
            any = !isnan(number_at(json_array_get(metrics, i), columns[k].place));
        if (any) chosen[n++] = k;
    }
    return n;
}

static void print_line(const json_t *line, const int *chosen, int n)
{
    const char *stage = json_string_value(json_object_get(line, "stage"));
    char first[40];
    snprintf(first, sizeof first, "%.6s %lld", stage ? stage : "",
             (long long)json_integer_value(json_object_get(line, "step")));
    printf("%-*s", FIRST_WIDTH, first);
    for (int k = 0; k < n; k++) {
        double v = number_at(line, columns[chosen[k]].place);
        if (isnan(v))
            printf("%*s", WIDTH, "");
        else
            printf("%*.4g", WIDTH, v);
    }
    putchar('\n');
}

static void print_table(const json_t *metrics, bool all)
{
    const size_t some = 20;
    size_t lines = json_array_size(metrics), shown = all || lines <= some ? lines : some;
    int chosen[N_COLUMNS], n = choose_columns(metrics, chosen);
    if (!lines) return;
    printf("%-*s", FIRST_WIDTH, "step");
    for (int k = 0; k < n; k++) printf("%*s", WIDTH, columns[chosen[k]].title);
    putchar('\n');
    for (size_t i = 0; i < shown; i++)
        print_line(json_array_get(metrics, shown == lines ? i : i * (lines - 1) / (shown - 1)),
                   chosen, n);
    if (shown < lines) printf("(%zu of %zu steps; --steps shows all)\n", shown, lines);
}

/* ---- CSV ------------------------------------------------------------------------------------- */

/* Every number of every line, those of inner objects as outer.inner; in the order of their first
 * appearance. */
static void collect_places(json_t *places, const char *outer, const json_t *o)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v)
    {
        char *place = *outer ? mem_printf("%s.%s", outer, key) : mem_text(key);
        if (json_is_object(v) && !*outer)
            collect_places(places, key, v);
        else if (json_is_number(v) || json_is_string(v))
            json_object_set_new(places, place, json_null());
        mem_free(place);
    }
}

static void csv_text(const char *s)
{
    bool quote = strpbrk(s, ",\"\n\r") != NULL;
    if (quote) putchar('"');
    for (; *s; s++) {
        if (*s == '"') putchar('"');
        putchar(*s);
    }
    if (quote) putchar('"');
}

static const json_t *value_at(const json_t *line, const char *place)
{
    const json_t *v = json_object_get(line, place);
    const char *dot = strchr(place, '.');
    if (v || !dot) return v;
    char *outer = mem_text_n(place, (size_t)(dot - place));
    v = json_object_get(json_object_get(line, outer), dot + 1);
    mem_free(outer);
    return v;
}

static void csv_value(const json_t *v)
{
    if (json_is_integer(v))
        printf("%lld", (long long)json_integer_value(v));
    else if (json_is_number(v))
        printf("%.17g", json_number_value(v));
    else if (json_is_string(v))
        csv_text(json_string_value(v));
}

static void print_csv(const json_t *metrics)
{
    json_t *places = json_object(), *unused;
    const char *place;
    for (size_t i = 0; i < json_array_size(metrics); i++)
        collect_places(places, "", json_array_get(metrics, i));
    const char *comma = "";
    json_object_foreach(places, place, unused)
    {
        fputs(comma, stdout);
        csv_text(place);
        comma = ",";
    }
    putchar('\n');
    for (size_t i = 0; i < json_array_size(metrics); i++) {
        comma = "";
        json_object_foreach(places, place, unused)
        {
            fputs(comma, stdout);
            csv_value(value_at(json_array_get(metrics, i), place));
            comma = ",";
        }
        putchar('\n');
    }
    json_decref(places);
}

void inspect_steps(const json_t *metrics, Form form, bool all)
{
    if (form == FORM_CSV)
        print_csv(metrics);
    else if (form == FORM_JSON)
        json_dumpf(metrics, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER), putchar('\n');
    else
        print_table(metrics, all);
}

/* ---- the summary ----------------------------------------------------------------------------- */

static json_t *checkpoints_json(const char *dir)
{
    char **names, *folder = mem_printf("%s/checkpoints", dir);
    int n = checkpoint_folder_list(folder, &names);
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        json_array_append_new(list, json_string(names[i]));
        mem_free(names[i]);
    }
    mem_free(names);
    mem_free(folder);
    return list;
}

/* A part of the run directory that may not be there yet. */
static json_t *optional(const char *dir, const char *name, json_t *(*read)(const char *))
{
    char *path = mem_printf("%s/%s", dir, name);
    json_t *o = access(path, F_OK) ? NULL : read(read == runfile_read_info ? dir : path);
    mem_free(path);
    return o ? o : json_null();
}

static json_t *read_json(const char *path)
{
    json_error_t why;
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!o) fail("%s:%d: %s", path, why.line, why.text);
    return o;
}

static void say(const char *label, const char *text)
{
    if (!text || !*text) return;
    printf("%-13s", label);
    text_show(stdout, text, "             ", 2000);
    putchar('\n');
}

static void say_accuracy(const json_t *metrics)
{
    const json_t *first = NULL, *last = NULL;
    for (size_t i = 0; i < json_array_size(metrics); i++) {
        const json_t *line = json_array_get(metrics, i);
        if (isnan(number_at(line, "evaluation.accuracy"))) continue;
        if (!first) first = line;
        last = line;
    }
    if (!first) return;
    printf("%-13s%.1f %% at step %lld", "held-out", 100 * number_at(first, "evaluation.accuracy"),
           (long long)json_integer_value(json_object_get(first, "step")));
    if (last != first)
        printf(", %.1f %% at step %lld", 100 * number_at(last, "evaluation.accuracy"),
               (long long)json_integer_value(json_object_get(last, "step")));
    putchar('\n');
}

static void say_list(const char *label, const json_t *list)
{
    if (!json_array_size(list)) return;
    Buffer b = {0};
    for (size_t i = 0; i < json_array_size(list); i++)
        buffer_printf(&b, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    say(label, b.data);
    buffer_free(&b);
}

static void say_memory(const json_t *ranks)
{
    if (!json_array_size(ranks)) return;
    Buffer b = {0};
    for (size_t i = 0; i < json_array_size(ranks); i++)
        buffer_printf(&b, "%s%.2f", i ? " + " : "",
                      (double)json_integer_value(json_array_get(ranks, i)) / 1e9);
    printf("%-13s%s GB at the peak\n", "memory", b.data);
    buffer_free(&b);
}

static void say_busy(const json_t *working)
{
    if (json_array_size(working) < 2) return;
    printf("%-13s", "busy");
    for (size_t i = 0; i < json_array_size(working); i++)
        printf("%s%.0f", i ? ", " : "", 100 * json_number_value(json_array_get(working, i)));
    printf(" %% of the time, rank by rank\n");
}

/* Every change that the rewards' state showed: the versions of a rubric. */
static void print_rewards_state(const json_t *metrics)
{
    json_t *line, *element;
    const char *name;
    size_t i;
    json_array_foreach(metrics, i, line)
        json_object_foreach(json_object_get(line, "rewards_state"), name, element)
    {
        putchar('\n');
        rewards_shown_print(stdout, name, element);
    }
}

/* What rewards read besides the experiment file; `--json` has the texts. */
static void say_files(const json_t *files)
{
    size_t i;
    json_t *f;
    json_array_foreach((json_t *)files, i, f)
    {
        printf("%-13s", i ? "" : "files");
        text_show(stdout, json_string_value(json_object_get(f, "path")), NULL, 300);
        fputs(" (", stdout);
        text_show(stdout, json_string_value(json_object_get(f, "component")), NULL, 100);
        printf("), %.0f bytes, CRC %08llx\n", number_at(f, "bytes"),
               json_integer_value(json_object_get(f, "crc32c")));
    }
}

static void print_summary(const char *dir, const json_t *info, const json_t *summary,
                          const json_t *checkpoints, const json_t *metrics)
{
    char launches[600];
    const json_t *all = json_object_get(info, "launches");
    say("run", dir);
    say("id", json_string_value(json_object_get(info, "run_id")));
    say("layout", json_string_value(json_object_get(info, "layout")));
    say("seed", json_string_value(json_object_get(info, "seed")));
    say_list("rewards", json_object_get(info, "components"));
    say_files(json_object_get(info, "reward_files"));
    snprintf(launches, sizeof launches, "%zu, the last: %.500s", json_array_size(all),
             json_array_size(all) ? json_string_value(json_array_get(all, json_array_size(all) - 1))
                                  : "");
    if (json_array_size(all)) say("launches", launches);
    say_list("checkpoints", checkpoints);
    say_accuracy(metrics);
    if (json_is_object(summary)) {
        const char *reason = json_string_value(json_object_get(summary, "exit_reason"));
        printf("%-13s%s after %.0f s, %.0f tokens/s\n", "ended", reason ? reason : "",
               number_at(summary, "seconds"), number_at(summary, "tokens_per_s"));
        say_memory(json_object_get(summary, "peak_memory_bytes"));
        say_busy(json_object_get(json_object_get(summary, "ranks"), "working"));
    } else {
        printf("%-13sno summary.json: the run goes on, or was killed\n", "ended");
    }
    putchar('\n');
    print_table(metrics, false);
    print_rewards_state(metrics);
}

int inspect_summary(const char *dir, Form form)
{
    json_t *metrics = runfile_read_metrics(dir);
    if (!metrics) return EXIT_NO_INPUT;
    if (form == FORM_CSV) {
        print_csv(metrics);
        json_decref(metrics);
        return 0;
    }
    json_t *info = optional(dir, "run.h5", runfile_read_info),
           *summary = optional(dir, "summary.json", read_json);
    json_t *checkpoints = checkpoints_json(dir);
    if (form == FORM_JSON) {
        json_t *o = json_pack("{s:O, s:O, s:O, s:O}", "info", info, "summary", summary,
                              "checkpoints", checkpoints, "metrics", metrics);
        json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER), putchar('\n');
        json_decref(o);
    } else {
        print_summary(dir, info, summary, checkpoints, metrics);
    }
    json_decref(info);
    json_decref(summary);
    json_decref(checkpoints);
    json_decref(metrics);
    return 0;
}

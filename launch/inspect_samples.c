/* The answers of a step with their rewards and advantages. Text is shown, never sent to the
 * terminal as it is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"
#include "launch/inspect.h"
#include "launch/json_text.h"
#include "launch/text_show.h"

static const char *const kinds[] = {"train", "eval", "demonstration"};
static const char *const finishes[] = {"end of text", "stop string", "length"};
enum { MOST_SHOWN = 4000 };

static void print_score(const char *name, const Score *s)
{
    if (s->status == SCORE_OK)
        printf("%s %.4g", name, s->value);
    else
        printf("%s %s", name, score_status_name(s->status));
}

static const char *component_name(const json_t *names, int k, char number[32])
{
    const char *name = json_string_value(json_array_get(names, (size_t)k));
    snprintf(number, 32, "component %d", k);
    return name ? name : number;
}

/* Rewards of steps: which tokens, what they got, what is credited to them. */
static void print_steps(const Sample *s)
{
    for (int k = 0; k < s->n_steps; k++)
        printf("      step %d: tokens %d to %d, reward %+.4g, advantage %+.4f\n", k + 1,
               k ? s->steps[k - 1].end : 0, s->steps[k].end - 1, s->steps[k].reward,
               (double)s->steps[k].advantage);
}

static void print_notes(const Group *g, const Sample *s, const json_t *names)
{
    char number[32];
    for (int k = 0; k < g->n_components; k++) {
        if (!s->notes[k]) continue;
        printf("      %s wrote\n        ", component_name(names, k, number));
        text_show(stdout, s->notes[k], "        ", MOST_SHOWN);
        putchar('\n');
    }
}

static void print_sample(const Group *g, int i, const json_t *names)
{
    const Sample *s = &g->samples[i];
    char number[32];
    printf("  [%d] ", i);
    print_score("reward", &s->reward);
    printf("  advantage %+.4f  %d tokens, ended by %s", (double)s->advantage, s->n_tokens,
           finishes[s->finish]);
    for (int k = 0; k < g->n_components; k++) {
        fputs(k ? ", " : "  (", stdout);
        print_score(component_name(names, k, number), &s->components[k]);
    }
    printf("%s\n      ", g->n_components ? ")" : "");
    text_show(stdout, s->text ? s->text : "", "      ", MOST_SHOWN);
    putchar('\n');
    print_steps(s);
    print_notes(g, s, names);
}

static void print_group(const Group *g, const json_t *names)
{
    printf("group %lld (%s, problem %lld, weights of version %d)\n  prompt  ", (long long)g->id,
           kinds[g->kind], (long long)g->problem, g->version);
    text_show(stdout, g->prompt_text ? g->prompt_text : "", "          ", MOST_SHOWN);
    fputs("\n  record  ", stdout);
    text_show(stdout, g->record ? g->record : "", NULL, MOST_SHOWN);
    putchar('\n');
    for (int i = 0; i < g->n_samples; i++) print_sample(g, i, names);
    putchar('\n');
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *text_json(const char *s)
{
    return json_text(s ? s : "", s ? strlen(s) : 0);
}

static json_t *score_json(const Score *s)
{
    json_t *o = json_pack("{s:s}", "status", score_status_name(s->status));
    if (s->status == SCORE_OK && isfinite(s->value))
        json_object_set_new(o, "value", json_real(s->value));
    return o;
}

static json_t *steps_json(const Sample *s)
{
    json_t *list = json_array();
    for (int k = 0; k < s->n_steps; k++)
        json_array_append_new(list, json_pack("{s:i, s:f, s:f}", "end", (int)s->steps[k].end,
                                              "reward", s->steps[k].reward, "advantage",
                                              (double)s->steps[k].advantage));
    return list;
}

static json_t *sample_json(const Group *g, const Sample *s, const json_t *names)
{
    char number[32];
    json_t *components = json_object(), *notes = json_object();
    for (int k = 0; k < g->n_components; k++) {
        const char *name = component_name(names, k, number);
        json_object_set_new(components, name, score_json(&s->components[k]));
        if (s->notes[k]) json_object_set_new(notes, name, text_json(s->notes[k]));
    }
    json_t *o = json_pack("{s:o, s:o, s:f, s:s, s:o, s:o}", "text", text_json(s->text), "reward",
                          score_json(&s->reward), "advantage", (double)s->advantage, "finish",
                          finishes[s->finish], "components", components, "tokens",
                          json_ids(s->tokens, s->n_tokens));
    if (json_object_size(notes)) json_object_set(o, "notes", notes);
    if (s->n_steps) json_object_set_new(o, "steps", steps_json(s));
    json_decref(notes);
    return o;
}

static json_t *group_json(const Group *g, const json_t *names)
{
    json_t *samples = json_array();
    for (int i = 0; i < g->n_samples; i++)
        json_array_append_new(samples, sample_json(g, &g->samples[i], names));
    return json_pack("{s:I, s:s, s:I, s:i, s:o, s:o, s:o}", "id", (json_int_t)g->id, "kind",
                     kinds[g->kind], "problem", (json_int_t)g->problem, "version", (int)g->version,
                     "prompt", text_json(g->prompt_text), "record", text_json(g->record), "samples",
                     samples);
}

int inspect_samples(const char *dir, int64_t step, int64_t group, Form form)
{
    Group *groups;
    int n, shown = 0;
    if (runfile_read_groups(dir, step, &groups, &n)) return EXIT_NO_INPUT;
    errors_quiet(1); /* without run.h5 components are numbered */
    json_t *info = runfile_read_info(dir), *names = json_object_get(info, "components"),
           *list = json_array();
    errors_quiet(-1);
    for (int i = 0; i < n; i++) {
        if (group < 0 || groups[i].id == group) {
            shown++;
            if (form == FORM_JSON)
                json_array_append_new(list, group_json(&groups[i], names));
            else
                print_group(&groups[i], names);
        }
        group_free(&groups[i]);
    }
    if (form == FORM_JSON && shown)
        json_dumpf(list, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER), putchar('\n');
    mem_free(groups);
    json_decref(list);
    json_decref(info);
    if (shown) return 0;
    fail("%s: step %lld has no group %lld", dir, (long long)step, (long long)group);
    return EXIT_NO_INPUT;
}

/* Writes a run whose ledger can be counted by hand: 12 steps of 2 groups of 4 answers, a rule and a
 * judge that is talked round by sample 2 in the last third of the run, times out once and fails
 * once. test_inspect_rewards.sh looks at it.
 *
 *   make_ledger_run DIR
 */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"

static void fill_sample(Sample *s, int64_t step, int group, int i)
{
    bool right = i < 2, persuaded = i == 2 && step > 8, first = group == 0;
    Score judged = {right || persuaded ? 9 : 2, SCORE_OK};
    if (first && i == 3 && step == 5) judged = (Score){0, SCORE_TIMEOUT};
    if (first && i == 3 && step == 6) judged = (Score){0, SCORE_ERROR};
    sample_reserve(s, 4);
    s->n_tokens = i + 1;
    s->text = mem_printf("answer %d of step %d%s", i, (int)step, persuaded ? "\x1b[2J" : "");
    s->components[0] = (Score){right, SCORE_OK};
    s->components[1] = judged;
    s->latencies_s[0] = 0.001f;
    s->latencies_s[1] = 0.5f;
    s->notes[1] = mem_text(persuaded                      ? "so well said \xe2\x80\xae"
                           : judged.status == SCORE_ERROR ? "no mark in it"
                                                          : "fine");
    s->reward =
        judged.status == SCORE_OK ? (Score){0.5 * right + judged.value / 10, SCORE_OK} : judged;
}

static void add_step(RunFile *r, int64_t step)
{
    Group g[2] = {{0}, {0}};
    for (int k = 0; k < 2; k++) {
        g[k] = (Group){.id = 2 * (step - 1) + k, .n_samples = 4, .samples = NEW(Sample, 4)};
        g[k].prompt_text = mem_text("12+30=");
        g[k].record = mem_text("{\"answer\":\"42\"}");
        group_reserve_scores(&g[k], 2);
        for (int i = 0; i < 4; i++) fill_sample(&g[k].samples[i], step, k, i);
    }
    if (runfile_add_groups(r, step, g, 2)) die(EXIT_INTERNAL, "a new run repeats nothing");
    json_t *m = json_pack("{s:f}", "reward", 1.0);
    runfile_add_metrics(r, step, m);
    json_decref(m);
    for (int k = 0; k < 2; k++) group_free(&g[k]);
}

int main(int argc, char **argv)
{
    static const char *const components[] = {"exact_number", "critic"};
    if (argc != 2) die(EXIT_USAGE, "make_ledger_run DIR");
    RunInfo info = {.config_text =
                        "reward:\n  - exact_number\n  - {name: judge, as: critic, judge: far}\n",
                    .version_text = "test",
                    .seed = 1,
                    .n_components = 2,
                    .components = components,
                    .layout = "alone"};
    RunFile *r = runfile_open(argv[1], &info, -1);
    if (!r) return EXIT_CREATE;
    for (int step = 1; step <= 12; step++) {
        add_step(r, step);
        if (step == 7 && runfile_cut_segment(r, step)) return EXIT_IO;
    }
    runfile_close(r);
    return 0;
}

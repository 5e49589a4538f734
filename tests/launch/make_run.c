/* Writes a run directory as a training run would leave it in mid-flight: 40 steps, of which the
 * last 10 are only in the live log, and a checkpoint. test_inspect.sh looks at it.
 *
 *   make_run DIR
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/checkpoint.h"
#include "common/errors.h"
#include "common/memory.h"
#include "common/runfile.h"

static void fill_sample(Sample *s, int64_t step, int k)
{
    sample_reserve(s, 3);
    s->n_tokens = 3;
    s->tokens[0] = (int32_t)step;
    s->finish = k ? FINISH_LENGTH : FINISH_EOS;
    s->text = mem_text(k ? "<answer>\x1b[2J\r\xff</answer>\nnext \xe2\x80\xae line"
                         : "<answer>42</answer>");
    s->components[0] = k ? (Score){0, SCORE_TIMEOUT} : (Score){1, SCORE_OK};
    s->components[1] = (Score){0.25, SCORE_OK};
    s->reward = k ? (Score){0, SCORE_TIMEOUT} : (Score){1.25, SCORE_OK};
    s->advantage = k ? -0.5f : 0.5f;
    if (k) return;
    s->notes[1] = mem_text("a good\x1b[2J answer");
    s->n_steps = 2;
    s->steps = NEW(SampleStep, 2);
    s->steps[0] = (SampleStep){.end = 1, .reward = 0.05, .advantage = 0.25f};
    s->steps[1] = (SampleStep){.end = 2, .reward = -0.05, .advantage = 0.75f};
}

static void add_step(RunFile *r, int64_t step)
{
    Group g = {.id = step - 1,
               .problem = 100 + step,
               .version = (int32_t)step - 1,
               .n_samples = 2,
               .samples = NEW(Sample, 2)};
    g.prompt_text = mem_text("12+30=");
    g.record = mem_text("{\"answer\":\"42\"}");
    group_reserve_scores(&g, 2);
    for (int k = 0; k < 2; k++) fill_sample(&g.samples[k], step, k);
    json_t *m = json_pack("{s:s, s:f, s:{s:f}, s:f}", "stage", "grpo", "reward",
                          0.01 * (double)step, "time", "tokens_per_s", 1234.5, "loss", -0.001);
    if (step % 10 == 0)
        json_object_set_new(m, "evaluation", json_pack("{s:f}", "accuracy", 0.02 * (double)step));
    if (step == 20)
        json_object_set_new(m, "rewards_state",
                            json_pack("{s:{s:i, s:i, s:s}}", "mpo", "version", 1, "step", 20,
                                      "rubric", "Sums\x1b[2J (0-5)\nno excuses"));
    if (runfile_add_groups(r, step, &g, 1)) die(EXIT_INTERNAL, "a new run repeats nothing");
    runfile_add_metrics(r, step, m);
    json_decref(m);
    group_free(&g);
}

int main(int argc, char **argv)
{
    static const char *const components[] = {"exact_number", "length"};
    static float numbers[6];
    if (argc != 2) die(EXIT_USAGE, "make_run DIR");
    RunInfo info = {.config_text = "run: {}\n",
                    .version_text = "test",
                    .seed = 1,
                    .n_components = 2,
                    .components = components,
                    .layout = "alone"};
    RunFile *r = runfile_open(argv[1], &info, -1);
    if (!r) return EXIT_CREATE;
    CheckpointState s = {
        .step = 30, .accuracy_before = NAN, .config_text = (char *)info.config_text};
    snprintf(s.run_id, sizeof s.run_id, "%s", info.run_id);
    CheckpointArray a = {"weights/model.norm.weight", 2, {2, 3}, numbers};
    for (int step = 1; step <= 40; step++) {
        add_step(r, step);
        if (step % 15 == 0 && runfile_cut_segment(r, step)) return EXIT_IO;
        if (step == 30 && checkpoint_save(argv[1], &s, &a, 1, 2)) return EXIT_IO;
    }
    runfile_close(r);
    return 0;
}

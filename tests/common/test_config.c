/* Experiment files: defaults, every error with its place and a suggestion, checks across options,
 * and printing that reads back. */
#include "tests/harness.h"

#include <unistd.h>

#include "common/config.h"
#include "common/errors.h"
#include "tests/common/log_capture.h"

static int parse(Config *c, const char *text)
{
    return config_parse(c, "dir/my run.yaml", text, NULL, 0);
}

static void refuses_set(const char *text, const char *set, int lines, const char *line)
{
    Config c;
    log_begin();
    int rc = config_parse(&c, "t.yaml", text, &set, set ? 1 : 0);
    const char *log = log_end();
    ck_assert_msg(rc == -1, "accepted: %s", text);
    ck_assert_msg(strstr(log, line) != NULL, "wanted \"%s\", got \"%s\"", line, log);
    ck_assert_msg(log_lines(log) == lines, "wanted %d lines, got \"%s\"", lines, log);
}

static void refuses(const char *text, const char *line)
{
    refuses_set(text, NULL, 1, line);
}

START_TEST(an_empty_file_has_every_default)
{
    Config c;
    ck_assert_int_eq(parse(&c, ""), 0);
    ck_assert_str_eq(c.run.name, "my-run");
    ck_assert_str_eq(c.task.name, "sum");
    ck_assert(c.learner.lr == 1e-6 && c.rollout.samples == 8 && c.checkpoint.export &&
              !c.run.allow_other_kernels);
    ck_assert_str_eq(c.model.precision, "bf16");
    ck_assert_ptr_null(c.reward);
    ck_assert_str_eq(c.text, "");
    ck_assert_str_eq(c.sets, "");
    config_free(&c);
}
END_TEST

START_TEST(a_file_states_what_differs)
{
    Config c;
    const char *text =
        "run: {seed: 7, name: a.b-c_1}\nlearner:\n  lr: 3e-4\n  aggregate: "
        "sequence\nsft:\nreward:\n  - exact_number\n  - {name: length, weight: 0.1}\n"
        "rollout: {stop: \"a|b\"}\ncheckpoint: {export: false}\n";
    const char *sets[] = {"learner.lr=1e-3", "run.steps=12", "task.system=a = b. c",
                          "rollout.stop="};
    ck_assert_int_eq(config_parse(&c, "t.yaml", text, sets, 4), 0);
    ck_assert(c.run.seed == 7 && c.run.steps == 12 && c.learner.lr == 1e-3 && !c.checkpoint.export);
    ck_assert_str_eq(c.run.name, "a.b-c_1");
    ck_assert_str_eq(c.learner.aggregate, "sequence");
    ck_assert_str_eq(c.task.system, "a = b. c");
    ck_assert_str_eq(c.rollout.stop, "");
    ck_assert(c.reward && c.reward->kind == YAML_LIST && c.reward->n == 2);
    ck_assert_str_eq(c.text, text);
    ck_assert_str_eq(c.sets,
                     "learner.lr=1e-3\nrun.steps=12\ntask.system=a = b. c\nrollout.stop=\n");
    config_free(&c);
}
END_TEST

START_TEST(unknown_keys_are_errors_with_a_suggestion)
{
    refuses(
        "learner:\n  lerning_rate: 1\n",
        "t.yaml:2:3: unknown key learner.lerning_rate (troupe explain learner lists its keys)\n");
    refuses("learner:\n  clip_grd: 1\n",
            "t.yaml:2:3: unknown key learner.clip_grd; did you mean learner.clip_grad\n");
    refuses("learner: {temperature: 1}\n",
            "t.yaml:1:11: unknown key learner.temperature; did you mean rollout.temperature\n");
    refuses("run: {}\nlerner: {}\n", "t.yaml:2:1: unknown section lerner; did you mean learner\n");
    refuses("rewards: [x]\n", "t.yaml:1:1: unknown section rewards; did you mean reward\n");
    refuses("lr: 3\n", "t.yaml:1:1: lr is no section but an option of sft, learner\n");
    refuses("banana: 3\n", "t.yaml:1:1: unknown section banana (troupe explain lists them)\n");
}
END_TEST

START_TEST(values_have_types_and_ranges)
{
    refuses("run: {steps: ten}\n", "t.yaml:1:14: run.steps: ten is not an integer\n");
    refuses("run:\n  steps: -1\n", "t.yaml:2:10: run.steps: -1 is not in [0, 1000000000]\n");
    refuses("run: {steps: \"5\"}\n",
            "t.yaml:1:14: run.steps: an integer is wanted, \"5\" is text (leave out the quotes)\n");
    refuses("run: {max_staleness: 9}\n", "t.yaml:1:22: run.max_staleness: 9 is not in [0, 8]\n");
    refuses("learner: {lr: 2}\n", "t.yaml:1:15: learner.lr: 2 is not in [0, 1]\n");
    refuses("learner: {lr: [1]}\n",
            "t.yaml:1:15: learner.lr: a number is wanted, this is a list\n");
    refuses("learner: {advantage: gpro}\n",
            "t.yaml:1:22: learner.advantage: gpro is none of "
            "grpo|dr_grpo|rloo|leave_one_out|reinforce; did you mean grpo\n");
    refuses("learner: {mask_truncated: yes}\n",
            "t.yaml:1:27: learner.mask_truncated: yes is neither true nor false\n");
    refuses("learner: {lr: }\n", "t.yaml:1:15: learner.lr: a number is wanted, nothing is there\n");
    refuses("task: {name: [sum]}\n", "t.yaml:1:14: task.name: text is wanted, this is a list\n");
    refuses("run: 3\n", "t.yaml:1:6: run: a map of options is wanted\n");
    refuses("- run\n", "t.yaml:1:1: an experiment file is a map of sections\n");
    refuses("reward: exact_number\n",
            "t.yaml:1:9: reward: a list of rewards is wanted (- exact_number)\n");
    refuses("reward: []\n", "t.yaml:1:9: reward: a list of rewards is wanted (- exact_number)\n");
}
END_TEST

START_TEST(set_errors_name_the_argument)
{
    refuses_set("", "learner.lr=abc", 1,
                "troupe: --set learner.lr=abc: learner.lr: abc is not a number\n");
    refuses_set("", "learner.lt=1", 1,
                "--set learner.lt=1: unknown key learner.lt; did you mean learner.lr\n");
    refuses_set("", "lerner.lr=1", 1,
                "--set lerner.lr=1: unknown section lerner; did you mean learner\n");
    refuses_set("", "learner.lr", 1,
                "--set learner.lr: section.name=value is wanted, as in --set learner.lr=3e-6\n");
    refuses_set("", "steps=5.5", 1, "--set steps=5.5: section.name=value is wanted");
    refuses_set("", "reward.x=5", 1,
                "--set reward.x=5: the reward block can only be written in the file\n");
    refuses_set("", "task.system=\xff", 1, "one line of UTF-8 is wanted\n");
    refuses_set(
        "", "learner.reduction_slots=3", 1,
        "--set learner.reduction_slots=3: learner.reduction_slots: 3 is not a power of two\n");
    refuses_set("run: {steps: x}\nrun: 3\n", "learner.lr=abc", 2, "--set learner.lr=abc: ");
}
END_TEST

START_TEST(every_error_is_reported)
{
    refuses_set("run: {steps: ten, sed: 3}\nlerner: {}\nlearner:\n  lr: 7\n  clip_low: 9\n",
                "x.y=1", 6, "t.yaml:1:19: unknown key run.sed; did you mean run.seed\n");
    refuses_set("layout: {workers: 3, actors: 1}\nlearner: {beta1: 1}\nmodel: {width: 90}\n", NULL,
                4,
                "t.yaml:1:19: layout.workers: workers roll out and learn: then actors and learners "
                "must be 0\n");
}
END_TEST

START_TEST(checks_across_options)
{
    refuses("learner: {reduction_slots: 6}\n",
            "t.yaml:1:28: learner.reduction_slots: 6 is not a power of two\n");
    refuses("layout: {actors: 1, learners: 3}\n",
            "t.yaml:1:31: layout.learners: 3 learners do not divide learner.reduction_slots 4\n");
    refuses("layout: {workers: 3}\n",
            "t.yaml:1:19: layout.workers: 3 workers do not divide learner.reduction_slots 4\n");
    refuses("layout: {learners: 2}\n",
            "t.yaml:1:20: layout.actors: 2 learners need at least one actor\n");
    refuses("layout: {actors: 2}\n",
            "t.yaml:1:18: layout.learners: 2 actors need at least one learner\n");
    refuses("layout: {workers: 2, rewardsvc: 0}\n",
            "t.yaml:1:33: layout.rewardsvc: at least one reward rank is needed\n");
    refuses("model: {width: 98}\n",
            "t.yaml:1:16: model.width: 98 channels are not a multiple of 4 heads\n");
    refuses(
        "model:\n  width: 12\n",
        "t.yaml:2:10: model.heads: a head has 3 channels: rotary positions need an even number\n");
    refuses("model: {kv_heads: 3}\n",
            "t.yaml:1:19: model.kv_heads: 4 heads are not a multiple of 3 key/value heads\n");
    refuses("rollout: {max_tokens: 512}\n", "t.yaml:1:23: rollout.max_tokens: 512 tokens and a "
                                            "prompt do not fit in model.max_positions 512\n");
    refuses("task: {name: summ}\n",
            "t.yaml:1:14: task.name: there is no task summ; did you mean sum\n");
    refuses("task: {train: x.jsonl}\n",
            "t.yaml:1:15: task.train: only task jsonl reads a file, task.name is sum\n");
    refuses("task: {template: chat}\n",
            "t.yaml:1:18: task.template: chat needs a model that brings a template (model.path)\n");
    refuses("task: {template: raw, system: hello}\n",
            "t.yaml:1:31: task.system: template raw has no system message\n");
    refuses("sft: {steps: 5, warmup: 9}\n",
            "t.yaml:1:25: sft.warmup: is longer than sft.steps 5\n");
    refuses("learner: {beta2: 1}\n", "t.yaml:1:18: learner.beta2: must be below 1\n");
    refuses("learner: {eps: 0}\n", "t.yaml:1:16: learner.eps: must be above 0\n");
    refuses(
        "rollout: {samples: 1}\n",
        "t.yaml:1:20: rollout.samples: a group of one answer has nothing to compare: at least 2\n");
    refuses("eval: {every: 5}\n",
            "t.yaml:1:15: eval.every: eval.problems is 0: there is nothing to evaluate\n");
    refuses(
        "run: {name: a/b}\n",
        "t.yaml:1:13: run.name: 1 to 64 of A-Z a-z 0-9 . _ - are allowed, the first not a point\n");
    refuses("run: {name: ..}\n", "t.yaml:1:13: run.name: ");
    refuses("run: {dir: \"\"}\n", "t.yaml:1:12: run.dir: a folder is wanted (. is this one)\n");
    Config c;
    ck_assert_int_eq(
        parse(&c, "layout: {workers: 4}\nsft: {steps: 5}\nmodel: {width: 64, kv_heads: 2}\n"), 0);
    config_free(&c);
}
END_TEST

/* The text that config_print gives; caller frees. */
static char *printed(const Config *c)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    config_print(c, f);
    fclose(f);
    return text;
}

START_TEST(printing_reads_back_to_the_same)
{
    const char *text = "run: {seed: 9223372036854775807, steps: 3}\nlearner: {lr: "
                       "0.1234567890123456789, clip_grad: 1e9}\n"
                       "task:\n  system: \"a \\\"b\\\" \\\\ \\t # x: y\\n\\u2028\\ufeff \\u00e9 "
                       "\\U0001F600\\x1b\"\n  instruction: |\n    two\n    lines\n"
                       "reward:\n  - exact_number\n  - name: \"length\"\n    weight: 0.5\n    "
                       "nothing:\n    text: 'it''s [1, 2]: #3'\n    deep: [[a, {b: \"1\"}], c d]\n";
    Config a, b;
    ck_assert_int_eq(parse(&a, text), 0);
    char *first = printed(&a);
    ck_assert_msg(config_parse(&b, "again.yaml", first, NULL, 0) == 0, "%s", first);
    char *second = printed(&b);
    ck_assert_str_eq(first, second);
    ck_assert_str_eq(a.task.system, b.task.system);
    ck_assert_str_eq(b.task.instruction, "two\nlines\n");
    ck_assert(a.learner.lr == b.learner.lr && b.run.seed == INT64_MAX);
    ck_assert_uint_eq(config_hash(&a), config_hash(&b));
    const YamlNode *length = &b.reward->items[1];
    ck_assert(!yaml_get(length, "weight")->quoted && yaml_get(length, "name")->quoted);
    ck_assert_str_eq(yaml_get(length, "text")->text, "it's [1, 2]: #3");
    ck_assert_str_eq(yaml_get(length, "deep")->items[1].text, "c d");
    free(first);
    free(second);
    config_free(&a);
    config_free(&b);
}
END_TEST

static uint32_t hash_of(const char *text, const char *set)
{
    Config c;
    ck_assert_int_eq(config_parse(&c, "t.yaml", text, &set, set ? 1 : 0), 0);
    uint32_t h = config_hash(&c);
    config_free(&c);
    return h;
}

START_TEST(the_hash_sees_what_decides_results)
{
    uint32_t h = hash_of("reward: [exact_number]\n", NULL);
    const char *same[] = {"run.name=x",
                          "run.dir=y",
                          "run.steps=7",
                          "run.deadline_s=9",
                          "layout.workers=2",
                          "checkpoint.every=3",
                          "checkpoint.export=false",
                          "run.allow_other_kernels=true"};
    const char *other[] = {
        "run.seed=2",  "learner.lr=1e-5",     "rollout.temperature=0.9",    "task.digits=2",
        "sft.steps=4", "model.precision=f32", "learner.mask_truncated=true"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        ck_assert_msg(hash_of("reward: [exact_number]\n", same[i]) == h, "%s", same[i]);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        ck_assert_msg(hash_of("reward: [exact_number]\n", other[i]) != h, "%s", other[i]);
    ck_assert(hash_of("reward: [random]\n", NULL) != h);
    ck_assert(hash_of("", NULL) != h);
    ck_assert_msg(hash_of("learner: {decay: linear}\n", "run.steps=7") !=
                      hash_of("learner: {decay: linear}\n", "run.steps=8"),
                  "steps shape a rate that decays");
}
END_TEST

START_TEST(explains_keys_sections_and_bare_names)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    ck_assert_int_eq(config_explain("learner.lr", f), 0);
    fflush(f);
    ck_assert_str_eq(text, "learner.lr: number, default 1e-06, 0 to 1\n    peak learning rate\n");
    ck_assert_int_eq(config_explain("eval", f), 0);
    ck_assert_int_eq(config_explain("temperature", f), 0);
    ck_assert_int_eq(config_explain(NULL, f), 0);
    fflush(f);
    ck_assert_ptr_nonnull(strstr(text, "rollout.temperature: number, default 1, 0.01 to 100\n"));
    ck_assert_ptr_nonnull(strstr(text, "checkpoint.keep: "));
    errors_quiet(1);
    ck_assert_int_eq(config_explain("learner.lt", f), -1);
    ck_assert_str_eq(errors_last(), "there is no option learner.lt; did you mean learner.lr");
    ck_assert_int_eq(config_explain("lerner", f), -1);
    ck_assert_str_eq(errors_last(), "there is no option lerner; did you mean learner");
    errors_quiet(-1);
    fclose(f);
    free(text);
}
END_TEST

START_TEST(reads_files_and_refuses_what_is_none)
{
    Config c;
    char path[] = "/tmp/troupe-config-XXXXXX";
    int fd = mkstemp(path);
    ck_assert(fd >= 0 && write(fd, "run: {seed: 3}\n", 15) == 15);
    ck_assert_int_eq(config_read(&c, path, NULL, 0), 0);
    ck_assert_int_eq(c.run.seed, 3);
    config_free(&c);
    errors_quiet(1);
    ck_assert_int_eq(write(fd, "\0", 1), 1);
    ck_assert_int_eq(config_read(&c, path, NULL, 0), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "NUL byte"));
    ck_assert_int_eq(ftruncate(fd, 1l << 30), 0); /* 1 GiB, sparse */
    ck_assert_int_eq(config_read(&c, path, NULL, 0), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "the limit is"));
    ck_assert_int_eq(config_read(&c, "/nowhere/at/all.yaml", NULL, 0), -1);
    ck_assert_int_eq(config_read(&c, "/tmp", NULL, 0), -1);
    errors_quiet(-1);
    config_free(&c); /* an empty one is fine */
    close(fd);
    unlink(path);
}
END_TEST

TEST_MAIN("config", an_empty_file_has_every_default, a_file_states_what_differs,
          unknown_keys_are_errors_with_a_suggestion, values_have_types_and_ranges,
          set_errors_name_the_argument, every_error_is_reported, checks_across_options,
          printing_reads_back_to_the_same, the_hash_sees_what_decides_results,
          explains_keys_sections_and_bare_names, reads_files_and_refuses_what_is_none)

/* Reward models with a scalar head: transformers' scores of two tiny ones, the same bits in any
 * company, and all that is refused. */
#include "common/hf_config.h"
#include "common/policy.h"
#include "common/safetensors.h"
#include "rewardsvc/judge.h"
#include "rewardsvc/preference.h"
#include "tests/data/scalar_golden.h"
#include "tests/model_files.h"
#include "tests/rewardsvc/judge_scene.h"

/* ---- the models ------------------------------------------------------------------------------ */

static const char chatml[] =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ "
    "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' "
    "}}{% endif %}";

/* What is unusual about a model's tensors. */
typedef struct {
    int head_rows; /* 0: one */
    const float *bias;
    float huge; /* 0: none; else the last norm's weights */
} Odd;

/* Milder than the fixture's own, as the script that made the scores has them. Caller frees. */
static float *numbers_of(const TensorSpec *s, int i, const Odd *odd)
{
    float *x = fixture_tensor(s, i);
    bool milder = s->n_dims == 2 && strcmp(s->name, "score.weight");
    for (size_t k = 0; k < spec_numbers(s); k++) {
        if (milder) x[k] *= 0.25f;
        if (odd->bias && !strcmp(s->name, "score.bias")) x[k] = *odd->bias;
        if (odd->huge > 0 && !strcmp(s->name, "model.norm.weight")) x[k] = odd->huge;
    }
    return x;
}

static void write_weights(const char *config, const Odd *odd)
{
    ModelDesc d;
    TensorSpec specs[64];
    TensorView views[64] = {0};
    Buffer b = {0};
    ck_assert_msg(!hf_config_parse_scalar("golden", config, strlen(config), &d), "%s",
                  errors_last());
    d.scalar_bias = odd->bias != NULL;
    int n = tensor_spec_count(&d);
    for (int i = 0; i < n; i++) {
        tensor_spec_at(&d, i, &specs[i]);
        if (odd->head_rows && !strcmp(specs[i].name, "score.weight"))
            specs[i].dims[0] = odd->head_rows;
        views[i] = (TensorView){.name = specs[i].name,
                                .n_dims = specs[i].n_dims,
                                .dims = {specs[i].dims[0], specs[i].dims[1]}};
    }
    safetensors_header(views, n, DTYPE_F32, &b);
    for (int i = 0; i < n; i++) {
        float *x = numbers_of(&specs[i], i, odd);
        buffer_add(&b, x, 4 * spec_numbers(&specs[i]));
        mem_free(x);
    }
    write_bytes(fixture_path("model.safetensors"), b.data, b.size);
    buffer_free(&b);
}

/* With the alphabet of the task sum, and no chat template. */
static void write_llama(const char *config, const Odd *odd)
{
    Tokenizer *t =
        tokenizer_from_alphabet("0 1 2 3 4 5 6 7 8 9 + = ; c <think> </think> <answer> </answer>");
    ck_assert_int_eq(tokenizer_export(t, fixture_folder()), 0);
    tokenizer_close(t);
    write_weights(llama_config, odd);
    write_bytes(fixture_path("config.json"), config, strlen(config));
}

static void write_qwen2(void)
{
    Buffer tokenizer = {0};
    char *from = mem_printf("%s/tests/data/tokenizer_small.json", getenv("TROUPE_SOURCE"));
    json_t *chat = json_pack("{s:s}", "chat_template", chatml);
    ck_assert_int_eq(file_read(from, 1 << 24, &tokenizer), 0);
    write_bytes(fixture_path("tokenizer.json"), tokenizer.data, tokenizer.size);
    ck_assert_int_eq(json_dump_file(chat, fixture_path("tokenizer_config.json"), 0), 0);
    write_bytes(fixture_path("config.json"), qwen2_config, strlen(qwen2_config));
    write_weights(qwen2_config, &(Odd){0});
    json_decref(chat);
    buffer_free(&tokenizer);
    mem_free(from);
}

/* ---- scores ---------------------------------------------------------------------------------- */

static Open *open_model(int max_context, int batch, const char *more)
{
    char *text =
        mem_printf("task: {name: sum}\njudges: [{name: rm, model: \"%s\", max_context: %d, "
                   "batch: %d, precision: f32}]\n"
                   "reward: [{name: judge_scalar, judge: rm%s}]\n",
                   fixture_folder(), max_context, batch, more);
    Open *o = open_text(text, NULL);
    mem_free(text);
    return o;
}

/* Scores of texts [n] as one group. */
static void score(Open *o, const ScalarGolden *g, int n, Score *out)
{
    Evidence e[16];
    fill(e, n, "");
    for (int i = 0; i < n; i++) {
        e[i].prompt = g[i].prompt, e[i].n_prompt = strlen(g[i].prompt);
        e[i].text = g[i].answer, e[i].n_text = strlen(g[i].answer);
    }
    RewardCase *c = judged(o, e, n);
    for (int i = 0; i < n; i++) out[i] = reward_case_reward(c, i);
    reward_case_close(c);
}

static void expect_golden(const ScalarGolden *g, int n, const char *more, double shift)
{
    Score got[16];
    Open *o = open_model(96, 4, more);
    score(o, g, n, got);
    for (int i = 0; i < n; i++) {
        ck_assert_msg(got[i].status == SCORE_OK, "%s: %s", g[i].answer, errors_last());
        ck_assert_msg(fabs(got[i].value - g[i].score - shift) < 1e-5, "%s: %.9g, not %.9g",
                      g[i].answer, got[i].value, g[i].score + shift);
    }
    close_text(o);
}

enum {
    N_LLAMA = sizeof llama_scores / sizeof *llama_scores,
    N_QWEN2 = sizeof qwen2_scores / sizeof *qwen2_scores
};

START_TEST(a_llama_scores_as_transformers_does)
{
    const float bias = 0.75f;
    write_llama(llama_config, &(Odd){0});
    expect_golden(llama_scores, N_LLAMA, "", 0);
    write_llama(llama_config, &(Odd){.bias = &bias});
    expect_golden(llama_scores, N_LLAMA, "", 0.75);
}
END_TEST

START_TEST(a_qwen2_scores_chats_as_transformers_does)
{
    write_qwen2();
    expect_golden(qwen2_scores, N_QWEN2, "", 0);
    ck_assert_int_eq(unlink(fixture_path("tokenizer_config.json")), 0);
}
END_TEST

START_TEST(bits_do_not_depend_on_company)
{
    static const int batches[] = {1, 3, 16}, contexts[] = {64, 128, 96};
    Score first[16], got[16];
    write_llama(llama_config, &(Odd){0});
    for (int run = 0; run < 3; run++) {
        Open *o = open_model(contexts[run], batches[run], "");
        score(o, llama_scores, N_LLAMA, got);
        for (int i = 0; run && i < N_LLAMA; i++) ck_assert_double_eq(got[i].value, first[i].value);
        memcpy(first, got, sizeof first);
        for (int i = N_LLAMA - 1; i >= 0; i--) {
            score(o, &llama_scores[i], 1, got);
            ck_assert_double_eq(got[0].value, first[i].value);
        }
        close_text(o);
    }
}
END_TEST

START_TEST(templates_and_scales_are_settings)
{
    Score plain[2], got[2];
    const ScalarGolden two[] = {{"12+3=", "15", 0}, {"12+3=", "16", 0}};
    static const struct {
        const char *more;
        double scale, offset;
    } same[] = {{", template: \"{prompt}{answer}\", answer: \"\"", 1, 0},
                {", template: \"12+3=\", answer: \"{final}\"", 1, 0},
                {", system: \"1\", template: \"2+3=\"", 1, 0},
                {", scale: -2, offset: 0.5", -2, 0.5}};
    write_llama(llama_config, &(Odd){0});
    Open *o = open_model(96, 4, "");
    score(o, two, 2, plain);
    close_text(o);
    ck_assert_double_ne(plain[0].value, plain[1].value);
    for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
        o = open_model(96, 4, same[k].more);
        score(o, two, 2, got);
        for (int i = 0; i < 2; i++)
            ck_assert_double_eq(got[i].value, same[k].scale * plain[i].value + same[k].offset);
        close_text(o);
    }
    o = open_model(96, 4, ", scale: 3, sigmoid: true");
    score(o, two, 2, got);
    ck_assert_double_eq(got[1].value, sigmoid(3 * plain[1].value));
    close_text(o);
}
END_TEST

static void expect_error(Open *o, const char *answer, const char *said)
{
    Score got;
    errors_quiet(1);
    score(o, &(ScalarGolden){"12+3=", answer, 0}, 1, &got);
    errors_quiet(-1);
    ck_assert_int_eq(got.status, SCORE_ERROR);
    ck_assert_msg(strstr(errors_last(), said), "%s", errors_last());
}

START_TEST(what_has_no_number_is_an_error)
{
    Score got;
    char longest[61] = "";
    write_llama(llama_config, &(Odd){0});
    Open *o = open_model(64, 4, "");
    memset(longest, '1', 60);
    longest[59] = 0;
    score(o, &(ScalarGolden){"12+3=", longest, 0}, 1, &got);
    ck_assert_int_eq(got.status, SCORE_OK);
    longest[59] = '1';
    char *longer = mem_printf("%s", longest);
    expect_error(o, longer, "the text has 65 tokens: max_context is 64");
    expect_error(o, "hello", "alphabet");
    mem_free(longer);
    close_text(o);
    o = open_model(64, 4, ", template: \"{record.question}\"");
    expect_error(o, "1", "no field question");
    close_text(o);
    write_llama(llama_config, &(Odd){.huge = 3e38f});
    o = open_model(64, 4, "");
    expect_error(o, "15", "not finite");
    close_text(o);
}
END_TEST

/* A million bytes from a model, and questions that nobody waits for. */
START_TEST(long_texts_and_withdrawn_questions_leave_nothing)
{
    write_llama(llama_config, &(Odd){0});
    Open *o = open_model(64, 2, "");
    Judge *j = judges_find(o->block.judges, "rm");
    char *text = mem_zeroed((1 << 20) + 1, 1);
    memset(text, '1', 1 << 20);
    double start = clock_seconds();
    expect_error(o, text, "max_context is 64");
    ck_assert_msg(clock_seconds() - start < 5, "%g s", clock_seconds() - start);
    JudgeQuestion *q[5];
    JudgeAnswer a;
    double r;
    for (int i = 0; i < 5; i++) q[i] = judge_value(j, &(JudgeMessage){"user", "12+3=", 5}, 1);
    judge_withdraw(q[4]);
    judge_withdraw(q[1]);
    ck_assert(!judge_valued(q[2], &a, &r));
    ck_assert(judge_work(j));
    ck_assert(judge_valued(q[2], &a, &r));
    ck_assert_msg(fabs(r - llama_scores[2].score) < 1e-5, "%g", r);
    judge_withdraw(q[0]);
    ck_assert_int_eq(judge_counters(j).open, 1); /* q[3] goes with the judge */
    ck_assert_int_eq(judge_counters(j).answers, 1);
    mem_free(text);
    close_text(o);
}
END_TEST

/* ---- refusals -------------------------------------------------------------------------------- */

START_TEST(wrong_settings_are_said)
{
    static const BadBlock bad[] = {
        {"name: judge_scalar", "`judge`"},
        {"name: judge_scalar, judge: b", "no model called b"},
        {"name: judge_scalar, judge: far", "asked over HTTP"},
        {"name: judge_scalar, judge: a, template: \"{x}\"", "no place {x}"},
        {"name: judge_scalar, judge: a, answer: \"{x}\"", "no place {x}"},
        {"name: judge_scalar, judge: a, template: \"\"", "template is empty"},
        {"name: judge_scalar, judge: a}, {name: judge, judge: a", "to write for another reward"},
        {"name: judge, judge: a}, {name: judge_scalar, judge: a", "to write for another reward"},
    };
    expect_refused(bad, sizeof bad / sizeof *bad);
}
END_TEST

/* The block with the model `path` must be refused. */
static void expect_no_head(const char *path, const char *said)
{
    Config c = {0};
    RewardBlock b = {0};
    char *text = mem_printf("task: {name: sum}\njudges: [{name: rm, model: \"%s\"}]\n"
                            "reward: [{name: judge_scalar, judge: rm}]\n",
                            path);
    errors_quiet(1);
    ck_assert_int_eq(config_parse(&c, "t.yaml", text, NULL, 0), 0);
    ck_assert_msg(reward_block_read(&b, &c) == -1, "accepted, expected: %s", said);
    errors_quiet(-1);
    ck_assert_msg(strstr(errors_last(), said), "%s, expected: %s", errors_last(), said);
    config_free(&c);
    mem_free(text);
}

/* The config with one text in it replaced. Caller frees. */
static char *config_with(const char *from, const char *to)
{
    const char *at = strstr(llama_config, from);
    return mem_printf("%.*s%s%s", (int)(at - llama_config), llama_config, to, at + strlen(from));
}

START_TEST(models_without_one_number_are_refused)
{
    static const struct {
        const char *from, *to, *said;
    } bad[] = {
        {"LlamaForSequenceClassification", "LlamaForCausalLM",
         "is no reward model with a scalar head"},
        {"\"architectures\": [\"LlamaForSequenceClassification\"],", "",
         "a reward model with a scalar head is wanted"},
        {"LlamaForSeq", "Qwen2ForSeq", "not [\"LlamaForSequenceClassification\"]"},
        {"{\"0\": \"LABEL_0\"}", "{\"0\": \"no\", \"1\": \"yes\"}", "names 2 labels"},
        {"\"id2label\": {\"0\": \"LABEL_0\"}", "\"num_labels\": 3", "\"num_labels\" is 3"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *config = config_with(bad[i].from, bad[i].to);
        write_llama(config, &(Odd){0});
        expect_no_head(fixture_folder(), bad[i].said);
        mem_free(config);
    }
    char *silent = config_with("\"id2label\": {\"0\": \"LABEL_0\"},", "");
    write_llama(silent, &(Odd){.head_rows = 2});
    expect_no_head(fixture_folder(), "a head of 2 numbers");
    write_llama(silent, &(Odd){0});
    expect_golden(llama_scores, N_LLAMA, "", 0);
    mem_free(silent);
    expect_no_head(fixture_path("model.safetensors"), "is a Hugging Face folder");
    expect_no_head("policy", "is the policy, which has no scalar head");
}
END_TEST

START_TEST(elsewhere_a_reward_model_is_refused)
{
    Policy p;
    ModelDesc d;
    KernelSet k = {.precision = PRECISION_F32, .product = PRODUCT_F32};
    write_llama(llama_config, &(Odd){0});
    errors_quiet(1);
    ck_assert_int_eq(policy_open(&p, fixture_folder(), &k, true), -1);
    ck_assert_msg(strstr(errors_last(), "judge_scalar asks"), "%s", errors_last());
    ck_assert_int_eq(policy_describe_path(fixture_folder(), &d, NULL), -1);
    ck_assert_msg(strstr(errors_last(), "judge_scalar asks"), "%s", errors_last());
    errors_quiet(-1);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------- */

START_TEST(plan_counts_backbone_and_pass)
{
    KernelSet k = {.precision = PRECISION_F32, .product = PRODUCT_F32};
    JudgeMemory small, large;
    ModelDesc d;
    write_llama(llama_config, &(Odd){0});
    Open *o = open_model(64, 4, "");
    ck_assert_int_eq(judges_memory(o->block.judges, &k, &small), 0);
    close_text(o);
    o = open_model(128, 4, "");
    ck_assert_int_eq(judges_memory(o->block.judges, &k, &large), 0);
    close_text(o);
    ck_assert_int_eq(policy_describe_scalar(fixture_folder(), &d), 0);
    ck_assert_uint_eq(small.weights, model_bytes(&d, &k, false));
    ck_assert_uint_eq(large.weights, small.weights);
    ck_assert_uint_ge(small.engines, model_pass_bytes(&d, 64));
    ck_assert_uint_ge(large.engines - small.engines,
                      model_pass_bytes(&d, 128) - model_pass_bytes(&d, 64));
    ck_assert_uint_eq(small.trainers + large.trainers, 0);
    d.scalar = false, d.tied = true;
    ck_assert_uint_lt(small.weights, model_bytes(&d, &k, false)); /* no LM head is packed */
}
END_TEST

TEST_MAIN("judge scalar", a_llama_scores_as_transformers_does,
          a_qwen2_scores_chats_as_transformers_does, bits_do_not_depend_on_company,
          templates_and_scales_are_settings, what_has_no_number_is_an_error,
          long_texts_and_withdrawn_questions_leave_nothing, wrong_settings_are_said,
          models_without_one_number_are_refused, elsewhere_a_reward_model_is_refused,
          plan_counts_backbone_and_pass)

/* Judges as rewards use them: local and remote behind one interface, votes, what cannot be read,
 * the same answers whatever else is asked, hostile texts. */
#include "rewardsvc/judge.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/yaml.h"
#include "rewardsvc/judge_prompt.h"
#include "rewardsvc/pattern.h"
#include "tests/rewardsvc/judge_scene.h"

enum { N = 5 };

/* ---- a model of this rank ------------------------------------------------------------------- */

static const char local[] =
    "model: {layers: 2, width: 32, mlp: 48, precision: f32}\n"
    "task: {name: sum, digits: 2}\n"
    "judges: [{name: first, model: policy, max_context: 96, batch: %d}]\n"
    "reward:\n"
    "  - {name: judge, judge: first, template: \"{prompt}{answer}\", parse: \"([0-9])\", most: 9,\n"
    "     votes: %d, temperature: 1, max_tokens: 20, retries: 9, scale: false}\n";

static void score_locally(int batch, int votes, int from, int n, double *values, char **notes)
{
    char text[1024];
    Evidence e[N];
    snprintf(text, sizeof text, local, batch, votes);
    Open *o = open_text(text, NULL);
    fill(e, N, "15");
    RewardCase *c = judged(o, e + from, n);
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(reward_case_reward(c, i).status, SCORE_OK);
        values[i] = reward_case_reward(c, i).value;
        notes[i] = mem_text(reward_case_note(c, 0, i));
        ck_assert_ptr_nonnull(notes[i]);
    }
    reward_case_close(c);
    close_text(o);
}

START_TEST(a_local_judge_says_the_same_in_any_company)
{
    double all[N], some[N];
    char *said[N], *again[N];
    score_locally(8, 3, 0, N, all, said);
    score_locally(1, 3, 0, N, some, again);
    for (int i = 0; i < N; i++) {
        ck_assert_double_eq(all[i], some[i]);
        ck_assert_str_eq(said[i], again[i]);
        mem_free(again[i]);
    }
    score_locally(32, 3, 2, 2, some, again);
    for (int i = 0; i < 2; i++) {
        ck_assert_double_eq(all[i + 2], some[i]);
        ck_assert_str_eq(said[i + 2], again[i]);
        mem_free(again[i]);
    }
    bool differ = false; /* samples are asked with random numbers of their own */
    for (int i = 1; i < N; i++) differ |= strcmp(said[i], said[0]) != 0;
    ck_assert(differ);
    for (int i = 0; i < N; i++) mem_free(said[i]);
}
END_TEST

START_TEST(a_question_too_long_is_an_error_with_its_reason)
{
    char text[1024], answer[200];
    Evidence e[N];
    snprintf(text, sizeof text, local, 4, 2);
    Open *o = open_text(text, NULL);
    memset(answer, '7', sizeof answer - 1);
    answer[sizeof answer - 1] = 0;
    fill(e, 1, answer);
    errors_quiet(1);
    RewardCase *c = judged(o, e, 1);
    ck_assert_int_eq(reward_case_reward(c, 0).status, SCORE_ERROR);
    ck_assert_msg(strstr(errors_last(), "max_context is 96"), "%s", errors_last());
    reward_case_close(c);
    /* withdrawn in the middle: the judge can go on */
    fill(e, 3, "1");
    c = reward_case_open(&o->block, e, 3, 0, 0);
    ck_assert(!reward_case_settled(c));
    reward_block_work(&o->block);
    reward_case_close(c);
    c = judged(o, e, 3);
    ck_assert_int_eq(reward_case_reward(c, 0).status, SCORE_OK);
    reward_case_close(c);
    errors_quiet(-1);
    close_text(o);
}
END_TEST

/* The judge's special tokens in an answer, side by side and in one another: taken out, in time that
 * is linear in the text. */
START_TEST(special_tokens_are_taken_out_quickly)
{
    char text[1024];
    Evidence e[N];
    Score plain = {0};
    snprintf(text, sizeof text, local, 4, 2);
    Open *o = open_text(text, NULL);
    for (int run = 0; run < 3; run++) {
        Buffer b = {0};
        const int many = 200000 / (run + 1);
        buffer_text(&b, "1");
        if (run == 1)
            for (int k = 0; k < many; k++) buffer_text(&b, "<eos>");
        for (int k = 0; run == 2 && k < many; k++) buffer_text(&b, "<eo");
        for (int k = 0; run == 2 && k < many; k++) buffer_text(&b, "s>");
        buffer_text(&b, "5");
        fill(e, 1, b.data);
        double start = clock_seconds();
        RewardCase *c = judged(o, e, 1);
        ck_assert_msg(clock_seconds() - start < 2, "%g s", clock_seconds() - start);
        Score s = reward_case_reward(c, 0);
        ck_assert_int_eq(s.status, SCORE_OK);
        if (run) ck_assert_double_eq(s.value, plain.value);
        plain = s;
        reward_case_close(c);
        buffer_free(&b);
    }
    close_text(o);
}
END_TEST

/* ---- a model elsewhere ---------------------------------------------------------------------- */

static Open *open_remote(const JudgeServer *server, const char *script, const char *more,
                         const char *dir)
{
    char *url = judge_url(server, script);
    char *text = mem_printf("task: {name: sum}\n"
                            "judges: [{name: far, model: m, url: \"%s\", retries: 1}]\n"
                            "reward: [{name: judge, judge: far%s}]\n",
                            url, more);
    Open *o = open_text(text, dir);
    mem_free(text);
    mem_free(url);
    return o;
}

static void expect_remote(const JudgeServer *server, const char *script, const char *more,
                          Score want)
{
    Open *o = open_remote(server, script, more, NULL);
    Evidence e[N];
    fill(e, 1, "15");
    errors_quiet(1);
    RewardCase *c = judged(o, e, 1);
    errors_quiet(-1);
    Score got = reward_case_reward(c, 0);
    ck_assert_msg(got.status == want.status, "%s: %s, not %s", script,
                  score_status_name(got.status), score_status_name(want.status));
    ck_assert_msg(fabs(got.value - want.value) < 1e-12, "%s: %g, not %g", script, got.value,
                  want.value);
    reward_case_close(c);
    close_text(o);
}

START_TEST(a_remote_judge_is_read_or_its_failure_is_told)
{
    JudgeServer s = judge_start();
    expect_remote(&s, "ok", "", (Score){0.7, SCORE_OK});
    expect_remote(&s, "ok=Score:_11", "", (Score){0, SCORE_ERROR}); /* outside its range */
    expect_remote(&s, "ok=I_like_it", "", (Score){0, SCORE_ERROR});
    expect_remote(&s, "ok=Score:_3_but_then_again_**Score:**_4.5", ", scale: false",
                  (Score){4.5, SCORE_OK});
    /* asked again with another seed until it can be read, at most `retries` times */
    expect_remote(&s, "ok=hm,ok=hm,ok=Score:_2", ", temperature: 1", (Score){0.2, SCORE_OK});
    expect_remote(&s, "~ok=hm", ", temperature: 1, retries: 2", (Score){0, SCORE_ERROR});
    ck_assert_int_eq(judge_count(&s, "~ok=hm", "requests"), 3);
    expect_remote(&s, "refusal", "", (Score){0, SCORE_REFUSED});
    expect_remote(&s, "400", "", (Score){0, SCORE_ERROR});
    expect_remote(&s, "500,ok", "", (Score){0.7, SCORE_OK});
    expect_remote(&s, "hang", ", deadline_s: 0.2", (Score){0, SCORE_TIMEOUT});
    judge_stop(&s);
}
END_TEST

START_TEST(what_was_answered_is_read_again)
{
    JudgeServer s = judge_start();
    const char *script = "ok=Score:_1,ok=Score:_2,ok=Score:_3,ok=Score:_4,ok=Score:_5,500";
    char dir[] = "/tmp/troupe-judge-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    Evidence e[N];
    double first[N];
    fill(e, N, "15");
    for (int launch = 0; launch < 2; launch++) {
        Open *o = open_remote(&s, script, "", dir);
        RewardCase *c = judged(o, e, N);
        for (int i = 0; i < N; i++) {
            if (launch) ck_assert_double_eq(reward_case_reward(c, i).value, first[i]);
            first[i] = reward_case_reward(c, i).value;
        }
        reward_case_close(c);
        close_text(o);
        ck_assert_int_eq(judge_count(&s, script, "requests"), N); /* the second asks nobody */
    }
    char *file = mem_printf("%s/judges-000.jsonl", dir);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    mem_free(file);
    judge_stop(&s);
}
END_TEST

/* ---- the parts ------------------------------------------------------------------------------ */

static json_t *some_record(void)
{
    return json_pack("{s:s, s:i, s:[i,i]}", "answer", "15", "level", 3, "list", 1, 2);
}

/* Takes the record over. */
static void expect_fill_of(json_t *record, const char *template, const char *want)
{
    const char *text = "<think>12 and 3</think> It is {15}";
    Evidence e = {
        .prompt = "12+3", .n_prompt = 4, .text = text, .n_text = strlen(text), .record = record};
    Buffer b = {0};
    buffer_text(&b, "");
    errors_quiet(1);
    int rc = judge_prompt_fill(template, &e, "answer", NULL, 0, &b);
    errors_quiet(-1);
    if (want) ck_assert_str_eq(b.data, want);
    ck_assert_int_eq(rc, want ? 0 : -1);
    buffer_free(&b);
    json_decref(record);
}

static void expect_fill(const char *template, const char *want)
{
    expect_fill_of(some_record(), template, want);
}

START_TEST(templates_have_places)
{
    json_t *record = some_record();
    json_object_set_new(record, "question", json_string("What is 12+3?"));
    expect_fill_of(record, "{question} asked as {prompt}", "What is 12+3? asked as 12+3");
    expect_fill("{question}", "12+3");
    expect_fill("{prompt} -> {final} ({reference}), {think}", "12+3 -> It is {15} (15), 12 and 3");
    expect_fill("{record.level}{record.list} {{prompt}}", "3[1,2] {prompt}");
    expect_fill("{record.none}", NULL);
    errors_quiet(1);
    ck_assert_int_eq(judge_prompt_check("{answer} {nonsense}", NULL, 0), -1);
    ck_assert_int_eq(judge_prompt_check("open {answer", NULL, 0), -1);
    ck_assert_int_eq(judge_prompt_check("shut }", NULL, 0), -1);
    ck_assert_int_eq(judge_prompt_check("{record.whatever}", NULL, 0), 0);
    ck_assert_int_eq(judge_prompt_check("{other}", &(PromptPlace){"other", NULL, 0}, 1), 0);
    errors_quiet(-1);
}
END_TEST

START_TEST(patterns_have_limits)
{
    Span g[2];
    Pattern *p = pattern_open("x(\\d+)");
    ck_assert_int_eq(pattern_groups(p), 1);
    ck_assert_int_eq(pattern_find(p, span_of("x1 x22 y3"), false, g, 2), 1);
    ck_assert_int_eq((int)g[1].n, 1);
    ck_assert_int_eq(pattern_find(p, span_of("x1 x22 y3"), true, g, 2), 1);
    ck_assert_int_eq((int)g[1].n, 2);
    ck_assert_int_eq(pattern_find(p, span_of("y"), true, g, 2), 0);
    pattern_close(p);
    errors_quiet(1);
    ck_assert_ptr_null(pattern_open("(a)\\1"));
    ck_assert_ptr_null(pattern_open("(a"));
    char *deep = mem_text_n("", 0), *many;
    for (int i = 0; i < 100; i++) many = mem_printf("(%s)", deep), mem_free(deep), deep = many;
    ck_assert_ptr_null(pattern_open(deep));
    mem_free(deep);
    p = pattern_open("(x+x+)+y");
    char *xs = mem_zeroed(100003, 1);
    memset(xs, 'x', 100000);
    xs[100000] = '!', xs[100001] = 'y';
    double start = clock_seconds();
    ck_assert_int_eq(pattern_find(p, span_of(xs), false, g, 2), -1);
    ck_assert_msg(clock_seconds() - start < 5, "%g s", clock_seconds() - start);
    errors_quiet(-1);
    mem_free(xs);
    pattern_close(p);
}
END_TEST

START_TEST(a_wrong_block_is_said_with_its_place)
{
    static const struct {
        const char *text, *said;
    } bad[] = {
        {"judges: [{name: a}]\nreward: [random]", "needs `model`"},
        {"judges: [{name: a, model: m, url: \"http://x/v1\", batch: 3}]\nreward: [random]",
         "has a url"},
        {"judges: [{name: a, model: m, retries: 3}]\nreward: [random]", "this one has none"},
        {"judges: [{name: a, model: m}, {name: a, model: n}]\nreward: [random]", "two judges"},
        {"judges: [{name: a b, model: m}]\nreward: [random]", "letters"},
        {"judges: [{name: a, model: m, modle: n}]\nreward: [random]", "did you mean model?"},
        {"judges: [{name: a, model: m}]\nreward: [{name: judge, judge: b}]", "no model called b"},
        {"reward: [{name: judge, judge: b}]", "no model called b"},
        {"judges: [{name: a, model: m}]\nreward: [judge]", "needs `judge`"},
        {"judges: [{name: a, model: m}]\nreward: [{name: judge, judge: a, votes: 3}]",
         "the same vote"},
        {"judges: [{name: a, model: m}]\nreward: [{name: judge, judge: a, parse: x}]", "no group"},
        {"judges: [{name: a, model: m}]\nreward: [{name: judge, judge: a, template: \"{x}\"}]",
         "no place {x}"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Config c = {0};
        RewardBlock b = {0};
        char *text = mem_printf("task: {name: sum}\n%s\n", bad[i].text);
        errors_quiet(1);
        ck_assert_msg(config_parse(&c, "t.yaml", text, NULL, 0) == 0, "%s", errors_last());
        ck_assert_msg(reward_block_read(&b, &c) == -1, "%s", bad[i].text);
        errors_quiet(-1);
        ck_assert_msg(strstr(errors_last(), bad[i].said), "%s: %s", bad[i].text, errors_last());
        config_free(&c);
        mem_free(text);
    }
}
END_TEST

TEST_MAIN("judge", a_local_judge_says_the_same_in_any_company,
          a_question_too_long_is_an_error_with_its_reason, special_tokens_are_taken_out_quickly,
          a_remote_judge_is_read_or_its_failure_is_told, what_was_answered_is_read_again,
          templates_have_places, patterns_have_limits, a_wrong_block_is_said_with_its_place)

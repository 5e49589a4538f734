/* Listeners: what they hear, how sure they are, and the passes behind that: exact, alone or not. */
#include "common/policy.h"
#include "rewardsvc/judge.h"
#include "rewardsvc/listening.h"
#include "tests/rewardsvc/judge_scene.h"

/* ---- what is heard -------------------------------------------------------------------------- */

static void expect_heard(const char *answer, const char *want)
{
    Pattern *p = pattern_open("(?i)\\bso it is|the answer is");
    Buffer b = {0};
    ck_assert_int_eq(listening_text(span_of(answer), p, &b), 0);
    ck_assert_str_eq(b.data, want);
    buffer_free(&b);
    pattern_close(p);
}

START_TEST(conclusions_are_left_out)
{
    expect_heard("<think>a b</think> it is c", "a b");
    expect_heard("  <think>\na b</think>x</think> y", "a b</think>x");
    expect_heard("12 and 3. <answer>15</answer> Yes.", "12 and 3.  Yes.");
    expect_heard("one <answer>1</answer> two <answer>2", "one  two");
    expect_heard("thus \\boxed{\\frac{1}{2}} holds", "thus  holds");
    expect_heard("\\boxed{never closed", "");
    expect_heard("I add. So it is 15! Then\nall is well. The answer is 15.\nEnd",
                 "I add. Then\nall is well.\nEnd");
    expect_heard("", "");
    expect_heard("<think></think>15", "");
    expect_heard("a\xff z", "a\xEF\xBF\xBD z");
    Buffer b = {0};
    ck_assert_int_eq(listening_text(span_of("So it is 15."), NULL, &b), 0);
    ck_assert_str_eq(b.data, "So it is 15.");
    buffer_free(&b);
}
END_TEST

START_TEST(hostile_answers_are_heard_quickly)
{
    static const char *const units[] = {"<answer>", "\\boxed{", "{",         "a. ",
                                        "so it is", "\n",       "</answer>", "\xff"};
    Pattern *p = pattern_open("(?i)\\b(so|thus)\\b.{0,40}\\banswer");
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        Buffer all = {0}, out = {0};
        while (all.size + 16 < MOST_REASONING) buffer_text(&all, units[k]);
        double start = clock_seconds();
        ck_assert_int_eq(listening_text((Span){all.data, all.size}, p, &out), 0);
        ck_assert_msg(clock_seconds() - start < 2, "%s: %g s", units[k], clock_seconds() - start);
        buffer_free(&all);
        buffer_free(&out);
    }
    char *large = mem_zeroed(MOST_REASONING + 2, 1);
    memset(large, 'a', MOST_REASONING + 1);
    Buffer out = {0};
    errors_quiet(1);
    ck_assert_int_eq(listening_text(span_of(large), p, &out), -1);
    errors_quiet(-1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "bytes"));
    mem_free(large);
    pattern_close(p);
}
END_TEST

START_TEST(probabilities_are_a_softmax_of_the_options)
{
    double lp[] = {2, .5};
    ck_assert_double_eq_tol(listening_probability(lp, 2, 0), .817574, 1e-6);
    ck_assert_double_eq_tol(listening_probability(lp, 2, 1), .182426, 1e-6);
    double low[] = {-2000, -2001.5, -INFINITY};
    ck_assert_double_eq_tol(listening_probability(low, 3, 0), .817574, 1e-6);
    ck_assert_double_eq(listening_probability(low, 3, 2), 0);
}
END_TEST

/* ---- passes --------------------------------------------------------------------------------- */

#define NEAR                                                                                       \
    "model: {layers: 2, width: 32, mlp: 48, precision: f32}\n"                                     \
    "task: {name: sum, digits: 2}\n"                                                               \
    "judges: [{name: near, model: policy, max_context: 96, batch: 4}]\n"

static Open *open_near(void)
{
    return open_text(NEAR "reward: [{name: judge_listener, judge: near, options: \"1|2\", "
                          "template: \"{reasoning}\", prefix: \"=\", verdicts: \"\"}]\n",
                     NULL);
}

static JudgeQuestion *rate(Judge *j, const char *prefix, int n, const char *const *options)
{
    Span list[JUDGE_MOST_OPTIONS];
    for (int k = 0; k < n; k++) list[k] = span_of(options[k]);
    JudgeMessage m = {"user", "12+3=", 5};
    return judge_rate(j, &(JudgeRating){.n_messages = 1,
                                        .messages = &m,
                                        .prefix = prefix,
                                        .n_options = n,
                                        .options = list,
                                        .tag = "t"});
}

static ScoreStatus rated(Judge *j, JudgeQuestion *q, double *lp)
{
    JudgeAnswer a;
    double end = clock_seconds() + 60;
    while (!judge_rated(q, &a, lp)) {
        judge_work(j);
        ck_assert_msg(clock_seconds() < end, "no answer in 60 s");
    }
    ScoreStatus status = a.status;
    if (a.reason) fail("%s", a.reason);
    judge_answer_free(&a);
    return status;
}

START_TEST(ratings_follow_the_chain_rule_exactly)
{
    Open *o = open_near();
    Judge *j = judges_find(o->block.judges, "near");
    double both, first, second[3], all[40], sum = 0;
    static const char *const symbols[] = {"0", "1", "2",       "3",        "4",        "5",
                                          "6", "7", "8",       "9",        "+",        "=",
                                          ";", "c", "<think>", "</think>", "<answer>", "</answer>"};
    ck_assert_int_eq(rated(j, rate(j, "", 1, (const char *const[]){"12"}), &both), SCORE_OK);
    ck_assert_int_eq(rated(j, rate(j, "", 1, (const char *const[]){"1"}), &first), SCORE_OK);
    ck_assert_int_eq(rated(j, rate(j, "1", 3, (const char *const[]){"999", "2", "3+4"}), second),
                     SCORE_OK);
    ck_assert_double_eq(both, first + second[1]);
    ck_assert_int_eq(rated(j, rate(j, "", 18, symbols), all), SCORE_OK);
    for (int k = 0; k < 18; k++) sum += exp(all[k]);
    ck_assert_msg(sum > 0.8 && sum < 1, "%g with all but the end of text", sum);
    ck_assert_double_eq(all[1], first);
    close_text(o);
}
END_TEST

START_TEST(ratings_are_the_same_in_any_company)
{
    Open *o = open_near();
    Judge *j = judges_find(o->block.judges, "near");
    static const char *const options[] = {"15", "16", "1"};
    double alone[3], among[3], other[3];
    ck_assert_int_eq(rated(j, rate(j, "=", 3, options), alone), SCORE_OK);
    JudgeMessage m = {"user", "99+1", 4};
    JudgeQuestion *writing = judge_ask(j, &(JudgeRequest){.n_messages = 1,
                                                          .messages = &m,
                                                          .n = 4,
                                                          .temperature = 1,
                                                          .top_p = 1,
                                                          .max_tokens = 20,
                                                          .tag = "w"});
    JudgeQuestion *before = rate(j, "+", 3, options), *gone = rate(j, "+", 3, options);
    JudgeQuestion *last = rate(j, "=", 3, options);
    judge_work(j);
    judge_withdraw(gone);
    ck_assert_int_eq(rated(j, last, among), SCORE_OK);
    ck_assert_int_eq(rated(j, before, other), SCORE_OK);
    for (int k = 0; k < 3; k++) ck_assert_double_eq(alone[k], among[k]);
    ck_assert_double_ne(other[0], alone[0]);
    JudgeAnswer answers[4];
    while (!judge_answered(writing, answers)) judge_work(j);
    for (int i = 0; i < 4; i++) judge_answer_free(&answers[i]);
    ck_assert_int_eq(judge_counters(j).open, 0);
    rate(j, "=", 3, options); /* never taken: goes with the judge */
    close_text(o);
}
END_TEST

START_TEST(what_cannot_be_rated_is_said)
{
    Open *o = open_near();
    Judge *j = judges_find(o->block.judges, "near");
    double lp[2];
    char longest[100];
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    const struct {
        const char *prefix, *option, *said;
    } bad[] = {
        {"=", longest, "max_context is 96"},
        {longest, "1", "max_context is 96"},
        {"=", "x", "alphabet"},
        {"x", "1", "alphabet"},
        {"=", "<eos>", "has no tokens"}, /* special tokens are taken out of what is asked */
    };
    errors_quiet(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        JudgeQuestion *q = rate(j, bad[i].prefix, 2, (const char *const[]){"1", bad[i].option});
        ck_assert_int_eq(rated(j, q, lp), SCORE_ERROR);
        ck_assert_msg(strstr(errors_last(), bad[i].said), "%s: %s", bad[i].said, errors_last());
    }
    errors_quiet(-1);
    close_text(o);
}
END_TEST

/* ---- the reward ----------------------------------------------------------------------------- */

static Score heard(Open *o, const char *text, const json_t *record, char **note)
{
    Evidence e[1];
    fill(e, 1, text);
    e[0].record = record;
    errors_quiet(1);
    RewardCase *c = judged(o, e, 1);
    errors_quiet(-1);
    Score s = reward_case_reward(c, 0);
    if (note) *note = mem_text(reward_case_note(c, 0, 0));
    reward_case_close(c);
    return s;
}

START_TEST(the_right_options_probability_is_the_score)
{
    Open *o = open_near();
    json_t *one = json_pack("{s:i}", "answer", 1), *two = json_pack("{s:s}", "answer", " 2 "),
           *three = json_pack("{s:i}", "answer", 3), *none = json_object();
    char *note;
    Score a = heard(o, "<think>12+3</think>1", one, &note), b = heard(o, "12+3", two, NULL);
    ck_assert_int_eq(a.status, SCORE_OK);
    ck_assert_int_eq(b.status, SCORE_OK);
    ck_assert_double_eq_tol(a.value + b.value, 1, 1e-12); /* they heard the same */
    ck_assert(a.value > 0 && b.value > 0);
    ck_assert_msg(!strncmp(note, "p(1) = 0.", 9) && strstr(note, "having heard:\n\n12+3"), "%s",
                  note);
    mem_free(note);
    ck_assert_int_eq(heard(o, "", one, NULL).status, SCORE_OK); /* what it thinks unheard */
    ck_assert_int_eq(heard(o, "12", three, NULL).status, SCORE_ERROR);
    ck_assert_msg(strstr(errors_last(), "none of the options"), "%s", errors_last());
    ck_assert_int_eq(heard(o, "12", none, NULL).status, SCORE_ERROR);
    json_decref(one), json_decref(two), json_decref(three), json_decref(none);
    close_text(o);
    /* options of the record */
    o = open_text(NEAR "reward: [{name: judge_listener, judge: near, options_field: list, "
                       "template: \"{reasoning}{record.list}\", prefix: \"\"}]\n",
                  NULL);
    json_t *bad = json_pack("{s:s, s:[s,s]}", "answer", "1", "list", "1", "1");
    ck_assert_int_eq(heard(o, "12", bad, NULL).status, SCORE_ERROR);
    ck_assert_msg(strstr(errors_last(), "there twice"), "%s", errors_last());
    json_decref(bad);
    close_text(o);
}
END_TEST

static Score far(const JudgeServer *s, const char *script, const char *options)
{
    char *more = mem_printf(", prefix: \"\", options: \"%s\"", options);
    Open *o = open_asking(s, script, "judge_listener", more);
    json_t *record = json_pack("{s:s}", "answer", "yes");
    Score got = heard(o, "because", record, NULL);
    json_decref(record);
    close_text(o);
    mem_free(more);
    return got;
}

START_TEST(a_listener_elsewhere_tells_its_likeliest_tokens)
{
    JudgeServer s = judge_start();
    double other = 0; /* the server's likeliest 20: its text, then 19 times "other" */
    for (int i = 1; i < 20; i++) other += exp(-0.25 * (i + 1));
    Score got = far(&s, "ok=_yes", "yes|other");
    ck_assert_int_eq(got.status, SCORE_OK);
    ck_assert_double_eq_tol(got.value, exp(-.25) / (exp(-.25) + other), 1e-9);
    ck_assert_int_eq(far(&s, "ok=yes", "yes|no").status, SCORE_ERROR);
    ck_assert_msg(strstr(errors_last(), "option \"no\" is no token"), "%s", errors_last());
    ck_assert_int_eq(far(&s, "refusal", "yes|other").status, SCORE_REFUSED);
    ck_assert_int_eq(far(&s, "400", "yes|other").status, SCORE_ERROR);
    ck_assert_msg(strstr(errors_last(), "as told: 400"), "%s", errors_last());
    judge_stop(&s);
}
END_TEST

START_TEST(wrong_settings_are_said)
{
    static const BadBlock bad[] = {
        {"name: judge_listener, judge: a", "options or options_field"},
        {"name: judge_listener, judge: a, options: \"A|B\", options_field: x", "give either"},
        {"name: judge_listener, judge: a, options: \"A|B\", template: \"{x}\"", "no place {x}"},
        {"name: judge_listener, judge: a, options: \"A|B\", verdicts: \"(\"",
         "closing parenthesis"},
        {"name: judge_listener, judge: b, options: \"A|B\"", "no model called b"},
        {"name: judge_listener, judge: far, options: \"A|B\"", "asked over HTTP"},
    };
    expect_refused(bad, sizeof bad / sizeof *bad);
}
END_TEST

TEST_MAIN("judge listener", conclusions_are_left_out, hostile_answers_are_heard_quickly,
          probabilities_are_a_softmax_of_the_options, ratings_follow_the_chain_rule_exactly,
          ratings_are_the_same_in_any_company, what_cannot_be_rated_is_said,
          the_right_options_probability_is_the_score,
          a_listener_elsewhere_tells_its_likeliest_tokens, wrong_settings_are_said)

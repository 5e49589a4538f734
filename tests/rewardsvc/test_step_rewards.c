/* Rewards of steps from the judge's scores to the advantages of tokens: the worked numbers of
 * specification 1, section 13, through everything that they pass on the way. */
#include "learner/advantage.h"
#include "learner/loss.h"
#include "rewardsvc/group_case.h"
#include "rewardsvc/passage.h"
#include "tests/rewardsvc/judge_scene.h"

static const RewardRun run = {.seed = 7, .steps = 10, .max_tokens = 64};

/* Tokens of two bytes; the last one, the end of the text, has none. */
static void set_text(Sample *s, const char *text)
{
    int n = (int)strlen(text);
    s->text = mem_text(text);
    s->n_tokens = (n + 1) / 2 + 1;
    s->tokens = NEW(int32_t, s->n_tokens);
    s->logprobs = NEW(float, s->n_tokens);
    s->text_ends = NEW(int32_t, s->n_tokens);
    for (int t = 0; t < s->n_tokens; t++) s->text_ends[t] = 2 * t + 2 < n ? 2 * t + 2 : n;
}

/* A right answer of four lines, in which one byte is no UTF-8, and a wrong one of one line. */
static Group two_answers(void)
{
    Group g = {.id = 3,
               .prompt_text = mem_text("12+3="),
               .record = mem_text("{}"),
               .n_prompt = 1,
               .prompt = NEW(int32_t, 1),
               .n_samples = 2,
               .samples = NEW(Sample, 2)};
    set_text(&g.samples[0], "aaaa\nbb\xff\ncc\nd right"); /* ends of lines: 4, 8, 11, 19 */
    set_text(&g.samples[1], "zz");
    return g;
}

static Group judged_group(const JudgeServer *server, const char *script, const char *settings)
{
    char *url = judge_url(server, script);
    char *text = mem_printf("task: {name: sum}\njudges: [{name: far, model: m, url: \"%s\", "
                            "retries: 0, concurrency: 1}]\n"
                            "reward:\n- {name: regex, pattern: right}\n"
                            "- {name: judge, judge: far, weight: 0, steps: lines, template: "
                            "\"{step}\", deadline_s: 60}\n"
                            "- {name: step_rewards, component: judge, eta: 0.7%s}\n",
                            url, settings);
    Open *o = open_text(text, NULL);
    Group g = two_answers();
    GroupCase k;
    ck_assert_int_eq(group_case_open(&k, &g, &run), 0);
    group_case_begin(&k, &o->block, 0, run.steps);
    errors_quiet(1);
    while (!reward_case_settled(k.c)) reward_block_wait(&o->block);
    errors_quiet(-1);
    group_case_finish(&k, &o->block);
    group_case_close(&k);
    close_text(o);
    mem_free(text);
    mem_free(url);
    return g;
}

static const char four[] = "ok=Score:_9,ok=Score:_6,ok=Score:_8,ok=Score:_3,ok=Score:_9";

START_TEST(every_kind_reaches_the_tokens_as_its_returns)
{
    static const struct {
        const char *kind;
        double rewards[4], returns[5], sum; /* rewards: alpha times the step's */
    } cases[] = {
        {", kind: raw", {.45, .3, .4, .15}, {2.3, 1.85, 1.55, 1.15, 1}, 1.3},
        {", kind: clip", {0, -.05, 0, -.2}, {.75, .75, .8, .8, 1}, -.25},
        {", kind: delta", {.15, -.1, .4, 0}, {1.45, 1.3, 1.4, 1, 1}, .45},
        {"", {.05, -.05, 0, 0}, {1, .95, 1, 1, 1}, 0},
    };
    static const int32_t ends[] = {2, 4, 6, 10};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        JudgeServer server = judge_start(); /* it goes on in a script where it was */
        double returns[5];
        Group g = judged_group(&server, four, cases[i].kind);
        const Sample *s = &g.samples[0];
        ck_assert_int_eq(s->n_steps, 4);
        ck_assert_double_eq(s->reward.value, 1);
        ck_assert_double_eq_tol(s->components[2].value, cases[i].sum, 1e-12);
        ck_assert_int_eq(advantage_returns(s, returns), 5);
        for (int k = 0; k < 5; k++) {
            ck_assert_double_eq_tol(returns[k], cases[i].returns[k], 1e-12);
            if (k == 4) break;
            ck_assert_int_eq(s->steps[k].end, ends[k]);
            ck_assert_double_eq_tol(s->steps[k].reward, cases[i].rewards[k], 1e-12);
        }
        /* one step: nothing but raw */
        ck_assert_int_eq(g.samples[1].n_steps, i == 0);
        ck_assert_double_eq(g.samples[1].reward.value, 0);
        group_free(&g);
        judge_stop(&server);
    }
}
END_TEST

/* r - mean of the parts' returns 1 .95 1 1 1 | 0: mean 0.825. */
START_TEST(a_token_has_the_advantage_of_its_step)
{
    static const double by_part[] = {.175, .125, .175, .175, .175};
    JudgeServer server = judge_start();
    Group g = judged_group(&server, four, "");
    AdvantageCounts n = advantage_assign(advantage_find("dr_grpo"), 0, 0, &g);
    ck_assert(!n.equal && n.n_counted == 2);
    LossCounts counts = {0};
    LossRows rows = {0};
    loss_count(&g, 0, &counts);
    loss_rows_fill(&rows, &g, 0, AGGREGATE_TOKEN, &counts);
    const Sample *s = &g.samples[0];
    ck_assert_int_eq(rows.n, s->n_tokens + g.samples[1].n_tokens);
    for (int t = 0, k = 0; t < s->n_tokens; t++) {
        if (k < 4 && t == s->steps[k].end) k++;
        ck_assert_double_eq_tol((double)rows.advantage[t], by_part[k], 1e-7);
    }
    for (int t = s->n_tokens; t < rows.n; t++)
        ck_assert_double_eq_tol((double)rows.advantage[t], -.825, 1e-7);
    loss_rows_free(&rows);
    group_free(&g);
    judge_stop(&server);
}
END_TEST

/* A step whose score cannot be read: the answer keeps its own reward alone. */
START_TEST(a_missing_score_leaves_the_answers_reward)
{
    JudgeServer server = judge_start();
    Group g = judged_group(&server, "ok=Score:_9,ok=hm,ok=Score:_8,ok=Score:_3,ok=Score:_9", "");
    ck_assert_int_eq(g.samples[0].n_steps, 0);
    ck_assert_int_eq(g.samples[0].reward.status, SCORE_OK);
    ck_assert_double_eq(g.samples[0].reward.value, 1);
    ck_assert_int_eq(g.samples[0].components[2].status, SCORE_NOT_APPLICABLE);
    group_free(&g);
    judge_stop(&server);
}
END_TEST

START_TEST(a_place_in_repaired_text_is_found_in_the_bytes)
{
    const char bytes[] = "a\xff\xc3\xa4"
                         "bc"; /* repaired: a, U+FFFD (3 bytes), 2 bytes, b, c */
    static const struct {
        size_t of, want;
    } cases[] = {{0, 0}, {1, 1}, {4, 2}, {6, 4}, {7, 5}, {8, 6}, {99, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_uint_eq(passage_bytes(span_of(bytes), cases[i].of), cases[i].want);
}
END_TEST

TEST_MAIN("step_rewards", every_kind_reaches_the_tokens_as_its_returns,
          a_token_has_the_advantage_of_its_step, a_missing_score_leaves_the_answers_reward,
          a_place_in_repaired_text_is_found_in_the_bytes)

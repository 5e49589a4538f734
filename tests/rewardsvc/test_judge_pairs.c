/* Judges that compare: which pairs, in which order, what is read, what a share is made of; in one
 * turn and in two. */
#include "rewardsvc/pairs.h"
#include "rewardsvc/votes.h"
#include "tests/rewardsvc/judge_scene.h"

static JudgeServer server;

static Score ok(double value)
{
    return score_ok(value);
}
static const Score none = {0, SCORE_ERROR};

/* ---- the numbers ---------------------------------------------------------------------------- */

static void expect_advantage(int G, const double *d, const double *want)
{
    double A[4];
    pairs_advantage(d, G, A);
    for (int i = 0; i < G; i++)
        ck_assert_msg(fabs(A[i] - want[i]) < 2e-6, "A[%d] %.7f, not %.7f", i, A[i], want[i]);
}

START_TEST(pairwise_advantages_are_the_papers)
{
    Pairs p;
    double d[16];
    pairs_init(&p, 3); /* s > 0: the second is better */
    pairs_add(&p, 0, 1, -2);
    pairs_add(&p, 0, 2, 1);
    pairs_add(&p, 1, 2, 3);
    pairs_differences(&p, d);
    for (int c = 0; c < 9; c++)
        ck_assert_double_eq(d[c], ((double[]){0, -2, 1, 2, 0, 3, -1, -3, 0})[c]);
    expect_advantage(3, d, (double[]){-.218218, 1.091089, -.872871});
    pairs_add(&p, 2, 1, -5); /* a second opinion: the mean counts */
    pairs_differences(&p, d);
    ck_assert_double_eq(d[5], 4);
    pairs_free(&p);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) d[4 * i + j] = i == j ? 0 : i < j ? 1 : -1;
    expect_advantage(4, d, (double[]){1.060659, .353553, -.353553, -1.060659});
    expect_advantage(3, (double[]){0, 1, -1, -1, 0, 1, 1, -1, 0}, (double[]){0, 0, 0});
    expect_advantage(2, (double[]){0, 0, 0, 0}, (double[]){0, 0});
}
END_TEST

/* ---- who is compared with whom -------------------------------------------------------------- */

#define NUMBERS ", template: \"{first} {second}\", parse: \"\\\\[\\\\[(A|B|tie)\\\\]\\\\]\""

START_TEST(a_score_is_the_share_of_comparisons_won)
{
    server = judge_start();
    static const char *const four[] = {"1", "2", "3", "2"};
    expect_asked(&server, "compare", "judge_pairs", NUMBERS, 4, four,
                 (Score[]){ok(0), ok(.5), ok(1), ok(.5)});
    ck_assert_int_eq(judge_count(&server, "compare", "requests"), 12);
    expect_asked(&server, "compare+0", "judge_pairs", NUMBERS ", order: random, tie: 0.25", 4, four,
                 (Score[]){ok(0), ok(1.25 / 3), ok(1), ok(1.25 / 3)});
    ck_assert_int_eq(judge_count(&server, "compare+0", "requests"), 6);
    /* one that likes what it sees first says nothing */
    expect_asked(&server, "ok=[[A]]", "judge_pairs", NUMBERS, 4, four,
                 (Score[]){ok(.5), ok(.5), ok(.5), ok(.5)});
    static const char *const alone[] = {"1"};
    expect_asked(&server, "compare", "judge_pairs", NUMBERS, 1, alone,
                 (Score[]){score_failed(SCORE_NOT_APPLICABLE)});
    judge_stop(&server);
}
END_TEST

START_TEST(opponents_are_drawn)
{
    server = judge_start();
    static const char *const six[] = {"5", "1", "4", "2", "6", "3"};
    const char *const drawn = NUMBERS ", against: random, order: random, opponents: 2";
    double values[2][6];
    for (int run = 0; run < 2; run++) {
        Open *o = open_asking(&server, run ? "compare+0" : "compare", "judge_pairs", drawn);
        Evidence e[6];
        fill(e, 6, "");
        for (int i = 0; i < 6; i++) e[i].text = six[i], e[i].n_text = 1;
        RewardCase *c = judged(o, e, 6);
        for (int i = 0; i < 6; i++) values[run][i] = reward_case_reward(c, i).value;
        reward_case_close(c);
        close_text(o);
    }
    int asked = judge_count(&server, "compare", "requests");
    ck_assert_msg(asked >= 6 && asked <= 12, "%d comparisons", asked);
    ck_assert_int_eq(asked, judge_count(&server, "compare+0", "requests"));
    for (int i = 0; i < 6; i++) ck_assert_double_eq(values[0][i], values[1][i]);
    ck_assert_double_eq(values[0][4], 1);
    ck_assert_double_eq(values[0][1], 0);
    judge_stop(&server);
}
END_TEST

START_TEST(an_anchor_is_of_the_record)
{
    server = judge_start();
    json_t *record = json_pack("{s:s, s:i}", "anchor", "3", "number", 3);
    for (int run = 0; run < 2; run++) {
        Open *o = open_asking(&server, "compare", "judge_pairs",
                              run ? NUMBERS ", against: anchor, anchor: number"
                                  : NUMBERS ", against: anchor");
        Evidence e[3];
        fill(e, 3, "");
        for (int i = 0; i < 3; i++) {
            e[i].text = ((const char *[]){"2", "3", "4"})[i], e[i].n_text = 1;
            e[i].record = record;
        }
        errors_quiet(1);
        RewardCase *c = judged(o, e, 3);
        errors_quiet(-1);
        for (int i = 0; i < 3; i++) {
            Score got = reward_case_reward(c, i);
            ck_assert_int_eq(got.status, run ? SCORE_ERROR : SCORE_OK);
            if (!run) ck_assert_double_eq(got.value, i / 2.);
        }
        if (run) ck_assert_msg(strstr(errors_last(), "no text \"number\""), "%s", errors_last());
        reward_case_close(c);
        close_text(o);
    }
    json_decref(record);
    judge_stop(&server);
}
END_TEST

/* ---- what is read --------------------------------------------------------------------------- */

#define TAG(letter) "ok=%3Canswer%3E[[" letter "]]%3C/answer%3E"

START_TEST(verdicts_that_cannot_be_read_are_left_out)
{
    server = judge_start();
    static const char *const two[] = {"1", "2"};
    const char *t = ", template: \"{first} {second}\"";
    expect_asked(&server, TAG("A") "," TAG("B"), "judge_pairs", t, 2, two, (Score[]){ok(1), ok(0)});
    expect_asked(&server, "ok=hm," TAG("A"), "judge_pairs", t, 2, two, (Score[]){ok(0), ok(1)});
    ck_assert_int_eq(judge_count(&server, "ok=hm," TAG("A"), "requests"), 2);
    expect_asked(&server, "ok=[[A]]", "judge_pairs", t, 2, two, (Score[]){none, none});
    expect_asked(&server, TAG("A") TAG("B"), "judge_pairs", t, 2, two, (Score[]){none, none});
    expect_asked(&server, "refusal," TAG("B"), "judge_pairs", t, 2, two, (Score[]){ok(1), ok(0)});
    expect_asked(&server, "refusal", "judge_pairs", t, 2, two,
                 (Score[]){score_failed(SCORE_REFUSED), score_failed(SCORE_REFUSED)});
    expect_asked(&server, "hang", "judge_pairs", ", deadline_s: 0.1", 2, two,
                 (Score[]){score_failed(SCORE_TIMEOUT), score_failed(SCORE_TIMEOUT)});
    /* asked again with other random numbers */
    int order[2];
    votes_order(0, 37, 32768 + 2, 2, order);
    const char *again = "ok=hm,ok=hm," TAG("A");
    expect_asked(&server, again, "judge_pairs",
                 ", template: \"{first} {second}\", temperature: 1, order: random, retries: 2", 2,
                 two, (Score[]){ok(!order[0]), ok(order[0])});
    ck_assert_int_eq(judge_count(&server, again, "requests"), 3);
    judge_stop(&server);
}
END_TEST

/* Think-RM's example through a judge; which of two is shown first is drawn. */
START_TEST(strengths_become_differences_and_advantages)
{
    server = judge_start();
    static const char *const three[] = {"a", "b", "c"};
    static const int pairs[3][3] = {{0, 1, 2}, {0, 2, -1}, {1, 2, -3}};
    Buffer script = {0};
    int flips = 0;
    for (int k = 0; k < 3; k++) {
        int order[2], s = pairs[k][2];
        votes_order(0, 37, (pairs[k][0] + 1) * 32768 + pairs[k][1] + 1, 2, order);
        flips += order[0];
        buffer_printf(&script, "%sok=Strength:_%d", k ? "," : "", order[0] ? -s : s);
    }
    ck_assert_msg(flips > 0, "no pair is shown the other way round: choose another group");
    const char *difference = ", read: strength, order: random, score: difference";
    expect_asked(&server, script.data, "judge_pairs", difference, 3, three,
                 (Score[]){ok(-.5), ok(2.5), ok(-2)});
    double A[3];
    pairs_advantage((double[]){0, -2, 1, 2, 0, 3, -1, -3, 0}, 3, A);
    buffer_text(&script, ",500"); /* another script, asked from its first word */
    expect_asked(&server, script.data, "judge_pairs",
                 ", read: strength, order: random, score: advantage", 3, three,
                 (Score[]){ok(A[0]), ok(A[1]), ok(A[2])});
    expect_asked(&server, "ok=Strength:_0", "judge_pairs", difference, 2, three,
                 (Score[]){none, none});
    expect_asked(&server, "ok=Strength:_4", "judge_pairs", difference, 2, three,
                 (Score[]){none, none});
    buffer_free(&script);
    judge_stop(&server);
}
END_TEST

/* ---- two turns ------------------------------------------------------------------------------ */

#define BOX(n) "ok=%23%23_Ranking%0A%5Cboxed%7B" n "%7D"
#define TURNS  ", branch: \"one {first} {second}\", rethink: \"two\""

START_TEST(two_turns_are_one_conversation)
{
    server = judge_start();
    static const char *const two[] = {"1", "2"};
    const char *once = TURNS ", order: random";
    int order[2];
    votes_order(0, 37, 32768 + 2, 2, order);
    Score first = ok(!order[0]), second = ok(order[0]);
    expect_asked(&server, "ok=focus," BOX("1"), "judge_rethink", once, 2, two,
                 (Score[]){first, second});
    expect_asked(&server, "ok=focus," BOX("2"), "judge_rethink", once, 2, two,
                 (Score[]){second, first});
    static const char *const malformed[] = {
        "ok=focus,ok=hm",     "ok=focus," BOX("x"),           "ok=focus," BOX("12"),
        "ok=focus," BOX("3"), BOX("1") ",ok=%5Cboxed%7B1%7D", /* a verdict in the first turn only */
    };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        expect_asked(&server, malformed[i], "judge_rethink", once, 2, two, (Score[]){none, none});
    /* a first turn that was cut goes on; one that was refused does not */
    expect_asked(&server, "length," BOX("1"), "judge_rethink", once, 2, two,
                 (Score[]){first, second});
    expect_asked(&server, "refusal," BOX("1"), "judge_rethink", once, 2, two,
                 (Score[]){score_failed(SCORE_REFUSED), score_failed(SCORE_REFUSED)});
    /* a repetition begins with the first turn */
    const char *again = "ok=focus,ok=hm,ok=focus," BOX("1");
    expect_asked(&server, again, "judge_rethink",
                 TURNS ", order: random, temperature: 1, retries: 1", 2, two,
                 (Score[]){first, second});
    ck_assert_int_eq(judge_count(&server, again, "requests"), 4);
    judge_stop(&server);
}
END_TEST

START_TEST(two_turns_about_one_answer)
{
    server = judge_start();
    static const char *const one[] = {"15"};
    const char *points = ", mode: points, branch: \"one {answer}\", rethink: \"two\"";
    expect_asked(&server, "ok=focus,ok=%5Cboxed%7B7%7D", "judge_rethink", points, 1, one,
                 (Score[]){ok(.7)});
    expect_asked(&server, "ok=focus,ok=%5Cboxed%7B11%7D", "judge_rethink", points, 1, one,
                 (Score[]){none});
    Open *o = open_asking(&server, "ok=focus,all", "judge_rethink",
                          ", mode: points, branch: \"one {answer}\", rethink: \"two {answer} "
                          "\\\\boxed{{3}}\"");
    Evidence e[1];
    fill(e, 1, "15");
    RewardCase *c = judged(o, e, 1);
    ck_assert_double_eq_tol(reward_case_reward(c, 0).value, .3, 1e-12);
    ck_assert_str_eq(reward_case_note(c, 0, 0),
                     "focus\n\nuser: one 15|assistant: focus|user: two 15 \\boxed{3}|");
    reward_case_close(c);
    close_text(o);
    judge_stop(&server);
}
END_TEST

START_TEST(local_judges_compare_the_same_in_any_company)
{
    expect_same_locally(3, "name: judge_pairs, judge: near, template: \"{first}+{second}=\", read: "
                           "strength, parse: \"([1-3])\", score: difference, temperature: 1, "
                           "max_tokens: 20, retries: 20, votes: 2");
    expect_same_locally(3,
                        "name: judge_rethink, judge: near, mode: points, branch: \"{answer}=\", "
                        "rethink: \"{answer}+\", parse: \"([0-9])\", temperature: 1, max_tokens: "
                        "20, retries: 20, votes: 2");
}
END_TEST

START_TEST(two_answers_too_long_for_the_judge_are_an_error)
{
    Open *o = open_text("model: {layers: 2, width: 32, mlp: 48, precision: f32}\n"
                        "task: {name: sum, digits: 2}\n"
                        "judges: [{name: near, model: policy, max_context: 96, batch: 2}]\n"
                        "reward: [{name: judge_pairs, judge: near, template: "
                        "\"{first}{second}\", max_tokens: 20}]\n",
                        NULL);
    Evidence e[2];
    fill(e, 2, "1234567890123456789012345678901234567890");
    errors_quiet(1);
    RewardCase *c = judged(o, e, 2);
    errors_quiet(-1);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(reward_case_reward(c, i).status, SCORE_ERROR);
    ck_assert_msg(strstr(errors_last(), "max_context is 96"), "%s", errors_last());
    reward_case_close(c);
    close_text(o);
}
END_TEST

START_TEST(wrong_settings_are_said)
{
    static const BadBlock bad[] = {
        {"name: judge_pairs, judge: a, against: some", "against is all, random or anchor"},
        {"name: judge_pairs, judge: a, order: same", "order is both, random, not same"},
        {"name: judge_pairs, judge: a, score: best", "score is share"},
        {"name: judge_pairs, judge: a, score: advantage, against: random", "for against: all"},
        {"name: judge_pairs, judge: a, shows: nowhere", "nowhere"},
        {"name: judge_pairs, judge: a, template: \"{third}\"", "no place {third}"},
        {"name: judge_pairs, judge: a, read: guess", "read is verdict or strength"},
        {"name: judge_pairs, judge: a, parse: \"A|B\"", "no group"},
        {"name: judge_pairs, judge: a, votes: 2", "the same vote"},
        {"name: judge_pairs, judge: b", "no model called b"},
        {"name: judge_rethink, judge: a, mode: both", "mode is pairs or points"},
        {"name: judge_rethink, judge: a, rethink: \"{x}\"", "no place {x}"},
        {"name: judge_rethink, judge: a, mode: points, branch: \"{first}\"", "no place {first}"},
        {"name: judge_rethink, judge: a, mode: points, least: 9, most: 1", "not below"},
    };
    expect_refused(bad, sizeof bad / sizeof *bad);
}
END_TEST

TEST_MAIN("judge pairs", pairwise_advantages_are_the_papers,
          a_score_is_the_share_of_comparisons_won, opponents_are_drawn, an_anchor_is_of_the_record,
          verdicts_that_cannot_be_read_are_left_out, strengths_become_differences_and_advantages,
          two_turns_are_one_conversation, two_turns_about_one_answer,
          local_judges_compare_the_same_in_any_company,
          two_answers_too_long_for_the_judge_are_an_error, wrong_settings_are_said)

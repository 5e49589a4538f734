/* Judges that see a whole group at once (votes, orders, a judge of judgements), and rubrics, item
 * by item. */
#include <unistd.h>

#include "rewardsvc/votes.h"
#include "tests/rewardsvc/judge_scene.h"

static JudgeServer server;

static Score ok(double value)
{
    return score_ok(value);
}
static const Score none = {0, SCORE_ERROR};
static const char *const three[] = {"7", "5", "6"};

/* ---- groups --------------------------------------------------------------------------------- */

/* The paper's four judgements as a script: scores by place, as judgement v of group 37 sees the
 * answers; then what the meta judge says. */
static char *paper_script(const char *then)
{
    static const double judgements[4][3] = {{7, 5, 6}, {4, 8, 8}, {9, 3, 8}, {6, 6, 5}};
    Buffer b = {0};
    for (int v = 0; v < 4; v++) {
        int order[3];
        votes_order(0, 37, v, 3, order);
        buffer_printf(&b, "%sok=Scores:_[%g%%2C%g%%2C_%g]", v ? "," : "", judgements[v][order[0]],
                      judgements[v][order[1]], judgements[v][order[2]]);
    }
    buffer_text(&b, then);
    return b.data;
}

START_TEST(votes_are_summed)
{
    server = judge_start();
    char *script = paper_script("");
    expect_asked(&server, script, "judge_group", ", votes: 4, scale: sum", 3, three,
                 (Score[]){ok(26), ok(22), ok(27)});
    mem_free(script);
    script = paper_script(",500");
    expect_asked(&server, script, "judge_group", ", votes: 4", 3, three,
                 (Score[]){ok(.65), ok(.55), ok(.675)});
    mem_free(script);
    judge_stop(&server);
}
END_TEST

START_TEST(a_judge_of_judgements_changes_the_winner)
{
    server = judge_start();
    char *script = paper_script(",ok=Score:_2.0,ok=Score:_-1.5,ok=Score:_1.2,ok=Score:_0.1");
    expect_asked(&server, script, "judge_group",
                 ", votes: 4, scale: sum, meta_judge: far, k_meta: 2, meta_least: -5", 3, three,
                 (Score[]){ok(16), ok(8), ok(14)});
    ck_assert_int_eq(judge_count(&server, script, "requests"), 8);
    mem_free(script);
    /* judgements that the meta judge said nothing about do not count, however many that leaves */
    script = paper_script(",ok=hm,ok=hm,ok=Score:_1.2,ok=hm");
    expect_asked(&server, script, "judge_group",
                 ", votes: 4, scale: sum, meta_judge: far, k_meta: 2", 3, three,
                 (Score[]){ok(9), ok(3), ok(8)});
    mem_free(script);
    script = paper_script(",refusal");
    expect_asked(&server, script, "judge_group", ", votes: 4, meta_judge: far", 3, three,
                 (Score[]){score_failed(SCORE_REFUSED), score_failed(SCORE_REFUSED),
                           score_failed(SCORE_REFUSED)});
    mem_free(script);
    judge_stop(&server);
}
END_TEST

START_TEST(a_judge_of_judgements_sees_no_examples)
{
    server = judge_start();
    Open *o = open_asking(&server, "ok=Scores:_[4],all", "judge_group",
                          ", meta_judge: far, system: be fair, examples: \"a\\n---\\nb\", "
                          "meta_template: \"Score: 3 {judgement}\"");
    Evidence e[1];
    fill(e, 1, "15");
    RewardCase *c = judged(o, e, 1);
    ck_assert_double_eq_tol(reward_case_reward(c, 0).value, .4, 1e-12);
    ck_assert_str_eq(reward_case_note(c, 0, 0),
                     "[judgement 1, samples in the order 0]\n\nScores: [4]\n\n"
                     "user: Score: 3 Scores: [4]|");
    reward_case_close(c);
    close_text(o);
    judge_stop(&server);
}
END_TEST

#define ECHO ", template: \"Scores: [{answers}]\", each: \"{answer} \""

/* A judge whose scores are what the answers say: whatever the order, each gets its own. */
START_TEST(orders_are_undone)
{
    server = judge_start();
    static const char *const six[] = {"1", "2", "3", "4", "5", "10"};
    expect_asked(&server, "echo", "judge_group", ECHO ", votes: 3, scale: mean", 6, six,
                 (Score[]){ok(1), ok(2), ok(3), ok(4), ok(5), ok(10)});
    /* one that likes the first: over the orders nobody is better off by more than chance */
    double sum = 0, n = 0;
    for (int group = 0; group < 200; group++) {
        int order[3];
        votes_order(5, group, 0, 3, order);
        sum += order[0] == 0, n++;
    }
    ck_assert_msg(fabs(sum / n - 1 / 3.) < 0.1, "%g", sum / n);
    judge_stop(&server);
}
END_TEST

START_TEST(judgements_that_cannot_be_read_do_not_count)
{
    server = judge_start();
    const char *two = ", votes: 2, scale: mean, shuffle: false, temperature: 1, retries: 0";
    static const char *const unread[] = {
        "ok=hm",
        "ok=Scores:_[1%2C2]",         /* too few */
        "ok=Scores:_[1%2C2%2C3%2C4]", /* too many */
        "ok=Scores:_[1%2C2%2C11]",    /* out of range */
        "ok=Scores:_[1%2C2%2C0]",
        "ok=Scores:_[1%2C2%2C2.5]", /* no whole number */
        "ok=Scores:_[1%2C2%2Cx]",
        "ok=Scores:_[1%2C2%2C%2D]",
        "length",
        "refusal",
        "ok=Scores:_[1%2C2%2C99999999999999999999]",
    };
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++) {
        char *script = mem_printf("%s,ok=Scores:_[4%%2C_5_6]", unread[i]);
        expect_asked(&server, script, "judge_group", two, 3, three, (Score[]){ok(4), ok(5), ok(6)});
        mem_free(script);
        Score want = strcmp(unread[i], "refusal") ? none : score_failed(SCORE_REFUSED);
        expect_asked(&server, unread[i], "judge_group", two, 3, three, (Score[]){want, want, want});
    }
    expect_asked(&server, "ok=%5Cboxed%7B1%7D_scores%5Cboxed%7B3%2C4%2C5%7D", "judge_group", two, 3,
                 three, (Score[]){ok(3), ok(4), ok(5)});
    expect_asked(&server, "hang", "judge_group", ", deadline_s: 0.1", 1, three,
                 (Score[]){score_failed(SCORE_TIMEOUT)});
    judge_stop(&server);
}
END_TEST

START_TEST(local_judges_say_the_same_in_any_company)
{
    expect_same_locally(1, "name: judge_group, judge: near, template: \"{answers}=\", each: "
                           "\"{answer}+\", parse: \"([0-9])\", least: 0, most: 9, "
                           "temperature: 1, max_tokens: 20, retries: 20, votes: 4");
    expect_same_locally(3,
                        "name: judge_rubric, judge: near, rubric: \"1 (0-9)\", rationale: "
                        "\"{answer}=\", score: \"{answer}+\", parse: \"([0-9])\", temperature: 1, "
                        "max_tokens: 20, retries: 20, votes: 2");
}
END_TEST

/* ---- rubrics -------------------------------------------------------------------------------- */

#define RUBRIC                                                                                     \
    ", rationale: \"why {item}\", score: \"now {least}..{most}\", rubric: \"Judge an "             \
    "essay.\\nDiscourse (0-5)\\n  5 - flows\\nDepth (1-5): no platitudes\\nStyle [0-4]\\n\""

START_TEST(items_are_summed)
{
    server = judge_start();
    static const char *const one[] = {"15"};
    expect_asked(&server, "ok=y,ok=y,ok=y,ok=Score:_3,ok=Score:_4,ok=Score:_2", "judge_rubric",
                 RUBRIC, 1, one, (Score[]){ok(9)});
    expect_asked(&server, "ok=z,ok=y,ok=y,ok=Score:_3,ok=Score:_4,ok=Score:_2", "judge_rubric",
                 RUBRIC ", scale: true", 1, one, (Score[]){ok(8 / 13.)});
    /* an item that cannot be read: an error, or, if that is asked for, a 0 */
    const char *unread = "ok=y,ok=y,ok=y,ok=Score:_3,ok=hm,ok=Score:_2";
    expect_asked(&server, unread, "judge_rubric", RUBRIC, 1, one, (Score[]){none});
    unread = "ok=z,ok=y,ok=y,ok=Score:_3,ok=hm,ok=Score:_2";
    expect_asked(&server, unread, "judge_rubric", RUBRIC ", unreadable: zero", 1, one,
                 (Score[]){ok(5)});
    /* but not a judge that says nothing */
    expect_asked(&server, "ok=y,ok=y,ok=y,ok=Score:_3,refusal,ok=Score:_2", "judge_rubric",
                 RUBRIC ", unreadable: zero", 1, one, (Score[]){score_failed(SCORE_REFUSED)});
    expect_asked(&server, "ok=y,ok=y,ok=y,ok=Score:_3,ok=Score:_9,ok=Score:_2", "judge_rubric",
                 RUBRIC, 1, one, (Score[]){ok(10)}); /* clipped to its scale */
    expect_asked(&server, "ok=y,ok=y,ok=Score:_9,ok=Score:_1", "judge_rubric", /* each vote is */
                 ", rubric: \"x (0-5)\", votes: 2, temperature: 1", 1, one, (Score[]){ok(3)});
    judge_stop(&server);
}
END_TEST

static char *rubric_note(const char *more)
{
    Open *o = open_asking(&server, "all", "judge_rubric", more);
    Evidence e[1];
    fill(e, 1, "15");
    errors_quiet(1);
    RewardCase *c = judged(o, e, 1);
    errors_quiet(-1);
    char *note = mem_text(reward_case_note(c, 0, 0));
    reward_case_close(c);
    close_text(o);
    return note;
}

START_TEST(each_item_is_a_conversation_of_its_own)
{
    server = judge_start();
    char *note = rubric_note(RUBRIC);
    ck_assert_msg(!strncmp(note,
                           "item1\n\nuser: why Discourse (0-5)\n  5 - flows|\n\n"
                           "user: why Discourse (0-5)\n  5 - flows|assistant: user: why",
                           100),
                  "%s", note);
    ck_assert_ptr_nonnull(strstr(note, "item2\n\nuser: why Depth (1-5): no platitudes|"));
    ck_assert_ptr_nonnull(strstr(note, "|user: now 1..5|"));
    ck_assert_ptr_nonnull(strstr(note, "item3\n\nuser: why Style [0-4]|"));
    mem_free(note);
    char path[] = "/tmp/troupe-rubric-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq((int)write(fd, "Only (0-3)\nline", 15), 15);
    close(fd);
    char *more = mem_printf(", rubric_file: %s, rationale: \"<{preamble}|{item}>\"", path);
    note = rubric_note(more);
    ck_assert_ptr_nonnull(strstr(note, "<|Only (0-3)\nline>"));
    mem_free(note);
    mem_free(more);
    ck_assert_int_eq(unlink(path), 0);
    judge_stop(&server);
}
END_TEST

START_TEST(wrong_settings_are_said)
{
    static const BadBlock bad[] = {
        {"name: judge_rubric, judge: a", "give either"},
        {"name: judge_rubric, judge: a, rubric: \"be good\"", "no item"},
        {"name: judge_rubric, judge: a, rubric_file: /nowhere/at/all", "/nowhere/at/all"},
        {"name: judge_rubric, judge: a, rubric: \"x (0-5)\", unreadable: skip", "error or zero"},
        {"name: judge_rubric, judge: a, rubric: \"x (0-5)\", score: \"{x}\"", "no place {x}"},
        {"name: judge_group, judge: a, scale: best", "scale is sum"},
        {"name: judge_group, judge: a, k_meta: 1", "needs a meta_judge"},
        {"name: judge_group, judge: a, meta_judge: a, k_meta: 2", "above votes"},
        {"name: judge_group, judge: a, meta_judge: b", "no model called b"},
        {"name: judge_group, judge: a, each: \"{count}\"", "no place {count}"},
        {"name: judge_group, judge: a, template: \"{judgement}\"", "no place {judgement}"},
        {"name: judge_group, judge: a, votes: 2, shuffle: false", "the same vote"},
    };
    expect_refused(bad, sizeof bad / sizeof *bad);
}
END_TEST

TEST_MAIN("judge group", votes_are_summed, a_judge_of_judgements_changes_the_winner,
          a_judge_of_judgements_sees_no_examples, orders_are_undone,
          judgements_that_cannot_be_read_do_not_count, local_judges_say_the_same_in_any_company,
          items_are_summed, each_item_is_a_conversation_of_its_own, wrong_settings_are_said)

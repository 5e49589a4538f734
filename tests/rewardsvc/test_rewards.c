/* Each reward on answers whose score is known; GSM8K on the real rows where they are. */
#include "rewardsvc/reward.h"

#include "common/errors.h"
#include "tests/harness.h"
#include "tests/setting_set.h"

typedef struct {
    const char *name, *settings[8];
} Setup; /* key, value, ..., NULL */

static RewardBlock open_setup(const Setup *s)
{
    RewardBlock b;
    ck_assert_int_eq(reward_block_single(&b, s->name), 0);
    for (int i = 0; i < 8 && s->settings[i]; i += 2)
        setting_set(b.components[0].reward->settings, b.components[0].values, s->settings[i],
                    s->settings[i + 1]);
    const Reward *r = b.components[0].reward;
    if (r->open) {
        b.components[0].state = NULL;
        ck_assert_int_eq(r->open(b.components[0].values, &b.components[0].state), 0);
    }
    return b;
}

static Score score_with(const Setup *setup, Evidence e)
{
    RewardBlock b = open_setup(setup);
    Score component;
    float latency;
    errors_quiet(1);
    Score s = reward_block_score(&b, &e, &component, &latency);
    errors_quiet(-1);
    ck_assert(latency >= 0);
    reward_block_close(&b);
    return s;
}

static Score score_text(const Setup *setup, const char *record, const char *text)
{
    json_t *json = json_loads(record, 0, NULL);
    ck_assert_ptr_nonnull(json);
    Score s = score_with(
        setup, (Evidence){.text = text, .n_text = strlen(text), .record = json, .prompt = ""});
    json_decref(json);
    return s;
}

static void expect(const Setup *setup, const char *record, const char *text, double want)
{
    Score s = score_text(setup, record, text);
    ck_assert_msg(s.status == SCORE_OK && fabs(s.value - want) < 1e-12,
                  "%s: \"%s\" for %s: status %d, %g, not %g", setup->name, text, record,
                  (int)s.status, s.value, want);
}

#define WRAP(x) "<think>so</think><answer>" x "</answer>"

START_TEST(exact_number_is_strict_by_default)
{
    const Setup s = {"exact_number", {NULL}};
    const char *r = "{\"answer\": \"579\"}";
    expect(&s, r, WRAP("579"), 1);
    expect(&s, r, WRAP(" 579.0\n"), 1);
    expect(&s, r, WRAP("578"), 0);
    expect(&s, r, WRAP("579 580"), 0);
    expect(&s, r, WRAP("x=579"), 0);
    expect(&s, r, "579", 0);
    expect(&s, r, "<answer>579</answer>", 0);
    expect(&s, r, "", 0);
    expect(&s, "{\"answer\": 0.3}", WRAP("0.30"), 1);
    expect(&s, "{\"answer\": 0.3}", WRAP("3/10"), 1);
    expect(&s, "{\"answer\": 0.3}", WRAP("0.30000000000000001"), 0);
    ck_assert_int_eq(score_text(&s, "{}", WRAP("579")).status, SCORE_ERROR);
    ck_assert_int_eq(score_text(&s, "{\"answer\": \"many\"}", WRAP("579")).status, SCORE_ERROR);
}
END_TEST

START_TEST(exact_number_looks_where_it_is_told)
{
    const Setup tags = {"exact_number", {"strict", "false"}};
    const Setup last = {"exact_number", {"strict", "false", "where", "last", "field", "target"}};
    const Setup whole = {"exact_number", {"strict", "false", "where", "whole"}};
    const Setup loose = {"exact_number", {"tolerance", "0.01"}};
    expect(&tags, "{\"answer\": 5}", "well <answer>4</answer><answer> 5 </answer> ok", 1);
    expect(&tags, "{\"answer\": 5}", "5", 0);
    expect(&last, "{\"target\": 5}", "not 4 but 5.", 1);
    expect(&last, "{\"target\": 5}", "5 not 4", 0);
    expect(&whole, "{\"answer\": 5}", " 5 ", 1);
    expect(&whole, "{\"answer\": 5}", "5 apples", 0);
    expect(&loose, "{\"answer\": 3.14}", WRAP("3.1415"), 1);
    expect(&loose, "{\"answer\": 3.14}", WRAP("3.16"), 0);
}
END_TEST

START_TEST(exact_number_takes_no_half_number)
{
    const Setup last = {"exact_number", {"strict", "false", "where", "last"}};
    json_t *r = json_pack("{s:i}", "answer", 12);
    Evidence e = {.text = "it is 12", .n_text = 8, .record = r, .finish = FINISH_LENGTH};
    ck_assert(score_with(&last, e).value == 0);
    e.finish = FINISH_EOS;
    ck_assert(score_with(&last, e).value == 1);
    json_decref(r);
}
END_TEST

START_TEST(gsm8k_finds_the_final_number)
{
    const Setup s = {"gsm8k", {NULL}}, strict = {"gsm8k", {"strict", "true"}};
    const char *r = "{\"answer\": \"1000+234=<<1000+234=1234>>1234\\n#### 1,234\"}";
    static const char *const right[] = {"#### 1234",
                                        "so\n#### 1,234",
                                        "#### $1,234.00",
                                        "#### 1234 dollars",
                                        "####1234.",
                                        "#### -- 1234",
                                        "blah 7\n#### 1234\nand 9 more",
                                        "The answer is 1234.",
                                        "it costs $1,234",
                                        "1,234 km",
                                        "He has 5. Then 1234",
                                        "\\boxed{1234} (not 7)",
                                        "<answer>$1234</answer> 3",
                                        "#### 7\n#### 1234",
                                        "= **1234**",
                                        "\\boxed{\\text{It is } 1234}",
                                        "\\boxed{1234\\text{ km}} or so",
                                        "\\boxed{{1234}}"};
    static const char *const wrong[] = {"#### 1235",
                                        "#### 1234 or 1235",
                                        "1234 is wrong, 7",
                                        "####",
                                        "#### none\n1234",
                                        "",
                                        "-1234",
                                        "\\boxed{7} 1234",
                                        "#### 123",
                                        "12345",
                                        "1.234",
                                        "<answer>1234 or 7</answer>",
                                        "\\boxed{1234",
                                        "\\boxed{\\frac{1234}{2}}",
                                        "\\boxed{\\sqrt{1234} + 7}"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) expect(&s, r, right[i], 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) expect(&s, r, wrong[i], 0);
    expect(&strict, r, "#### 1234", 1);
    expect(&strict, r, "The answer is 1234", 0);
    expect(&s, "{\"answer\": -3}", "#### -3", 1);
    expect(&s, "{\"answer\": \"0.5\"}", "half: 1/2", 1);
    ck_assert_int_eq(score_text(&s, "{\"answer\": \"no idea\"}", "#### 5").status, SCORE_ERROR);
    ck_assert_int_eq(score_text(&s, "{\"question\": \"?\"}", "#### 5").status, SCORE_ERROR);
}
END_TEST

static int n_rows;

static void gsm8k_row(RewardBlock *b, json_t *row)
{
    const char *solution = json_string_value(json_object_get(row, "answer"));
    Evidence e = {.text = solution, .n_text = strlen(solution), .record = row};
    Score c;
    float latency;
    Score s = reward_block_score(b, &e, &c, &latency);
    ck_assert_msg(s.status == SCORE_OK && s.value == 1, "%s", solution);
    const char *mark = strstr(solution, "####");
    ck_assert_ptr_nonnull(mark);
    char *said = mem_printf("%.*s The answer is %s.", (int)(mark - solution), solution,
                            mark + 5); /* the last number alone */
    e.text = said, e.n_text = strlen(said);
    ck_assert_msg(reward_block_score(b, &e, &c, &latency).value == 1, "%s", said);
    char *off = mem_printf("%s1", solution); /* a digit more */
    e.text = off, e.n_text = strlen(off);
    ck_assert_msg(reward_block_score(b, &e, &c, &latency).value == 0, "%s", off);
    mem_free(said);
    mem_free(off);
    n_rows++;
}

START_TEST(gsm8k_agrees_with_every_real_solution)
{
    if (!test_data_dir()) return;
    static const char *const files[] = {"train", "test"};
    RewardBlock b;
    ck_assert_int_eq(reward_block_single(&b, "gsm8k"), 0);
    for (int k = 0; k < 2; k++) {
        char *path = mem_printf("%s/gsm8k/%s.jsonl", test_data_dir(), files[k]);
        FILE *f = fopen(path, "r");
        ck_assert_msg(f != NULL, "%s", path);
        static char line[1 << 16];
        while (fgets(line, sizeof line, f)) {
            json_t *row = json_loads(line, 0, NULL);
            ck_assert_ptr_nonnull(row);
            gsm8k_row(&b, row);
            json_decref(row);
        }
        fclose(f);
        mem_free(path);
    }
    ck_assert_int_eq(n_rows, 7473 + 1319);
    reward_block_close(&b);
}
END_TEST

START_TEST(format_tags_in_three_ways)
{
    const Setup strict = {"format_tags", {NULL}}, lenient = {"format_tags", {"mode", "lenient"}},
                partial = {"format_tags", {"mode", "partial"}};
    expect(&strict, "{}", WRAP("anything"), 1);
    expect(&strict, "{}", "Sure! " WRAP("5"), 0);
    expect(&lenient, "{}", "Sure! " WRAP("5") " bye", 1);
    expect(&lenient, "{}", WRAP(" "), 0);
    expect(&lenient, "{}", WRAP("5") WRAP("5"), 0);
    expect(&partial, "{}", WRAP("5"), 1);
    expect(&partial, "{}", "<think>a", 0.25);
    expect(&partial, "{}", "<think>a</think> 5", 0.5);
    expect(&partial, "{}", "<think><think>a</think> 5", 0.25);
    expect(&partial, "{}", "<answer>5</answer><think>a</think>", 0.5);
    expect(&partial, "{}", "5", 0);
    expect(&partial, "{}", "", 0);
}
END_TEST

static double length_of(const Setup *s, int n_tokens, int max_tokens)
{
    Score got = score_with(
        s, (Evidence){.text = "x", .n_text = 1, .n_tokens = n_tokens, .max_tokens = max_tokens});
    ck_assert_int_eq(got.status, SCORE_OK);
    return got.value;
}

START_TEST(length_as_the_specification_says)
{
    const Setup big = {"length", {"limit", "20480", "buffer", "4096"}},
                small = {"length", {"limit", "16", "buffer", "4"}};
    static const double rows[][2] = {{100, 0}, {16384, 0}, {18432, -0.5}, {20480, -1}, {25000, -1}};
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq(length_of(&big, (int)rows[i][0], 0), rows[i][1]);
    static const double few[][2] = {{10, 0}, {12, 0}, {14, -0.5}, {16, -1}, {20, -1}};
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq(length_of(&small, (int)few[i][0], 1000), few[i][1]);
    const Setup plain = {"length", {NULL}}, floor = {"length", {"limit", "100", "floor", "10"}};
    ck_assert_double_eq(length_of(&plain, 90, 100), -0.5);
    ck_assert_double_eq(length_of(&floor, 4, 0), -0.6);
    ck_assert_double_eq(length_of(&floor, 10, 0), 0);
}
END_TEST

START_TEST(length_says_when_it_cannot_know)
{
    const Setup plain = {"length", {NULL}}, limit = {"length", {"limit", "16"}},
                buffer = {"length", {"buffer", "200"}};
    ck_assert_int_eq(score_with(&plain, (Evidence){.text = "x", .n_text = 1, .n_tokens = 1}).status,
                     SCORE_NOT_APPLICABLE);
    ck_assert_int_eq(score_with(&limit, (Evidence){.text = "x", .n_text = 1}).status,
                     SCORE_NOT_APPLICABLE);
    ck_assert_int_eq(
        score_with(&buffer, (Evidence){.text = "x", .n_text = 1, .n_tokens = 1, .max_tokens = 100})
            .status,
        SCORE_ERROR);
}
END_TEST

START_TEST(countdown_reaches_the_target_by_the_rules)
{
    const Setup s = {"countdown", {NULL}}, all = {"countdown", {"all", "true"}},
                valid = {"countdown", {"valid", "0.1"}}, loose = {"countdown", {"strict", "false"}};
    const char *r = "{\"numbers\": [3, 4, 6, 3], \"target\": 24}";
    static const char *const right[] = {WRAP("4*6"),
                                        WRAP(" ( 4 ) * 6 "),
                                        WRAP("4*6*3/3"),
                                        WRAP("(3+3)*4"),
                                        WRAP("4*6=24"),
                                        WRAP("4 \xC3\x97 6 = 24.0"),
                                        WRAP("6/(3\xC3\xB7"
                                             "4)*3"),
                                        WRAP("4*6\xE2\x88\x92"
                                             "3+3")};
    static const char *const wrong[] = {
        WRAP("4+6"),    WRAP("24"),      WRAP("4*4+6"), WRAP("3*3*3"), WRAP("4*6="),
        WRAP("4*6=25"), WRAP("4*6*"),    WRAP("(4*6"),  WRAP("4*6)"),  WRAP("-4*-6"),
        WRAP("4 6"),    WRAP("6/(3-3)"), WRAP("4**6"),  WRAP("4.0*6"), WRAP("4*6;"),
        WRAP("()"),     "4*6",           WRAP("x"),     WRAP("46"),    WRAP("4//6")};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) expect(&s, r, right[i], 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) expect(&s, r, wrong[i], 0);
    expect(&all, r, WRAP("4*6"), 0);
    expect(&all, r, WRAP("4*6*3/3"), 1);
    expect(&valid, r, WRAP("4+6"), 0.1);
    expect(&valid, r, WRAP("4+"), 0);
    expect(&loose, r, "I say <answer>4*6</answer>", 1);
    expect(&s, "{\"numbers\": [8, 8, 3, 3], \"target\": 24}", WRAP("8/(3-8/3)"),
           1); /* only exact fractions get there */
}
END_TEST

START_TEST(countdown_says_what_it_cannot_judge)
{
    const Setup s = {"countdown", {NULL}};
    static const char *const bad[] = {"{}", "{\"numbers\": [], \"target\": 1}",
                                      "{\"numbers\": [1.5], \"target\": 1}", "{\"numbers\": [1]}",
                                      "{\"numbers\": 3, \"target\": 1}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(score_text(&s, bad[i], WRAP("1")).status, SCORE_ERROR);
    const char *huge = "{\"numbers\": [9000000000000000000, 8000000000000000000, "
                       "7000000000000000000], \"target\": 1}";
    ck_assert_int_eq(
        score_text(&s, huge, WRAP("9000000000000000000*8000000000000000000*7000000000000000000"))
            .status,
        SCORE_ERROR);
    Buffer deep = {0};
    buffer_text(&deep, "<think></think><answer>");
    for (int i = 0; i < 1000; i++) buffer_text(&deep, "(");
    buffer_text(&deep, "1</answer>");
    ck_assert(score_text(&s, "{\"numbers\": [1], \"target\": 1}", deep.data).value == 0);
    buffer_free(&deep);
}
END_TEST

START_TEST(random_is_a_function_of_its_key)
{
    const Setup half = {"random", {NULL}}, rare = {"random", {"p", "0.1"}},
                uniform = {"random", {"kind", "uniform"}}, salted = {"random", {"salt", "1"}};
    double sum[3] = {0};
    int same = 0;
    for (int g = 0; g < 2000; g++) {
        Evidence e = {.text = "", .seed = 7, .group = g, .sample = g % 8};
        double a = score_with(&half, e).value;
        ck_assert(a == score_with(&half, e).value && (a == 0 || a == 1));
        sum[0] += a, sum[1] += score_with(&rare, e).value, sum[2] += score_with(&uniform, e).value;
        same += a == score_with(&salted, e).value;
    }
    ck_assert_double_eq_tol(sum[0] / 2000, 0.5, 0.05);
    ck_assert_double_eq_tol(sum[1] / 2000, 0.1, 0.03);
    ck_assert_double_eq_tol(sum[2] / 2000, 0.5, 0.03);
    ck_assert_double_eq_tol(same / 2000.0, 0.5, 0.05);
}
END_TEST

START_TEST(settings_that_make_no_sense_are_refused)
{
    static const Setup bad[] = {{"exact_number", {"where", "last"}},
                                {"exact_number", {"where", "here"}},
                                {"format_tags", {"mode", "Strict"}},
                                {"length", {"limit", "10", "buffer", "11"}},
                                {"length", {"limit", "10", "floor", "11"}},
                                {"random", {"kind", "normal"}},
                                {"random", {"salt", "0.5"}}};
    errors_quiet(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        RewardBlock b;
        void *state = NULL;
        ck_assert_int_eq(reward_block_single(&b, bad[i].name), 0);
        for (int k = 0; k < 8 && bad[i].settings[k]; k += 2)
            setting_set(b.components[0].reward->settings, b.components[0].values,
                        bad[i].settings[k], bad[i].settings[k + 1]);
        ck_assert_int_eq(b.components[0].reward->open(b.components[0].values, &state), -1);
        reward_block_close(&b);
    }
    errors_quiet(-1);
}
END_TEST

TEST_MAIN("rewards", exact_number_is_strict_by_default, exact_number_looks_where_it_is_told,
          exact_number_takes_no_half_number, gsm8k_finds_the_final_number,
          gsm8k_agrees_with_every_real_solution, format_tags_in_three_ways,
          length_as_the_specification_says, length_says_when_it_cannot_know,
          countdown_reaches_the_target_by_the_rules, countdown_says_what_it_cannot_judge,
          random_is_a_function_of_its_key, settings_that_make_no_sense_are_refused)

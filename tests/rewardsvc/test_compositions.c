/* Published compositions of scores, with the worked numbers of their specifications: conciseness
 * (CRF), Qwen2.5-Math's sigmoid, the listener, R1-Reward's consistency, RLSP, KnowRL, calibration
 * by reasoning patterns. Scores are told; what they do to a policy is in test_shape_bandits.c. */
#include <time.h>

#include "tests/rewardsvc/shape_scene.h"

#define TWO   "- {name: random, as: right, weight: 0}\n- {name: random, as: other, weight: 0}\n"
#define THREE TWO "- {name: random, as: format, weight: 0}\n"

/* ---- CRF ------------------------------------------------------------------------------------- */

#define CRF(more) TWO "- {name: crf, outcome: right, conciseness: other" more "}\n"

START_TEST(crf_pays_for_brevity_of_right_answers)
{
    Scene s = SCENE(CRF(""), 4, {IS(1), IS(1), IS(0), IS(0)}, {IS(.9), IS(.3), IS(1.0), IS(.5)});
    s.steps = 100;
    scene_expect(&s, (double[]){1.476770, 1.158923, 0, 0});
    scene_expect_advantages(&s, 1, 1e-6, (double[]){1.059598, 0.647798, -0.853698, -0.853698});
    Scene all = SCENE(CRF(""), 4, {IS(1), IS(1), IS(1), IS(1)}, {IS(.9), IS(.3), IS(.6), IS(.6)});
    all.steps = 1000000000000, all.step = 693147180560; /* s = 0.5 */
    scene_expect(&all, (double[]){1.579291, 1.193097, 1.386194, 1.386194});
    scene_expect_advantages(&all, 1, 1e-6, (double[]){1.224737, -1.224737, 0, 0});
    all.yaml = CRF(", anneal: false, alpha: 1");
    scene_expect(&all, (double[]){1 + .9 * (1 + exp(1)), 1 + .3 * (1 + exp(1)),
                                  1 + .6 * (1 + exp(1)), 1 + .6 * (1 + exp(1))});
    all.yaml = CRF(", anneal_steps: 1000"), all.step = 2000;
    scene_expect(&all, (double[]){1 + .18 * (exp(-2) + exp(1)), 1 + .06 * (exp(-2) + exp(1)),
                                  1 + .12 * (exp(-2) + exp(1)), 1 + .12 * (exp(-2) + exp(1))});
}
END_TEST

START_TEST(crf_does_without_a_judge_and_not_without_an_outcome)
{
    /* c of the second is the mean of the others' .9 and .3; d counts the three that have an outcome
     */
    Scene s = SCENE(CRF(", anneal: false"), 4, {IS(1), IS(1), IS(0), TIMED_OUT},
                    {IS(.9), BROKE, IS(.3), ABSENT});
    double w = .2 * (1 + exp(2.0 / 3));
    Score got[4], bonus[4];
    scene_play(&s, got, bonus);
    ck_assert_double_eq_tol(got[0].value, 1 + .9 * w, 1e-12);
    ck_assert_double_eq_tol(got[1].value, 1 + .6 * w, 1e-12);
    ck_assert_double_eq(got[2].value, 0);
    ck_assert_int_eq(got[3].status, SCORE_TIMEOUT);
    ck_assert_double_eq_tol(bonus[0].value, .9 * w, 1e-12);
    ck_assert_double_eq(bonus[2].value, 0);
    Scene silent = SCENE(CRF(", anneal: false"), 2, {IS(1), IS(1)}, {BROKE, ABSENT});
    scene_expect(&silent, (double[]){1 + .1 * (1 + exp(1)), 1 + .1 * (1 + exp(1))});
    /* 1 and -1: brevity must not make a wrong answer worse; an all-wrong group has no gradient */
    Scene signs = SCENE(CRF(""), 2, {IS(-1), IS(-1)}, {IS(1), IS(.1)});
    scene_expect(&signs, (double[]){0, 0});
}
END_TEST

/* ---- Qwen2.5-Math ---------------------------------------------------------------------------- */

#define SIGMOID(more) TWO "- {name: sigmoid_shaping, outcome: right, score: other" more "}\n"

START_TEST(sigmoid_shaping_ranks_inside_the_verdict)
{
    Scene s = SCENE(SIGMOID(""), 5, {IS(1), IS(1), IS(1), IS(0), IS(0)},
                    {IS(0), IS(2), IS(-4), IS(2), IS(-4)});
    scene_expect(&s, (double[]){.5, .731059, .119203, -.268941, -.880797});
    Scene g = SCENE(SIGMOID(""), 4, {IS(1), IS(1), IS(0), IS(0)}, {IS(2), IS(-1), IS(3), IS(-2)});
    scene_expect(&g, (double[]){.731059, .377541, -.182426, -.731059});
    scene_expect_advantages(&g, 1, 1e-6, (double[]){1.063299, .512359, -.360320, -1.215337});
    /* a model that is missing, or says NaN, is the middle of the class */
    Scene missing =
        SCENE(SIGMOID(""), 4, {IS(1), IS(0), IS(1), BROKE}, {TIMED_OUT, BROKE, IS(NAN), IS(1)});
    Score got[4];
    scene_play(&missing, got, NULL);
    ck_assert_double_eq(got[0].value, .5);
    ck_assert_double_eq(got[1].value, -.5);
    ck_assert_double_eq(got[2].value, .5);
    ck_assert_int_eq(got[3].status, SCORE_ERROR);
    Scene extreme = SCENE(SIGMOID(", a: 1000"), 2, {IS(1), IS(0)}, {IS(-1e300), IS(1e300)});
    scene_expect(&extreme, (double[]){0, 0});
}
END_TEST

/* ---- listener -------------------------------------------------------------------------------- */

#define LISTENER(more)                                                                             \
    THREE "- {name: listener, outcome: right, listener: other, format: format" more "}\n"

START_TEST(listener_adds_half_a_probability)
{
    Scene s =
        SCENE(LISTENER(""), 4, {IS(1), IS(0), IS(1), IS(0)},
              {IS(.817574), IS(.817574), IS(.182426), IS(.182426)}, {IS(1), IS(1), IS(1), IS(1)});
    scene_expect(&s, (double[]){1.908787, 1.408787, 1.591213, 1.091213});
    Scene g = SCENE(LISTENER(""), 4, {IS(1), IS(1), IS(0), IS(0)}, {IS(.9), IS(.4), IS(.6), IS(.1)},
                    {IS(1), IS(1), IS(1), IS(1)});
    scene_expect(&g, (double[]){1.95, 1.7, 1.3, 1.05});
    scene_expect_advantages(&g, 1, 1e-6, (double[]){1.119183, .497415, -.497415, -1.119183});
    /* listener down: 0.5; without an outcome or a format there is no reward */
    Scene down = SCENE(LISTENER(""), 3, {IS(1), TIMED_OUT, IS(1)}, {BROKE, IS(1), IS(1)},
                       {IS(0), IS(1), BROKE});
    Score got[3], p[3];
    scene_play(&down, got, p);
    ck_assert_double_eq(got[0].value, .75);
    ck_assert_double_eq(p[0].value, .5);
    ck_assert_int_eq(got[1].status, SCORE_TIMEOUT);
    ck_assert_int_eq(got[2].status, SCORE_ERROR);
    Scene bare = SCENE(TWO "- {name: listener, outcome: right, listener: other, prior: 0.25}\n", 2,
                       {IS(1), IS(0)}, {ABSENT, IS(1)});
    scene_expect(&bare, (double[]){.625, .5});
}
END_TEST

/* ---- R1-Reward ------------------------------------------------------------------------------- */

#define CONSISTENCY                                                                                \
    THREE "- {name: consistency, outcome: right, consistency: other, format: format}\n"

START_TEST(consistency_multiplies_the_result)
{
    Scene s = SCENE(CONSISTENCY, 6, {IS(1), IS(1), IS(1), IS(0), IS(0), IS(1)},
                    {IS(1), IS(0), IS(-1), IS(1), IS(0), IS(1)},
                    {IS(1), IS(1), IS(1), IS(1), IS(0), IS(0)});
    scene_expect(&s, (double[]){2.0, 1.5, 1.0, 0.5, 0, 1.5});
    Scene down = SCENE(CONSISTENCY, 3, {IS(1), BROKE, IS(1)}, {TIMED_OUT, IS(1), IS(1)},
                       {IS(1), IS(1), TIMED_OUT});
    Score got[3], part[3];
    scene_play(&down, got, part);
    ck_assert_double_eq(got[0].value, 1.5); /* a referee that failed counts as 0 */
    ck_assert_int_eq(got[1].status, SCORE_ERROR);
    ck_assert_int_eq(got[2].status, SCORE_TIMEOUT);
    ck_assert_double_eq(part[0].value, 0);
    /* the referee is only asked about right answers */
    Scene gated = SCENE("- {name: random, as: right, weight: 0}\n"
                        "- {name: random, as: other, weight: 0, only_if: right}\n"
                        "- {name: consistency, outcome: right, consistency: other}\n",
                        2, {IS(1), IS(0)}, {IS(1), IS(1)});
    scene_expect(&gated, (double[]){1.5, 0});
}
END_TEST

/* ---- RLSP ------------------------------------------------------------------------------------ */

#define RLSP(more) TWO "- {name: rlsp, outcome: right, exploration: other" more "}\n"

/* before characters, then a box, or none. Caller frees. */
static char *boxed_after(int before, const char *rest)
{
    char *text = NEW(char, before + strlen(rest) + 1);
    memset(text, 'x', (size_t)before);
    strcpy(text + before, rest);
    return text;
}

START_TEST(rlsp_table)
{
    static const struct {
        const char *yaml;
        Score right, judge;
        int before;
        const char *rest;
        double r, reward;
    } rows[] = {
        {RLSP(", length_constant: 20"), IS(1), IS(.7), 400, "\\boxed{5} and \\boxed{6}", .8, .78},
        {RLSP(", length_constant: 20"), IS(0), IS(.9), 4000, "\\boxed{\\frac{1}{2}}", -.02, .164},
        {RLSP(", length_constant: 20"), IS(0), BROKE, 800, "", -.6, -.38},
        {RLSP(", length_constant: 1000"), IS(1), IS(.7), 400, "\\boxed{5}", -9, -7.06},
        {RLSP(", length_constant: 1000"), IS(1), IS(.7), 40000, "\\boxed{5}", .9, .86},
        {RLSP(""), IS(1), IS(.7), 400, "\\boxed{5}", 1, .94},
        {RLSP(""), IS(1), IS(.7), 10, "\\boxed{5", -.5, -.26}, /* never closed: no box */
        {RLSP(""), IS(1), IS(.7), 10, "\\boxed{5 \\boxed{6}", 1, .94},
        {RLSP(", length_constant: 20"), IS(1), IS(.5), 0, "\\boxed{5}", -19, -15.1}, /* length 1 */
        {TWO "- {name: rlsp, outcome: right}\n", IS(1), IS(.7), 9, "\\boxed{5}", 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = boxed_after(rows[i].before, rows[i].rest);
        Scene s = {.yaml = rows[i].yaml, .n = 1};
        s.scores[0][0] = rows[i].right, s.scores[1][0] = rows[i].judge, s.texts[0] = text;
        scene_expect(&s, &rows[i].reward);
        Score got, r;
        scene_play(&s, &got, &r);
        ck_assert_msg(fabs(r.value - rows[i].r) < 1e-12, "row %zu: %g", i, r.value);
        mem_free(text);
    }
    Scene group = SCENE(TWO "- {name: rlsp, outcome: right}\n", 4,
                        {IS(.78), IS(.164), IS(-.38), IS(.86)}, {IS(0)});
    for (int i = 0; i < 4; i++) group.texts[i] = "\\boxed{1}";
    scene_expect_advantages(&group, 0, 1e-6, (double[]){0.842809, -0.381649, -1.462989, 1.001830});
}
END_TEST

START_TEST(rlsp_statuses_and_hostile_texts)
{
    Scene s = SCENE(RLSP(", length_constant: 20"), 3, {TIMED_OUT, TIMED_OUT, IS(1)},
                    {IS(1), IS(1), IS(1)});
    s.texts[0] = "\\boxed{1}"; /* the outcome decides, and failed */
    s.texts[1] = "none";       /* -0.5 whatever the outcome would be */
    s.texts[2] = "\\boxed{1}";
    scene_expect_statuses(&s, (ScoreStatus[]){SCORE_TIMEOUT, SCORE_OK, SCORE_OK});
    enum { N = 1 << 20 };
    static const char *const pieces[] = {"\\boxed{", "{", "}", "\xff", "\\boxed{}", "\\boxed"};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        Buffer text = {0};
        while (text.size < N) buffer_text(&text, pieces[k]);
        Scene big = SCENE(RLSP(", length_constant: 20"), 1, {IS(1)}, {IS(1)});
        big.texts[0] = text.data;
        Score got;
        clock_t began = clock();
        scene_play(&big, &got, NULL);
        ck_assert_msg(clock() - began < CLOCKS_PER_SEC, "%s", pieces[k]);
        ck_assert_int_eq(got.status, SCORE_OK);
        buffer_free(&text);
    }
}
END_TEST

/* ---- reasoning patterns ---------------------------------------------------------------------- */

#define RPR(more) THREE "- {name: rpr_calibration, pattern: other" more "}\n"

START_TEST(calibration_repairs_scores_below_a_half)
{
    Scene s =
        SCENE(RPR(", score: right, format: format"), 5, {IS(.3), IS(.45), IS(.49), IS(.6), IS(.9)},
              {IS(.25), IS(1), IS(.2), IS(1), IS(0)}, {IS(1), IS(1), IS(1), IS(1), IS(0)});
    scene_expect(&s, (double[]){.325, .55, .51, .6, 0});
    Score got[5], clean[5];
    scene_play(&s, got, clean);
    ck_assert_double_eq(clean[4].value, .9);
    Scene missing =
        SCENE(RPR(", score: right, format: format"), 4, {IS(.3), BROKE, IS(.3), IS(.99)},
              {BROKE, IS(1), IS(1), IS(1)}, {IS(1), IS(1), TIMED_OUT, IS(1)});
    scene_play(&missing, got, NULL);
    ck_assert_double_eq(got[0].value, .3);
    ck_assert_int_eq(got[1].status, SCORE_ERROR);
    ck_assert_int_eq(got[2].status, SCORE_TIMEOUT);
    Scene most = SCENE(RPR(", score: right, tau: 2, a: 3"), 1, {IS(.99)}, {IS(1)}, {IS(1)});
    scene_expect(&most, (double[]){1});
    /* of rules: RPR instead of a 0; on the reward so far, here twice the verdict */
    Scene rules = SCENE("- {name: random, as: right, weight: 2}\n"
                        "- {name: random, as: other, weight: 0}\n"
                        "- {name: rpr_calibration, pattern: other, mode: wrong_only}\n",
                        3, {IS(1), IS(0), BROKE}, {IS(.4), IS(.35), IS(1)});
    scene_play(&rules, got, NULL);
    ck_assert_double_eq(got[0].value, 2);
    ck_assert_double_eq(got[1].value, .35);
    ck_assert_int_eq(got[2].status, SCORE_ERROR);
}
END_TEST

/* ---- KnowRL ---------------------------------------------------------------------------------- */

#define KNOWRL(more)                                                                               \
    "- {name: random, as: right, weight: 0}\n- {name: random, as: facts, weight: 0}\n"             \
    "- {name: random, as: refusal, weight: 0}\n- {name: random, as: format, weight: 0}\n"          \
    "- {name: random, as: n, weight: 0}\n"                                                         \
    "- {name: knowrl, correct: right, facts: facts, refusal: refusal, format: format" more "}\n"
#define CODE ", fact_gate: wrong_only, fact_length_penalty: true, n_facts: n"

START_TEST(knowrl_in_the_form_of_the_paper_and_of_the_code)
{
    Scene s = SCENE(KNOWRL(""), 4, {IS(1), IS(0), IS(0), IS(0)}, {IS(.75), ABSENT, IS(.75), ABSENT},
                    {IS(0), IS(1), IS(0), IS(0)}, {IS(1), IS(1), IS(1), IS(0)},
                    {IS(8), IS(0), IS(8), IS(0)});
    scene_expect(&s, (double[]){3.75, 2.0, 0.75, -2.0});
    scene_expect_advantages(&s, 0, 1e-6, (double[]){1.252754, 0.417585, -0.178965, -1.491374});
    s.yaml = KNOWRL(CODE);
    scene_expect(&s, (double[]){3, 2, 0.584101, -2});
    /* few facts */
    Scene few =
        SCENE(KNOWRL(CODE), 5, {IS(0), IS(0), IS(0), IS(0), IS(0)},
              {IS(1), IS(6.0 / 11), IS(1), IS(1), IS(.75)}, {IS(0), IS(0), IS(0), IS(0), IS(0)},
              {IS(1), IS(1), IS(1), IS(1), IS(1)}, {IS(10), IS(11), IS(2), IS(1), IS(8)});
    scene_expect(&few, (double[]){1.0, 0.545455, 0.018316, 0.000123, 0.584101});
    Score got[5], facts[5];
    scene_play(&few, got, facts);
    ck_assert_double_eq_tol(facts[2].value, 0.018316, 1e-6);
    /* a grader that failed is worth 0; a format that failed spoils the sample */
    Scene down = SCENE(KNOWRL(""), 2, {TIMED_OUT, IS(1)}, {IS(.5), IS(.5)}, {IS(0), IS(0)},
                       {IS(1), BROKE}, {IS(1), IS(1)});
    scene_play(&down, got, NULL);
    ck_assert_double_eq(got[0].value, 1.5);
    ck_assert_int_eq(got[1].status, SCORE_ERROR);
}
END_TEST

/* ---- the text that `explain` shows ----------------------------------------------------------- */

START_TEST(formulas_and_refusals)
{
    scene_expect_formula(
        CRF(""), "[right >= 0.5] * (1 + 0.2 * other * (exp(-step / steps) + exp(share right)))");
    scene_expect_formula(SIGMOID(""), "sigmoid(0.5 * other) + right - 1");
    scene_expect_formula(LISTENER(""), "1 * format + 0.5 * right + 0.5 * other");
    scene_expect_formula(CONSISTENCY, "right * (1 + 0.5 * other) + 0.5 * format");
    scene_expect_formula("- {name: random, weight: 2}\n" RLSP(", length_constant: 20"),
                         "2 * random + 0.8 * (right - 20 / length) + 0.2 * other");
    scene_expect_formula(RPR(", score: right"), "calibrate(right; + 0.1 * other below 0.5)");
    scene_expect_formula("- {name: random, weight: 2}\n" RPR(", mode: wrong_only"),
                         "(other below 0.5, else 2 * random)");
    scene_expect_formula(KNOWRL(CODE),
                         "(format: 1, else -1) + (right: 2, refusal: 1, else -1) + [wrong] * facts "
                         "* exp(1 - 10 / min(10, facts))");
    scene_expect_refused(RPR(", mode: other"), "mode: other is not");
    scene_expect_refused(KNOWRL(", fact_gate: never"), "fact_gate: never");
    scene_expect_refused(KNOWRL(", fact_length_penalty: true"), "needs `n_facts`");
    scene_expect_refused(TWO "- {name: crf, outcome: right, conciseness: other, weight: 2}\n",
                         "is a shape");
}
END_TEST

TEST_MAIN("compositions", crf_pays_for_brevity_of_right_answers,
          crf_does_without_a_judge_and_not_without_an_outcome,
          sigmoid_shaping_ranks_inside_the_verdict, listener_adds_half_a_probability,
          consistency_multiplies_the_result, rlsp_table, rlsp_statuses_and_hostile_texts,
          calibration_repairs_scores_below_a_half, knowrl_in_the_form_of_the_paper_and_of_the_code,
          formulas_and_refusals)

/* Trust-GRPO's composition: the worked numbers of its specification, its switches, what a silent
 * judge does. Outcome and judge are told. */
#include "tests/rewardsvc/shape_scene.h"

#define BLOCK(more)                                                                                \
    "- {name: random, as: right, weight: 0}\n- {name: random, as: judge, weight: 0}\n"             \
    "- {name: trust, outcome: right, judge: judge" more "}\n"

START_TEST(wrong_answers_that_are_liked_better_cost_trust)
{
    Scene s = SCENE(BLOCK(""), 4, {IS(1), IS(1), IS(0), IS(0)}, {IS(.6), IS(.4), IS(.9), IS(.7)});
    s.steps = 1500;
    scene_expect(&s, (double[]){1.133347, 1.088898, 0.200021, 0.155572});
    scene_expect_advantages(&s, 1, 1e-6, (double[]){0.906241, 0.823846, -0.823846, -0.906241});
    Score r[4], gamma[4];
    scene_play(&s, r, gamma);
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(gamma[i].value, 0.740818, 1e-6);
    s.step = 750; /* half of the run: 0.3 e^-0.5 */
    scene_expect(&s, (double[]){1.080879, 1.053919, 0.121319, 0.094359});
    scene_expect_advantages(&s, 1, 1e-6, (double[]){0.890004, 0.841360, -0.841360, -0.890004});
    s.yaml = BLOCK(", anneal_steps: 1500"), s.steps = 100;
    scene_expect(&s, (double[]){1.080879, 1.053919, 0.121319, 0.094359});
    s.yaml = BLOCK(", anneal: false");
    scene_expect(&s, (double[]){1.133347, 1.088898, 0.200021, 0.155572});
    s.yaml = BLOCK(", anneal: false, trust: false");
    scene_expect(&s, (double[]){1.18, 1.12, 0.27, 0.21});
}
END_TEST

START_TEST(right_answers_that_are_liked_better_keep_it_whole)
{
    Scene s = SCENE(BLOCK(""), 4, {IS(1), IS(1), IS(0), IS(0)}, {IS(.9), IS(.7), IS(.3), IS(.1)});
    s.steps = 1500;
    scene_expect(&s, (double[]){1.27, 1.21, .09, .03});
    scene_expect_advantages(&s, 1, 1e-6, (double[]){0.908885, 0.820928, -0.820928, -0.908885});
}
END_TEST

/* The paper's figures: a gap of 0.3 gives 0.74, one of 0.8 gives 0.45. */
START_TEST(trust_falls_with_the_gap)
{
    static const struct {
        double right, wrong, trust;
        const char *yaml;
    } rows[] = {{.5, .8, .74, BLOCK("")},
                {.1, .9, .45, BLOCK("")},
                {.5, .5, 1, BLOCK("")},
                {.1, .9, .2019, BLOCK(", slope: 2")}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Scene s = SCENE(rows[i].yaml, 2, {IS(1), IS(0)}, {IS(rows[i].right), IS(rows[i].wrong)});
        Score r[2], gamma[2];
        scene_play(&s, r, gamma);
        ck_assert_double_eq_tol(gamma[0].value, rows[i].trust, 0.005);
    }
}
END_TEST

START_TEST(graded_outcomes_and_the_variant_of_the_code)
{
    Scene graded = SCENE(BLOCK(""), 3, {IS(1), IS(.4), IS(.3)}, {IS(.5), IS(.9), IS(.7)});
    scene_expect(&graded, (double[]){1.111123, 0.600021, 0.455572});
    Scene code = SCENE(BLOCK(", judge_min_outcome: 0.2"), 4, {IS(1), IS(1), IS(0), IS(0)},
                       {IS(.6), IS(.4), IS(.9), IS(.7)});
    scene_expect(&code, (double[]){1.18, 1.12, 0, 0});
    scene_expect_advantages(&code, 1, 1e-6, (double[]){0.910588, 0.820282, -0.865435, -0.865435});
    code.yaml =
        "- {name: random, as: right, weight: 0}\n" /* the same, and the judge is not asked */
        "- {name: random, as: judge, weight: 0, only_if: right, at_least: 0.2}\n"
        "- {name: trust, outcome: right, judge: judge, judge_min_outcome: 0.2}\n";
    scene_expect(&code, (double[]){1.18, 1.12, 0, 0});
}
END_TEST

START_TEST(uniform_groups_are_left_to_the_outcome_unless_told)
{
    Scene s = SCENE(BLOCK(""), 3, {IS(1), IS(.9), IS(1)}, {IS(.9), IS(.1), IS(.5)});
    scene_expect(&s, (double[]){1, .9, 1});
    s.yaml = "- {name: random, as: right, weight: 0}\n" /* the same, and the judge is not asked */
             "- {name: random, as: judge, weight: 0, only_mixed: right}\n"
             "- {name: trust, outcome: right, judge: judge}\n";
    scene_expect(&s, (double[]){1, .9, 1});
    s.yaml = BLOCK(", skip_uniform_groups: false"); /* no wrong one: gamma 1 */
    scene_expect(&s, (double[]){1.27, .93, 1.15});
    Scene wrong = SCENE(BLOCK(""), 2, {IS(0), IS(.1)}, {IS(.9), IS(.5)});
    scene_expect(&wrong, (double[]){0, .1});
    wrong.yaml = BLOCK(", skip_uniform_groups: false");
    scene_expect(&wrong, (double[]){.27, .25});
}
END_TEST

START_TEST(a_judge_that_failed_counts_as_nothing_and_enters_no_mean)
{
    /* mu_w is 0.7 alone: gamma = exp(0.5 - 0.7) */
    Scene s = SCENE(BLOCK(""), 5, {IS(1), IS(1), IS(0), IS(0), TIMED_OUT},
                    {IS(.6), IS(.4), BROKE, IS(.7), IS(1)});
    double w = 0.3 * exp(-0.2);
    Score got[5], gamma[5];
    scene_play(&s, got, gamma);
    const double want[] = {1 + .6 * w, 1 + .4 * w, 0, .7 * w};
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(got[i].value, want[i], 1e-12);
    ck_assert_int_eq(got[2].status, SCORE_OK);
    ck_assert_int_eq(got[4].status, SCORE_TIMEOUT); /* an outcome that failed is no 0 */
    ck_assert_int_eq(gamma[4].status, SCORE_NOT_APPLICABLE);
    Scene silent = SCENE(BLOCK(""), 2, {IS(1), IS(0)}, {TIMED_OUT, TIMED_OUT});
    scene_expect(&silent, (double[]){1, 0});
    scene_play(&silent, got, gamma);
    ck_assert_double_eq(gamma[0].value, 1);
}
END_TEST

/* A judge that gives wrong answers 0.4 more: with trust the gap of the advantages of right and
 * wrong is larger in every mixed group where mu_w > mu_c; and the term fades to 1/e. */
START_TEST(trust_holds_a_bad_judge_back)
{
    for (int group = 0; group < 200; group++) {
        Scene with = SCENE(BLOCK(""), 8, {IS(0)}),
              without = SCENE(BLOCK(", trust: false"), 8, {IS(0)});
        int n_right = 1 + group % 7;
        double mean[2] = {0, 0}, gap[2];
        for (int i = 0; i < 8; i++) {
            bool right = i < n_right;
            double judged = ((group * 7 + i * 13) % 7) / 10.0 + (right ? 0 : 0.4);
            with.scores[0][i] = score_ok(right), with.scores[1][i] = score_ok(judged);
            mean[right] += judged / (right ? n_right : 8 - n_right);
        }
        memcpy(without.scores, with.scores, sizeof with.scores);
        const Scene *both[] = {&with, &without};
        for (int k = 0; k < 2; k++) {
            Score r[8];
            double m = 0, squares = 0, side[2] = {0, 0};
            scene_play(both[k], r, NULL);
            for (int i = 0; i < 8; i++) m += r[i].value / 8;
            for (int i = 0; i < 8; i++) squares += (r[i].value - m) * (r[i].value - m);
            for (int i = 0; i < 8; i++)
                side[i < n_right] += r[i].value / (i < n_right ? n_right : 8 - n_right);
            gap[k] = (side[1] - side[0]) / sqrt(squares / 7);
        }
        if (mean[0] > mean[1] + 1e-9) ck_assert_msg(gap[0] > gap[1], "group %d", group);
    }
    Scene end = SCENE(BLOCK(""), 2, {IS(1), IS(0)}, {IS(1), IS(1)});
    end.step = end.steps = 1500;
    scene_expect(&end, (double[]){1 + 0.3 * exp(-1), 0.3 * exp(-1)});
}
END_TEST

START_TEST(it_says_what_it_does_and_what_it_needs)
{
    scene_expect_formula(BLOCK(""),
                         "right + 0.3 * exp(-step / steps) * trust(right, judge) * judge");
    scene_expect_formula(
        "- {name: random, weight: 0.1}\n" BLOCK(", trust: false, anneal_steps: 12"),
        "0.1 * random + right + 0.3 * exp(-step / 12) * judge");
    scene_expect_refused("- random\n- {name: trust, outcome: random}\n", "trust needs `judge`");
    scene_expect_refused("- random\n- {name: trust, outcome: randon, judge: random}\n",
                         "did you mean random?");
    RewardBlock b;
    errors_quiet(1);
    ck_assert_int_eq(reward_block_single(&b, "trust"), -1);
    errors_quiet(-1);
    ck_assert(strstr(errors_last(), "needs a `reward:` list"));
}
END_TEST

TEST_MAIN("trust", wrong_answers_that_are_liked_better_cost_trust,
          right_answers_that_are_liked_better_keep_it_whole, trust_falls_with_the_gap,
          graded_outcomes_and_the_variant_of_the_code,
          uniform_groups_are_left_to_the_outcome_unless_told,
          a_judge_that_failed_counts_as_nothing_and_enters_no_mean, trust_holds_a_bad_judge_back,
          it_says_what_it_does_and_what_it_needs)

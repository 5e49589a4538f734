/* Several components as one, and how a block names several. Scores are told. */
#include "tests/rewardsvc/shape_scene.h"

#define FOUR                                                                                       \
    "- {name: random, as: a, weight: 0}\n- {name: random, as: b, weight: 0}\n"                     \
    "- {name: random, as: c, weight: 0}\n- {name: random, as: d, weight: 0}\n"
#define BLOCK(more) FOUR "- {name: ensemble, members: [a, b, c, d]" more "}\n"

static const double STD = 0.269258; /* of 0.8, 0.6, 0.7, 0.1 with divisor n */

START_TEST(mean_median_minimum_and_the_pessimist)
{
    Scene s = SCENE(BLOCK(""), 1, {IS(.8)}, {IS(.6)}, {IS(.7)}, {IS(.1)});
    Score r, spread;
    scene_expect(&s, (double[]){.55});
    scene_play(&s, &r, &spread);
    ck_assert_double_eq_tol(spread.value, STD, 1e-6);
    s.yaml = BLOCK(", kind: pessimistic");
    scene_expect(&s, (double[]){.280742});
    s.yaml = BLOCK(", kind: pessimistic, k: 2, scale: 10");
    scene_expect(&s, (double[]){10 * (.55 - 2 * 0.26925824035672519)});
    s.yaml = BLOCK(", kind: median");
    scene_expect(&s, (double[]){.65});
    s.yaml = BLOCK(", kind: min");
    scene_expect(&s, (double[]){.1});
    s.yaml = FOUR "- {name: ensemble, members: [a, c, b], kind: median}\n";
    scene_expect(&s, (double[]){.7});
    s.yaml = "- {name: random, as: a, weight: 3}\n- {name: random, as: b, weight: 0}\n"
             "- {name: ensemble, members: b}\n"; /* added to what is there */
    scene_expect(&s, (double[]){3 * .8 + .6});
}
END_TEST

START_TEST(members_without_a_score_are_done_without_down_to_the_quorum)
{
    Scene s =
        SCENE(BLOCK(""), 2, {IS(.8), IS(1)}, {TIMED_OUT, IS(1)}, {BROKE, IS(1)}, {IS(.2), IS(1)});
    scene_expect_statuses(&s, (ScoreStatus[]){SCORE_TIMEOUT, SCORE_OK});
    s.yaml = BLOCK(", quorum: 3");
    scene_expect_statuses(&s, (ScoreStatus[]){SCORE_TIMEOUT, SCORE_OK});
    s.yaml = BLOCK(", quorum: 2");
    scene_expect(&s, (double[]){.5, 1});
    Score r[2], spread[2];
    scene_play(&s, r, spread);
    ck_assert_double_eq_tol(spread[0].value, .3, 1e-12);
    ck_assert_double_eq(spread[1].value, 0);
    Scene none = SCENE(BLOCK(", quorum: 1"), 1, {BROKE}, {ABSENT}, {ABSENT}, {BROKE});
    scene_expect_statuses(&none, (ScoreStatus[]){SCORE_ERROR});
    scene_play(&none, r, spread);
    ck_assert_int_eq(spread[0].status, SCORE_NOT_APPLICABLE);
}
END_TEST

START_TEST(lists_of_labels_are_read_strictly)
{
    scene_expect_formula(BLOCK(", kind: pessimistic"), "1 * pessimistic(a, b, c, d; k = 1)");
    scene_expect_formula(FOUR "- {name: ensemble, members: c, scale: 0.5}\n", "0.5 * mean(c)");
    scene_expect_refused(FOUR "- {name: ensemble, members: []}\n", "the list is empty");
    scene_expect_refused(FOUR "- {name: ensemble, members: [a, b, a]}\n", "a is named twice");
    scene_expect_refused(FOUR "- {name: ensemble, members: [a, e]}\n", "no component before");
    scene_expect_refused(FOUR "- {name: ensemble, members: [a, [b]]}\n", "members");
    scene_expect_refused(FOUR "- {name: ensemble}\n", "ensemble needs `members`");
    scene_expect_refused(BLOCK("") "- {name: ensemble, as: two, members: [ensemble]}\n",
                         "no component before"); /* a shape has no score to be a member */
    scene_expect_refused(BLOCK(", kind: mode"), "kind: mode is not");
    scene_expect_refused(BLOCK(", quorum: 5"), "quorum: 5 of 4");
}
END_TEST

TEST_MAIN("ensemble", mean_median_minimum_and_the_pessimist,
          members_without_a_score_are_done_without_down_to_the_quorum,
          lists_of_labels_are_read_strictly)

/* Losses of scores: the worked numbers of the specifications (Bradley-Terry, GenRM, Themis,
 * Qwen2.5-Math, Cooper, CRew-DPO), slopes against finite differences. */
#include "rewardsvc/preference.h"

#include "rewardsvc/shaping.h"
#include "tests/harness.h"

static void near(double got, double want)
{
    ck_assert_msg(fabs(got - want) <= 1e-6, "%.9g, not %.9g", got, want);
}

START_TEST(log_sigmoid_is_stable)
{
    near(log_sigmoid(0), -0.693147);
    ck_assert_double_eq(log_sigmoid(-1e4), -1e4);
    ck_assert_double_eq(log_sigmoid(1e4), 0);
    ck_assert_double_eq(log_sigmoid(-745), -745);
    ck_assert_double_eq_tol(log_sigmoid(40) * exp(40), -1, 1e-12); /* not rounded to 0 early */
    ck_assert_double_eq(sigmoid(-1e4), 0);
    ck_assert_double_eq(sigmoid(1e4), 1);
}
END_TEST

START_TEST(bradley_terry)
{
    static const double rows[][3] = {
        {2, .126928, -.119203}, {0, .693147, -.5}, {-1, 1.313262, -.731059}};
    double slope;
    for (int i = 0; i < 3; i++) {
        near(preference_loss(rows[i][0] + 3, 3, 0, &slope), rows[i][1]);
        near(slope, rows[i][2]);
        near(preference_loss(rows[i][0] + 1, 0, 1, NULL), rows[i][1]); /* a margin of 1 */
    }
    const double better[] = {2, 1, 0, 5}, worse[] = {1, 1, 3, 4};
    ck_assert_double_eq(preference_accuracy(better, worse, 4), 2.5 / 4);
    /* K-wise: the mean over the three pairs of 2, 1, 0 */
    near(preference_ranking((double[]){2, 1, 0}, 3),
         (2 * preference_loss(1, 0, 0, NULL) + preference_loss(2, 0, 0, NULL)) / 3);
}
END_TEST

START_TEST(genrm_and_themis)
{
    const double logits[] = {2, .5};
    double p = shaping_option_probability(logits, 2, 0);
    near(p, .817574);
    double loss = cross_entropy(p, 1);
    near(loss, .201413);
    near(loss + .25 * 1.5, .576413); /* verify + lambda * keep solving */
    near((.9 + .6 + .8 + .3) / 4, .65);
    near(cross_entropy(.7, 1), .356675);
    near(cross_entropy(.7, .6), .695594);
    ck_assert_double_eq(cross_entropy(1, 1), 0); /* certain and right: no 0 log 0 */
    double slope;
    loss = preference_loss(1.2, .3, 0, &slope);
    near(loss, .341154);
    near(.5 + .5 * loss, .670577); /* Themis: L_LM + 0.5 L_RM */
    near(.5 * slope, -.144525);
}
END_TEST

START_TEST(listwise_of_right_and_wrong)
{
    double right[] = {1.5, .2}, wrong[] = {-.5, .4, -1, 0}, dr[2], dw[4];
    near(preference_listwise(right, 2, wrong, 4, dr, dw), .344664);
    const double h = 1e-6;
    for (int i = 0; i < 6; i++) {
        double *x = i < 2 ? &right[i] : &wrong[i - 2], x0 = *x;
        *x = x0 + h;
        double up = preference_listwise(right, 2, wrong, 4, NULL, NULL);
        *x = x0 - h;
        double down = preference_listwise(right, 2, wrong, 4, NULL, NULL);
        *x = x0;
        ck_assert_double_eq_tol((up - down) / (2 * h), i < 2 ? dr[i] : dw[i - 2], 1e-8);
    }
}
END_TEST

START_TEST(cooper_masks_pairs)
{
    const double right[] = {2, .5, 1}, wrong[] = {-1, 1.5, 0};
    const bool valid[] = {true, true, false}, none[] = {false, false, false};
    double slope[3];
    near(preference_loss(2, -1, 0, NULL), .048587);
    near(preference_loss(.5, 1.5, 0, NULL), 1.313262);
    near(preference_loss(1, 0, 0, NULL), .313262);
    near(preference_masked(right, wrong, valid, 3, slope), .680924);
    near(slope[0], -.047426 / 2);
    ck_assert_double_eq(slope[2], 0);
    ck_assert_double_eq(preference_masked(right, wrong, none, 3, slope), 0);
    for (int i = 0; i < 3; i++) ck_assert_double_eq(slope[i], 0);
    near(sigmoid(2), .880797);
    near(sigmoid(.5), .622459);
    near(sigmoid(-1), .268941);
    double d;
    near(cross_entropy_logit(2, 1, &d), .126928);
    near(d, .880797 - 1);
    near(cross_entropy_logit(.5, 0, NULL), .974077);
    near(cross_entropy_logit(1000, 0, NULL), 1000);
}
END_TEST

START_TEST(dpo_and_its_pairs)
{
    near(preference_dpo(.3, -12, -13, -15, -14), .437488);
    near(preference_dpo(.3, -12, -12, -15, -15), .693147);
    const double right[] = {.92, .55}, wrong[] = {.9, .4, .2};
    int r[9], w[9];
    ck_assert_int_eq(preference_widest(right, 2, wrong, 3, 3, r, w), 3);
    const int want[][2] = {{0, 2}, {0, 1}, {1, 2}};
    const double gaps[] = {.72, .52, .35};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(r[i], want[i][0]);
        ck_assert_int_eq(w[i], want[i][1]);
        near(right[r[i]] - wrong[w[i]], gaps[i]);
    }
    ck_assert_int_eq(preference_widest(right, 2, wrong, 3, 9, r, w), 6);
    ck_assert_int_eq(preference_widest(right, 2, wrong, 0, 9, r, w), 0);
}
END_TEST

TEST_MAIN("preference", log_sigmoid_is_stable, bradley_terry, genrm_and_themis,
          listwise_of_right_and_wrong, cooper_masks_pairs, dpo_and_its_pairs)

/* What shapes do to a policy: softmax over told answers, trained by group advantages of the rewards
 * that a block gives; thousands of updates in a second, no network. And the noise put on rewards.
 */
#include "common/rng.h"
#include "tests/rewardsvc/shape_scene.h"

/* ---- flips ----------------------------------------------------------------------------------- */

#define RIGHT      "- {name: random, as: right}\n"
#define FLIP(more) RIGHT "- {name: flip_noise" more "}\n"

/* 1 - r of every sample, or r of every sample? Fails on a mixture. */
static bool flips(RewardBlock *b, Scene *s)
{
    Score got[SCENE_MAX], clean[SCENE_MAX];
    scene_judge(b, s, got, clean);
    int n = 0;
    for (int i = 0; i < s->n; i++) {
        ck_assert_double_eq(clean[i].value, s->scores[0][i].value);
        n += got[i].value != clean[i].value;
    }
    ck_assert(n == 0 || n == s->n);
    return n > 0;
}

START_TEST(a_flip_is_the_groups_and_can_be_repeated)
{
    Scene s = SCENE(FLIP(", p: 0.3"), 4, {IS(1), IS(0), IS(0), IS(0)});
    s.training = true, s.seed = 5;
    RewardBlock b;
    ck_assert_int_eq(scene_open(&s, &b), 0);
    enum { N = 20000 };
    int n = 0, changed = 0;
    for (s.group = 0; s.group < N; s.group++) {
        bool flipped = flips(&b, &s);
        n += flipped;
        if (s.group < 200) ck_assert_int_eq(flips(&b, &s), flipped); /* a pure function */
        s.seed = 6, changed += flips(&b, &s) != flipped, s.seed = 5;
    }
    ck_assert_double_eq_tol((double)n / N, 0.3, 4 * sqrt(.3 * .7 / N));
    ck_assert_double_eq_tol((double)changed / N, 0.42, 4 * sqrt(.42 * .58 / N));
    s.training = false; /* never in an evaluation */
    for (s.group = 0; s.group < 1000; s.group++) ck_assert(!flips(&b, &s));
    reward_block_close(&b);
}
END_TEST

/* [1,0,0,0] turned is [0,1,1,1], whose advantages are exactly the negatives. */
START_TEST(a_flip_turns_the_advantages)
{
    Scene s = SCENE(FLIP(", p: 1"), 4, {IS(1), IS(0), IS(0), IS(0)});
    const double third = 0.577349;
    scene_expect_advantages(&s, 0, 1e-6, (double[]){1.732047, -third, -third, -third});
    s.training = true;
    scene_expect(&s, (double[]){0, 1, 1, 1});
    scene_expect_advantages(&s, 0, 1e-6, (double[]){-1.732047, third, third, third});
    /* the reward so far is turned whatever made it; failures stay; no answer keeps its 0 */
    Scene kept = SCENE(RIGHT "- {name: random, as: found, weight: 0}\n"
                             "- {name: flip_noise, p: 1, answered: found}\n",
                       4, {IS(0), IS(0), TIMED_OUT, IS(.25)}, {IS(1), IS(0), IS(1), IS(1)});
    kept.training = true;
    Score got[4];
    scene_play(&kept, got, NULL);
    ck_assert_double_eq(got[0].value, 1);
    ck_assert_double_eq(got[1].value, 0);
    ck_assert_int_eq(got[2].status, SCORE_TIMEOUT);
    ck_assert_double_eq(got[3].value, .75);
}
END_TEST

START_TEST(a_flip_of_its_own_for_each_sample)
{
    Scene s = SCENE(FLIP(", p: 0.5, per_sample: true"), 8, {IS(0)});
    for (int i = 0; i < 8; i++) s.scores[0][i] = score_ok(0);
    s.training = true;
    RewardBlock b;
    ck_assert_int_eq(scene_open(&s, &b), 0);
    int mixed = 0;
    for (s.group = 0; s.group < 100; s.group++) {
        Score got[8];
        double sum = 0;
        scene_judge(&b, &s, got, NULL);
        for (int i = 0; i < 8; i++) sum += got[i].value;
        mixed += sum > 0 && sum < 8;
    }
    ck_assert_int_ge(mixed, 95);
    reward_block_close(&b);
    scene_expect_formula(FLIP(", p: 0.25"), "flip(1 * right; p = 0.25 per group)");
    scene_expect_refused(FLIP(", p: 1.5"), "p");
    scene_expect_refused(FLIP(", salt: 0.5"), "salt: 0.5 is not a whole number");
}
END_TEST

/* ---- bandits --------------------------------------------------------------------------------- */

enum { ARMS_MAX = 4 };

typedef struct {
    int n, G;
    double logits[ARMS_MAX], rate;
    double scores[SCENE_COMPONENTS][ARMS_MAX]; /* of the told components, by arm */
    int n_components;
} Bandit;

static void probabilities(const Bandit *k, double *p)
{
    double sum = 0;
    for (int a = 0; a < k->n; a++) sum += p[a] = exp(k->logits[a]);
    for (int a = 0; a < k->n; a++) p[a] /= sum;
}

static int draw(const double *p, int n, double u)
{
    int a = 0;
    while (a < n - 1 && u >= p[a]) u -= p[a++];
    return a;
}

/* One group: drawn, judged by the block, and a step along its advantages (std with divisor n). */
static void bandit_step(Bandit *k, RewardBlock *b, Scene *s)
{
    double p[ARMS_MAX], mean = 0, squares = 0;
    int arm[SCENE_MAX];
    Score r[SCENE_MAX];
    probabilities(k, p);
    s->n = k->G;
    for (int i = 0; i < k->G; i++) {
        arm[i] =
            draw(p, k->n,
                 (double)rng_uniform(s->seed, STREAM_SAMPLING, (uint64_t)s->group, (uint32_t)i, 0));
        for (int c = 0; c < k->n_components; c++) s->scores[c][i] = score_ok(k->scores[c][arm[i]]);
    }
    scene_judge(b, s, r, NULL);
    for (int i = 0; i < k->G; i++) mean += r[i].value / k->G;
    for (int i = 0; i < k->G; i++) squares += (r[i].value - mean) * (r[i].value - mean) / k->G;
    for (int i = 0; i < k->G; i++) {
        double A = (r[i].value - mean) / (sqrt(squares) + 1e-6);
        for (int a = 0; a < k->n; a++) k->logits[a] += k->rate * A * ((a == arm[i]) - p[a]) / k->G;
    }
    s->group++;
}

/* The specification's table: 16 questions of 4 answers, G = 4, 600 steps of 0.1, flips drawn anew
 * each step: what is left of the right answer's probability. */
START_TEST(what_flips_leave_of_a_policy)
{
    static const struct {
        double p, least, most;
        const char *yaml;
    } rows[] = {{0, .97, 1, FLIP(", p: 0")},
                {.2, .965, 1, FLIP(", p: 0.2")},
                {.4, .91, .96, FLIP(", p: 0.4")},
                {.5, .1, .4, FLIP(", p: 0.5")},
                {.6, 0, .06, FLIP(", p: 0.6")}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double mean = 0;
        for (uint64_t seed = 0; seed < 3; seed++) {
            Scene s = {.yaml = rows[i].yaml, .training = true, .seed = seed};
            Bandit k[16];
            RewardBlock b;
            ck_assert_int_eq(scene_open(&s, &b), 0);
            for (int q = 0; q < 16; q++)
                k[q] = (Bandit){.n = 4, .G = 4, .rate = .1, .scores = {{1}}, .n_components = 1};
            for (int step = 0; step < 600; step++)
                for (int q = 0; q < 16; q++) bandit_step(&k[q], &b, &s);
            for (int q = 0; q < 16; q++) {
                double p[4];
                probabilities(&k[q], p);
                mean += p[0] / 48;
            }
            reward_block_close(&b);
        }
        if (getenv("TROUPE_SHOW_TIMES")) printf("p = %g: %.4f\n", rows[i].p, mean);
        ck_assert_msg(mean >= rows[i].least && mean <= rows[i].most, "p = %g: %g", rows[i].p, mean);
    }
}
END_TEST

static void train(Bandit *k, const char *yaml, int steps, double *p)
{
    Scene s = {.yaml = yaml, .training = true, .seed = 3, .steps = steps};
    RewardBlock b;
    ck_assert_int_eq(scene_open(&s, &b), 0);
    for (; s.step < steps; s.step++) bandit_step(k, &b, &s);
    reward_block_close(&b);
    probabilities(k, p);
}

/* Answers right and long, right and short, wrong and short, on a hard prompt. */
static const Bandit hard = {.n = 3,
                            .G = 8,
                            .logits = {-1, -3, 2},
                            .rate = .2,
                            .scores = {{1, 1, 0}, {.2, .9, 1}, {1, .1, .1}},
                            .n_components = 3};
#define HARD "- {name: random, as: right, weight: 0}\n- {name: random, as: brief, weight: 0}\n"

START_TEST(conciseness_never_pays_for_wrong_answers)
{
    static const char *const alphas[] = {"0.01", "0.2", "1", "10"};
    double p[3];
    for (int i = 0; i < 4; i++) {
        char *yaml = mem_printf(HARD "- {name: random, weight: 0}\n"
                                     "- {name: crf, outcome: right, conciseness: brief, alpha: %s}",
                                alphas[i]);
        Bandit k = hard;
        train(&k, yaml, 4000, p);
        if (getenv("TROUPE_SHOW_TIMES"))
            printf("crf, alpha %s: %.3f %.3f %.3f\n", alphas[i], p[0], p[1], p[2]);
        ck_assert_msg(p[1] > .9, "alpha %s: %g %g %g", alphas[i], p[0], p[1], p[2]);
        mem_free(yaml);
    }
    Bandit k = hard; /* length taken off whatever the answer: it collapses to wrong and short */
    k.scores[0][1] = 0, k.scores[2][0] = 1;
    train(&k,
          "- {name: random, as: right}\n- {name: random, as: brief, weight: 0}\n"
          "- {name: random, as: length, weight: -3}\n",
          4000, p);
    ck_assert_msg(p[2] > .9, "%g %g %g", p[0], p[1], p[2]);
}
END_TEST

/* A reward model that likes a wrong answer best: with the sigmoid the policy ends on right answers
 * for every a, and on the model's favourite of them; a plain sum follows the model. */
START_TEST(a_verdict_is_stronger_than_a_reward_model)
{
    const Bandit start = {
        .n = 4, .G = 8, .rate = .2, .scores = {{1, 1, 0, 0}, {-1, 1, 6, 0}}, .n_components = 2};
    static const char *const slopes[] = {"0.1", "0.5", "3"};
    double p[4];
    for (int i = 0; i < 3; i++) {
        char *yaml = mem_printf(
            HARD "- {name: sigmoid_shaping, outcome: right, score: brief, a: %s}", slopes[i]);
        Bandit k = start;
        train(&k, yaml, 4000, p);
        ck_assert_msg(p[1] > .95, "a = %s: %g %g %g %g", slopes[i], p[0], p[1], p[2], p[3]);
        mem_free(yaml);
    }
    Bandit k = start;
    train(&k, "- {name: random, as: right}\n- {name: random, as: model, weight: 1}\n", 2000, p);
    ck_assert(p[2] > .9);
}
END_TEST

TEST_MAIN("shape_bandits", a_flip_is_the_groups_and_can_be_repeated, a_flip_turns_the_advantages,
          a_flip_of_its_own_for_each_sample, what_flips_leave_of_a_policy,
          conciseness_never_pays_for_wrong_answers, a_verdict_is_stronger_than_a_reward_model)

/* A group before the block: gates, judges that answer late or never, weights over steps,
 * normalise, clip, shapes. */
#include "rewardsvc/reward_case.h"

#include <math.h>

#include "common/errors.h"
#include "common/yaml.h"
#include "tests/harness.h"

/* ---- a rule and a judge that do as they are told --------------------------------------------- */

static Score rule_score(const RewardValue *v, void *state, const Evidence *e)
{
    (void)v;
    const Score *script = state;
    return script[e->sample];
}
static const Reward rule = {.name = "rule", .help = "for tests", .score = rule_score};

typedef struct {
    int turns;      /* of work until it answers; < 0: never */
    int n, n_asked; /* questions open; samples asked about */
    int n_withdrawn;
    double value;
} Judge;

static int questions_left;

static void *judge_ask(const RewardValue *v, void *state, const GroupEvidence *g,
                       const bool *wanted)
{
    (void)v;
    Judge *j = state;
    if (j->turns == 0) {
        fail("nobody is there");
        return NULL;
    }
    j->n++;
    for (int i = 0; i < g->n; i++) j->n_asked += wanted[i];
    questions_left++;
    int *question = NEW(int, 2);
    question[0] = j->turns, question[1] = g->n;
    return question;
}

static bool judge_answered(void *state, void *question, Score *scores, char **notes,
                           StepScores *steps)
{
    (void)steps;
    Judge *j = state;
    int *left = question;
    if (*left < 0 || --*left) return false;
    for (int i = 0; i < left[1]; i++) {
        scores[i] = score_ok(j->value + i);
        notes[i] = mem_printf("answer %d", i);
    }
    mem_free(question);
    questions_left--;
    j->n--;
    return true;
}

static void judge_withdraw(void *state, void *question)
{
    Judge *j = state;
    j->n_withdrawn++;
    j->n--;
    questions_left--;
    mem_free(question);
}
static const Reward judge = {.name = "judge",
                             .help = "for tests",
                             .ask = judge_ask,
                             .answered = judge_answered,
                             .withdraw = judge_withdraw};

/* Doubles the rewards. */
static void twice(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    (void)v, (void)state;
    for (int i = 0; i < g->n; i++)
        if (reward[i].status == SCORE_OK) {
            trace[i] = reward[i];
            reward[i].value *= 2;
        }
}
static const Reward shape = {.name = "twice", .help = "for tests", .shape = twice};

enum { N = 4 };

static RewardComponent component(const Reward *r, const char *name, void *state, double weight)
{
    return (RewardComponent){.reward = r,
                             .name = mem_text(name),
                             .weight = {.from = weight},
                             .deadline_s = 60,
                             .state = state,
                             .complained = true};
}

static RewardBlock block_of(int n, const RewardComponent *list)
{
    RewardBlock b = {.n = n, .components = NEW(RewardComponent, n)};
    for (int i = 0; i < n; i++) b.components[i] = list[i];
    return b;
}

static const Evidence *four(void)
{
    static Evidence e[N];
    for (int i = 0; i < N; i++) e[i] = (Evidence){.prompt = "", .text = "", .sample = i};
    return e;
}

static RewardCase *settled(RewardBlock *b, int64_t step)
{
    RewardCase *c = reward_case_open(b, four(), N, step, 100);
    int turns = 0;
    while (!reward_case_settled(c)) ck_assert_int_lt(turns++, 100);
    return c;
}

static const ScoreStatus OK = SCORE_OK, NA = SCORE_NOT_APPLICABLE;

START_TEST(a_judge_is_asked_only_where_its_gate_is_open)
{
    Score right[N] = {{1, OK}, {0, OK}, {1, OK}, {0, SCORE_TIMEOUT}};
    Judge j = {.turns = 3, .value = 10};
    RewardBlock b = block_of(2, (RewardComponent[]){component(&rule, "right", right, 1),
                                                    component(&judge, "style", &j, 0.5)});
    b.components[1].gated = true, b.components[1].at_least = 1;
    RewardCase *c = settled(&b, 0);
    ck_assert_int_eq(j.n_asked, 2);
    ck_assert_double_eq(reward_case_reward(c, 0).value, 1 + 0.5 * 10);
    ck_assert_double_eq(reward_case_reward(c, 1).value, 0); /* its gate is shut: not applicable */
    ck_assert_int_eq(reward_case_score(c, 1, 1).status, NA);
    ck_assert_double_eq(reward_case_reward(c, 2).value, 1 + 0.5 * 12);
    ck_assert_int_eq(reward_case_reward(c, 3).status, SCORE_TIMEOUT);
    ck_assert_str_eq(reward_case_note(c, 1, 2), "answer 2");
    ck_assert_ptr_null(reward_case_note(c, 0, 2));
    reward_case_close(c);
    reward_block_close(&b);
    ck_assert_int_eq(questions_left, 0);
}
END_TEST

START_TEST(a_gate_waits_for_a_judge)
{
    Judge first = {.turns = 5, .value = 0}, second = {.turns = 1, .value = 1};
    RewardBlock b = block_of(2, (RewardComponent[]){component(&judge, "first", &first, 0),
                                                    component(&judge, "second", &second, 1)});
    b.components[1].gated = true, b.components[1].at_least = 2;
    RewardCase *c = settled(&b, 0);
    ck_assert_int_eq(second.n_asked, 2); /* samples 2 and 3 were given 2 and 3 */
    ck_assert_int_eq(reward_case_reward(c, 0).status, NA);
    ck_assert_double_eq(reward_case_reward(c, 3).value, 4);
    reward_case_close(c);
    reward_block_close(&b);
}
END_TEST

START_TEST(a_judge_is_asked_about_mixed_groups_only)
{
    static const struct {
        Score right[N];
        int n_asked;
    } rows[] = {{{{1, OK}, {.9, OK}, {1, OK}, {1, OK}}, 0},
                {{{0, OK}, {.1, OK}, {0, OK}, {0, SCORE_TIMEOUT}}, 0},
                {{{1, OK}, {.8, OK}, {1, OK}, {1, OK}}, 4},
                {{{1, OK}, {0, OK}, {0, NA}, {0, SCORE_TIMEOUT}}, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Judge j = {.turns = 2, .value = 10};
        RewardBlock b =
            block_of(2, (RewardComponent[]){component(&rule, "right", (void *)rows[i].right, 0),
                                            component(&judge, "style", &j, 1)});
        b.components[1].wants_mixed = true;
        RewardCase *c = settled(&b, 0);
        ck_assert_int_eq(j.n_asked, rows[i].n_asked);
        ck_assert_int_eq(reward_case_score(c, 1, 0).status, rows[i].n_asked ? OK : NA);
        reward_case_close(c);
        reward_block_close(&b);
    }
}
END_TEST

START_TEST(a_judge_that_is_late_or_absent_is_no_zero)
{
    Score right[N] = {{1, OK}, {1, OK}, {0, OK}, {0, OK}};
    Judge silent = {.turns = -1}, absent = {.turns = 0};
    RewardBlock b = block_of(2, (RewardComponent[]){component(&rule, "right", right, 1),
                                                    component(&judge, "late", &silent, 1)});
    b.components[1].deadline_s = 0.05;
    RewardCase *c = reward_case_open(&b, four(), N, 0, 0);
    ck_assert(!reward_case_settled(c));
    while (!reward_case_settled(c)) {
    }
    for (int i = 0; i < N; i++) ck_assert_int_eq(reward_case_reward(c, i).status, SCORE_TIMEOUT);
    ck_assert(reward_case_latency(c, 1, 0) >= 0.05f);
    ck_assert_int_eq(silent.n_withdrawn, 1);
    reward_case_close(c);

    c = reward_case_open(&b, four(), N, 0, 0); /* closed in the middle: the question is withdrawn */
    ck_assert(!reward_case_settled(c));
    reward_case_close(c);
    ck_assert_int_eq(silent.n_withdrawn, 2);

    b.components[1].state = &absent;
    c = settled(&b, 0);
    ck_assert_int_eq(reward_case_reward(c, 0).status, SCORE_ERROR);
    reward_case_close(c);
    b.components[1].weight.from = 0; /* only watched: spoils nothing */
    c = settled(&b, 0);
    ck_assert_double_eq(reward_case_reward(c, 0).value, 1);
    reward_case_close(c);
    reward_block_close(&b);
    ck_assert_int_eq(questions_left, 0);
}
END_TEST

START_TEST(normalise_then_clip_then_weigh)
{
    /* mean 2, std (n - 1) 1 over the three that are ok */
    Score x[N] = {{1, OK}, {0, NA}, {2, OK}, {3, OK}},
          even[N] = {{5, OK}, {5, OK}, {5, OK}, {5, OK}};
    RewardBlock b = block_of(
        2, (RewardComponent[]){component(&rule, "x", x, 2), component(&rule, "even", even, 1)});
    b.components[0].normalise = b.components[1].normalise = true;
    b.components[0].clips = true, b.components[0].least = -0.5, b.components[0].most = 10;
    RewardCase *c = settled(&b, 0);
    ck_assert_double_eq(reward_case_reward(c, 0).value, -1);
    ck_assert_double_eq(reward_case_reward(c, 1).value, 0);
    ck_assert_double_eq(reward_case_reward(c, 2).value, 0);
    ck_assert_double_eq_tol(reward_case_reward(c, 3).value, 2, 1e-12);
    reward_case_close(c);
    reward_block_close(&b);
}
END_TEST

START_TEST(weights_follow_the_steps)
{
    const RewardWeight linear = {WEIGHT_LINEAR, 1, 0, 100}, cosine = {WEIGHT_COSINE, 1, 0, 100},
                       fading = {WEIGHT_EXP, 0.3, 0, 1500}, constant = {.from = -2};
    ck_assert_double_eq(reward_weight_at(&linear, 0), 1);
    ck_assert_double_eq(reward_weight_at(&linear, 25), 0.75);
    ck_assert_double_eq(reward_weight_at(&linear, 1000), 0);
    ck_assert_double_eq_tol(reward_weight_at(&cosine, 50), 0.5, 1e-12);
    ck_assert_double_eq(reward_weight_at(&constant, 50), -2);
    /* Trust-GRPO's annealing at half of its steps (Fan et al. 2025): 0.3 exp(-1/2) */
    ck_assert_double_eq_tol(reward_weight_at(&fading, 750), 0.181959, 5e-7);
    Score one[N] = {{1, OK}, {1, OK}, {1, OK}, {1, OK}};
    RewardBlock b = block_of(2, (RewardComponent[]){component(&rule, "one", one, 0),
                                                    component(&shape, "twice", NULL, 1)});
    b.components[0].weight = linear;
    RewardCase *c = settled(&b, 75);
    ck_assert_double_eq(reward_case_reward(c, 2).value, 0.5);
    ck_assert_double_eq(reward_case_score(c, 1, 2).value, 0.25); /* what it kept for the ledger */
    reward_case_close(c);
    reward_block_close(&b);
}
END_TEST

/* ---- the list as it is written --------------------------------------------------------------- */

static int open_text(RewardBlock *b, const char *text)
{
    YamlNode *list = yaml_parse("t", text, strlen(text));
    ck_assert_ptr_nonnull(list);
    errors_quiet(1);
    int rc = reward_block_open(b, list);
    errors_quiet(-1);
    yaml_close(list);
    return rc;
}

START_TEST(items_say_when_how_much_and_within_what)
{
    RewardBlock b;
    ck_assert_int_eq(
        open_text(&b,
                  "- exact_number\n"
                  "- {name: length, as: short, weight: {from: 0.5, to: 0, steps: 200, kind: exp},"
                  " only_if: exact_number, at_least: 0.5, clip: [-1, 0], normalise: true}\n"
                  "- {name: format_tags, weight: 0}\n"),
        0);
    char *formula = reward_block_formula(&b);
    ck_assert_str_eq(formula, "1 * exact_number + exp(0.5 -> 0 over 200 steps) * [exact_number >= "
                              "0.5] * clip(normalise(short), -1, 0)");
    mem_free(formula);
    reward_block_close(&b);
    ck_assert_int_eq(open_text(&b, "- exact_number\n- {name: length, only_mixed: exact_number}"),
                     0);
    formula = reward_block_formula(&b);
    ck_assert_str_eq(formula, "1 * exact_number + 1 * [exact_number mixed] * length");
    mem_free(formula);
    reward_block_close(&b);

    static const struct {
        const char *text, *said;
    } bad[] = {
        {"- {name: length, only_if: exact_number}",
         "no component before this item is called exact"},
        {"- exact_number\n- {name: length, only_if: exact_nmber}", "did you mean exact_number?"},
        {"- exact_number\n- {name: length, only_mixed: exact_nmber}", "did you mean exact_number?"},
        {"- {name: length, at_least: 1}", "at_least belongs to `only_if`"},
        {"- {name: length, clip: [1, 0]}", "1 is above 0"},
        {"- {name: length, clip: 3}", "two numbers"},
        {"- {name: length, weight: {from: 1}}", "over how many `steps`"},
        {"- {name: length, weight: {steps: 3, kind: sudden}}", "linear, cosine or exp, not sudden"},
        {"- {name: length, weight: {step: 3}}", "not step"},
        {"- {name: length, deadline_s: 0}", "deadline_s"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(open_text(&b, bad[i].text), -1);
        ck_assert_msg(strstr(errors_last(), bad[i].said), "%s: %s", bad[i].text, errors_last());
    }
}
END_TEST

TEST_MAIN("reward_case", a_judge_is_asked_only_where_its_gate_is_open, a_gate_waits_for_a_judge,
          a_judge_is_asked_about_mixed_groups_only, a_judge_that_is_late_or_absent_is_no_zero,
          normalise_then_clip_then_weigh, weights_follow_the_steps,
          items_say_when_how_much_and_within_what)

/* The reward service alone. With a reward that has state over steps: whatever the order in which
 * groups reach it, a group is judged by the state of its own step. With a slow judge: what it does
 * not concern does not wait for it. */
#include "rewardsvc/service.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "common/errors.h"
#include "tests/harness.h"
#include "tests/rewardsvc/judge_fixture.h"

enum { P = 2, G = 2, PROBLEMS = 2 };

typedef struct {
    Comm *comm;
    Config cfg;
    Service s;
} Scene;

static const char shared[] =
    "run: {name: t, steps: 4}\nlayout: {workers: 1, rewardsvc: 1}\n"
    "rollout: {prompts: 2, samples: 2, max_tokens: 16}\neval: {problems: 2, every: 1}\n";
static const char with_state[] = "reward:\n- {name: exact_number, strict: false}\n"
                                 "- {name: running_scale, component: exact_number, weight_of: 1}\n";

static void scene_open(Scene *t, const char *rewards)
{
    char *text = mem_printf("%s%s", shared, rewards);
    int argc = 0;
    char **argv = NULL;
    *t = (Scene){.comm = comm_open(&argc, &argv)};
    Layout alone = {.workers = 1, .rewardsvc = 1, .deadline_s = 600};
    ck_assert(!config_parse(&t->cfg, "t", text, NULL, 0));
    ck_assert(!comm_set_layout(t->comm, &alone, 1));
    ck_assert(!service_init(&t->s, t->comm, &t->cfg));
    mem_free(text);
    comm_send_state(t->comm, ROLE_REWARD, 0, "", 0);
}

static void scene_close(Scene *t)
{
    service_free(&t->s);
    config_free(&t->cfg);
    comm_close(t->comm);
}

static void arrive_asking(Scene *t, GroupKind kind, int64_t id, int32_t version, int answer)
{
    Group g = {.kind = kind,
               .id = id,
               .version = version,
               .prompt_text = mem_text("12+3="),
               .record = mem_printf("{\"answer\": %d}", answer),
               .n_samples = kind == GROUP_EVAL ? 1 : G,
               .samples = NEW(Sample, G)};
    for (int i = 0; i < g.n_samples; i++)
        g.samples[i].text = mem_text(i && id ? "<answer>14</answer>" : "<answer>15</answer>");
    comm_send_group(t->comm, ROLE_REWARD, 0, &g);
    group_free(&g);
}

static void arrive(Scene *t, GroupKind kind, int64_t id, int32_t version)
{
    arrive_asking(t, kind, id, version, 15);
}

static void turn(Scene *t)
{
    for (int i = 0; i < 10; i++) {
        comm_progress(t->comm);
        service_turn(&t->s);
    }
}

/* The reward of the next judged group, which must be this one. */
static double reward_of(Scene *t, GroupKind kind, int64_t id)
{
    Group g;
    ck_assert(comm_take_group(t->comm, ROLE_LEARNER, &g));
    ck_assert_int_eq(g.kind, kind);
    ck_assert_int_eq(g.id, id);
    ck_assert_int_eq(g.samples[0].reward.status, SCORE_OK);
    double value = g.samples[0].reward.value;
    group_free(&g);
    return value;
}

static bool state_came(Scene *t, int64_t version)
{
    Buffer text = {0};
    int64_t got = -1;
    bool any = comm_take_state(t->comm, ROLE_LEARNER, &got, &text);
    if (any) ck_assert_int_eq(got, version);
    buffer_free(&text);
    return any;
}

/* A right answer at the beginning (mean 0, spread 1): 1 + (1 - 0) / 1; after a step with scores 1 1
 * 1 0 (mean 3/4, spread sqrt(3) / 4): 1 + (1/4) / (sqrt(3) / 4). */
static const double at_first = 2, later = 1.5773502691896257;

static void evaluate_late(int late)
{
    Scene t;
    scene_open(&t, with_state);
    arrive(&t, GROUP_TRAIN, 0, 0);
    arrive(&t, GROUP_TRAIN, 1, 0);
    for (int i = 0; i < PROBLEMS - late; i++) arrive(&t, GROUP_EVAL, i, 0);
    turn(&t);
    for (int i = 0; i < P; i++) ck_assert_double_eq(reward_of(&t, GROUP_TRAIN, i), at_first);
    for (int i = 0; i < PROBLEMS - late; i++)
        ck_assert_double_eq(reward_of(&t, GROUP_EVAL, i), at_first);
    ck_assert(state_came(&t, 1) == (late == 0));
    ck_assert_int_eq(t.s.step, late == 0);
    for (int i = PROBLEMS - late; i < PROBLEMS; i++) arrive(&t, GROUP_EVAL, i, 0);
    turn(&t);
    for (int i = PROBLEMS - late; i < PROBLEMS; i++)
        ck_assert_double_eq(reward_of(&t, GROUP_EVAL, i), at_first);
    if (late) ck_assert(state_came(&t, 1));
    ck_assert_int_eq(t.s.step, 1);
    scene_close(&t);
}

START_TEST(an_evaluation_that_comes_late_is_judged_by_the_state_of_its_step)
{
    for (int late = 0; late <= PROBLEMS; late++) evaluate_late(late);
}
END_TEST

START_TEST(groups_of_a_later_step_wait_for_its_state)
{
    Scene t;
    Group g;
    scene_open(&t, with_state);
    arrive(&t, GROUP_EVAL, 0, 1);
    arrive(&t, GROUP_TRAIN, 2, 1);
    turn(&t);
    ck_assert(!comm_take_group(t.comm, ROLE_LEARNER, &g));
    for (int i = 0; i < PROBLEMS; i++) arrive(&t, GROUP_EVAL, i, 0);
    for (int i = 0; i < P; i++) arrive(&t, GROUP_TRAIN, i, 0);
    turn(&t);
    for (int i = 0; i < PROBLEMS; i++) ck_assert_double_eq(reward_of(&t, GROUP_EVAL, i), at_first);
    for (int i = 0; i < P; i++) ck_assert_double_eq(reward_of(&t, GROUP_TRAIN, i), at_first);
    ck_assert_double_eq_tol(reward_of(&t, GROUP_EVAL, 0), later, 1e-12);
    ck_assert_double_eq_tol(reward_of(&t, GROUP_TRAIN, 2), later, 1e-12);
    ck_assert_int_eq(t.s.step, 1);
    scene_close(&t);
}
END_TEST

/* Groups of wrong answers, which nobody is asked about, come through while a right one's judge
 * never answers. */
START_TEST(what_needs_no_judge_does_not_wait_for_one)
{
    JudgeServer server = judge_start();
    char *url = judge_url(&server, "hang");
    char *block = mem_printf("judges: [{name: slow, url: '%s', model: m}]\n"
                             "reward:\n- {name: exact_number, strict: false}\n"
                             "- {name: judge, judge: slow, only_if: exact_number, template: "
                             "'Rate {answer} {mark}'}\n",
                             url);
    Scene t;
    Group g;
    KernelSet k = {.product = PRODUCT_F32};
    scene_open(&t, block);
    char dir[] = "/tmp/test-service-XXXXXX", *runs = mkdtemp(dir), *run = mem_printf("%s/t", runs);
    mem_free(t.cfg.run.dir);
    t.cfg.run.dir = mem_text(runs);
    ck_assert(!mkdir(run, 0700));
    ck_assert(!service_prepare(&t.s, &k));
    for (int64_t id = 0; id < 4; id++) arrive_asking(&t, GROUP_TRAIN, id, 0, id % 2 ? 99 : 15);
    for (int i = 0; i < 200; i++) turn(&t);
    for (int64_t id = 1; id < 4; id += 2) ck_assert_double_eq(reward_of(&t, GROUP_TRAIN, id), 0);
    ck_assert(!comm_take_group(t.comm, ROLE_LEARNER, &g));
    scene_close(&t);
    judge_stop(&server);
    char *log = mem_printf("%s/judges-000.jsonl", run);
    ck_assert(!unlink(log) && !rmdir(run) && !rmdir(runs));
    mem_free(log);
    mem_free(run);
    mem_free(block);
    mem_free(url);
}
END_TEST

TEST_MAIN("service", what_needs_no_judge_does_not_wait_for_one,
          an_evaluation_that_comes_late_is_judged_by_the_state_of_its_step,
          groups_of_a_later_step_wait_for_its_state)

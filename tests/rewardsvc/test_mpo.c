/* MPO: a rubric that is rewritten on a schedule by what a meta judge saw, its versions and state,
 * what is not asked about, and the story it is for: a rubric that can be hacked is rewritten and
 * the hack's share falls. Judge and meta judge are scripts of tests/judge_server. */
#include "common/rng.h"
#include "rewardsvc/mpo_buffer.h"
#include "rewardsvc/mpo_history.h"
#include "tests/rewardsvc/judge_scene.h"

enum { G = 2 };

static JudgeServer server;

/* more: settings of mpo; before: items of the list that stand before it, each with a comma. */
static Open *open_mpo(const char *judge, const char *meta, const char *before, const char *more)
{
    char *one = judge_url(&server, judge), *two = judge_url(&server, meta);
    char *text = mem_printf("task: {name: sum}\n"
                            "judges: [{name: far, model: m, url: \"%s\", retries: 0, concurrency: "
                            "1}, {name: senior, model: m, url: \"%s\", retries: 0, concurrency: "
                            "1}]\nreward: [%s{name: mpo, judge: far, meta: senior%s}]\n",
                            one, two, before, more);
    Open *o = open_text(text, NULL);
    mem_free(text);
    mem_free(two);
    mem_free(one);
    return o;
}

/* What the service does at the end of a step: the groups [1] are shown to the block, which may ask;
 * then its state is written and read again. The text; caller frees. */
static char *advance(Open *o, RewardCase *c, const Evidence *e, int n, int64_t step)
{
    int K = o->block.n;
    Score scores[64], rewards[32];
    const char *notes[64];
    for (int i = 0; i < n; i++) {
        rewards[i] = reward_case_reward(c, i);
        for (int k = 0; k < K; k++) {
            scores[k * n + i] = reward_case_score(c, k, i);
            notes[k * n + i] = reward_case_note(c, k, i);
        }
    }
    JudgedGroup g = {.g = {.n = n, .samples = e, .step = step, .n_components = K, .scores = scores},
                     .reward = rewards,
                     .notes = notes};
    double end = clock_seconds() + 60;
    reward_block_advance(&o->block, &g, 1, step);
    while (!reward_block_advanced(&o->block)) {
        reward_block_work(&o->block);
        ck_assert_msg(clock_seconds() < end, "the meta judge gave no answer in 60 s");
    }
    char *text = reward_block_save(&o->block);
    ck_assert_msg(reward_block_load(&o->block, text) == 0, "%s", errors_last());
    return text;
}

/* A step with a group of its own; version: the one that its notes must name. */
static char *run_step(Open *o, int64_t step, int version)
{
    Evidence e[G];
    char *want = mem_printf("rubric v%d: item1 3 of 0-5", version);
    fill(e, G, "15");
    for (int i = 0; i < G; i++) e[i].group = step, e[i].seed = 1;
    RewardCase *c = judged(o, e, G);
    for (int i = 0; i < G; i++) {
        ck_assert_double_eq(reward_case_reward(c, i).value, 3);
        ck_assert_msg(!strncmp(reward_case_note(c, 0, i), want, strlen(want)), "%s",
                      reward_case_note(c, 0, i));
    }
    char *text = advance(o, c, e, G, step);
    reward_case_close(c);
    mem_free(want);
    return text;
}

/* The last version in a state: its number, and whether the rubric is `rubric` (NULL: any). */
static int version_of(const char *state, const char *rubric)
{
    json_t *all = json_loads(state, 0, NULL);
    json_t *shown = json_object_get(json_object_get(all, "mpo"), "shown");
    json_t *last = json_array_get(shown, json_array_size(shown) - 1);
    const char *text = json_string_value(json_object_get(last, "rubric"));
    int version = (int)json_integer_value(json_object_get(last, "version"));
    ck_assert_msg(!rubric || !strcmp(text, rubric), "%s", text);
    json_decref(all);
    return version;
}

static int gathered(const char *state)
{
    json_t *all = json_loads(state, 0, NULL);
    int n = (int)json_array_size(json_object_get(json_object_get(all, "mpo"), "buffer"));
    json_decref(all);
    return n;
}

#define FEW ", samples: 1, meta_temperature: 0"

/* N = 10: after updates 10, 20, 30 the rubric's version is 1, 2, 3; the rewards of updates 1 to 10
 * carry version 0. In the middle another reward takes the state over and comes to the same. */
START_TEST(versions_follow_the_schedule)
{
    server = judge_start();
    Open *o = open_mpo("ok=Score:_3", "~ok=hm,ok=so,ok=New_(0-5)", "", FEW);
    Open *other = open_mpo("ok+0=Score:_3", "~ok=hm,ok=so,ok+0=New_(0-5)", "", FEW);
    for (int u = 1; u <= 30; u++) {
        char *text = run_step(o, u - 1, (u - 1) / 10), *again = NULL;
        ck_assert_int_eq(version_of(text, u < 10 ? NULL : "New (0-5)"), u / 10);
        ck_assert_int_eq(gathered(text), u % 10 * G);
        if (u == 15) ck_assert_int_eq(reward_block_load(&other->block, text), 0);
        if (u > 15) again = run_step(other, u - 1, (u - 1) / 10);
        if (again) ck_assert_str_eq(again, text);
        mem_free(again);
        mem_free(text);
    }
    ck_assert_int_eq(judge_count(&server, "~ok=hm,ok=so,ok=New_(0-5)", "requests"), 9);
    /* the beginning again */
    ck_assert_int_eq(reward_block_load(&o->block, ""), 0);
    char *text = run_step(o, 30, 0);
    mem_free(text);
    close_text(other);
    close_text(o);
    judge_stop(&server);
}
END_TEST

/* One update, after which the meta judge works by a script: the version after it, and the reason
 * if it is still 0. */
static int reviewed(const char *meta, const char *more, const char *rubric)
{
    Open *o = open_mpo("ok=Score:_3", meta, "", more);
    errors_quiet(1);
    char *text = run_step(o, 0, 0);
    errors_quiet(-1);
    int version = version_of(text, rubric);
    ck_assert_int_eq(gathered(text), 0);
    mem_free(text);
    close_text(o);
    return version;
}

START_TEST(what_is_no_rubric_is_not_taken)
{
    server = judge_start();
    const char *once = ", every: 1, samples: 1, meta_temperature: 0";
    const char *often = ", every: 1, samples: 1, meta_retries: 1";
    ck_assert_int_eq(reviewed("ok=a,ok=b,ok=Be_good", once, NULL), 0);
    ck_assert_msg(strstr(errors_last(), "rubric v0 is kept after 1 updates"), "%s", errors_last());
    ck_assert_int_eq(reviewed("ok=a,ok=b,ok=<rubric>Cut_(0-5)", once, NULL), 0);
    ck_assert_int_eq(reviewed("ok=a,ok=b,ok=A_(5-0)", once, NULL), 0);
    ck_assert_int_eq(reviewed("ok=a,ok=b,500", once, NULL), 0);
    ck_assert_int_eq(reviewed("refusal", once, NULL), 0); /* no proposal, so no merger */
    ck_assert_int_eq(judge_count(&server, "refusal", "requests"), 1);
    /* asked again where it is not greedy */
    ck_assert_int_eq(reviewed("ok=a,ok=b,ok=Be_good,ok=Fine_(0-3)", often, "Fine (0-3)"), 1);
    ck_assert_int_eq(
        reviewed("ok=a,ok=b,ok=Say_<rubric>A_(0-3)%0Ab</rubric>_so", once, "A (0-3)\nb"), 1);
    /* one sample that cannot be analysed does not spoil the rest */
    ck_assert_int_eq(reviewed("refusal,ok=a,ok=b,ok=Fine_(0-3)",
                              ", every: 1, samples: 2, meta_temperature: 0", "Fine (0-3)"),
                     1);
    judge_stop(&server);
}
END_TEST

/* What the meta judge sees, by one that repeats what it was asked. */
START_TEST(the_meta_judge_sees_what_it_judges)
{
    server = judge_start();
    const char *more =
        ", every: 1, samples: 2, meta_temperature: 0, rubric: \"First (0-5)\", task: "
        "T, analyse: \"x\", refine: \"{task} {prompt} {answer} {score} {rubric}\", "
        "merge: \"{rubric}: {proposals}\"";
    ck_assert_int_eq(reviewed("echo", more,
                              "First (0-5): --- proposal 1 ---\nT 12+3= 15 3 First (0-5)\n\n"
                              "--- proposal 2 ---\nT 12+3= 15 3 First (0-5)"),
                     1);
    /* proposals beyond the limit are left out whole, but not the first */
    ck_assert_int_eq(reviewed("echo+0",
                              ", every: 1, samples: 2, meta_temperature: 0, merge_words: "
                              "5, analyse: x, refine: \"one two three\", merge: "
                              "\"{proposals} (0-5)\"",
                              "--- proposal 1 ---\none two three (0-5)"),
                     1);
    judge_stop(&server);
}
END_TEST

START_TEST(a_prescreening_takes_the_worst)
{
    server = judge_start();
    Open *o = open_mpo(
        "ok=Score:_3", "ok=Verdict:_good,ok=Verdict:_bad,ok=Verdict:_ok,ok=hm,echo", "",
        ", every: 1, samples: 1, prescreen: true, meta_temperature: 0, refine: \"{answer} (0-5)\", "
        "merge: \"{proposals}\"");
    static const char *const texts[] = {"p", "q", "r", "s"};
    MpoBuffer order; /* the second of those that are kept is the one that was judged badly */
    Evidence e[4];
    mpo_buffer_init(&order, 4);
    fill(e, 4, "");
    for (int i = 0; i < 4; i++) {
        e[i].text = texts[i], e[i].n_text = 1;
        mpo_buffer_add(&order, &e[i], 3, "");
    }
    RewardCase *c = judged(o, e, 4);
    char *state = advance(o, c, e, 4, 0);
    char *want = mem_printf("--- proposal 1 ---\n%s (0-5)", order.list[1].answer);
    ck_assert_int_eq(version_of(state, want), 1);
    mem_free(want);
    mem_free(state);
    mpo_buffer_free(&order);
    reward_case_close(c);
    close_text(o);
    judge_stop(&server);
}
END_TEST

/* ---- scores ---------------------------------------------------------------------------------- */

/* The score of one text; its note must begin with `note`. */
static Score scored(const char *judge, const char *before, const char *more, const char *text,
                    const char *note)
{
    Open *o = open_mpo(judge, "500", before, more);
    Evidence e;
    fill(&e, 1, text);
    errors_quiet(1);
    RewardCase *c = judged(o, &e, 1);
    errors_quiet(-1);
    Score s = reward_case_score(c, o->block.n - 1, 0);
    ck_assert_msg(!strncmp(reward_case_note(c, o->block.n - 1, 0), note, strlen(note)), "%s",
                  reward_case_note(c, o->block.n - 1, 0));
    reward_case_close(c);
    close_text(o);
    return s;
}

#define THREE ", rubric: \"a (0-5)\\nb (0-5)\\nc (0-5)\""

START_TEST(items_are_summed)
{
    server = judge_start();
    Score s = scored("ok=y,ok=y,ok=y,ok=Score:_3,ok=Score:_4,ok=Score:_2", "", THREE, "x",
                     "rubric v0: item1 3 of 0-5, item2 4 of 0-5, item3 2 of 0-5\n");
    ck_assert_double_eq(s.value, 9);
    s = scored("ok=y,ok=y,ok=y,ok=Score:_3,ok=hm,ok=Score:_2", "", THREE ", unreadable: zero", "x",
               "rubric v0: item1 3 of 0-5, item2 unread, item3 2 of 0-5\n");
    ck_assert_int_eq(s.status, SCORE_OK);
    ck_assert_double_eq(s.value, 5);
    s = scored("ok=y,ok=y,ok=y,ok=Score:_3,ok=hm,ok+0=Score:_2", "", THREE, "x",
               "rubric v0: item1");
    ck_assert_int_eq(s.status, SCORE_ERROR);
    judge_stop(&server);
}
END_TEST

/* The ethics setting, and the maths setting's coin on its first side. */
START_TEST(thin_answers_are_not_asked_about)
{
    server = judge_start();
    char words[200] = "right";
    for (int i = 0; i < 28; i++) strcat(words, " word");
    const char *ethics = ", least_words: 30, verdict: \"[Rr]ight|wrong\"";
    const char *check = ", answer_check: 1, right: regex";
    const char *rule = "{name: regex, weight: 0, pattern: \"right\"}, ";
    ck_assert_double_eq(scored("ok=z", "", ethics, words, "not asked").value, -10);
    ck_assert_double_eq(scored("ok=z", rule, check, words, "not asked").value, 0);
    strcat(words, " last");
    ck_assert_double_eq(scored("ok=z", rule, check, words, "not asked").value, 5);
    words[0] = 'R';
    ck_assert_double_eq(scored("ok=z", rule, check, words, "not asked").value, 0);
    ck_assert_int_eq(judge_count(&server, "ok=z", "requests"), 0);
    ck_assert_double_eq(scored("ok=Score:_4", "", ethics, words, "rubric v0").value, 4);
    words[0] = 'L'; /* no verdict */
    ck_assert_double_eq(scored("ok=z", "", ethics, words, "not asked").value, -10);
    ck_assert_int_eq(judge_count(&server, "ok=z", "requests"), 0);
    judge_stop(&server);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    static const BadBlock bad[] = {
        {"name: mpo, judge: a", "needs `meta`"},
        {"name: mpo, judge: a, meta: b", "no model called b"},
        {"name: mpo, judge: a, meta: a, rubric: \"be good\"", "no item"},
        {"name: mpo, judge: a, meta: a, analyse: \"{proposals}\"", "no place {proposals}"},
        {"name: mpo, judge: a, meta: a, merge: \"{score}\"", "no place {score}"},
        {"name: mpo, judge: a, meta: a, answer_check: 0.5", "needs `right`"},
        {"name: mpo, judge: a, meta: a, verdict: \"(\"", "pattern"},
    };
    expect_refused(bad, sizeof bad / sizeof *bad);
    server = judge_start();
    Open *o = open_mpo("ok", "ok", "", "");
    static const char *const states[] = {
        "{\"mpo\": {}}", "{\"mpo\": {\"buffer\": [], \"shown\": []}}",
        "{\"mpo\": {\"buffer\": [], \"shown\": [{\"version\": 0, \"step\": 0, \"rubric\": \"\"}]}}",
        "{\"mpo\": {\"buffer\": [{}], \"shown\": [{\"version\": 0, \"step\": 0, \"rubric\": \"a "
        "(0-5)\"}]}}",
        "{\"mpo\": {\"buffer\": [], \"shown\": [{\"version\": 0, \"step\": 0, \"rubric\": \"a "
        "(0-5)\"}, {\"version\": 2, \"step\": 0, \"rubric\": \"a (0-5)\"}]}}"};
    errors_quiet(1);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        ck_assert_msg(reward_block_load(&o->block, states[i]) == -1, "%s", states[i]);
    errors_quiet(-1);
    close_text(o);
    judge_stop(&server);
}
END_TEST

/* ---- its parts ------------------------------------------------------------------------------- */

START_TEST(a_buffer_keeps_a_uniform_draw)
{
    enum { N = 200, MOST = 20 };
    int times[N] = {0};
    for (int seed = 0; seed < 100; seed++) {
        MpoBuffer a, b;
        mpo_buffer_init(&a, MOST), mpo_buffer_init(&b, MOST);
        for (int i = 0; i < N; i++) {
            Evidence e = {.prompt = "", .text = "", .seed = (uint64_t)seed, .group = i / 8};
            e.sample = i % 8;
            mpo_buffer_add(&a, &e, i, NULL);
            e.group = (N - 1 - i) / 8, e.sample = (N - 1 - i) % 8;
            mpo_buffer_add(&b, &e, N - 1 - i, NULL);
        }
        ck_assert_int_eq(a.n, MOST);
        for (int i = 0; i < MOST; i++) {
            ck_assert_double_eq(a.list[i].score, b.list[i].score);
            times[(int)a.list[i].score]++;
        }
        mpo_buffer_free(&a), mpo_buffer_free(&b);
    }
    for (int i = 0; i < N; i++) ck_assert_double_eq_tol(times[i], 10, 5 * sqrt(10 * .9));
}
END_TEST

START_TEST(a_buffer_comes_back_with_any_text)
{
    MpoBuffer a, b;
    Buffer text = {0};
    json_t *record = json_pack("{s:s}", "answer", "27");
    while (text.size < 1 << 20) buffer_text(&text, "\xff\xc3\xa9\x01");
    Evidence e = {
        .prompt = "p\0q", .n_prompt = 3, .text = text.data, .n_text = text.size, .record = record};
    mpo_buffer_init(&a, 3), mpo_buffer_init(&b, 3);
    mpo_buffer_add(&a, &e, .1, "note");
    e.sample = 1;
    mpo_buffer_add(&a, &e, -1e300, NULL);
    ck_assert_uint_le(strlen(a.list[0].answer), 3 * MPO_ANSWER_MOST + 10);
    json_t *saved = mpo_buffer_save(&a);
    ck_assert_int_eq(mpo_buffer_load(&b, saved), 0);
    json_t *again = mpo_buffer_save(&b);
    ck_assert(json_equal(saved, again));
    ck_assert_int_eq(b.n, 2);
    mpo_buffer_free(&a), mpo_buffer_free(&b);
    json_decref(again), json_decref(saved), json_decref(record);
    buffer_free(&text);
}
END_TEST

START_TEST(a_history_is_bounded)
{
    MpoHistory h = {0}, other = {0};
    for (int i = 0; i < MPO_VERSIONS_MOST + 3; i++)
        mpo_history_add(&h, span_of(i % 2 ? "a (0-5)" : "b (0-4)\nc (1-2)"), 10 * i);
    ck_assert_int_eq(h.n, MPO_VERSIONS_MOST);
    ck_assert_int_eq(h.list[0].version, 3);
    ck_assert_int_eq(mpo_history_last(&h)->step, 10 * (MPO_VERSIONS_MOST + 2));
    ck_assert_int_eq(h.rubric.n, 2);
    json_t *saved = mpo_history_save(&h);
    ck_assert_int_eq(mpo_history_load(&other, saved), 0);
    ck_assert_int_eq(mpo_history_last(&other)->version, MPO_VERSIONS_MOST + 2);
    json_decref(saved);
    mpo_history_free(&other);
    mpo_history_free(&h);
}
END_TEST

/* ---- an honest answer and keyword spam ------------------------------------------------------- */

/* The probability of the honest answer after `steps` updates of 8 samples. */
static double honest_share(Open *o, int steps)
{
    enum { N = 8 };
    static const char *const answers[] = {"It rains, therefore the road is wet.",
                                          "therefore therefore therefore therefore"};
    double logits[2] = {2, 0}, p = 0;
    for (int step = 0; step < steps; step++) {
        int arm[N];
        double r[N], mean = 0, squares = 0;
        Evidence e[N];
        p = 1 / (1 + exp(logits[1] - logits[0]));
        fill(e, N, "");
        for (int i = 0; i < N; i++) {
            arm[i] = (double)rng_uniform(1, STREAM_SAMPLING, (uint64_t)step, (uint32_t)i, 0) >= p;
            e[i].text = answers[arm[i]], e[i].n_text = strlen(e[i].text), e[i].group = step;
        }
        RewardCase *c = judged(o, e, N);
        for (int i = 0; i < N; i++) mean += (r[i] = reward_case_reward(c, i).value) / N;
        mem_free(advance(o, c, e, N, step));
        reward_case_close(c);
        for (int i = 0; i < N; i++) squares += (r[i] - mean) * (r[i] - mean) / N;
        for (int i = 0; i < N; i++)
            for (int a = 0; a < 2; a++)
                logits[a] += .05 * (r[i] - mean) / (sqrt(squares) + 1e-6) *
                             ((a == arm[i]) - (a == 0 ? p : 1 - p));
    }
    return p;
}

#define HACKABLE                                                                                   \
    ", rubric: \"Use of therefore (0-10)\", rationale: \"{item}###{answer}\", score: \"Score?\", " \
    "samples: 6, strata: 3, analyse: \"{answer}\", refine: x, merge: \"{proposals}\", every: "

START_TEST(a_hacked_rubric_is_rewritten)
{
    server = judge_start();
    Open *plain = open_mpo("keyword", "reviewer", "", HACKABLE "0");
    Open *mpo = open_mpo("keyword+0", "reviewer+0", "", HACKABLE "10");
    ck_assert_double_lt(honest_share(plain, 30), .1);
    ck_assert_double_gt(honest_share(mpo, 30), .8); /* two meta steps: after 10 and 20 */
    ck_assert_int_eq(judge_count(&server, "reviewer", "requests"), 0);
    ck_assert_int_eq(judge_count(&server, "reviewer+0", "requests"), 3 * (6 * 2 + 1));
    close_text(mpo);
    close_text(plain);
    judge_stop(&server);
}
END_TEST

TEST_MAIN("mpo", versions_follow_the_schedule, what_is_no_rubric_is_not_taken,
          the_meta_judge_sees_what_it_judges, a_prescreening_takes_the_worst, items_are_summed,
          thin_answers_are_not_asked_about, what_is_wrong_is_said, a_buffer_keeps_a_uniform_draw,
          a_buffer_comes_back_with_any_text, a_history_is_bounded, a_hacked_rubric_is_rewritten)

/* Cooper as a reward with state: its verifier learns step by step, is the same on every rank and
 * after any resume, and a question is scored by the version that it was asked of. */
#include "rewardsvc/reward_case.h"

#include <math.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/memory.h"
#include "common/rng.h"
#include "rewardsvc/judge.h"
#include "tests/harness.h"

enum { P = 8, G = 4, K = 2, RULE = 0, COOPER = 1 };

typedef struct {
    Config cfg;
    RewardBlock block;
} Rank;

static const char experiment[] =
    "run: {dir: %s, name: r, seed: 5}\n"
    "model: {layers: 2, width: 32, mlp: 64, precision: %s}\n"
    "task: {name: sum, digits: 1}\n"
    "checkpoint: {every: %d, keep: 2}\n"
    "judges:\n"
    "  - {name: verifier, model: policy, max_context: 64}\n"
    "  - {name: writer, model: policy, max_context: 64}\n"
    "reward:\n"
    "  - {name: exact_number, as: rule, weight: 0, strict: false, where: whole}\n"
    "  - {name: cooper, verifier: verifier, rule: rule, template: "
    "\"{prompt}{answer}={reference}\",\n"
    "     yes: c, no: \";\", lr: 3e-3%s}\n";

static char dir[] = "/tmp/troupe-cooper-XXXXXX";
static int copy_every = 4;

static Rank *rank_open(const char *precision, const char *more)
{
    Rank *r = NEW(Rank, 1);
    char text[2048];
    snprintf(text, sizeof text, experiment, dir, precision, copy_every, more);
    bool f32 = !strcmp(precision, "f32");
    KernelSet k = {.precision = f32 ? PRECISION_F32 : PRECISION_BF16,
                   .product = f32 ? PRODUCT_F32 : PRODUCT_BF16_AS_F32};
    ck_assert_msg(!config_parse(&r->cfg, "t.yaml", text, NULL, 0), "%s", errors_last());
    ck_assert_msg(!reward_block_read(&r->block, &r->cfg), "%s", errors_last());
    ck_assert_msg(!reward_block_prepare(&r->block, &k, NULL, 0), "%s", errors_last());
    ck_assert(reward_block_has_state(&r->block));
    return r;
}

static void rank_close(Rank *r)
{
    reward_block_close(&r->block);
    config_free(&r->cfg);
    mem_free(r);
}

/* ---- a step's groups ------------------------------------------------------------------------- */

typedef struct {
    char prompt[16], texts[G][16];
    json_t *record;
    Evidence e[G];
    Score scores[K * G], rewards[G];
    char *notes[G];
} Case;

/* Sums of digits below 10; even samples are right in all groups but those with id % 8 == 3. */
static void case_make(Case *c, int64_t id)
{
    int a = (int)rng_below(5, 2, STREAM_TASK, (uint64_t)id, 0, 0),
        b = (int)rng_below(5, 2, STREAM_TASK, (uint64_t)id, 1, 0);
    snprintf(c->prompt, sizeof c->prompt, "%d+%d=", a, b);
    c->record = json_pack("{s:i}", "answer", a + b);
    for (int i = 0; i < G; i++) {
        int other = 1 + (int)rng_below(9, 2, STREAM_TASK, (uint64_t)id, 2, (uint32_t)i);
        bool right = i % 2 == 0 && id % P != 3;
        snprintf(c->texts[i], sizeof c->texts[i], "%d", right ? a + b : (a + b + other) % 10);
        c->e[i] = (Evidence){.prompt = c->prompt,
                             .n_prompt = strlen(c->prompt),
                             .text = c->texts[i],
                             .n_text = strlen(c->texts[i]),
                             .record = c->record,
                             .seed = 5,
                             .group = id,
                             .sample = i,
                             .training = true};
    }
}

static void case_take(Case *c, RewardCase *judged)
{
    for (int i = 0; i < G; i++) {
        for (int k = 0; k < K; k++) c->scores[k * G + i] = reward_case_score(judged, k, i);
        c->rewards[i] = reward_case_reward(judged, i);
        const char *note = reward_case_note(judged, COOPER, i);
        mem_free(c->notes[i]);
        c->notes[i] = note ? mem_text(note) : NULL;
    }
    reward_case_close(judged);
}

static void settle(Rank *r, RewardCase *c)
{
    double end = clock_seconds() + 60;
    while (!reward_case_settled(c)) {
        reward_block_work(&r->block);
        ck_assert_msg(clock_seconds() < end, "no score in 60 s");
    }
}

static void judge(Rank *r, Case *c, int64_t step)
{
    RewardCase *judged = reward_case_open(&r->block, c->e, G, step, 100);
    settle(r, judged);
    case_take(c, judged);
}

static void case_free(Case *c)
{
    for (int i = 0; i < G; i++) mem_free(c->notes[i]);
    json_decref(c->record);
}

static void advance(Rank *r, Case *cases, int64_t step)
{
    JudgedGroup groups[P];
    for (int i = 0; i < P; i++)
        groups[i] = (JudgedGroup){
            .g = {.n = G, .samples = cases[i].e, .n_components = K, .scores = cases[i].scores},
            .reward = cases[i].rewards};
    reward_block_advance(&r->block, groups, P, step);
    double end = clock_seconds() + 60;
    while (!reward_block_advanced(&r->block)) {
        reward_block_work(&r->block);
        ck_assert_msg(clock_seconds() < end, "no step in 60 s");
    }
}

/* Judges the step's groups (scores [P * G] out if wanted), advances; the state. Caller frees. */
static char *step_of(Rank *r, int64_t step, double *scores)
{
    Case cases[P] = {0};
    for (int i = 0; i < P; i++) {
        case_make(&cases[i], step * P + i);
        judge(r, &cases[i], step);
        for (int k = 0; k < G && scores; k++) scores[i * G + k] = cases[i].rewards[k].value;
        for (int k = 0; k < G; k++) ck_assert_int_eq(cases[i].rewards[k].status, SCORE_OK);
    }
    advance(r, cases, step);
    for (int i = 0; i < P; i++) case_free(&cases[i]);
    return reward_block_save(&r->block);
}

/* Through the steps from .. to - 1, each state taken back as the service does it; the last. */
static char *steps(Rank *r, int64_t from, int64_t to)
{
    char *text = NULL;
    for (int64_t s = from; s < to; s++) {
        mem_free(text);
        text = step_of(r, s, NULL);
        ck_assert_msg(!reward_block_load(&r->block, text), "%s", errors_last());
    }
    return text;
}

static json_t *state_of(const char *text)
{
    json_t *all = json_loads(text, 0, NULL), *state = json_object_get(all, "cooper");
    json_incref(state);
    json_decref(all);
    ck_assert_ptr_nonnull(state);
    return state;
}

static json_t *pairs_of(const json_t *state, int step)
{
    return json_object_get(json_array_get(json_object_get(state, "steps"), (size_t)step), "pairs");
}

static void remove_dir(void)
{
    char *command = mem_printf("rm -rf %s", dir);
    if (system(command)) fprintf(stderr, "%s is left\n", dir);
    mem_free(command);
}

static void clear_dir(void)
{
    static bool made;
    if (!made) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        atexit(remove_dir);
        made = true;
    }
    char *command = mem_printf("rm -rf %s/r", dir);
    ck_assert_int_eq(system(command), 0);
    mem_free(command);
}

/* Share of pairs in a group's order, of groups that the verifier has not seen. */
static double accuracy(Rank *r)
{
    double good = 0, all = 0;
    for (int64_t id = 1 << 20; id < (1 << 20) + 40; id++) {
        Case c = {0};
        case_make(&c, id);
        judge(r, &c, 0);
        for (int i = 0; i < G && id % P != 3; i += 2, all++)
            good += c.rewards[i].value > c.rewards[i + 1].value;
        case_free(&c);
    }
    return good / all;
}

/* Its copies are models: what another experiment names as a verifier to begin with. */
static void check_copy_opens(const char *state)
{
    const KernelSet k = {.precision = PRECISION_F32, .product = PRODUCT_F32};
    Policy p;
    size_t n;
    char *path = mem_printf("%s/r/rewards/cooper", dir);
    ck_assert_msg(!policy_open(&p, path, &k, true), "%s", errors_last());
    model_param_table(p.model, NULL, &n);
    json_t *s = state_of(state);
    json_int_t crc = json_integer_value(json_object_get(json_object_get(s, "base"), "crc"));
    ck_assert_int_eq((json_int_t)crc32c(0, model_master(p.model), n * sizeof(float)), crc);
    json_decref(s);
    policy_close(&p);
    mem_free(path);
}

START_TEST(the_verifier_learns_what_the_rule_knows)
{
    clear_dir();
    copy_every = 20;
    Rank *r = rank_open("f32", "");
    copy_every = 4;
    ck_assert_int_eq(reward_block_load(&r->block, ""), 0);
    double before = accuracy(r);
    char *text = steps(r, 0, 200);
    double after = accuracy(r);
    ck_assert_msg(before < .75 && after > .95, "%g, then %g", before, after);
    ck_assert_msg(strlen(text) < 100, "%s", text); /* a copy just now: no pairs */
    check_copy_opens(text);
    mem_free(text);
    rank_close(r);
    for (int step = 0; step <= 200; step += 20) { /* keep + 2 */
        char *path = mem_printf("%s/r/rewards/cooper/checkpoints/step-%06d/MANIFEST", dir, step);
        ck_assert_msg((access(path, R_OK) == 0) == (step > 200 - 80), "%s", path);
        mem_free(path);
    }
}
END_TEST

/* The state after `last` steps, killed and resumed after `stop` of them. */
static char *resumed(const char *precision, int64_t stop, int64_t last)
{
    Rank *r = rank_open(precision, "");
    ck_assert_int_eq(reward_block_load(&r->block, ""), 0);
    char *text = steps(r, 0, stop);
    rank_close(r);
    r = rank_open(precision, "");
    ck_assert_msg(!reward_block_load(&r->block, text), "%s", errors_last());
    mem_free(text);
    text = steps(r, stop, last);
    rank_close(r);
    return text;
}

static void check_resume(const char *precision, const int *stops, int n)
{
    clear_dir();
    Rank *r = rank_open(precision, "");
    ck_assert_int_eq(reward_block_load(&r->block, ""), 0);
    char *whole = steps(r, 0, 10);
    rank_close(r);
    json_t *state = state_of(whole);
    ck_assert_int_eq((int)json_array_size(json_object_get(state, "steps")), 2);
    json_decref(state);
    for (int i = 0; i < n; i++) {
        clear_dir();
        char *text = resumed(precision, stops[i], 10);
        ck_assert_msg(!strcmp(whole, text), "stopped after %d:\n%s\n%s", stops[i], whole, text);
        mem_free(text);
    }
    mem_free(whole);
}

/* Before the first copy, at one, between two, and where the last step is on top of one. */
START_TEST(a_resumed_verifier_has_the_same_bits)
{
    check_resume("f32", (int[]){3, 4, 6, 9}, 4);
    check_resume("bf16", (int[]){6}, 1);
}
END_TEST

START_TEST(every_rank_has_the_same_verifier)
{
    clear_dir();
    Rank *first = rank_open("f32", ""), *second = rank_open("f32", ""),
         *late = rank_open("f32", "");
    ck_assert_int_eq(reward_block_load(&first->block, ""), 0);
    ck_assert_int_eq(reward_block_load(&second->block, ""), 0);
    for (int64_t s = 0; s < 10; s++) {
        double a[P * G], b[P * G];
        Case c = {0};
        char *text = step_of(first, s, a);
        for (int i = 0; i < P; i++) {
            case_make(&c, s * P + i);
            judge(second, &c, s);
            for (int k = 0; k < G; k++) b[i * G + k] = c.rewards[k].value;
            char *tag = mem_printf("version %d:", (int)s);
            ck_assert_msg(strstr(c.notes[0], tag) != NULL, "%s", c.notes[0]);
            mem_free(tag);
            case_free(&c);
            c = (Case){0};
        }
        ck_assert(same_bits(a, b, sizeof a));
        ck_assert_int_eq(reward_block_load(&first->block, text), 0);
        ck_assert_int_eq(reward_block_load(&second->block, text), 0);
        if (s == 2 || s == 9) { /* one that hears of few steps, and one copy later */
            ck_assert_int_eq(reward_block_load(&late->block, text), 0);
            ck_assert(accuracy(first) == accuracy(late));
            char *same = reward_block_save(&late->block);
            ck_assert_str_eq(text, same);
            mem_free(same);
        }
        mem_free(text);
    }
    rank_close(first);
    rank_close(second);
    rank_close(late);
}
END_TEST

/* Questions open at step `at`, on the first rank, which learns, and on another, which is told. */
static void check_versions(int64_t at)
{
    clear_dir();
    Rank *r = rank_open("f32", ""), *other = rank_open("f32", "");
    Case cases[P] = {0}, before = {0}, after = {0}, there = {0};
    ck_assert_int_eq(reward_block_load(&r->block, ""), 0);
    ck_assert_int_eq(reward_block_load(&other->block, ""), 0);
    for (int64_t s = 0; s < at; s++) {
        char *state = step_of(r, s, NULL);
        ck_assert_int_eq(reward_block_load(&other->block, state), 0);
        mem_free(state);
    }
    case_make(&before, 500), case_make(&after, 500), case_make(&there, 500);
    judge(r, &before, at);
    judge(other, &there, at); /* which has learned so far then */
    for (int i = 0; i < P; i++) {
        case_make(&cases[i], at * P + i);
        judge(r, &cases[i], at);
    }
    RewardCase *open = reward_case_open(&r->block, after.e, G, at, 100),
               *open_there = reward_case_open(&other->block, there.e, G, at, 100);
    ck_assert(!reward_case_settled(open) && !reward_case_settled(open_there)); /* asked, no more */
    advance(r, cases, at);
    char *text = reward_block_save(&r->block);
    ck_assert_int_eq(reward_block_load(&other->block, text), 0);
    settle(r, open);
    settle(other, open_there);
    case_take(&after, open);
    case_take(&there, open_there);
    for (int i = 0; i < G; i++) {
        ck_assert(before.rewards[i].value == after.rewards[i].value);
        ck_assert(before.rewards[i].value == there.rewards[i].value);
    }
    judge(r, &after, at + 1);
    judge(other, &there, at + 1);
    for (int i = 0; i < G; i++) {
        ck_assert(before.rewards[i].value != after.rewards[i].value);
        ck_assert(after.rewards[i].value == there.rewards[i].value);
    }
    /* and one that is withdrawn is gone */
    open = reward_case_open(&r->block, after.e, G, at + 1, 100);
    ck_assert(!reward_case_settled(open));
    reward_case_close(open);
    ck_assert(!reward_block_work(&r->block));
    mem_free(text);
    for (int i = 0; i < P; i++) case_free(&cases[i]);
    case_free(&before), case_free(&after), case_free(&there);
    rank_close(r);
    rank_close(other);
}

/* Where the pairs are told, and where a copy has just been written instead. */
START_TEST(a_question_is_scored_by_the_version_it_was_asked_of)
{
    check_versions(0);
    check_versions(3);
}
END_TEST

START_TEST(pairs_are_a_right_answer_and_a_wrong_copy)
{
    clear_dir();
    for (int by_model = 0; by_model < 2; by_model++) {
        Rank *r = rank_open("f32", by_model ? ", rewriter: writer, rewrite: \"{prompt}{answer}\", "
                                              "max_tokens: 20, temperature: 1, tries: 3"
                                            : "");
        ck_assert_int_eq(reward_block_load(&r->block, ""), 0);
        char *text = steps(r, 0, 3);
        json_t *state = state_of(text);
        int n = 0;
        for (int s = 0; s < 3; s++) {
            const json_t *pair;
            size_t i;
            json_array_foreach(pairs_of(state, s), i, pair)
            {
                const char *right = json_string_value(json_object_get(pair, "right")),
                           *wrong = json_string_value(json_object_get(pair, "wrong")),
                           *reference = json_string_value(json_object_get(pair, "reference"));
                ck_assert_str_eq(right, reference);
                ck_assert_str_ne(wrong, reference);
                n++;
            }
            ck_assert_int_le((int)json_array_size(pairs_of(state, s)), P - 1);
        }
        ck_assert_msg(by_model ? n > 0 : n == 3 * (P - 1), "%d pairs", n);
        json_decref(state);
        mem_free(text);
        rank_close(r);
    }
}
END_TEST

/* All wrong: nothing to learn from, and the version goes on. */
START_TEST(a_step_without_pairs_changes_nothing)
{
    clear_dir();
    Rank *r = rank_open("f32", "");
    Case cases[P] = {0}, before = {0};
    ck_assert_int_eq(reward_block_load(&r->block, ""), 0);
    case_make(&before, 0);
    judge(r, &before, 0);
    for (int i = 0; i < P; i++) {
        case_make(&cases[i], 3 + P * i);
        judge(r, &cases[i], 0);
    }
    advance(r, cases, 0);
    char *text = reward_block_save(&r->block);
    json_t *state = state_of(text);
    ck_assert_int_eq((int)json_array_size(pairs_of(state, 0)), 0);
    double was = before.rewards[0].value;
    judge(r, &before, 1);
    ck_assert(was == before.rewards[0].value);
    ck_assert_msg(strstr(before.notes[0], "version 1:") != NULL, "%s", before.notes[0]);
    json_decref(state);
    mem_free(text);
    for (int i = 0; i < P; i++) case_free(&cases[i]);
    case_free(&before);
    rank_close(r);
}
END_TEST

static void refuses_state(Rank *r, const char *text, const char *why)
{
    errors_quiet(1);
    ck_assert_int_ne(reward_block_load(&r->block, text), 0);
    ck_assert_msg(strstr(errors_last(), why) != NULL, "%s", errors_last());
    errors_quiet(-1);
}

START_TEST(states_that_are_not_its_own_are_refused)
{
    clear_dir();
    Rank *r = rank_open("f32", "");
    refuses_state(r, "{\"cooper\":{}}", "cooper");
    refuses_state(r, "{\"cooper\":{\"base\":{\"crc\":1,\"step\":0},\"steps\":[]}}",
                  "other weights than when the run began");
    refuses_state(r, "{\"cooper\":{\"base\":{\"crc\":1,\"step\":0},\"steps\":[{}]}}", "no pairs");
    refuses_state(r, "{\"cooper\":{\"base\":{\"crc\":1,\"step\":0},\"steps\":[{\"pairs\":[{}]}]}}",
                  "no question");
    refuses_state(r, "{\"cooper\":{\"base\":{\"crc\":1,\"step\":4},\"steps\":[]}}", "step-000004");
    ck_assert_int_eq(reward_block_load(&r->block, ""), 0);
    char *text = steps(r, 0, 4);
    refuses_state(r, "{\"cooper\":{\"base\":{\"crc\":1,\"step\":4},\"steps\":[]}}",
                  "other weights than the state says");
    ck_assert_int_eq(reward_block_load(&r->block, text), 0);
    ck_assert_int_eq(reward_block_load(&r->block, ""), 0); /* the beginning again */
    char *again = steps(r, 0, 4);
    ck_assert_str_eq(text, again);
    mem_free(text);
    mem_free(again);
    rank_close(r);
}
END_TEST

/* Without a place for copies the state holds all pairs, and nothing else changes. */
START_TEST(a_copy_that_cannot_be_written_makes_the_state_longer)
{
    clear_dir();
    Rank *r = rank_open("f32", "");
    char *file = mem_printf("%s/r", dir);
    fclose(fopen(file, "w")); /* no folder can be made there */
    ck_assert_int_eq(reward_block_load(&r->block, ""), 0);
    errors_quiet(1);
    char *text = steps(r, 0, 6);
    errors_quiet(-1);
    json_t *state = state_of(text);
    ck_assert_int_eq((int)json_array_size(json_object_get(state, "steps")), 6);
    rank_close(r);
    clear_dir();
    r = rank_open("f32", "");
    ck_assert_int_eq(reward_block_load(&r->block, text), 0);
    mem_free(text);
    text = steps(r, 6, 11);
    clear_dir();
    char *other = resumed("f32", 5, 11);
    ck_assert_str_eq(text, other);
    json_decref(state);
    mem_free(text);
    mem_free(other);
    mem_free(file);
    rank_close(r);
}
END_TEST

static void refuses(const char *rule, const char *judges, const char *more, const char *why)
{
    char text[1024];
    Config cfg;
    RewardBlock b;
    snprintf(text, sizeof text,
             "task: {name: sum}\njudges: [%s]\nreward:\n  - %s\n"
             "  - {name: cooper, verifier: v, rule: rule%s}\n",
             judges, rule, more);
    ck_assert_msg(!config_parse(&cfg, "t.yaml", text, NULL, 0), "%s", errors_last());
    errors_quiet(1);
    ck_assert_int_ne(reward_block_read(&b, &cfg), 0);
    errors_quiet(-1);
    ck_assert_msg(strstr(errors_last(), why) != NULL, "%s", errors_last());
    config_free(&cfg);
}

START_TEST(refuses_blocks_that_cannot_work)
{
    const char *rule = "{name: exact_number, as: rule}", *v = "{name: v, model: policy}";
    refuses("{name: judge, judge: v, as: rule}", v, "", "asks a model");
    refuses(rule, "{name: w, model: policy}", "", "no model called v");
    refuses(rule, "{name: v, model: m, url: \"http://localhost/v1\"}", "", "has a url");
    refuses(rule, v, ", rewriter: w", "no model called w");
    refuses(rule, v, ", yes: No", "two different words");
    refuses(rule, v, ", template: \"{nothing}\"", "no place {nothing}");
    refuses(rule, v, ", where: nowhere", "nowhere");
}
END_TEST

START_TEST(needs_an_experiment)
{
    RewardBlock b;
    errors_quiet(1);
    ck_assert_int_ne(reward_block_single(&b, "cooper"), 0);
    ck_assert_msg(strstr(errors_last(), "needs `verifier`") != NULL, "%s", errors_last());
    errors_quiet(-1);
}
END_TEST

TEST_MAIN("cooper_steps", the_verifier_learns_what_the_rule_knows,
          a_resumed_verifier_has_the_same_bits, every_rank_has_the_same_verifier,
          a_question_is_scored_by_the_version_it_was_asked_of,
          pairs_are_a_right_answer_and_a_wrong_copy, a_step_without_pairs_changes_nothing,
          states_that_are_not_its_own_are_refused,
          a_copy_that_cannot_be_written_makes_the_state_longer, refuses_blocks_that_cannot_work,
          needs_an_experiment)

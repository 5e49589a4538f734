/* The reward `program` on answers whose verdicts are known, honest and forged; a group at once;
 * what becomes of it where nothing isolates. */
#include <errno.h>
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/sandbox.h"
#include "rewardsvc/program_tests.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/reward_case.h"
#include "tests/harness.h"
#include "tests/rewardsvc/program_cases.h"
#include "tests/reward_scores.h"

enum {
    N_PYTHON = sizeof python_cases / sizeof *python_cases,
    N_C = sizeof c_cases / sizeof *c_cases
};

/* Can this machine run such programs in isolation? */
static bool can(const char *program)
{
    SandboxResult r;
    ck_assert_int_eq(sandbox_start(), 0);
    errors_quiet(1);
    int rc = sandbox_open(&(SandboxOptions){.parallel = 4});
    errors_quiet(-1);
    if (rc) {
        fprintf(stderr, "skipped: %s\n", errors_last());
        return false;
    }
    sandbox_run(&(SandboxRun){.argv = (const char *[]){program, "--version", NULL},
                              .limits = {5, 10, 1024, 16, 64, 16}},
                &r);
    bool there = r.outcome == SANDBOX_EXITED;
    if (!there) fprintf(stderr, "skipped: no %s in /usr\n", program);
    sandbox_result_free(&r);
    return there;
}

/* A question about one sample, as the block asks it. */
typedef struct {
    RewardComponent c;
    void *question;
    json_t *record;
    Evidence e;
    GroupEvidence g;
} Asked;

static void ask_about(Asked *a, const ProgramCase *c, const char *language)
{
    static const bool wanted[] = {true};
    Setup setup = {"program", {"language", language}};
    for (int i = 0; i < 8 && c->settings[i]; i++) setup.settings[2 + i] = c->settings[i];
    *a = (Asked){0};
    ck_assert_msg(setup_open(&setup, &a->c) == 0, "%s: %s", c->name, errors_last());
    a->record = json_loads(c->record, 0, NULL);
    ck_assert_msg(a->record != NULL, "%s: %s", c->name, c->record);
    a->e =
        (Evidence){.prompt = "", .text = c->text, .n_text = strlen(c->text), .record = a->record};
    a->g = (GroupEvidence){.n = 1, .samples = &a->e};
    a->question = a->c.reward->ask(a->c.values, a->c.state, &a->g, wanted);
    ck_assert_msg(a->question != NULL, "%s: %s", c->name, errors_last());
}

static void expect_answer(Asked *a, const ProgramCase *c)
{
    Score s;
    char *note = NULL;
    errors_quiet(1);
    while (!a->c.reward->answered(a->c.state, a->question, &s, &note, NULL)) sandbox_wait(0.05);
    errors_quiet(-1);
    ck_assert_msg(s.status == c->status &&
                      (s.status != SCORE_OK || fabs(s.value - c->value) < 1e-12),
                  "%s: %s %g, not %s %g (%s)", c->name, score_status_name(s.status), s.value,
                  score_status_name(c->status), c->value, note);
    ck_assert_msg(note && !strncmp(note, c->note, strlen(c->note)), "%s: \"%s\"", c->name, note);
    mem_free(note);
    setup_close(&a->c);
    json_decref(a->record);
}

/* All questions are open at the same time. */
static void expect_all(const ProgramCase *cases, int n, const char *language)
{
    Asked *asked = NEW(Asked, n);
    errors_quiet(1);
    for (int i = 0; i < n; i++) ask_about(&asked[i], &cases[i], language);
    errors_quiet(-1);
    for (int i = 0; i < n; i++) expect_answer(&asked[i], &cases[i]);
    mem_free(asked);
}

START_TEST(judges_python)
{
    if (can("python3")) expect_all(python_cases, N_PYTHON, "python");
    sandbox_stop();
}
END_TEST

START_TEST(judges_c)
{
    if (can("cc")) expect_all(c_cases, N_C, "c");
    sandbox_stop();
}
END_TEST

START_TEST(a_block_judges_a_group)
{
    enum { N = 6 };
    Evidence e[N];
    RewardBlock b;
    if (!can("cc")) return;
    static char text[N][400];
    json_t *record = json_loads(ADD_IO, 0, NULL);
    for (int i = 0; i < N; i++) {
        snprintf(
            text[i], sizeof text[i],
            C("int main(void) { int a, b; scanf(\"%%d%%d\", &a, &b); printf(\"%%d\", a + b + (a > "
              "9) * %d); }"),
            i % 3);
        e[i] =
            (Evidence){.prompt = "", .text = text[i], .n_text = strlen(text[i]), .record = record};
    }
    ck_assert_int_eq(reward_block_single(&b, "program"), 0);
    const RewardSetting *s = b.components[0].reward->settings;
    mem_free((void *)(uintptr_t)b.components[0].values[0].text);
    ck_assert_str_eq(s[0].key, "language");
    b.components[0].values[0].text = mem_text("c");
    b.components[0].reward->close(b.components[0].state);
    ck_assert_int_eq(b.components[0].reward->open(b.components[0].values, &b.components[0].state),
                     0);
    ck_assert_int_eq(reward_block_prepare(&b, NULL, NULL, 0), 0);
    RewardCase *c = reward_case_open(&b, e, N, 0, 1);
    double began = clock_seconds(), longest = 0;
    while (!reward_case_settled(c)) {
        double t = clock_seconds();
        reward_block_work(&b);
        t = clock_seconds() - t;
        if (t > longest) longest = t;
        usleep(1000);
        ck_assert(clock_seconds() - began < 60);
    }
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(reward_case_reward(c, i).status, SCORE_OK);
        ck_assert_double_eq(reward_case_reward(c, i).value, i % 3 ? 0.5 : 1);
        ck_assert_str_eq(reward_case_note(c, 0, i),
                         i % 3 ? "1 of 2 tests passed: PW" : "2 of 2 tests passed: PP");
    }
    ck_assert_msg(longest < 0.25, "a turn took %g s", longest);
    reward_case_close(c);
    c = reward_case_open(&b, e, N, 0, 1); /* nobody waits for this one */
    ck_assert(!reward_case_settled(c));
    reward_case_close(c);
    reward_block_close(&b);
    json_decref(record);
    sandbox_stop();
}
END_TEST

START_TEST(compares_output)
{
    static const struct {
        const char *a, *b;
        bool lines, tokens, exact;
    } cases[] = {
        {"", "", true, true, true},
        {"5\n", "5\n", true, true, true},
        {"5", "5\n", true, true, false},
        {"5 \r\n6\t\n\n\n", "5\n6", true, true, false},
        {"1 2\n3", "1  2\n3", false, true, false},
        {"1 2\n3", "1\n2\n3", false, true, false},
        {" 5", "5", false, true, false},
        {"5\n\n6", "5\n6", false, true, false},
        {"5", "6", false, false, false},
        {"5", "", false, false, false},
        {"", "5", false, false, false},
        {"5\n6", "5", false, false, false},
        {"5", "5\n6", false, false, false},
        {"12", "1 2", false, false, false},
        {"abc", "ABC", false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t a = strlen(cases[i].a), b = strlen(cases[i].b);
        bool want[] = {cases[i].lines, cases[i].tokens, cases[i].exact};
        for (int how = 0; how < 3; how++) {
            bool got = program_output_equals((Comparison)how, cases[i].a, a, cases[i].b, b);
            ck_assert_msg(got == want[how], "case %zu, comparison %d", i, how);
        }
    }
    ck_assert(!program_output_equals(COMPARE_LINES, "a\0b", 3, "a\0c", 3)); /* bytes, not strings */
}
END_TEST

START_TEST(reads_only_the_first_tests_and_whole_ones)
{
    ProgramTests t;
    json_t *r =
        json_loads("{\"a\": [\"x\", \"y\", \"z\"], \"b\": {\"inputs\": [\"1\"], \"outputs\": "
                   "[]}, \"c\": \"[1\", \"d\": 5, \"e\": \"\"}",
                   0, NULL);
    ck_assert_int_eq(program_tests_read(&t, r, "a", 2), 0);
    ck_assert(t.n == 2 && t.items[1].asserts && t.items[1].n_want == 1 && *t.items[1].want == 'y');
    program_tests_free(&t);
    ck_assert_int_eq(program_tests_read(&t, r, "c", 2), 0); /* no JSON: then it is code */
    ck_assert(t.n == 1 && t.items[0].asserts);
    program_tests_free(&t);
    errors_quiet(1);
    for (const char *bad = "bdef"; *bad; bad++)
        ck_assert_int_eq(program_tests_read(&t, r, (char[]){*bad, 0}, 2), -1);
    errors_quiet(-1);
    json_decref(r);
}
END_TEST

START_TEST(refuses_settings_that_are_none)
{
    static const Setup bad[] = {{"program", {"language", "cobol"}},
                                {"program", {"value", "some"}},
                                {"program", {"compare", "loosely"}},
                                {"program", {"program", "bin/python3"}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_refused(&bad[i], bad[i].settings[0]);
    }
}
END_TEST

START_TEST(says_when_its_interpreter_is_missing)
{
    RewardComponent c;
    if (!can("true")) return;
    const Setup setup = {"program", {"program", "python17"}};
    ck_assert_int_eq(setup_open(&setup, &c), 0); /* `check` does not ask */
    errors_quiet(1);
    ck_assert_int_eq(c.reward->prepare(c.values, c.state), -1);
    errors_quiet(-1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "python17 does not run"));
    setup_close(&c);
    sandbox_stop();
}
END_TEST

/* ---- where nothing isolates, in a process of its own: 0, or the number of what failed ----------
 */

static char refused[300]; /* the note */

static Score score_one(bool allow, int *prepared)
{
    const Setup setup = {"program",
                         {"language", "c", "allow_unsandboxed", allow ? "true" : "false"}};
    RewardComponent c;
    char *note = NULL;
    Score s = score_failed(SCORE_NOT_APPLICABLE);
    const bool wanted = true;
    json_t *record = json_loads(ADD_IO, 0, NULL);
    const char *text = c_cases[0].text;
    Evidence e = {.prompt = "", .text = text, .n_text = strlen(text), .record = record};
    GroupEvidence g = {.n = 1, .samples = &e};
    if (setup_open(&setup, &c)) return s;
    *prepared = c.reward->prepare(c.values, c.state);
    void *q = c.reward->ask(c.values, c.state, &g, &wanted);
    while (q && !c.reward->answered(c.state, q, &s, &note, NULL)) sandbox_wait(0.05);
    snprintf(refused, sizeof refused, "%s", note ? note : "");
    mem_free(note);
    setup_close(&c);
    json_decref(record);
    return s;
}

static int check_without_namespaces(void)
{
    int prepared;
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
    if (seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0) || seccomp_load(c))
        return 1;
    seccomp_release(c);
    errors_quiet(1);
    Score s = score_one(false, &prepared); /* nobody started a helper */
    if (prepared != -1 || s.status != SCORE_REFUSED) return 2;
    if (!strstr(refused, "no sandbox helper")) return 3;
    if (sandbox_start()) return 4;
    s = score_one(false, &prepared);
    if (prepared != -1 || s.status != SCORE_REFUSED) return 5;
    if (!strstr(refused, "allow_unsandboxed: true")) return 6;
    s = score_one(true, &prepared);
    if (prepared || s.status != SCORE_OK || s.value != 1) return 7;
    sandbox_stop();
    return 0;
}

START_TEST(needs_leave_to_run_without_isolation)
{
    int status;
    if (access("/usr/bin/cc", X_OK)) return;
    pid_t child = fork();
    if (!child) _exit(check_without_namespaces());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "check %d", WEXITSTATUS(status));
}
END_TEST

TEST_MAIN("program", judges_python, judges_c, a_block_judges_a_group, compares_output,
          reads_only_the_first_tests_and_whole_ones, refuses_settings_that_are_none,
          says_when_its_interpreter_is_missing, needs_leave_to_run_without_isolation)

/* The sandbox: what a program gets, what it must not get, and what becomes of the helper. Where
 * this machine gives no namespaces, only the refusal and the way without them are tested. */
#include "common/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/memory.h"
#include "tests/common/sandbox_attacks.h"
#include "tests/harness.h"

/* What memory may differ by; the sanitizer keeps what was freed. */
#ifdef __SANITIZE_ADDRESS__
static const long slack_kb = 256 << 10;
#else
static const long slack_kb = 4 << 10;
#endif

static const SandboxLimits usual = {10, 20, 1024, 64, 1024, 32};

static bool start(void)
{
    ck_assert_int_eq(sandbox_start(), 0);
    errors_quiet(1);
    int rc = sandbox_open(&(SandboxOptions){.parallel = 4});
    errors_quiet(-1);
    if (rc) fprintf(stderr, "skipped: %s\n", errors_last());
    return rc == 0;
}

static SandboxResult shell(const char *script, const char *input, SandboxLimits limits)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    SandboxResult r;
    sandbox_run(
        &(SandboxRun){.argv = argv, .input = input, .n_input = strlen(input), .limits = limits},
        &r);
    return r;
}

static void expect(const char *script, const char *input, SandboxOutcome outcome, int code,
                   const char *out)
{
    SandboxResult r = shell(script, input, usual);
    ck_assert_msg(r.outcome == outcome && (code < 0 || r.code == code) &&
                      (!out || !strcmp(r.out, out)),
                  "%s: %s %d, \"%s\" \"%s\" %s", script, sandbox_outcome_name(r.outcome), r.code,
                  r.out, r.err, r.why);
    sandbox_result_free(&r);
}

/* ---- what is left of processes --------------------------------------------------------------- */

/* Children of a process, from /proc; those of its main thread, which is all that ours have. */
static int children_of(pid_t pid, pid_t *out, int n_max)
{
    char path[96];
    int n = 0, child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *f = fopen(path, "r");
    while (f && n < n_max && fscanf(f, "%d", &child) == 1) out[n++] = child;
    if (f) fclose(f);
    return n;
}

static pid_t keeper_pid(void)
{
    pid_t list[16];
    return children_of(getpid(), list, 16) == 1 ? list[0] : 0;
}

static pid_t worker_pid(void)
{
    pid_t list[16];
    return children_of(keeper_pid(), list, 16) == 1 ? list[0] : 0;
}

static bool is_alive(pid_t pid)
{
    char path[64], state = 'X';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d %*[^)]) %c", &state) != 1) state = 'X';
    if (f) fclose(f);
    return state != 'X' && state != 'Z';
}

static bool gone_soon(pid_t pid)
{
    for (int i = 0; i < 300 && is_alive(pid); i++) usleep(10000);
    return !is_alive(pid);
}

static int count_files(pid_t pid)
{
    char path[64];
    int n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *d = opendir(path);
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

static long resident_kb(pid_t pid)
{
    char path[64];
    long size, pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%ld %ld", &size, &pages) != 2) pages = 0;
    if (f) fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- what a program gets --------------------------------------------------------------------- */

START_TEST(gives_input_and_takes_both_outputs)
{
    if (!start()) return;
    SandboxResult r = shell("cat; echo no >&2; exit 5", "a\nb", usual);
    ck_assert_int_eq(r.outcome, SANDBOX_EXITED);
    ck_assert_int_eq(r.code, 5);
    ck_assert_str_eq(r.out, "a\nb");
    ck_assert_str_eq(r.err, "no\n");
    ck_assert(r.n_out == 3 && r.n_err == 3 && r.wall_s > 0 && r.cpu_s >= 0 && r.peak_kb > 0);
    sandbox_result_free(&r);
    expect("true", "", SANDBOX_EXITED, 0, "");
    expect("cat", "", SANDBOX_EXITED, 0, "");
    expect("kill -TERM $$", "", SANDBOX_KILLED, SIGTERM, "");
    SandboxLimits second = usual;
    second.cpu_s = 0.5; /* rounded up */
    r = shell("while :; do :; done", "", second);
    ck_assert_msg(r.outcome == SANDBOX_TIMEOUT && r.code == SIGXCPU && r.cpu_s > 0.5, "%s %d %g",
                  sandbox_outcome_name(r.outcome), r.code, r.cpu_s);
    sandbox_result_free(&r);
    sandbox_stop();
}
END_TEST

START_TEST(is_opened_long_after_its_start_and_again)
{
    if (!start()) return;
    sandbox_stop();
    ck_assert_int_eq(sandbox_start(), 0);
    usleep(50000);
    ck_assert_int_eq(worker_pid(), 0); /* one process, until it is wanted */
    if (!start()) return;
    expect("echo 1", "", SANDBOX_EXITED, 0, "1\n");
    if (!start()) return;
    expect("echo 2", "", SANDBOX_EXITED, 0, "2\n");
    sandbox_stop();
}
END_TEST

START_TEST(puts_files_into_a_folder_of_its_own)
{
    if (!start()) return;
    const SandboxFile files[] = {{"data", "x\0y", 3, false},
                                 {"go", "#!/bin/sh\nwc -c <data\n", 22, true}};
    const char *argv[] = {"./go", NULL};
    SandboxResult r;
    sandbox_run(&(SandboxRun){.argv = argv, .files = files, .n_files = 2, .limits = usual}, &r);
    ck_assert_msg(r.outcome == SANDBOX_EXITED && !strcmp(r.out, "3\n"), "%s %s %s",
                  sandbox_outcome_name(r.outcome), r.out, r.err);
    sandbox_result_free(&r);
    expect("ls; pwd; touch left", "", SANDBOX_EXITED, 0, "/program\n");
    expect("ls", "", SANDBOX_EXITED, 0, ""); /* nothing of the run before */
    sandbox_stop();
}
END_TEST

START_TEST(sees_programs_and_nothing_else)
{
    if (!start()) return;
    char script[4300], self[4096] = "";
    ck_assert(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    snprintf(script, sizeof script, "ls '%s'", self);
    expect(script, "", SANDBOX_EXITED, 2, "");
    expect("ls /proc /root /home /sys /run /var", "", SANDBOX_EXITED, 2, "");
    expect("ls /", "", SANDBOX_EXITED, 0, NULL);
    expect("test -r /etc/passwd -o -r /etc/hostname", "", SANDBOX_EXITED, 1, "");
    expect("env | sort | tr '\\n' ' '", "", SANDBOX_EXITED, 0,
           "HOME=/program LANG=C.UTF-8 LC_ALL=C.UTF-8 OMP_NUM_THREADS=1 "
           "PATH=/usr/local/bin:/usr/bin:/bin "
           "PWD=/program PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 TMPDIR=/program TZ=UTC ");
    expect("id -u", "", SANDBOX_EXITED, 0, "1000\n");
    expect("ulimit -c; ulimit -n; ulimit -t", "", SANDBOX_EXITED, 0, "0\n256\n10\n");
    expect("kill -TERM 1; echo $?", "", SANDBOX_EXITED, 0, "0\n"); /* said, and without effect */
    sandbox_stop();
}
END_TEST

START_TEST(tells_what_cannot_be_started)
{
    if (!start()) return;
    const SandboxFile file = {"junk", "\1\2", 2, true};
    SandboxResult r;
    sandbox_run(&(SandboxRun){.argv = (const char *[]){"no-such-program", NULL}, .limits = usual},
                &r);
    ck_assert_int_eq(r.outcome, SANDBOX_NOT_STARTED);
    ck_assert_int_eq(r.code, ENOENT);
    sandbox_result_free(&r);
    sandbox_run(&(SandboxRun){.argv = (const char *[]){"./junk", NULL},
                              .files = &file,
                              .n_files = 1,
                              .limits = usual},
                &r);
    ck_assert_int_eq(r.outcome, SANDBOX_NOT_STARTED);
    ck_assert_int_eq(r.code, ENOEXEC);
    sandbox_result_free(&r);
    ck_assert_int_eq(sandbox_open(&(SandboxOptions){.program = "/nowhere/bin/python3"}), -1);
    ck_assert_int_eq(sandbox_open(&(SandboxOptions){.program = "python3"}), -1);
    sandbox_stop();
}
END_TEST

/* A program outside /usr, behind a link: both folders become visible, read-only. */
START_TEST(shows_a_program_that_lies_elsewhere)
{
    char base[] = "/tmp/troupe-test-XXXXXX", path[64], link[64], command[256];
    if (!start()) return;
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(
        command, sizeof command,
        "cd %s && chmod 755 . && mkdir -p a/bin b/bin && printf '#!/bin/sh\\necho here\\n' >a/bin/x"
        " && chmod -R 777 a && ln -s %s/a/bin/x b/bin/y",
        base, base);
    ck_assert_int_eq(system(command), 0);
    snprintf(path, sizeof path, "%s/a/bin/x", base);
    snprintf(link, sizeof link, "%s/b/bin/y", base);
    SandboxResult r;
    SandboxRun run = {.argv = (const char *[]){link, NULL}, .limits = usual};
    sandbox_run(&run, &r);
    ck_assert_int_eq(r.outcome, SANDBOX_NOT_STARTED);
    sandbox_result_free(&r);
    ck_assert_int_eq(sandbox_open(&(SandboxOptions){.program = link}), 0);
    sandbox_run(&run, &r);
    ck_assert_msg(r.outcome == SANDBOX_EXITED && !strcmp(r.out, "here\n"), "%s %d %s",
                  sandbox_outcome_name(r.outcome), r.code, r.err);
    sandbox_result_free(&r);
    snprintf(path, sizeof path, "%s/more:", base);
    snprintf(command, sizeof command, "mkdir -m 755 %s/more && echo there >%s/more/x", base, base);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(sandbox_open(&(SandboxOptions){.folders = path}), 0);
    snprintf(command, sizeof command, "cat %s/more/x; %s", base, link);
    expect(command, "", SANDBOX_EXITED, 0, "there\nhere\n"); /* the program is still there */
    snprintf(command, sizeof command, "echo x >%s/a/bin/x || echo kept", base);
    expect(command, "", SANDBOX_EXITED, 0, "kept\n");
    sandbox_stop();
    snprintf(command, sizeof command, "rm -r %s", base);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* ---- attacks --------------------------------------------------------------------------------- */

static SandboxFile compile_attacks(void)
{
    Buffer source = {0};
    buffer_text(&source, ATTACK_HEAD);
    for (int i = 0; i < N_ATTACKS; i++)
        buffer_printf(&source, "static int attack_%d(char **argv) { %s\nreturn 0; }\n", i,
                      attacks[i].body);
    buffer_text(&source,
                "int main(int argc, char **argv) { switch (argc > 2 ? atoi(argv[2]) : 0) {\n");
    for (int i = 0; i < N_ATTACKS; i++)
        buffer_printf(&source, "case %d: return attack_%d(argv);\n", i, i);
    buffer_text(&source, "} return 99; }\n");
    SandboxResult r = shell("cc -w -O1 -o a -x c - && cat a", source.data, usual);
    ck_assert_msg(r.outcome == SANDBOX_EXITED && r.code == 0 && r.n_out > 1000, "%s %d %s %s",
                  sandbox_outcome_name(r.outcome), r.code, r.err, r.why);
    buffer_free(&source);
    SandboxFile f = {"attack", r.out, r.n_out, true};
    r.out = NULL;
    sandbox_result_free(&r);
    return f;
}

static void judge(const Attack *a, const SandboxResult *r, double seconds)
{
    ck_assert_msg(r->outcome == a->outcome && (a->code < 0 || r->code == a->code) &&
                      (!a->out || !strcmp(r->out, a->out)),
                  "%s: %s %d, \"%.100s\" \"%.100s\" %s", a->name, sandbox_outcome_name(r->outcome),
                  r->code, r->out, r->err, r->why);
    ck_assert_msg(r->n_out <= 64 << 10 && r->n_err <= 64 << 10, "%s: %zu bytes", a->name, r->n_out);
    ck_assert_msg(r->wall_s < (r->outcome == SANDBOX_TIMEOUT ? 6 : 20), "%s took %g s", a->name,
                  r->wall_s);
    ck_assert(seconds < 60);
}

/* All of them at the same time, four by four, with a well-behaved program after each. */
START_TEST(attacks_end_in_their_time_and_touch_nothing)
{
    SandboxLimits tight = {1, 0, 100, 8, 64, 16};
    char victim[] = "/tmp/troupe-victim-XXXXXX", text[16] = "";
    uint64_t tickets[N_ATTACKS], good[N_ATTACKS];
    SandboxResult r;
    if (!start()) return;
    if (access("/usr/bin/cc", X_OK)) {
        fprintf(stderr, "skipped: no /usr/bin/cc\n");
        return;
    }
    int fd = mkstemp(victim);
    ck_assert(fd >= 0 && !fchmod(fd, 0666) && write(fd, "whole", 5) == 5);
    SandboxFile program = compile_attacks();
    pid_t worker = worker_pid();
    int before_files = count_files(worker), before_own = count_files(getpid());
    long before_kb = resident_kb(worker), before_own_kb = resident_kb(getpid());
    double began = clock_seconds();
    for (int i = 0; i < N_ATTACKS; i++) {
        char number[12];
        snprintf(number, sizeof number, "%d", i);
        tight.wall_s = attacks[i].outcome == SANDBOX_TIMEOUT ? 1.2 : 20; /* of a busy machine */
        tickets[i] =
            sandbox_begin(&(SandboxRun){.argv = (const char *[]){"./attack", victim, number, NULL},
                                        .files = &program,
                                        .n_files = 1,
                                        .limits = tight});
        good[i] = sandbox_begin(&(SandboxRun){
            .argv = (const char *[]){"cat", NULL}, .input = "fine", .n_input = 4, .limits = usual});
    }
    for (int i = 0; i < N_ATTACKS; i++) {
        while (!sandbox_poll(tickets[i], &r)) sandbox_wait(1);
        judge(&attacks[i], &r, clock_seconds() - began);
        sandbox_result_free(&r);
        while (!sandbox_poll(good[i], &r)) sandbox_wait(1);
        ck_assert_msg(r.outcome == SANDBOX_EXITED && !strcmp(r.out, "fine"), "after %s: %s %s",
                      attacks[i].name, sandbox_outcome_name(r.outcome), r.why);
        sandbox_result_free(&r);
    }
    mem_free((void *)(uintptr_t)program.data);
    ck_assert_int_eq(pread(fd, text, sizeof text - 1, 0), 5);
    ck_assert_str_eq(text, "whole");
    close(fd);
    unlink(victim);
    pid_t left[16];
    ck_assert_int_eq(worker_pid(), worker); /* the same one all the time */
    ck_assert_int_eq(children_of(worker, left, 16), 0);
    ck_assert_int_le(count_files(worker), before_files);
    ck_assert_int_eq(count_files(getpid()), before_own - 1); /* the victim is closed */
    ck_assert_msg(resident_kb(worker) - before_kb < slack_kb, "helper grew from %ld to %ld kB",
                  before_kb, resident_kb(worker));
    ck_assert_msg(resident_kb(getpid()) - before_own_kb < slack_kb,
                  "caller grew from %ld to %ld kB", before_own_kb, resident_kb(getpid()));
    sandbox_stop();
    ck_assert(!is_alive(worker));
}
END_TEST

/* What a program does at once is its own doing, however late its first process gets a turn. */
START_TEST(an_early_end_is_the_programs)
{
    SandboxLimits l = usual;
    uint64_t t[40];
    SandboxResult r;
    if (!start()) return;
    l.output_kb = 1;
    for (int i = 0; i < 40; i++)
        t[i] = sandbox_begin(&(SandboxRun){.argv = (const char *[]){"yes", NULL}, .limits = l});
    for (int i = 0; i < 40; i++) {
        while (!sandbox_poll(t[i], &r)) sandbox_wait(1);
        ck_assert_msg(r.outcome == SANDBOX_FLOOD && r.n_out == 1024, "%d: %s, %zu bytes, %s", i,
                      sandbox_outcome_name(r.outcome), r.n_out, r.why);
        sandbox_result_free(&r);
    }
    sandbox_stop();
}
END_TEST

/* ---- the helper ------------------------------------------------------------------------------ */

START_TEST(runs_several_at_the_same_time_and_queues_the_rest)
{
    uint64_t t[8];
    SandboxResult r;
    if (!start()) return;
    double began = clock_seconds();
    for (int i = 0; i < 8; i++)
        t[i] = sandbox_begin(
            &(SandboxRun){.argv = (const char *[]){"sleep", "0.4", NULL}, .limits = usual});
    ck_assert_msg(clock_seconds() - began < 0.3, "begin blocked");
    ck_assert(!sandbox_poll(t[7], &r));
    for (int i = 7; i >= 0; i--) {
        while (!sandbox_poll(t[i], &r)) sandbox_wait(1);
        ck_assert_int_eq(r.outcome, SANDBOX_EXITED);
        sandbox_result_free(&r);
    }
    double took = clock_seconds() - began;
    ck_assert_msg(took > 0.79 && took < 2.4, "two times four sleeps of 0.4 s took %g s", took);
    sandbox_stop();
}
END_TEST

START_TEST(cancelled_runs_end_and_make_room)
{
    uint64_t t[6];
    if (!start()) return;
    for (int i = 0; i < 6; i++)
        t[i] = sandbox_begin(
            &(SandboxRun){.argv = (const char *[]){"sleep", "15", NULL}, .limits = usual});
    for (int i = 5; i >= 0; i--) sandbox_cancel(t[i]);
    sandbox_cancel(t[0]); /* again: nothing */
    double began = clock_seconds();
    expect("echo next", "", SANDBOX_EXITED, 0, "next\n");
    ck_assert(clock_seconds() - began < 5);
    sandbox_stop();
}
END_TEST

START_TEST(a_helper_that_dies_costs_its_runs_and_comes_back)
{
    SandboxResult r;
    if (!start()) return;
    uint64_t running = sandbox_begin(
        &(SandboxRun){.argv = (const char *[]){"sleep", "15", NULL}, .limits = usual});
    pid_t worker = worker_pid(), init[4];
    for (int i = 0; i < 200 && children_of(worker, init, 4) != 1; i++) usleep(10000);
    ck_assert_int_eq(children_of(worker, init, 4), 1);
    kill(worker, SIGKILL);
    while (!sandbox_poll(running, &r)) sandbox_wait(1);
    ck_assert_int_eq(r.outcome, SANDBOX_BROKEN);
    ck_assert_ptr_nonnull(strstr(r.why, "helper"));
    sandbox_result_free(&r);
    ck_assert(gone_soon(init[0]));
    expect("echo again", "", SANDBOX_EXITED, 0, "again\n");
    kill(keeper_pid(), SIGKILL); /* with it the helper is lost for good, which is said */
    while (worker_pid()) usleep(1000);
    r = shell("echo", "", usual);
    ck_assert_int_eq(r.outcome, SANDBOX_BROKEN);
    sandbox_result_free(&r);
    sandbox_stop();
}
END_TEST

START_TEST(nothing_outlives_the_caller)
{
    int report[2];
    pid_t list[3] = {0};
    if (!start()) return;
    sandbox_stop();
    ck_assert_int_eq(pipe(report), 0);
    pid_t caller = fork();
    if (!caller) {
        if (!start()) _exit(1);
        sandbox_begin(
            &(SandboxRun){.argv = (const char *[]){"sleep", "15", NULL}, .limits = usual});
        list[0] = keeper_pid();
        list[1] = worker_pid();
        while (children_of(list[1], &list[2], 1) != 1) usleep(1000);
        if (write(report[1], list, sizeof list) != sizeof list) _exit(1);
        for (;;) pause();
    }
    ck_assert_int_eq(read(report[0], list, sizeof list), sizeof list);
    for (int i = 0; i < 3; i++) ck_assert(list[i] > 0 && is_alive(list[i]));
    kill(caller, SIGKILL);
    waitpid(caller, NULL, 0);
    for (int i = 0; i < 3; i++) ck_assert_msg(gone_soon(list[i]), "process %d of 3 lives on", i);
    close(report[0]);
    close(report[1]);
}
END_TEST

/* ---- machines without namespaces ------------------------------------------------------------- */

/* What a container's own filter does: no new namespaces. */
static int forbid_namespaces(void)
{
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
    int rc = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0);
    if (!rc) rc = seccomp_load(c);
    seccomp_release(c);
    return rc;
}

static void in_a_process_without_namespaces(int (*check)(void))
{
    int status;
    pid_t child = fork();
    if (!child) _exit(forbid_namespaces() ? 99 : check());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "check %d failed, or signal %d",
                  WEXITSTATUS(status), WTERMSIG(status));
}

#define CHECK(n, cond)                                                                             \
    if (!(cond)) return n

static int check_refusal(void)
{
    SandboxResult r;
    SandboxRun run = {.argv = (const char *[]){"true", NULL}, .limits = usual};
    errors_quiet(1);
    CHECK(1, sandbox_start() == 0);
    CHECK(2, sandbox_open(&(SandboxOptions){0}) == -1);
    CHECK(3,
          strstr(errors_last(), "allow_unsandboxed: true") && strstr(errors_last(), "namespaces"));
    CHECK(4, !sandbox_isolates());
    sandbox_run(&run, &r);
    CHECK(5, r.outcome == SANDBOX_REFUSED && *r.why);
    sandbox_result_free(&r);
    sandbox_stop();
    sandbox_run(&run, &r);
    CHECK(6, r.outcome == SANDBOX_REFUSED && strstr(r.why, "no sandbox helper"));
    return 0;
}

static int check_way_without(void)
{
    SandboxResult r;
    const SandboxFile file = {"data", "x", 1, false};
    const char *script = "(setsid sleep 15 &); (sleep 15 &); cat; ls; exit 4";
    SandboxRun run = {.argv = (const char *[]){"sh", "-c", script, NULL},
                      .files = &file,
                      .n_files = 1,
                      .input = "in\n",
                      .n_input = 3,
                      .limits = usual,
                      .allow_unsandboxed = true};
    errors_quiet(1);
    CHECK(1, sandbox_start() == 0);
    CHECK(2, sandbox_open(&(SandboxOptions){.allow_unsandboxed = true}) == 0);
    double began = clock_seconds();
    sandbox_run(&run, &r);
    CHECK(3, r.outcome == SANDBOX_EXITED && r.code == 4 && !strcmp(r.out, "in\ndata\n"));
    CHECK(4, clock_seconds() - began < 5);
    sandbox_result_free(&r);
    pid_t left[4];
    CHECK(5, children_of(worker_pid(), left, 4) == 0); /* the sleeps were ended */
    run.limits.wall_s = 0.3;
    run.argv = (const char *[]){"sh", "-c", "(setsid sleep 15 &) ; sleep 15", NULL};
    sandbox_run(&run, &r);
    CHECK(6, r.outcome == SANDBOX_TIMEOUT);
    sandbox_result_free(&r);
    for (int i = 0; i < 100 && children_of(worker_pid(), left, 4); i++) usleep(10000);
    CHECK(7, children_of(worker_pid(), left, 4) == 0);
    run.allow_unsandboxed = false; /* each run says it itself */
    sandbox_run(&run, &r);
    CHECK(8, r.outcome == SANDBOX_REFUSED);
    sandbox_stop();
    return 0;
}

START_TEST(refuses_where_nothing_isolates)
{
    in_a_process_without_namespaces(check_refusal);
}
END_TEST

START_TEST(runs_without_isolation_only_when_told)
{
    in_a_process_without_namespaces(check_way_without);
}
END_TEST

TEST_MAIN("sandbox", gives_input_and_takes_both_outputs, is_opened_long_after_its_start_and_again,
          puts_files_into_a_folder_of_its_own, sees_programs_and_nothing_else,
          tells_what_cannot_be_started, shows_a_program_that_lies_elsewhere,
          attacks_end_in_their_time_and_touch_nothing, an_early_end_is_the_programs,
          runs_several_at_the_same_time_and_queues_the_rest, cancelled_runs_end_and_make_room,
          a_helper_that_dies_costs_its_runs_and_comes_back, nothing_outlives_the_caller,
          refuses_where_nothing_isolates, runs_without_isolation_only_when_told)

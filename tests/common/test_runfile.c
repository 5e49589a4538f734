/* The run directory: what is recorded comes back, from segments and from the live log; a kill
 * leaves files that open; two jobs never share one. */
#include "tests/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/h5.h"
#include "common/runfile.h"
#include "common/runfile_log.h"

static char dir[64];
static const char *const components[] = {"exact_number", "length"};

static void new_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/test_runfile.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    strcat(dir, "/run");
}

static int shell(const char *command)
{
    char line[4096];
    snprintf(line, sizeof line, "cd '%s' && { %s; }", dir, command);
    return system(line);
}

static void drop_dir(void)
{
    ck_assert_int_eq(shell("cd .. && rm -rf -- \"$PWD\""), 0);
}

static RunFile *start(int64_t resume_step, int64_t sft_step)
{
    RunInfo info = {.config_text = "run:\n",
                    .version_text = "troupe 0",
                    .seed = UINT64_MAX,
                    .n_components = 2,
                    .components = components,
                    .layout = "workers 2",
                    .resume_sft_step = sft_step};
    return runfile_open(dir, &info, resume_step);
}

static Group group_of(int64_t step, int64_t id)
{
    Group g = {.kind = id % 4 == 3 ? GROUP_EVAL : GROUP_TRAIN,
               .id = id,
               .problem = id + 5,
               .version = (int32_t)step,
               .n_prompt = 3,
               .n_samples = 2};
    g.prompt = NEW(int32_t, 3);
    g.prompt[1] = (int32_t)id;
    g.prompt_text = mem_text("1+1=");
    g.record = mem_text("{\"answer\":\"2\"}");
    g.samples = NEW(Sample, 2);
    for (int k = 0; k < 2; k++) {
        Sample *s = &g.samples[k];
        s->n_tokens = (int)(id % 3) + k; /* some have none */
        sample_reserve(s, s->n_tokens);
        for (int t = 0; t < s->n_tokens; t++) {
            s->tokens[t] = (int32_t)(step * 100 + id + t);
            s->logprobs[t] = -0.5f * (float)t - (float)k;
            s->versions[t] = (int32_t)step - 1;
        }
        s->finish = k ? FINISH_LENGTH : FINISH_EOS;
        s->text = mem_text(k ? "<think>\n\x1b[31m</think>" : "");
        s->advantage = k ? -0.7f : 0.7f;
        s->reward = (Score){(double)k, SCORE_OK};
    }
    if (g.kind == GROUP_TRAIN) {
        group_reserve_scores(&g, 2);
        g.samples[0].components[0] = (Score){1, SCORE_OK};
        g.samples[0].notes[1] = mem_printf("judged at %lld", (long long)g.id);
        g.samples[0].components[1] = (Score){0, SCORE_TIMEOUT};
        g.samples[1].latencies_s[1] = 1.5f;
        Sample *s = &g.samples[1];
        s->text_ends = NEW(int32_t, s->n_tokens);
        for (int t = 0; t < s->n_tokens; t++) s->text_ends[t] = 2 * t + 1;
        s->n_steps = s->n_tokens; /* 1, 2 or 3 */
        s->steps = NEW(SampleStep, s->n_steps);
        for (int t = 0; t < s->n_steps; t++)
            s->steps[t] =
                (SampleStep){.end = t + 1, .reward = 0.5 * t, .advantage = (float)step - 1};
    }
    return g;
}

static int add_step(RunFile *r, int64_t step)
{
    Group g[4];
    json_t *m = json_pack("{s:f, s:{s:f}, s:s}", "reward", 0.25 * (double)step, "components",
                          "exact_number", 0.5, "stage", "rl");
    for (int i = 0; i < 4; i++) g[i] = group_of(step, (step - 1) * 4 + i);
    int rc = runfile_add_groups(r, step, g, 4);
    runfile_add_metrics(r, step, m);
    for (int i = 0; i < 4; i++) group_free(&g[i]);
    json_decref(m);
    return rc;
}

/* What was added is what is read, whether from a segment or from the log. */
static void expect_step(int64_t step)
{
    Group *g;
    int n;
    ck_assert_int_eq(runfile_read_groups(dir, step, &g, &n), 0);
    ck_assert_int_eq(n, 4);
    for (int i = 0; i < 4; i++) {
        Group want = group_of(step, (step - 1) * 4 + i);
        ck_assert_int_eq((int)g[i].id, (int)want.id);
        ck_assert_int_eq((int)g[i].kind, (int)want.kind);
        ck_assert_int_eq((int)g[i].problem, (int)want.problem);
        ck_assert_int_eq(g[i].prompt[1], want.prompt[1]);
        ck_assert_str_eq(g[i].record, want.record);
        ck_assert_int_eq(g[i].n_components, want.n_components);
        for (int k = 0; k < 2; k++) {
            const Sample *a = &g[i].samples[k], *b = &want.samples[k];
            ck_assert_int_eq(a->n_tokens, b->n_tokens);
            for (int j = 0; j < want.n_components; j++) {
                ck_assert_int_eq(!a->notes[j], !b->notes[j]);
                if (b->notes[j]) ck_assert_str_eq(a->notes[j], b->notes[j]);
            }
            ck_assert(same_bits(a->tokens, b->tokens, sizeof(int32_t) * (size_t)a->n_tokens));
            ck_assert(same_bits(a->logprobs, b->logprobs, sizeof(float) * (size_t)a->n_tokens));
            ck_assert(same_bits(a->versions, b->versions, sizeof(int32_t) * (size_t)a->n_tokens));
            ck_assert_str_eq(a->text, b->text);
            ck_assert_int_eq((int)a->finish, (int)b->finish);
            ck_assert(a->reward.value == b->reward.value && a->advantage == b->advantage);
            if (b->n_tokens) ck_assert_int_eq(!a->text_ends, !b->text_ends);
            if (b->text_ends)
                ck_assert(same_bits(a->text_ends, b->text_ends, 4 * (size_t)b->n_tokens));
            ck_assert_int_eq(a->n_steps, b->n_steps);
            ck_assert(same_bits(a->steps, b->steps, sizeof *a->steps * (size_t)a->n_steps));
            for (int c = 0; c < want.n_components; c++) {
                ck_assert_int_eq((int)a->components[c].status, (int)b->components[c].status);
                ck_assert(a->latencies_s[c] == b->latencies_s[c]);
            }
        }
        group_free(&want);
        group_free(&g[i]);
    }
    mem_free(g);
}

START_TEST(groups_come_back_from_segments_and_from_the_log)
{
    new_dir();
    RunFile *r = start(-1, 0);
    ck_assert_ptr_nonnull(r);
    for (int step = 1; step <= 5; step++) {
        ck_assert_int_eq(add_step(r, step), 0);
        if (step == 3) ck_assert_int_eq(runfile_cut_segment(r, step), 0);
    }
    for (int step = 1; step <= 5; step++) expect_step(step); /* while the run goes on */
    json_t *metrics = runfile_read_metrics(dir);
    ck_assert_uint_eq(json_array_size(metrics), 5);
    ck_assert(json_number_value(json_object_get(json_array_get(metrics, 4), "reward")) == 1.25);
    json_decref(metrics);
    json_t *summary = json_pack("{s:i}", "steps", 5);
    ck_assert_int_eq(runfile_summary(r, summary), 0);
    json_decref(summary);
    runfile_close(r);
    Group *g;
    int n;
    errors_quiet(1);
    ck_assert_int_eq(runfile_read_groups(dir, 77, &g, &n), -1);
    errors_quiet(-1);
    ck_assert_int_eq(shell("test -f rollouts/steps-000001-000003.h5 && test -s rollouts/live.log "
                           "&& test -f summary.json"),
                     0);
    ck_assert_int_eq(shell("test -z \"$(find . -perm /007)\" && test -z \"$(ls | grep new)\""), 0);
    drop_dir();
}
END_TEST

static int count_group(void *ctx, int64_t step, const Group *g)
{
    int *n = ctx;
    ck_assert_int_eq((int)(g->id / 4 + 1), (int)step);
    ck_assert_int_eq((int)g->id, *n);
    ++*n;
    return step == 5 ? 17 : 0;
}

START_TEST(all_groups_are_walked_in_order)
{
    new_dir();
    RunFile *r = start(-1, 0);
    int n = 0;
    for (int step = 1; step <= 4; step++) {
        add_step(r, step);
        if (step % 2 == 0 && step < 4) runfile_cut_segment(r, step);
    }
    ck_assert_int_eq(runfile_each_group(dir, count_group, &n), 0);
    ck_assert_int_eq(n, 16);
    add_step(r, 5);
    n = 0;
    ck_assert_int_eq(runfile_each_group(dir, count_group, &n),
                     17); /* it ends where it is told to */
    ck_assert_int_eq(n, 17);
    runfile_close(r);
    drop_dir();
}
END_TEST

START_TEST(run_h5_tells_what_the_run_is)
{
    new_dir();
    RunFile *r = start(-1, 0);
    add_step(r, 1);
    add_step(r, 2);
    ck_assert_int_eq(runfile_cut_segment(r, 2), 0);
    json_t *info = runfile_read_info(dir);
    ck_assert_str_eq(json_string_value(json_object_get(info, "seed")), "18446744073709551615");
    ck_assert_str_eq(json_string_value(json_object_get(info, "config")), "run:\n");
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(info, "run_id"))), 32);
    ck_assert_uint_eq(json_array_size(json_object_get(info, "segments")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(info, "launches")), 1);
    json_decref(info);
    char path[100];
    void *x;
    size_t n;
    snprintf(path, sizeof path, "%s/run.h5", dir);
    hid_t f = h5_open(path);
    ck_assert_int_eq(
        h5_read(f, path, "metrics/components.exact_number", H5T_NATIVE_DOUBLE, 10, &x, &n), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert(((double *)x)[1] == 0.5);
    mem_free(x);
    h5_close(f);
    runfile_close(r);
    drop_dir();
}
END_TEST

static size_t metric_lines(void)
{
    json_t *m = runfile_read_metrics(dir);
    size_t n = json_array_size(m);
    json_decref(m);
    return n;
}

START_TEST(a_resume_cuts_what_came_after_and_compares_what_is_made_again)
{
    new_dir();
    RunFile *r = start(-1, 0);
    json_t *sft = json_pack("{s:s}", "stage", "sft");
    runfile_add_metrics(r, 300, sft);
    for (int step = 1; step <= 4; step++) {
        add_step(r, step);
        if (step == 2) runfile_cut_segment(r, step);
    }
    runfile_close(r);
    errors_quiet(1);
    ck_assert_ptr_null(start(-1, 0));
    ck_assert_ptr_nonnull(strstr(errors_last(), "--resume"));
    errors_quiet(-1);
    r = start(2, 0);
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(metric_lines(), 3);
    ck_assert_int_eq(add_step(r, 3), 0); /* the same again */
    Group g = group_of(4, 14);           /* not the same */
    g.samples[1].logprobs[0] += 1e-6f;
    errors_quiet(1);
    ck_assert_int_eq(runfile_add_groups(r, 4, &g, 1), -1);
    ck_assert_ptr_nonnull(
        strstr(errors_last(), "step 4, group 14, sample 1: the log-probabilities at position 0"));
    g.samples[1].logprobs[0] -= 1e-6f;
    g.samples[1].n_tokens--;
    ck_assert_int_eq(runfile_add_groups(r, 4, &g, 1), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "the tokens at position"));
    errors_quiet(-1);
    group_free(&g);
    runfile_close(r);
    r = start(0, 400); /* from the supervised stage: its lines stay, the others go, segments too */
    ck_assert_uint_eq(metric_lines(), 1);
    ck_assert_int_eq(shell("test -f rollouts/steps-000001-000002.h5.old && ! test -f "
                           "rollouts/steps-000001-000002.h5"),
                     0);
    runfile_close(r);
    r = start(0, INT64_MIN); /* from nothing */
    ck_assert_uint_eq(metric_lines(), 0);
    runfile_close(r);
    ck_assert_int_eq(shell("test $(wc -l <launches.txt) = 4 && grep -q 'resumed_after_step=2 "
                           "before=closed' launches.txt"),
                     0);
    json_decref(sft);
    drop_dir();
}
END_TEST

START_TEST(another_runs_checkpoint_is_refused)
{
    new_dir();
    runfile_close(start(-1, 0));
    RunInfo info = {.config_text = "", .run_id = "00000000000000000000000000000000"};
    errors_quiet(1);
    ck_assert_ptr_null(runfile_open(dir, &info, 0));
    ck_assert_ptr_nonnull(strstr(errors_last(), "which one is meant"));
    errors_quiet(-1);
    drop_dir();
}
END_TEST

START_TEST(a_second_job_is_refused_and_a_dead_one_is_not)
{
    new_dir();
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (!child) {
        RunFile *r = start(-1, 0);
        if (!r || write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    ck_assert_int_eq((int)read(ready[0], &byte, 1), 1);
    errors_quiet(1);
    ck_assert_ptr_null(start(0, 0));
    char who[40];
    snprintf(who, sizeof who, "process %d on ", (int)child);
    ck_assert_ptr_nonnull(strstr(errors_last(), "in use by another job"));
    ck_assert_ptr_nonnull(strstr(errors_last(), who));
    errors_quiet(-1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    RunFile *r = start(0, 0);
    ck_assert_ptr_nonnull(r);
    ck_assert_int_eq(shell("grep -q 'before=died' launches.txt"), 0);
    runfile_close(r);
    close(ready[0]);
    close(ready[1]);
    drop_dir();
}
END_TEST

/* Whatever moment a writer is killed at, run.h5 and every segment open, the log ends at a good
 * frame, and a resume goes on. */
START_TEST(a_kill_leaves_files_that_open)
{
    new_dir();
    runfile_close(start(-1, 0));
    srand(3);
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        if (!child) {
            RunFile *r = start(0, 0);
            for (int step = 1; r && step < 1000000; step++) {
                add_step(r, step);
                if (step % 3 == 0 && runfile_cut_segment(r, step)) _exit(1);
            }
            _exit(2);
        }
        usleep((useconds_t)(2000 + rand() % 30000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        json_t *info = runfile_read_info(dir), *metrics = runfile_read_metrics(dir);
        ck_assert_ptr_nonnull(info);
        size_t steps = json_array_size(metrics);
        for (size_t step = 1; step <= steps; step++) expect_step((int64_t)step);
        json_decref(info);
        json_decref(metrics);
    }
    drop_dir();
}
END_TEST

START_TEST(a_torn_tail_ends_the_log_at_the_last_good_frame)
{
    new_dir();
    RunFile *r = start(-1, 0);
    add_step(r, 1);
    runfile_close(r);
    char path[100];
    struct stat st;
    snprintf(path, sizeof path, "%s/rollouts/live.log", dir);
    ck_assert_int_eq(stat(path, &st), 0);
    for (off_t size = st.st_size; size >= 0; size -= size > 97 ? 97 : size ? size : 1) {
        LogReader log;
        Group g;
        int64_t step, n = 0;
        ck_assert_int_eq(truncate(path, size), 0);
        ck_assert_int_eq(log_open(&log, path), 0);
        while (log_next(&log, &step, &g)) n++, group_free(&g);
        log_close(&log);
        ck_assert_int_le((int)n, size == st.st_size ? 4 : 3);
        if (size == st.st_size) ck_assert_int_eq((int)n, 4);
    }
    drop_dir();
}
END_TEST

/* A dataset that points at another file, or goes through a foreign filter, is refused before it is
 * read. */
START_TEST(a_dataset_that_lies_elsewhere_is_refused)
{
    new_dir();
    mkdir(dir, 0750);
    char path[100];
    snprintf(path, sizeof path, "%s/x.h5", dir);
    hsize_t n = 8;
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
          p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);
    H5Pset_external(p, "/etc/passwd", 0, 8);
    H5Dclose(H5Dcreate2(f, "outside", H5T_NATIVE_UINT8, space, H5P_DEFAULT, p, H5P_DEFAULT));
    H5Dclose(
        H5Dcreate2(f, "plain", H5T_NATIVE_UINT8, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_soft("/plain", f, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/x", f, "external", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(f);
    H5Pclose(p);
    H5Sclose(space);
    void *x;
    size_t got;
    f = h5_open(path);
    ck_assert_int_eq(h5_read(f, path, "plain", H5T_NATIVE_UINT8, 8, &x, &got), 0);
    mem_free(x);
    errors_quiet(1);
    ck_assert_int_eq(h5_read(f, path, "plain", H5T_NATIVE_UINT8, 7, &x, &got), -1);
    ck_assert_int_eq(h5_read(f, path, "plain", H5T_NATIVE_INT32, 8, &x, &got), -1);
    ck_assert_int_eq(h5_read(f, path, "outside", H5T_NATIVE_UINT8, 8, &x, &got), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "another file"));
    ck_assert_int_eq(h5_read(f, path, "soft", H5T_NATIVE_UINT8, 8, &x, &got), -1);
    ck_assert_int_eq(h5_read(f, path, "external", H5T_NATIVE_UINT8, 8, &x, &got), -1);
    ck_assert_int_eq(h5_read(f, path, "none", H5T_NATIVE_UINT8, 8, &x, &got), -1);
    errors_quiet(-1);
    h5_close(f);
    drop_dir();
}
END_TEST

TEST_MAIN("runfile", groups_come_back_from_segments_and_from_the_log,
          all_groups_are_walked_in_order, run_h5_tells_what_the_run_is,
          a_resume_cuts_what_came_after_and_compares_what_is_made_again,
          another_runs_checkpoint_is_refused, a_second_job_is_refused_and_a_dead_one_is_not,
          a_kill_leaves_files_that_open, a_torn_tail_ends_the_log_at_the_last_good_frame,
          a_dataset_that_lies_elsewhere_is_refused)

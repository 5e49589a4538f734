/* The log of remote answers: the same answers again, whatever the process that wrote it died of. */
#include "rewardsvc/remote_log.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "rewardsvc/remote_log_line.h"
#include "tests/rewardsvc/judge_fixture.h"

static JudgeServer server;
static char folder[64], path[100];

static RemoteKey key_of(int i)
{
    RemoteKey k = {{0}};
    uint32_t bits = (uint32_t)i * 2654435761u;
    memcpy(k.bytes, &bits, 4);
    k.bytes[31] = (uint8_t)i;
    return k;
}

/* An answer with everything in it. */
static RemoteAnswer full_answer(void)
{
    RemoteAnswer a = {.status = SCORE_OK,
                      .reason = mem_text("because \"so\""),
                      .attempts = 3,
                      .http = 200,
                      .waited_s = 0.1,
                      .latency_s = 1.0 / 3,
                      .prompt_tokens = 12,
                      .completion_tokens = (int64_t)1 << 40,
                      .n_choices = 2};
    a.choices = NEW(RemoteChoice, 2);
    a.choices[0] = (RemoteChoice){.status = SCORE_OK,
                                  .text = mem_text("caf\xc3\xa9\n\x01\""),
                                  .n_text = 8,
                                  .reasoning = mem_text("hm"),
                                  .finish = REMOTE_LENGTH,
                                  .n_tokens = 2};
    a.choices[0].tokens = NEW(RemoteToken, 2);
    a.choices[0].tokens[0] = (RemoteToken){mem_text("caf"), -0.1, 1, NEW(RemoteTop, 1)};
    a.choices[0].tokens[0].top[0] = (RemoteTop){mem_text("tea"), -1e-300};
    a.choices[0].tokens[1] = (RemoteToken){.token = mem_text("")};
    a.choices[1] =
        (RemoteChoice){.status = SCORE_REFUSED, .text = mem_text(""), .finish = REMOTE_OTHER};
    return a;
}

static void assert_full(const RemoteAnswer *b)
{
    ck_assert(b->status == SCORE_OK && b->attempts == 3 && b->http == 200 && b->n_choices == 2);
    ck_assert(b->from_log && b->waited_s == 0.1 && b->latency_s == 1.0 / 3);
    ck_assert(b->prompt_tokens == 12 && b->completion_tokens == (int64_t)1 << 40);
    ck_assert_str_eq(b->reason, "because \"so\"");
    const RemoteChoice *c = &b->choices[0];
    ck_assert(c->status == SCORE_OK && c->finish == REMOTE_LENGTH && c->n_text == 8);
    ck_assert_str_eq(c->text, "caf\xc3\xa9\n\x01\"");
    ck_assert_str_eq(c->reasoning, "hm");
    ck_assert_int_eq(c->n_tokens, 2);
    ck_assert_str_eq(c->tokens[0].token, "caf");
    ck_assert_str_eq(c->tokens[0].top[0].token, "tea");
    ck_assert(c->tokens[0].logprob == -0.1 && c->tokens[0].top[0].logprob == -1e-300);
    ck_assert(c->tokens[1].n_top == 0 && c->tokens[1].logprob == 0);
    ck_assert(b->choices[1].status == SCORE_REFUSED && !b->choices[1].reasoning);
    ck_assert(b->choices[1].finish == REMOTE_OTHER && !b->choices[1].n_tokens);
}

static void add_numbered(RemoteLog *log, int i)
{
    RemoteKey k = key_of(i);
    RemoteAnswer a = {.status = SCORE_TIMEOUT, .reason = mem_printf("number %d", i), .attempts = i};
    ck_assert_int_eq(remote_log_add(log, &k, "t", &a), 0);
    remote_answer_free(&a);
}

static bool has_numbered(const RemoteLog *log, int i)
{
    RemoteKey k = key_of(i);
    RemoteAnswer a;
    if (!remote_log_find(log, &k, &a)) return false;
    ck_assert(a.status == SCORE_TIMEOUT && a.attempts == i && a.from_log &&
              atoi(a.reason + 7) == i);
    remote_answer_free(&a);
    return true;
}

static void folder_open(void)
{
    strcpy(folder, "/tmp/test_remote_log.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/answers.jsonl", folder);
}

static void folder_close(void)
{
    char *command = mem_printf("rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    mem_free(command);
}

START_TEST(keeps_everything_in_memory_and_on_disk)
{
    folder_open();
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        RemoteLog *log = remote_log_open(on_disk ? path : NULL);
        RemoteAnswer a = full_answer(), b;
        RemoteKey k = key_of(5000);
        ck_assert_ptr_nonnull(log);
        ck_assert(!remote_log_find(log, &k, &b));
        ck_assert_int_eq(remote_log_add(log, &k, "g1/s2\x01\xff", &a), 0);
        remote_answer_free(&a);
        for (int i = 0; i < 1000; i++) add_numbered(log, i);
        for (int i = 0; i < 1000; i++) ck_assert(has_numbered(log, i));
        ck_assert(!has_numbered(log, 1000));
        ck_assert_int_eq(remote_log_sync(log), 0);
        ck_assert_uint_eq(remote_log_count(log), 1001);
        ck_assert(remote_log_find(log, &k, &b));
        assert_full(&b);
        remote_answer_free(&b);
        char *copy = mem_printf("%s/copy%d.jsonl", folder, on_disk);
        ck_assert_int_eq(remote_log_save(log, copy), 0);
        remote_log_close(log);
        log = remote_log_open(copy);
        ck_assert_uint_eq(remote_log_count(log), 1001);
        ck_assert(remote_log_find(log, &k, &b) && has_numbered(log, 999));
        assert_full(&b);
        remote_answer_free(&b);
        remote_log_close(log);
        mem_free(copy);
    }
    struct stat st;
    ck_assert(!stat(path, &st) && !(st.st_mode & 027));
    folder_close();
}
END_TEST

START_TEST(a_torn_tail_is_cut_off_at_every_byte)
{
    folder_open();
    RemoteLog *log = remote_log_open(path);
    struct stat whole;
    for (int i = 0; i < 3; i++) add_numbered(log, i);
    remote_log_close(log);
    ck_assert_int_eq(stat(path, &whole), 0);
    Buffer all = {0};
    ck_assert_int_eq(file_read(path, 1 << 20, &all), 0);
    size_t second = (size_t)((char *)memchr(all.data, '\n', all.size) - all.data) + 1;
    for (size_t n = 0; n < all.size; n += n < second ? 7 : 1) {
        FILE *f = fopen(path, "w");
        ck_assert(fwrite(all.data, 1, n, f) == n && !fclose(f));
        log = remote_log_open(path);
        ck_assert_msg(log != NULL, "%zu bytes: %s", n, errors_last());
        int had = (int)remote_log_count(log);
        ck_assert_int_le(had, 2);
        for (int i = 0; i < 3; i++) ck_assert(has_numbered(log, i) == (i < had));
        for (int i = had; i < 3; i++) add_numbered(log, i);
        remote_log_close(log);
        Buffer again = {0};
        ck_assert_int_eq(file_read(path, 1 << 20, &again), 0); /* as if nothing had happened */
        ck_assert(again.size == all.size && !memcmp(again.data, all.data, all.size));
        buffer_free(&again);
    }
    buffer_free(&all);
    folder_close();
}
END_TEST

START_TEST(damage_is_refused_with_its_place)
{
    folder_open();
    RemoteLog *log = remote_log_open(path);
    for (int i = 0; i < 3; i++) add_numbered(log, i);
    remote_log_close(log);
    Buffer all = {0};
    ck_assert_int_eq(file_read(path, 1 << 20, &all), 0);
    size_t first = (size_t)((char *)memchr(all.data, '\n', all.size) - all.data) + 1;
    errors_quiet(1);
    for (size_t at = first; at < 2 * first - 1; at++) { /* the second line, every byte of it */
        char *bytes = mem_text_n(all.data, all.size);
        bytes[at] ^= 1;
        FILE *f = fopen(path, "w");
        ck_assert(fwrite(bytes, 1, all.size, f) == all.size && !fclose(f));
        log = remote_log_open(path);
        ck_assert_msg(log == NULL, "byte %zu", at);
        ck_assert_msg(strstr(errors_last(), ":2: ") != NULL, "%s", errors_last());
        mem_free(bytes);
    }
    ck_assert_ptr_null(remote_log_open(folder));
    ck_assert_int_eq(symlink(path, "/tmp/test_remote_log.link"), 0);
    ck_assert_ptr_null(remote_log_open("/tmp/test_remote_log.link"));
    unlink("/tmp/test_remote_log.link");
    errors_quiet(-1);
    buffer_free(&all);
    folder_close();
}
END_TEST

START_TEST(other_ranks_logs_are_read_too_and_the_first_answer_counts)
{
    folder_open();
    char *other = mem_printf("%s/other.jsonl", folder);
    RemoteLog *log = remote_log_open(other);
    add_numbered(log, 1), add_numbered(log, 2);
    remote_log_close(log);
    log = remote_log_open(path);
    RemoteKey k = key_of(1);
    RemoteAnswer a = {.status = SCORE_ERROR, .reason = mem_text("mine"), .attempts = 77}, b;
    ck_assert_int_eq(remote_log_add(log, &k, NULL, &a), 0);
    a.attempts = 78;
    ck_assert_int_eq(remote_log_add(log, &k, NULL, &a), 0);
    remote_answer_free(&a);
    ck_assert_int_eq(remote_log_include(log, other), 0);
    ck_assert_uint_eq(remote_log_count(log), 2);
    ck_assert(remote_log_find(log, &k, &b) && b.attempts == 77 && has_numbered(log, 2));
    remote_answer_free(&b);
    errors_quiet(1);
    ck_assert_int_eq(remote_log_include(log, "/nowhere/at/all"), -1);
    errors_quiet(-1);
    remote_log_close(log);
    mem_free(other);
    folder_close();
}
END_TEST

START_TEST(a_full_disk_loses_nothing_that_was_kept)
{
    folder_open();
    RemoteLog *log = remote_log_open(path);
    for (int i = 0; i < 3; i++) add_numbered(log, i);
    struct rlimit was, little;
    struct stat before, after;
    ck_assert(!stat(path, &before) && !getrlimit(RLIMIT_FSIZE, &was));
    little = was;
    little.rlim_cur = (rlim_t)before.st_size + 20; /* a part of the line fits */
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    RemoteKey k = key_of(3);
    RemoteAnswer a = {.status = SCORE_TIMEOUT, .reason = mem_text("number 3"), .attempts = 3};
    errors_quiet(1);
    int rc = remote_log_add(log, &k, "t", &a);
    errors_quiet(-1);
    ck_assert(!setrlimit(RLIMIT_FSIZE, &was) && !stat(path, &after));
    ck_assert_int_eq(rc, -1);
    ck_assert(strstr(errors_last(), "cannot be kept"));
    ck_assert(after.st_size == before.st_size && !has_numbered(log, 3));
    ck_assert_int_eq(remote_log_add(log, &k, "t", &a), 0); /* there is room again */
    remote_answer_free(&a);
    remote_log_close(log);
    log = remote_log_open(path);
    for (int i = 0; i < 4; i++) ck_assert(has_numbered(log, i));
    remote_log_close(log);
    folder_close();
}
END_TEST

/* ---- promise 2: a run that was killed reads the same answers again ---- */

enum { N_ASKED = 24 };

/* Asks N_ASKED questions, two alike; statuses and texts into `out`. */
static void ask_all(Remote *r, Buffer *out)
{
    RemoteTicket tickets[N_ASKED];
    for (int i = 0; i < N_ASKED; i++) {
        char tag[20];
        RemoteRequest q = question();
        q.tag = tag;
        snprintf(tag, sizeof tag, "g%d", i < 2 ? 0 : i);
        tickets[i] = remote_ask(r, &q);
    }
    for (int i = 0; i < N_ASKED; i++) {
        RemoteAnswer a;
        int got;
        while (!(got = remote_take_ticket(r, tickets[i], &a))) {
            remote_poll(r);
            remote_wait(r, 0.05);
        }
        ck_assert_int_eq(got, 1);
        buffer_printf(out, "%d %s %s %d %d\n", i, score_status_name(a.status),
                      a.n_choices ? a.choices[0].text : a.reason, a.attempts, a.http);
        remote_answer_free(&a);
    }
}

START_TEST(a_resumed_run_reads_the_same_answers)
{
    static const char script[] = "~ok=a,ok=b,ok=c,500,500,500,refusal,hang,ok=d";
    folder_open();
    RemoteSettings s = quick();
    Buffer first = {0}, second = {0}, third = {0};
    s.attempt_s = 0.3, s.retries = 1, s.max_concurrency = 5;
    RemoteLog *log = remote_log_open(path);
    Remote *r = open_script(&server, s, script, log);
    ask_all(r, &first);
    RemoteCounters c = remote_counters(r);
    ck_assert(c.ok > 0 && c.error > 0 && c.refused > 0);
    ck_assert_uint_eq(remote_log_count(log), N_ASKED - 1);
    remote_close(r);
    remote_log_close(log); /* nothing else is done at a kill */
    char line0[80], line1[80];
    sscanf(first.data, "0 %79[^\n]\n1 %79[^\n]", line0, line1);
    ck_assert_str_eq(line0, line1); /* equal questions have one answer */
    int asked = judge_count(&server, script, "requests");

    log = remote_log_open(path);
    r = open_script(&server, s, script, log);
    ask_all(r, &second);
    ck_assert_str_eq(first.data, second.data);
    c = remote_counters(r);
    ck_assert_int_eq((int)c.from_log, N_ASKED);
    ck_assert_int_eq((int)c.attempts, 0);
    remote_close(r);
    s.model = "another"; /* is another question */
    r = open_script(&server, s, script, log);
    ck_assert_int_eq(judge_count(&server, script, "requests"), asked);
    ask_all(r, &third);
    ck_assert_int_gt(judge_count(&server, script, "requests"), asked);
    remote_close(r);
    remote_log_close(log);
    buffer_free(&first), buffer_free(&second), buffer_free(&third);
    folder_close();
}
END_TEST

START_TEST(what_is_cancelled_is_not_logged)
{
    RemoteLog *log = remote_log_open(NULL);
    Remote *r = open_script(&server, quick(), "hang", log);
    RemoteRequest q = question();
    RemoteTicket t = remote_ask(r, &q);
    remote_ask(r, &q);
    remote_poll(r);
    remote_cancel(r, t);
    remote_close(r);
    ck_assert_uint_eq(remote_log_count(log), 0);
    remote_log_close(log);
}
END_TEST

START_TEST(starts_the_server)
{
    server = judge_start();
}
END_TEST

START_TEST(stops_the_server)
{
    judge_stop(&server);
}
END_TEST

TEST_MAIN("remote_log", keeps_everything_in_memory_and_on_disk,
          a_torn_tail_is_cut_off_at_every_byte, damage_is_refused_with_its_place,
          a_full_disk_loses_nothing_that_was_kept,
          other_ranks_logs_are_read_too_and_the_first_answer_counts, starts_the_server,
          a_resumed_run_reads_the_same_answers, what_is_cancelled_is_not_logged, stops_the_server)

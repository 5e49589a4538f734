/* The remote client against a server that misbehaves as told (operations.md 10, E3): every outcome
 * typed and with its reason, retries bounded, deadlines held, nothing leaked. */
#include "rewardsvc/chat_remote.h"

#include "tests/rewardsvc/judge_fixture.h"

static JudgeServer server;

START_TEST(answers)
{
    RemoteRequest q = question();
    q.context = &q;
    RemoteAnswer a = ask_once(&server, quick(), "ok=Score:_9", &q);
    ck_assert_int_eq(a.status, SCORE_OK);
    ck_assert_int_eq(a.n_choices, 1);
    ck_assert_str_eq(a.choices[0].text, "Score: 9");
    ck_assert_uint_eq(a.choices[0].n_text, 8);
    ck_assert_int_eq(a.choices[0].finish, REMOTE_STOP);
    ck_assert_int_eq(a.attempts, 1);
    ck_assert_int_eq(a.http, 200);
    ck_assert_str_eq(a.reason, "");
    ck_assert(!a.from_log && a.latency_s > 0 && a.waited_s >= 0 && a.context == &q && a.ticket);
    ck_assert_int_eq(a.prompt_tokens, 11);
    ck_assert_int_eq(a.completion_tokens, 5);
    remote_answer_free(&a);
}
END_TEST

START_TEST(answers_several_choices_with_logprobs)
{
    RemoteRequest q = question();
    q.n = 3, q.logprobs = true, q.top_logprobs = 2;
    RemoteAnswer a = ask_once(&server, quick(), "length", &q);
    ck_assert_msg(a.status == SCORE_OK, "%s", a.reason);
    ck_assert_int_eq(a.n_choices, 3);
    for (int i = 0; i < 3; i++) {
        const RemoteChoice *c = &a.choices[i];
        ck_assert(c->status == SCORE_OK && c->finish == REMOTE_LENGTH && c->n_tokens == 1);
        ck_assert(c->tokens[0].logprob == -0.25 && c->tokens[0].n_top == 2);
        ck_assert(c->tokens[0].top[1].logprob == -0.5);
    }
    remote_answer_free(&a);
    a = ask_once(&server, quick(), "short", &q);
    ck_assert_int_eq(a.status, SCORE_ERROR);
    ck_assert_int_eq(a.attempts, 1);
    ck_assert_str_eq(a.reason, "2 choices where n = 3 were asked for");
    remote_answer_free(&a);
}
END_TEST

START_TEST(a_request_too_large_to_send_is_an_error)
{
    RemoteMessage m = {"user", "x", SIZE_MAX / 2}; /* refused before it is read */
    RemoteRequest q = question();
    q.messages = &m;
    RemoteAnswer a = ask_once(&server, quick(), "ok=large", &q);
    ck_assert_int_eq(a.status, SCORE_ERROR);
    ck_assert_int_eq(a.attempts, 0);
    ck_assert(strstr(a.reason, "the limit is 8388608"));
    ck_assert_int_eq(judge_count(&server, "ok=large", "requests"), 0);
    remote_answer_free(&a);
}
END_TEST

/* word; what becomes of it; attempts that the server sees (3 = retried to the end); part of the
 * reason */
static const struct {
    const char *script;
    ScoreStatus status;
    int attempts;
    const char *reason;
} fates[] = {
    {"refusal", SCORE_REFUSED, 1, "refused"},
    {"filter", SCORE_REFUSED, 1, "refused"},
    {"filter400", SCORE_REFUSED, 1, "filtered"},
    {"500", SCORE_ERROR, 3, "HTTP 500: as told: 500 (attempt 3, the last)"},
    {"page500", SCORE_ERROR, 3, "HTTP 500: <h1>Bad  [1mday</h1>"},
    {"long500", SCORE_ERROR, 3, "(attempt 3, the last)"},
    {"502", SCORE_ERROR, 3, "HTTP 502"},
    {"503", SCORE_ERROR, 3, "HTTP 503"},
    {"429", SCORE_ERROR, 3, "HTTP 429"},
    {"400", SCORE_ERROR, 1, "HTTP 400"},
    {"401", SCORE_ERROR, 1, "key"},
    {"404", SCORE_ERROR, 1, "HTTP 404"},
    {"reset", SCORE_ERROR, 3, "attempt 3"},
    {"cut", SCORE_ERROR, 3, "attempt 3"},
    {"rst", SCORE_ERROR, 3, "attempt 3"},
    {"truncated", SCORE_ERROR, 3, "JSON"},
    {"rubbish", SCORE_ERROR, 3, "JSON"},
    {"empty", SCORE_ERROR, 3, "JSON"},
    {"list", SCORE_ERROR, 3, "object"},
    {"deep", SCORE_ERROR, 3, "deeper than 64"},
    {"dup", SCORE_ERROR, 3, "duplicate"},
    {"huge", SCORE_ERROR, 3, "JSON"},
    {"html", SCORE_ERROR, 3, "content type"},
    {"nochoices", SCORE_ERROR, 3, "out of cheese"},
    {"nomessage", SCORE_ERROR, 3, "no message"},
    {"notext", SCORE_ERROR, 3, "no text"},
    {"badindex", SCORE_ERROR, 3, "indices"},
    {"redirect", SCORE_ERROR, 1, "redirects are not followed"},
    {"big", SCORE_ERROR, 1, "1048576 bytes"},
    {"bigstream", SCORE_ERROR, 1, "1048576 bytes"},
    {"headers", SCORE_ERROR, 1, "262144 bytes"},
    {"nohttp", SCORE_ERROR, 3, "attempt 3"},
    {"500,ok", SCORE_OK, 2, ""},
    {"reset,rubbish,ok", SCORE_OK, 3, ""},
    {"503=0,ok", SCORE_OK, 2, ""},
    {"rst,refusal", SCORE_REFUSED, 2, "refused"},
};

START_TEST(every_fate_is_typed_and_bounded)
{
    for (size_t i = 0; i < sizeof fates / sizeof *fates; i++) {
        const char *script = fates[i].script;
        RemoteRequest q = question();
        RemoteAnswer a = ask_once(&server, quick(), script, &q);
        ck_assert_msg(a.status == fates[i].status, "%s: %s (%s)", script,
                      score_status_name(a.status), a.reason);
        ck_assert_msg(a.attempts == fates[i].attempts, "%s: %d attempts", script, a.attempts);
        ck_assert_int_eq(judge_count(&server, script, "requests"), a.attempts);
        ck_assert_msg(strstr(a.reason, fates[i].reason) != NULL, "%s: %s", script, a.reason);
        ck_assert_msg((a.status == SCORE_OK) == !*a.reason, "%s: %s", script, a.reason);
        ck_assert_uint_le(strlen(a.reason), 400);
        if (a.status == SCORE_OK) ck_assert_str_eq(a.choices[0].text, "Score: 7");
        remote_answer_free(&a);
    }
    ck_assert_int_eq(judge_count(&server, "ok", "requests"), 0); /* where the redirect points */
}
END_TEST

START_TEST(nobody_there_is_an_error)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0); /* bound, never listening */
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    JudgeServer none = {.port = ntohs(at.sin_port)};
    RemoteRequest q = question();
    RemoteAnswer a = ask_once(&none, quick(), "ok", &q);
    close(fd);
    ck_assert_int_eq(a.status, SCORE_ERROR);
    ck_assert_int_eq(a.attempts, 3);
    ck_assert_int_eq(a.http, 0);
    remote_answer_free(&a);
}
END_TEST

/* ---- time ---------------------------------------------------------------------------------- */

/* Held from below exactly (a deadline is not early), from above generously: other jobs run here. */
static void assert_took(double began, double least)
{
    double took = clock_seconds() - began;
    ck_assert_msg(took > least - 0.05 && took < least + 5, "%g s where %g s were due", took, least);
}

START_TEST(deadlines_are_held)
{
    static const char *const late[] = {"hang", "drip", "ok+30000"};
    for (int i = 0; i < 3; i++) {
        RemoteSettings s = quick();
        RemoteRequest q = question();
        s.attempt_s = 0.1;
        double began = clock_seconds();
        RemoteAnswer a = ask_once(&server, s, late[i], &q);
        assert_took(began, 3 * 0.1); /* three attempts and two pauses */
        ck_assert_msg(a.status == SCORE_TIMEOUT, "%s: %s", late[i], a.reason);
        ck_assert_int_eq(a.attempts, 3);
        ck_assert_int_eq(a.n_choices, 0);
        remote_answer_free(&a);
    }
    RemoteSettings s = quick();
    RemoteRequest q = question();
    s.deadline_s = 0.3, s.retries = 20;
    double began = clock_seconds();
    RemoteAnswer a =
        ask_once(&server, s, "hang,hang", &q); /* one long attempt: the total deadline ends it */
    assert_took(began, 0.3);
    ck_assert_int_eq(a.status, SCORE_TIMEOUT);
    ck_assert_int_eq(a.attempts, 1);
    remote_answer_free(&a);
}
END_TEST

START_TEST(an_answer_after_the_deadline_is_nobodys)
{
    RemoteSettings s = quick();
    RemoteRequest q = question();
    RemoteAnswer a;
    s.attempt_s = 0.1, s.retries = 0;
    Remote *r = open_script(&server, s, "ok+250=late,ok=next", NULL);
    remote_ask(r, &q);
    take_one(r, &a);
    ck_assert_int_eq(a.status, SCORE_TIMEOUT);
    remote_answer_free(&a);
    int next = 0;
    for (int i = 0; i < 50 && !next; i++) { /* on a busy machine this one may be late, too */
        remote_ask(r, &q);
        take_one(r, &a);
        next = a.status == SCORE_OK;
        if (next) ck_assert_str_eq(a.choices[0].text, "next");
        remote_answer_free(&a);
    }
    ck_assert(next);
    for (double end = clock_seconds() + 0.25; clock_seconds() < end; remote_wait(r, 0.05))
        ck_assert_int_eq(remote_poll(r), 0);
    remote_close(r);
}
END_TEST

START_TEST(waiting_in_the_backlog_ends_too)
{
    RemoteSettings s = quick();
    RemoteRequest q = question();
    RemoteAnswer a;
    s.max_concurrency = 1, s.wait_s = 0.1, s.attempt_s = 0.3, s.retries = 0;
    Remote *r = open_script(&server, s, "hang,hang,hang", NULL);
    RemoteTicket first = remote_ask(r, &q), second = remote_ask(r, &q);
    for (int i = 0; i < 2; i++) {
        take_one(r, &a);
        ck_assert_int_eq(a.status, SCORE_TIMEOUT);
        ck_assert_int_eq(a.attempts, a.ticket == first);
        if (a.ticket == second) ck_assert(strstr(a.reason, "never sent") && a.waited_s >= 0.1);
        remote_answer_free(&a);
    }
    remote_close(r);
}
END_TEST

START_TEST(poll_never_blocks)
{
    RemoteSettings s = quick();
    RemoteRequest q = question();
    double longest = 0;
    s.attempt_s = 0.4, s.retries = 0;
    Remote *r = open_script(&server, s, "hang", NULL);
    for (int i = 0; i < 16; i++) remote_ask(r, &q);
    while (remote_counters(r).timeout < 16) {
        double began = clock_seconds();
        remote_poll(r);
        longest = fmax(longest, clock_seconds() - began);
        usleep(1000);
    }
    ck_assert_msg(longest < 0.35, "a poll took %g s", longest); /* one that blocked took 0.4 */
    remote_close(r);
}
END_TEST

START_TEST(retry_after_is_honoured_by_all)
{
    RemoteSettings s = quick();
    RemoteRequest q = question();
    RemoteAnswer a;
    s.max_concurrency = 1;
    Remote *r = open_script(&server, s, "429=1,ok", NULL);
    double began = clock_seconds();
    remote_ask(r, &q), remote_ask(r, &q);
    for (int i = 0; i < 2; i++) {
        take_one(r, &a);
        ck_assert_msg(a.status == SCORE_OK, "%s", a.reason);
        assert_took(began, 1);
        remote_answer_free(&a);
    }
    ck_assert_int_eq((int)remote_counters(r).retries, 1);
    remote_close(r);

    s.deadline_s = 5; /* what is asked for is past the deadline: no wait, and no hour's hold */
    began = clock_seconds();
    a = ask_once(&server, s, "429=3600", &q);
    ck_assert_int_eq(a.status, SCORE_ERROR);
    ck_assert_int_eq(a.attempts, 1);
    ck_assert(strstr(a.reason, "past the deadline"));
    ck_assert(clock_seconds() - began < 4);
    remote_answer_free(&a);
}
END_TEST

/* ---- load ---------------------------------------------------------------------------------- */

static void finish_all(Remote *r, int n, ScoreStatus status)
{
    RemoteAnswer a;
    for (int i = 0; i < n; i++) {
        take_one(r, &a);
        ck_assert_msg(a.status == status, "%s: %s", score_status_name(a.status), a.reason);
        ck_assert_int_le(remote_counters(r).in_flight, REMOTE_MOST_CONCURRENT);
        remote_answer_free(&a);
    }
    ck_assert(!remote_take(r, &a));
}

START_TEST(concurrency_is_bounded)
{
    RemoteSettings s = quick();
    RemoteRequest q = question();
    s.max_concurrency = 6;
    Remote *r = open_script(&server, s, "~ok+20,500,ok+5", NULL);
    s.retries = 4;
    for (int i = 0; i < 120; i++) remote_ask(r, &q);
    RemoteCounters c = remote_counters(r);
    ck_assert_int_eq(c.waiting, 120);
    RemoteAnswer a;
    for (int i = 0; i < 120; i++) {
        take_one(r, &a);
        ck_assert_int_le(remote_counters(r).in_flight, 6);
        remote_answer_free(&a);
    }
    c = remote_counters(r);
    ck_assert_int_eq(c.waiting + c.in_flight + c.pausing + c.ready, 0);
    ck_assert_int_eq((int)(c.ok + c.error), 120);
    ck_assert_int_eq((int)c.attempts, 120 + (int)c.retries);
    ck_assert_int_eq(judge_count(&server, "~ok+20,500,ok+5", "requests"), (int)c.attempts);
    int most = judge_count(&server, "~ok+20,500,ok+5", "most_at_once");
    ck_assert_msg(most >= 4 && most <= 6, "%d at once", most);
    remote_close(r);
}
END_TEST

START_TEST(rate_is_held)
{
    RemoteSettings s = quick();
    RemoteRequest q = question();
    s.requests_per_minute = 1200; /* 20 at once, then one every 60/1181 s */
    Remote *r = open_script(&server, s, "ok=rate", NULL);
    double began = clock_seconds();
    for (int i = 0; i < 30; i++) remote_ask(r, &q);
    finish_all(r, 30, SCORE_OK);
    remote_close(r);
    json_t *j = judge_stats(&server, "ok=rate"), *at = json_object_get(j, "arrivals_s");
    for (size_t i = 20; i < json_array_size(at); i++) { /* one clock for both processes */
        double due = began + (double)(i - 19) * 60 / 1181;
        double came = json_real_value(json_array_get(at, i));
        ck_assert_msg(came > due - 1e-5, "request %zu came %g s early", i, due - came);
    }
    ck_assert_uint_eq(json_array_size(at), 30);
    json_decref(j);
}
END_TEST

START_TEST(nothing_leaks)
{
    static const char *const words[] = {"ok", "reset", "cut", "big", "rubbish", "hang"};
    int files = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 6; i++) {
            RemoteSettings s = quick();
            RemoteRequest q = question();
            s.attempt_s = 0.03;
            RemoteAnswer a = ask_once(&server, s, words[i], &q);
            remote_answer_free(&a);
        }
        RemoteSettings s = quick();
        RemoteRequest q = question();
        Remote *r = open_script(&server, s, "hang", NULL); /* closed with all in flight */
        for (int i = 0; i < 20; i++) remote_ask(r, &q);
        remote_poll(r);
        remote_close(r);
        if (!round) files = open_files();
    }
    ck_assert_int_eq(open_files(), files);
}
END_TEST

START_TEST(a_rate_that_lets_nothing_through_ends_at_the_deadline)
{
    RemoteSettings s = quick();
    RemoteRequest q = question();
    s.requests_per_minute = 1, s.deadline_s = 0.2;
    double began = clock_seconds();
    RemoteAnswer a =
        ask_once(&server, s, "500,ok=slow", &q); /* the retry would start in a minute */
    assert_took(began, 0.2);
    ck_assert_int_eq(a.status, SCORE_TIMEOUT);
    ck_assert_int_eq(a.attempts, 1);
    ck_assert(strstr(a.reason, "wait for the rate"));
    remote_answer_free(&a);
}
END_TEST

/* A kept connection that dies under a request: libcurl would repeat it by itself, unseen. */
START_TEST(no_attempt_is_hidden)
{
    static const char script[] = "~ok,reset,ok,cut";
    RemoteSettings s = quick();
    RemoteRequest q = question();
    RemoteAnswer a;
    s.retries = 3, s.max_concurrency = 1;
    Remote *r = open_script(&server, s, script, NULL);
    for (int i = 0; i < 12; i++) {
        remote_ask(r, &q);
        take_one(r, &a);
        ck_assert_msg(a.status == SCORE_OK, "%s", a.reason);
        remote_answer_free(&a);
    }
    RemoteCounters c = remote_counters(r);
    ck_assert_int_eq((int)c.attempts, 23); /* each but the first answer came after one loss */
    ck_assert_int_eq((int)c.retries, 11);
    ck_assert_int_eq(judge_count(&server, script, "requests"), 23);
    remote_close(r);
}
END_TEST

/* Everything at once: each request ends once, with a type, and nothing is a 0 that nobody gave. */
START_TEST(a_storm_is_accounted_for)
{
    static const char script[] =
        "~ok,500,429,reset,rubbish,refusal,cut,html,hang,filter,truncated,ok+3,big,echo,rst,400";
    RemoteSettings s = quick();
    RemoteRequest q = question();
    RemoteAnswer a;
    int seen[5] = {0};
    s.attempt_s = 0.3, s.backoff_s = 0.001, s.max_concurrency = 64;
    Remote *r = open_script(&server, s, script, NULL);
    for (int i = 0; i < 300; i++) remote_ask(r, &q);
    for (int i = 0; i < 300; i++) {
        take_one(r, &a);
        seen[a.status]++;
        ck_assert_int_le(a.attempts, 3);
        ck_assert((a.status == SCORE_OK) == !*a.reason);
        if (a.status == SCORE_OK)
            ck_assert(!strcmp(a.choices[0].text, "Score: 7") ||
                      !strcmp(a.choices[0].text, "Judge this."));
        remote_answer_free(&a);
    }
    RemoteCounters c = remote_counters(r);
    ck_assert(seen[SCORE_OK] > 0 && seen[SCORE_REFUSED] > 0 && seen[SCORE_ERROR] > 0);
    ck_assert_int_eq(seen[SCORE_NOT_APPLICABLE], 0);
    ck_assert(c.ok == seen[SCORE_OK] && c.refused == seen[SCORE_REFUSED] &&
              c.error == seen[SCORE_ERROR] && c.timeout == seen[SCORE_TIMEOUT]);
    /* on a busy machine an attempt may run out of time before the server has read it */
    ck_assert_int_le(judge_count(&server, script, "requests"), (int)c.attempts);
    ck_assert_int_le(judge_count(&server, script, "most_at_once"), 64);
    remote_close(r);
}
END_TEST

START_TEST(tickets)
{
    RemoteSettings s = quick();
    RemoteRequest q = question();
    RemoteAnswer a;
    s.max_concurrency = 2;
    Remote *r = open_script(&server, s, "hang,ok=b,ok=c", NULL);
    RemoteTicket hung = remote_ask(r, &q), b;
    remote_poll(r);
    ck_assert_int_eq(remote_take_ticket(r, hung, &a), 0);
    while (!judge_count(&server, "hang,ok=b,ok=c", "requests")) remote_poll(r);
    b = remote_ask(r, &q);
    while (!remote_poll(r)) remote_wait(r, 1);
    ck_assert_int_eq(remote_take_ticket(r, b, &a), 1);
    ck_assert_str_eq(a.choices[0].text, "b");
    remote_answer_free(&a);
    ck_assert_int_eq(remote_take_ticket(r, b, &a), -1);
    remote_cancel(r, hung);
    remote_cancel(r, hung);
    remote_cancel(r, 12345);
    ck_assert_int_eq(remote_take_ticket(r, hung, &a), -1);
    ck_assert_int_eq(remote_take_ticket(r, 0, &a), -1);
    RemoteCounters c = remote_counters(r);
    ck_assert_int_eq((int)c.cancelled, 1);
    ck_assert_int_eq(c.in_flight + c.waiting + c.ready, 0);
    RemoteTicket again = remote_ask(r, &q); /* the same slot, another ticket */
    ck_assert(again != hung && again != b);
    take_one(r, &a);
    ck_assert_str_eq(a.choices[0].text, "c");
    remote_answer_free(&a);
    remote_close(r);
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

TEST_MAIN("chat_remote", starts_the_server, answers, answers_several_choices_with_logprobs,
          a_request_too_large_to_send_is_an_error, every_fate_is_typed_and_bounded,
          nobody_there_is_an_error, deadlines_are_held, an_answer_after_the_deadline_is_nobodys,
          waiting_in_the_backlog_ends_too, poll_never_blocks, retry_after_is_honoured_by_all,
          concurrency_is_bounded, rate_is_held,
          a_rate_that_lets_nothing_through_ends_at_the_deadline, no_attempt_is_hidden,
          a_storm_is_accounted_for, nothing_leaks, tickets, stops_the_server)

/* See chat_remote.h. A request is a RemoteJob that moves between four lists: waiting -> flying ->
 * (pausing -> flying)* -> ready. remote_poll is three steps: let curl work and judge what ended,
 * end what is late, start what may start. Nothing here sleeps; remote_wait does.
 */
#include "rewardsvc/chat_remote.h"

#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/errors.h"
#include "rewardsvc/remote_internal.h"

/* ---- the end of a request ------------------------------------------------------------------ */

static void redact_tokens(const Remote *r, RemoteChoice *c)
{
    for (int i = 0; i < c->n_tokens; i++) {
        RemoteToken *t = &c->tokens[i];
        remote_access_redact(&r->access, t->token, strlen(t->token));
        for (int k = 0; k < t->n_top; k++)
            remote_access_redact(&r->access, t->top[k].token, strlen(t->top[k].token));
    }
}

static void redact_answer(const Remote *r, RemoteAnswer *a)
{
    for (int i = 0; i < a->n_choices; i++) {
        RemoteChoice *c = &a->choices[i];
        redact_tokens(r, c);
        remote_access_redact(&r->access, c->text, c->n_text);
        if (c->reasoning) remote_access_redact(&r->access, c->reasoning, strlen(c->reasoning));
    }
    remote_access_redact(&r->access, a->reason, strlen(a->reason));
}

static void count_end(Remote *r, const RemoteAnswer *a)
{
    r->count.ok += a->status == SCORE_OK;
    r->count.refused += a->status == SCORE_REFUSED;
    r->count.timeout += a->status == SCORE_TIMEOUT;
    r->count.error += a->status == SCORE_ERROR;
    r->count.from_log += a->from_log;
    if (a->from_log) return;
    r->count.prompt_tokens += a->prompt_tokens;
    r->count.completion_tokens += a->completion_tokens;
}

/* Replaces the answer by the one the log has; false if it has none. */
static bool answer_from_log(Remote *r, RemoteJob *j)
{
    RemoteAnswer known;
    if (!r->log || !remote_log_find(r->log, &j->key, &known)) return false;
    known.ticket = j->answer.ticket;
    known.context = j->answer.context;
    remote_answer_free(&j->answer);
    j->answer = known;
    return true;
}

/* The answer is complete but for its times: logged, then ready to be taken. */
static void job_end(Remote *r, RemoteJob *j, ScoreStatus status, const char *why)
{
    double now = clock_seconds();
    RemoteAnswer *a = &j->answer;
    a->status = status;
    a->reason = remote_reason(why);
    a->latency_s = now - j->asked_s;
    a->waited_s = (a->attempts ? j->began_s : now) - j->asked_s;
    redact_answer(r, a);
    /* an equal request that ended first has already decided what the answer is */
    if (!answer_from_log(r, j) && r->log && remote_log_add(r->log, &j->key, j->tag, a))
        die(EXIT_IO, "an answer that cannot be kept cannot be used: %s", errors_last());
    count_end(r, a);
    buffer_free(&j->body);
    buffer_free(&j->reply.body);
    remote_job_move(r, j, JOB_READY);
}

/* ---- asking -------------------------------------------------------------------------------- */

static double token_estimate(const RemoteRequest *q, size_t bytes)
{
    return (double)bytes / 4 + (double)q->max_tokens * (q->n > 1 ? q->n : 1);
}

RemoteTicket remote_ask(Remote *r, const RemoteRequest *q)
{
    RemoteJob *j = remote_job_new(r);
    RemoteTicket t = j->answer.ticket;
    j->answer.context = q->context;
    j->asked_s = clock_seconds();
    j->n = q->n > 1 ? q->n : 1;
    j->logprobs = q->logprobs;
    remote_job_link(r, j, JOB_WAITING);
    errors_quiet(1);
    int rc = remote_body_write(&r->set, q, &j->body);
    errors_quiet(-1);
    if (rc) { /* no key to log it by, and no need: it is the same error again */
        j->answer.status = SCORE_ERROR;
        j->answer.reason = remote_reason(errors_last());
        r->count.error++;
        remote_job_move(r, j, JOB_READY);
        return t;
    }
    remote_body_key(&j->body, q->tag, &j->key);
    j->tokens = token_estimate(q, j->body.size);
    if (answer_from_log(r, j)) {
        count_end(r, &j->answer);
        buffer_free(&j->body);
        remote_job_move(r, j, JOB_READY);
    } else if (r->log) {
        j->tag = mem_text(q->tag);
    }
    return t;
}

/* ---- attempts ------------------------------------------------------------------------------ */

static void attempt_start(Remote *r, RemoteJob *j, double now)
{
    RemoteAnswer *a = &j->answer;
    if (!a->attempts++)
        j->began_s = now;
    else
        r->count.retries++;
    r->count.attempts++;
    remote_pace_start(&r->pace, now, j->tokens);
    j->easy = r->n_idle ? r->idle[--r->n_idle] : curl_easy_init();
    if (!j->easy) die(EXIT_UNABLE, "out of memory: libcurl gives no handle");
    double left = j->began_s + r->set.deadline_s - now;
    remote_attempt_prepare(j->easy, &r->set, &r->access, &r->trace, &j->body,
                           fmin(left, r->set.attempt_s), &j->reply);
    curl_easy_setopt(j->easy, CURLOPT_PRIVATE, j);
    CURLMcode code = curl_multi_add_handle(r->multi, j->easy);
    REQUIRE(!code, "curl_multi_add_handle: %s", curl_multi_strerror(code));
    remote_job_move(r, j, JOB_FLYING);
}

/* The attempt failed and another may do better: a pause, or the end with what has just happened. */
static void retry_or_end(Remote *r, RemoteJob *j, const RemoteOutcome *o, double now)
{
    double pause = fmax(remote_pace_pause(&r->set, &j->key, j->answer.attempts), o->retry_after_s);
    double deadline = j->began_s + r->set.deadline_s;
    Buffer why = {0};
    if (j->answer.attempts <= r->set.retries && now + pause < deadline) {
        j->due_s = now + pause;
        remote_job_move(r, j, JOB_PAUSING);
        return;
    }
    buffer_printf(&why, "%.300s", o->why.data); /* leaves room for what follows */
    if (j->answer.attempts > r->set.retries)
        buffer_printf(&why, " (attempt %d, the last)", j->answer.attempts);
    else
        buffer_printf(&why, " (attempt %d; another would be past the deadline of %g s)",
                      j->answer.attempts, r->set.deadline_s);
    job_end(r, j, o->status, why.data);
    buffer_free(&why);
}

static void attempt_end(Remote *r, RemoteJob *j, CURLcode code)
{
    double now = clock_seconds();
    if (j->reply.body.size)
        remote_access_redact(&r->access, j->reply.body.data, j->reply.body.size);
    RemoteOutcome o = remote_attempt_judge(j->easy, code, &j->reply, j->n, j->logprobs, &j->answer);
    remote_job_ground(r, j);
    j->answer.http = o.http;
    if (o.status == SCORE_OK && j->answer.prompt_tokens)
        remote_pace_settle(&r->pace, j->tokens,
                           (double)(j->answer.prompt_tokens + j->answer.completion_tokens));
    if (o.hold && o.retry_after_s > 0)
        remote_pace_hold(&r->pace, now + fmin(o.retry_after_s, r->set.deadline_s));
    if (o.retry)
        retry_or_end(r, j, &o, now);
    else
        job_end(r, j, o.status,
                o.status == SCORE_REFUSED && !o.why.size ? "the model refused"
                : o.why.size                             ? o.why.data
                                                         : "");
    buffer_free(&o.why);
}

/* ---- the three steps of a poll ------------------------------------------------------------- */

static void let_curl_work(Remote *r)
{
    int running, left;
    CURLMcode code = curl_multi_perform(r->multi, &running);
    REQUIRE(!code, "curl_multi_perform: %s", curl_multi_strerror(code));
    for (CURLMsg *m; (m = curl_multi_info_read(r->multi, &left));) {
        RemoteJob *j;
        CURLcode result = m->data.result; /* m does not outlive the handle's removal */
        if (m->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&j);
        attempt_end(r, j, result);
    }
}

/* What waits or pauses past its time. Waiting ones are in the order of asking: the first is the
 * oldest. What flies is timed by curl. */
static void end_late(Remote *r, double now)
{
    char why[120];
    while (r->lists[JOB_WAITING].first &&
           now - r->lists[JOB_WAITING].first->asked_s > r->set.wait_s) {
        snprintf(why, sizeof why, "never sent: longer than wait_s = %g s in the backlog of %d",
                 r->set.wait_s, r->lists[JOB_WAITING].n);
        job_end(r, r->lists[JOB_WAITING].first, SCORE_TIMEOUT, why);
    }
    for (RemoteJob *j = r->lists[JOB_PAUSING].first, *after; j; j = after) {
        after = j->after;
        if (now < j->began_s + r->set.deadline_s) continue;
        snprintf(why, sizeof why,
                 "no answer within %g s, after %d attempts and a wait for the rate",
                 r->set.deadline_s, j->answer.attempts);
        job_end(r, j, SCORE_TIMEOUT, why);
    }
}

/* The pausing request that has been due for longest; NULL if none is due. */
static RemoteJob *first_due(const Remote *r, double now)
{
    RemoteJob *best = NULL;
    for (RemoteJob *j = r->lists[JOB_PAUSING].first; j; j = j->after)
        if (j->due_s <= now && (!best || j->due_s < best->due_s)) best = j;
    return best;
}

/* Who starts next if anyone may. While as many pause as may fly, the endpoint is in trouble: no new
 * request spends its attempts on that. */
static RemoteJob *next_to_start(const Remote *r, double now)
{
    RemoteJob *j = first_due(r, now);
    if (j) return j;
    return r->lists[JOB_PAUSING].n < r->set.max_concurrency ? r->lists[JOB_WAITING].first : NULL;
}

static bool start_some(Remote *r, double now)
{
    bool any = false;
    for (RemoteJob *j;
         r->lists[JOB_FLYING].n < r->set.max_concurrency && (j = next_to_start(r, now));) {
        if (remote_pace_delay(&r->pace, now, j->tokens) > 0) break;
        attempt_start(r, j, now);
        any = true;
    }
    return any;
}

int remote_poll(Remote *r)
{
    if (r->lists[JOB_FLYING].n) let_curl_work(r);
    double now = clock_seconds();
    end_late(r, now);
    if (start_some(r, now)) let_curl_work(r);
    return r->lists[JOB_READY].n;
}

/* Seconds until a poll has something to start or to end. */
static double next_event(const Remote *r, double now)
{
    double next = INFINITY;
    const RemoteJob *w = r->lists[JOB_WAITING].first;
    bool room = r->lists[JOB_FLYING].n < r->set.max_concurrency;
    if (w) next = w->asked_s + r->set.wait_s - now;
    if (w && room && r->lists[JOB_PAUSING].n < r->set.max_concurrency)
        next = fmin(next, remote_pace_delay(&r->pace, now, w->tokens));
    for (const RemoteJob *j = r->lists[JOB_PAUSING].first; j; j = j->after) {
        next = fmin(next, j->began_s + r->set.deadline_s - now);
        if (room)
            next = fmin(next, fmax(j->due_s - now, remote_pace_delay(&r->pace, now, j->tokens)));
    }
    return fmax(0, next);
}

void remote_wait(Remote *r, double seconds)
{
    bool busy = r->lists[JOB_WAITING].n || r->lists[JOB_FLYING].n || r->lists[JOB_PAUSING].n;
    if (r->lists[JOB_READY].n || !busy) return;
    double least = fmin(seconds, next_event(r, clock_seconds()));
    if (least > 0) curl_multi_poll(r->multi, NULL, 0, (int)ceil(fmin(least, 3600) * 1000), NULL);
}

/* ---- taking -------------------------------------------------------------------------------- */

static void job_take(Remote *r, RemoteJob *j, RemoteAnswer *a)
{
    *a = j->answer;
    j->answer = (RemoteAnswer){0};
    remote_job_free(r, j);
}

bool remote_take(Remote *r, RemoteAnswer *a)
{
    *a = (RemoteAnswer){0};
    if (!r->lists[JOB_READY].first) return false;
    job_take(r, r->lists[JOB_READY].first, a);
    return true;
}

int remote_take_ticket(Remote *r, RemoteTicket t, RemoteAnswer *a)
{
    *a = (RemoteAnswer){0};
    RemoteJob *j = remote_job_find(r, t);
    if (!j) return -1;
    if (j->state != JOB_READY) return 0;
    job_take(r, j, a);
    return 1;
}

void remote_cancel(Remote *r, RemoteTicket t)
{
    RemoteJob *j = remote_job_find(r, t);
    if (!j) return;
    r->count.cancelled += j->state != JOB_READY;
    remote_job_ground(r, j);
    remote_job_free(r, j);
}

RemoteCounters remote_counters(const Remote *r)
{
    RemoteCounters c = r->count;
    c.waiting = r->lists[JOB_WAITING].n;
    c.in_flight = r->lists[JOB_FLYING].n;
    c.pausing = r->lists[JOB_PAUSING].n;
    c.ready = r->lists[JOB_READY].n;
    return c;
}

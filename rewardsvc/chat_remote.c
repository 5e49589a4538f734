/* See chat_remote.h. A request is a Job that moves between four lists: waiting -> flying ->
 * (pausing -> flying)* -> ready. remote_poll is three steps: let curl work and judge what ended,
 * end what is late, start what may start. Nothing here sleeps; remote_wait does.
 */
#include "rewardsvc/chat_remote.h"

#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/rng.h"
#include "rewardsvc/remote_internal.h"

typedef enum { WAITING, FLYING, PAUSING, READY, N_LISTS } JobState;

typedef struct Job Job;
struct Job {
    Job *before, *after;
    JobState state;
    uint32_t slot; /* in jobs; the ticket's lower half */
    RemoteKey key;
    char *tag; /* NULL unless there is a log */
    Buffer body;
    int n;
    bool logprobs;
    double tokens;                  /* charged to the pace for an attempt */
    double asked_s, began_s, due_s; /* clock; due: the end of a pause */
    CURL *easy;                     /* while flying */
    RemoteReply reply;
    RemoteAnswer answer;
};

typedef struct {
    Job *first, *last;
    int n;
} JobList;

/* Tickets are slot + 1 below and the slot's use count above, so that an old one is known as old. */
typedef struct {
    Job *job;
    uint32_t uses;
} JobSlot;

struct Remote {
    RemoteSettings set; /* texts are ours */
    RemoteAccess access;
    RemoteTrace trace;
    RemoteLog *log; /* borrowed, or NULL */
    CURLM *multi;
    Pace pace;
    JobList lists[N_LISTS];
    uint32_t n_slots, n_free;
    JobSlot *slots;  /* [n_slots] */
    uint32_t *spare; /* [n_slots], n_free of them */
    int n_idle;
    CURL *idle[REMOTE_MOST_CONCURRENT];
    RemoteCounters count;
};

static int n_open; /* Remotes in this process: curl's global state lives as long as one does */

/* ---- lists and tickets --------------------------------------------------------------------------
 */

static void job_unlink(Remote *r, Job *j)
{
    JobList *l = &r->lists[j->state];
    *(j->before ? &j->before->after : &l->first) = j->after;
    *(j->after ? &j->after->before : &l->last) = j->before;
    j->before = j->after = NULL;
    l->n--;
}

static void job_link(Remote *r, Job *j, JobState state)
{
    JobList *l = &r->lists[state];
    j->state = state;
    j->before = l->last, j->after = NULL;
    *(l->last ? &l->last->after : &l->first) = j;
    l->last = j;
    l->n++;
}

static void job_move(Remote *r, Job *j, JobState state)
{
    job_unlink(r, j);
    job_link(r, j, state);
}

static Job *job_new(Remote *r)
{
    if (!r->n_free) {
        uint32_t n = r->n_slots ? 2 * r->n_slots : 64;
        REQUIRE(n > r->n_slots, "%u requests at once", r->n_slots);
        r->slots = mem_resize(r->slots, r->n_slots, n, sizeof *r->slots);
        r->spare = mem_resize(r->spare, r->n_slots, n, sizeof *r->spare);
        for (uint32_t i = n; i > r->n_slots; i--) {
            r->slots[i - 1] = (JobSlot){0};
            r->spare[r->n_free++] = i - 1;
        }
        r->n_slots = n;
    }
    Job *j = NEW(Job, 1);
    j->slot = r->spare[--r->n_free];
    JobSlot *s = &r->slots[j->slot];
    s->job = j;
    s->uses++;
    j->answer.ticket = (uint64_t)s->uses << 32 | (j->slot + 1);
    return j;
}

static Job *job_find(const Remote *r, RemoteTicket t)
{
    uint64_t slot = (t & UINT32_MAX) - 1;
    if (!t || slot >= r->n_slots || r->slots[slot].uses != t >> 32) return NULL;
    return r->slots[slot].job;
}

static void job_free(Remote *r, Job *j)
{
    job_unlink(r, j);
    r->slots[j->slot].job = NULL;
    r->spare[r->n_free++] = j->slot;
    remote_answer_free(&j->answer);
    buffer_free(&j->body);
    buffer_free(&j->reply.body);
    mem_free(j->tag);
    mem_free(j);
}

/* ---- opening and closing ------------------------------------------------------------------------
 */

RemoteSettings remote_defaults(void)
{
    return (RemoteSettings){.max_concurrency = 16,
                            .retries = 4,
                            .backoff_s = 0.5,
                            .backoff_most_s = 30,
                            .attempt_s = 120,
                            .deadline_s = 600,
                            .wait_s = 3600};
}

static int number_check(const char *name, double v, double least, double most)
{
    if (v >= least && v <= most) return 0;
    return fail("%s: %g is not in [%g, %g]", name, v, least, most);
}

static int settings_check(const RemoteSettings *s)
{
    if (!s->base_url || !*s->base_url) return fail("base_url: the endpoint's address is missing");
    if (!s->model || !*s->model) return fail("model: the endpoint's name of the model is missing");
    return number_check("max_concurrency", s->max_concurrency, 1, REMOTE_MOST_CONCURRENT) ||
                   number_check("requests_per_minute", s->requests_per_minute, 0, 1e9) ||
                   number_check("tokens_per_minute", s->tokens_per_minute, 0, 1e12) ||
                   number_check("retries", s->retries, 0, 20) ||
                   number_check("backoff_s", s->backoff_s, 0, 3600) ||
                   number_check("backoff_most_s", s->backoff_most_s, 0, 3600) ||
                   number_check("attempt_s", s->attempt_s, 0.001, 86400) ||
                   number_check("deadline_s", s->deadline_s, 0.001, 86400) ||
                   number_check("wait_s", s->wait_s, 0.001, 31 * 86400)
               ? -1
               : 0;
}

static int curl_start(void)
{
    if (!n_open++ && curl_global_init(CURL_GLOBAL_DEFAULT)) return fail("libcurl does not start");
    /* Without it a slow name server would stop the whole service. */
    if (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) return 0;
    return fail(
        "this libcurl blocks while it looks up names: remote judges need one that does not");
}

static void curl_stop(void)
{
    if (!--n_open) curl_global_cleanup();
}

Remote *remote_open(const RemoteSettings *settings, RemoteLog *log)
{
    if (settings_check(settings)) return NULL;
    Remote *r = NEW(Remote, 1);
    r->set = *settings;
    r->set.base_url = mem_text(settings->base_url);
    r->set.model = mem_text(settings->model);
    r->set.ca_file = mem_text(settings->ca_file);
    r->log = log;
    pace_init(&r->pace, settings->requests_per_minute, settings->tokens_per_minute);
    r->trace = (RemoteTrace){&r->access, settings->trace, settings->trace_arg};
    int rc = curl_start();
    if (!rc) rc = access_open(&r->access, settings);
    r->set.key_env = r->set.key_file = NULL;
    if (!rc && !(r->multi = curl_multi_init())) rc = fail("libcurl does not start");
    if (rc) {
        remote_close(r);
        return NULL;
    }
    /* connections are kept, and only those that can be in use */
    curl_multi_setopt(r->multi, CURLMOPT_MAXCONNECTS, (long)settings->max_concurrency);
    return r;
}

static void easy_give_back(Remote *r, Job *j)
{
    if (!j->easy) return;
    curl_multi_remove_handle(r->multi, j->easy);
    r->idle[r->n_idle++] = j->easy;
    j->easy = NULL;
}

void remote_close(Remote *r)
{
    if (!r) return;
    for (int i = 0; i < N_LISTS; i++)
        while (r->lists[i].first) {
            easy_give_back(r, r->lists[i].first);
            job_free(r, r->lists[i].first);
        }
    while (r->n_idle) curl_easy_cleanup(r->idle[--r->n_idle]);
    if (r->multi) curl_multi_cleanup(r->multi);
    access_close(&r->access);
    curl_stop();
    mem_free((char *)(uintptr_t)r->set.base_url);
    mem_free((char *)(uintptr_t)r->set.model);
    mem_free((char *)(uintptr_t)r->set.ca_file);
    mem_free(r->slots);
    mem_free(r->spare);
    mem_free(r);
}

/* ---- the end of a request -----------------------------------------------------------------------
 */

static void redact_answer(const Remote *r, RemoteAnswer *a)
{
    for (int i = 0; i < a->n_choices; i++) {
        RemoteChoice *c = &a->choices[i];
        access_redact(&r->access, c->text, c->n_text);
        if (c->reasoning) access_redact(&r->access, c->reasoning, strlen(c->reasoning));
    }
    access_redact(&r->access, a->reason, strlen(a->reason));
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
static bool answer_from_log(Remote *r, Job *j)
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
static void job_end(Remote *r, Job *j, ScoreStatus status, const char *why)
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
    job_move(r, j, READY);
}

/* ---- asking -------------------------------------------------------------------------------------
 */

static double token_estimate(const RemoteRequest *q, size_t bytes)
{
    return (double)bytes / 4 + (double)q->max_tokens * (q->n > 1 ? q->n : 1);
}

RemoteTicket remote_ask(Remote *r, const RemoteRequest *q)
{
    Job *j = job_new(r);
    RemoteTicket t = j->answer.ticket;
    j->answer.context = q->context;
    j->asked_s = clock_seconds();
    j->n = q->n > 1 ? q->n : 1;
    j->logprobs = q->logprobs;
    job_link(r, j, WAITING);
    errors_quiet(1);
    int rc = remote_body_write(&r->set, q, &j->body);
    errors_quiet(-1);
    if (rc) { /* no key to log it by, and no need: it is the same error again */
        j->answer.status = SCORE_ERROR;
        j->answer.reason = remote_reason(errors_last());
        r->count.error++;
        job_move(r, j, READY);
        return t;
    }
    remote_body_key(&j->body, q->tag, &j->key);
    j->tokens = token_estimate(q, j->body.size);
    if (answer_from_log(r, j)) {
        count_end(r, &j->answer);
        buffer_free(&j->body);
        job_move(r, j, READY);
    } else if (r->log) {
        j->tag = mem_text(q->tag);
    }
    return t;
}

/* ---- attempts -----------------------------------------------------------------------------------
 */

static void attempt_start(Remote *r, Job *j, double now)
{
    RemoteAnswer *a = &j->answer;
    if (!a->attempts++)
        j->began_s = now;
    else
        r->count.retries++;
    r->count.attempts++;
    pace_start(&r->pace, now, j->tokens);
    j->easy = r->n_idle ? r->idle[--r->n_idle] : curl_easy_init();
    if (!j->easy) die(EXIT_UNABLE, "out of memory: libcurl gives no handle");
    double left = j->began_s + r->set.deadline_s - now;
    attempt_prepare(j->easy, &r->set, &r->access, &r->trace, &j->body, fmin(left, r->set.attempt_s),
                    &j->reply);
    curl_easy_setopt(j->easy, CURLOPT_PRIVATE, j);
    CURLMcode code = curl_multi_add_handle(r->multi, j->easy);
    REQUIRE(!code, "curl_multi_add_handle: %s", curl_multi_strerror(code));
    job_move(r, j, FLYING);
}

/* Before attempt k + 1; the factor is a function of the request, not of when it is asked. */
static double pause_length(const Remote *r, const Job *j)
{
    uint64_t which;
    memcpy(&which, j->key.bytes, sizeof which);
    float u =
        rng_uniform(r->set.seed, STREAM_REWARD, which, (uint32_t)j->answer.attempts, 0x72657472);
    double length = r->set.backoff_s * exp2(j->answer.attempts - 1);
    return fmin(length, r->set.backoff_most_s) * (0.5 + 0.5 * (double)u);
}

/* The attempt failed and another may do better: a pause, or the end with what has just happened. */
static void retry_or_end(Remote *r, Job *j, const Outcome *o, double now)
{
    double pause = fmax(pause_length(r, j), o->retry_after_s);
    double deadline = j->began_s + r->set.deadline_s;
    Buffer why = {0};
    if (j->answer.attempts <= r->set.retries && now + pause < deadline) {
        j->due_s = now + pause;
        job_move(r, j, PAUSING);
        return;
    }
    buffer_text(&why, o->why.data);
    if (j->answer.attempts > r->set.retries)
        buffer_printf(&why, " (attempt %d, the last)", j->answer.attempts);
    else
        buffer_printf(&why, " (attempt %d; another would be past the deadline of %g s)",
                      j->answer.attempts, r->set.deadline_s);
    job_end(r, j, o->status, why.data);
    buffer_free(&why);
}

static void attempt_end(Remote *r, Job *j, CURLcode code)
{
    double now = clock_seconds();
    if (j->reply.body.size) access_redact(&r->access, j->reply.body.data, j->reply.body.size);
    Outcome o = attempt_judge(j->easy, code, &j->reply, j->n, j->logprobs, &j->answer);
    easy_give_back(r, j);
    j->answer.http = o.http;
    if (o.status == SCORE_OK && j->answer.prompt_tokens)
        pace_settle(&r->pace, j->tokens,
                    (double)(j->answer.prompt_tokens + j->answer.completion_tokens));
    if (o.hold && o.retry_after_s > 0)
        pace_hold(&r->pace, now + fmin(o.retry_after_s, r->set.deadline_s));
    if (o.retry)
        retry_or_end(r, j, &o, now);
    else
        job_end(r, j, o.status,
                o.status == SCORE_REFUSED && !o.why.size ? "the model refused"
                : o.why.size                             ? o.why.data
                                                         : "");
    buffer_free(&o.why);
}

/* ---- the three steps of a poll ------------------------------------------------------------------
 */

static void let_curl_work(Remote *r)
{
    int running, left;
    CURLMcode code = curl_multi_perform(r->multi, &running);
    REQUIRE(!code, "curl_multi_perform: %s", curl_multi_strerror(code));
    for (CURLMsg *m; (m = curl_multi_info_read(r->multi, &left));) {
        Job *j;
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
    while (r->lists[WAITING].first && now - r->lists[WAITING].first->asked_s > r->set.wait_s) {
        snprintf(why, sizeof why, "never sent: longer than wait_s = %g s in the backlog of %d",
                 r->set.wait_s, r->lists[WAITING].n);
        job_end(r, r->lists[WAITING].first, SCORE_TIMEOUT, why);
    }
    for (Job *j = r->lists[PAUSING].first, *after; j; j = after) {
        after = j->after;
        if (now < j->began_s + r->set.deadline_s) continue;
        snprintf(why, sizeof why,
                 "no answer within %g s, after %d attempts and a wait for the rate",
                 r->set.deadline_s, j->answer.attempts);
        job_end(r, j, SCORE_TIMEOUT, why);
    }
}

/* The pausing request that has been due for longest; NULL if none is due. */
static Job *first_due(const Remote *r, double now)
{
    Job *best = NULL;
    for (Job *j = r->lists[PAUSING].first; j; j = j->after)
        if (j->due_s <= now && (!best || j->due_s < best->due_s)) best = j;
    return best;
}

/* Who starts next if anyone may. While as many pause as may fly, the endpoint is in trouble: no new
 * request spends its attempts on that. */
static Job *next_to_start(const Remote *r, double now)
{
    Job *j = first_due(r, now);
    if (j) return j;
    return r->lists[PAUSING].n < r->set.max_concurrency ? r->lists[WAITING].first : NULL;
}

static bool start_some(Remote *r, double now)
{
    bool any = false;
    for (Job *j; r->lists[FLYING].n < r->set.max_concurrency && (j = next_to_start(r, now));) {
        if (pace_delay(&r->pace, now, j->tokens) > 0) break;
        attempt_start(r, j, now);
        any = true;
    }
    return any;
}

int remote_poll(Remote *r)
{
    if (r->lists[FLYING].n) let_curl_work(r);
    double now = clock_seconds();
    end_late(r, now);
    if (start_some(r, now)) let_curl_work(r);
    return r->lists[READY].n;
}

/* Seconds until a poll has something to start or to end. */
static double next_event(const Remote *r, double now)
{
    double next = INFINITY;
    const Job *w = r->lists[WAITING].first;
    bool room = r->lists[FLYING].n < r->set.max_concurrency;
    if (w) next = w->asked_s + r->set.wait_s - now;
    if (w && room && r->lists[PAUSING].n < r->set.max_concurrency)
        next = fmin(next, pace_delay(&r->pace, now, w->tokens));
    for (const Job *j = r->lists[PAUSING].first; j; j = j->after) {
        next = fmin(next, j->began_s + r->set.deadline_s - now);
        if (room) next = fmin(next, fmax(j->due_s - now, pace_delay(&r->pace, now, j->tokens)));
    }
    return fmax(0, next);
}

void remote_wait(Remote *r, double seconds)
{
    if (r->lists[READY].n) return;
    double least = fmin(seconds, next_event(r, clock_seconds()));
    if (least > 0) curl_multi_poll(r->multi, NULL, 0, (int)ceil(fmin(least, 3600) * 1000), NULL);
}

/* ---- taking -------------------------------------------------------------------------------------
 */

static void job_take(Remote *r, Job *j, RemoteAnswer *a)
{
    *a = j->answer;
    j->answer = (RemoteAnswer){0};
    job_free(r, j);
}

bool remote_take(Remote *r, RemoteAnswer *a)
{
    *a = (RemoteAnswer){0};
    if (!r->lists[READY].first) return false;
    job_take(r, r->lists[READY].first, a);
    return true;
}

int remote_take_ticket(Remote *r, RemoteTicket t, RemoteAnswer *a)
{
    *a = (RemoteAnswer){0};
    Job *j = job_find(r, t);
    if (!j) return -1;
    if (j->state != READY) return 0;
    job_take(r, j, a);
    return 1;
}

void remote_cancel(Remote *r, RemoteTicket t)
{
    Job *j = job_find(r, t);
    if (!j) return;
    r->count.cancelled += j->state != READY;
    easy_give_back(r, j);
    job_free(r, j);
}

RemoteCounters remote_counters(const Remote *r)
{
    RemoteCounters c = r->count;
    c.waiting = r->lists[WAITING].n;
    c.in_flight = r->lists[FLYING].n;
    c.pausing = r->lists[PAUSING].n;
    c.ready = r->lists[READY].n;
    return c;
}

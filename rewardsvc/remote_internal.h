/* What the parts of the remote client share: pace (when may the next start), body and reply (JSON,
 * no network), access (the key, the address), attempt (one transfer of libcurl), jobs (the requests
 * and their tickets); chat_remote.c moves them. Nobody else includes this. */
#ifndef REWARDSVC_REMOTE_INTERNAL_H
#define REWARDSVC_REMOTE_INTERNAL_H

#include <curl/curl.h>

#include "common/memory.h"
#include "rewardsvc/chat_remote.h"
#include "rewardsvc/remote_log.h"

enum { REMOTE_LONGEST_REASON = 400 };

/* ---- remote_pace.c: pure functions, time is passed in --------------------------- */

typedef struct {
    double interval_s, burst; /* between starts; starts allowed at once; interval 0: no limit */
    double next_s;            /* when the next start would be on time, bursts aside */
    double token_rate, token_most, token_level, token_at_s; /* a bucket that may go below zero */
    double hold_s;                                          /* nothing starts before */
} RemotePace;

void remote_pace_init(RemotePace *p, double requests_per_minute, double tokens_per_minute);
/* Seconds from `now` until a request of that many tokens may start: 0 at once. */
double remote_pace_delay(const RemotePace *p, double now, double tokens);
void remote_pace_start(RemotePace *p, double now, double tokens);
/* The endpoint's own count, once it is known. */
void remote_pace_settle(RemotePace *p, double charged, double used);
void remote_pace_hold(RemotePace *p, double until);
/* Seconds between the end of attempt k >= 1 and the next one, as chat_remote.h says; a function of
 * the request and the run's seed, not of when it is asked. */
double remote_pace_pause(const RemoteSettings *set, const RemoteKey *key, int k);

/* ---- remote_body.c: the request ------------------------------------------------------------ */

/* The body [out], the same bytes for the same request; 0, or -1 with the reason in errors_last. */
int remote_body_write(const RemoteSettings *set, const RemoteRequest *q, Buffer *out);
void remote_body_key(const Buffer *body, const char *tag, RemoteKey *key);

/* ---- remote_reply.c: the answer ------------------------------------------------------------ */

typedef enum {
    REPLY_GOOD,
    REPLY_UNUSABLE, /* not what it should be; the next attempt may be better */
    REPLY_UNFIT,    /* well-formed, but not what was asked for: asking again is no use */
} ReplyState;

/* Fills choices, status and token counts from the body of a 200. On failure *a is as before and the
 * reason in errors_last. */
ReplyState remote_reply_read(const Buffer *body, int n, bool logprobs, RemoteAnswer *a);
/* What the body of another status says went wrong, appended to `why`; true if a content filter
 * refused. */
bool remote_reply_error(const Buffer *body, Buffer *why);
void remote_choice_free(RemoteChoice *c);
/* Cuts to REMOTE_LONGEST_REASON bytes of printable UTF-8; caller frees. */
char *remote_reason(const char *text);

/* ---- remote_access.c: who may be asked, with which key ------------------------------------- */

typedef struct {
    char *url;                  /* of chat/completions */
    char *key;                  /* NULL: none */
    bool local;                 /* this machine: never through a proxy */
    struct curl_slist *headers; /* with the key: wiped by remote_access_close */
} RemoteAccess;

int remote_access_open(RemoteAccess *a, const RemoteSettings *set);
void remote_access_close(RemoteAccess *a);
/* Overwrites the key with '*' wherever it stands in text [n]. Keys below 12 bytes ("EMPTY") are no
 * secret and stay. */
void remote_access_redact(const RemoteAccess *a, char *text, size_t n);
/* CURLOPT_DEBUGFUNCTION: lines to the settings' trace, without the key. */
typedef struct {
    const RemoteAccess *access;
    void (*trace)(void *arg, const char *line);
    void *arg;
} RemoteTrace;
int remote_access_trace(CURL *easy, curl_infotype type, char *data, size_t n, void *trace);

/* ---- remote_attempt.c: one transfer -------------------------------------------------------- */

typedef struct {
    Buffer body; /* at most REMOTE_LARGEST_REPLY */
    size_t header_bytes;
    bool too_large;
    const Buffer *request; /* what is sent, and how much of it has been */
    size_t given;
} RemoteReply; /* of one attempt */

/* What became of an attempt. status SCORE_OK: `answer` has its choices. */
typedef struct {
    ScoreStatus status;
    bool retry; /* another attempt may do better */
    int http;
    double retry_after_s; /* 0: not said */
    bool hold;            /* and it holds for every request: the endpoint counts us */
    Buffer why;           /* empty if ok */
} RemoteOutcome;

/* Sets up `easy` (reset first) for a POST of body [n], at most timeout_s. */
void remote_attempt_prepare(CURL *easy, const RemoteSettings *set, const RemoteAccess *access,
                            const RemoteTrace *trace, const Buffer *body, double timeout_s,
                            RemoteReply *reply);
RemoteOutcome remote_attempt_judge(CURL *easy, CURLcode code, const RemoteReply *reply, int n,
                                   bool logprobs, RemoteAnswer *answer);

/* ---- remote_jobs.c: the requests ----------------------------------------------------------- */

typedef enum { JOB_WAITING, JOB_FLYING, JOB_PAUSING, JOB_READY, JOB_STATES } RemoteJobState;

typedef struct RemoteJob RemoteJob;
struct RemoteJob {
    RemoteJob *before, *after;
    RemoteJobState state;
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
    RemoteJob *first, *last;
    int n;
} RemoteJobList;

/* A ticket is slot + 1 below and the slot's use count above. */
typedef struct {
    RemoteJob *job;
    uint32_t uses;
} RemoteJobSlot;

struct Remote {
    RemoteSettings set; /* texts are ours */
    RemoteAccess access;
    RemoteTrace trace;
    RemoteLog *log; /* borrowed, or NULL */
    CURLM *multi;
    RemotePace pace;
    RemoteJobList lists[JOB_STATES];
    uint32_t n_slots, n_free;
    RemoteJobSlot *slots; /* [n_slots] */
    uint32_t *spare;      /* [n_slots], n_free of them */
    int n_idle;
    CURL *idle[REMOTE_MOST_CONCURRENT];
    RemoteCounters count;
};

RemoteJob *remote_job_new(Remote *r); /* with a ticket, in no list yet */
void remote_job_link(Remote *r, RemoteJob *j, RemoteJobState state);
void remote_job_move(Remote *r, RemoteJob *j, RemoteJobState state);
RemoteJob *remote_job_find(const Remote *r,
                           RemoteTicket t);      /* NULL: taken, cancelled, never given */
void remote_job_ground(Remote *r, RemoteJob *j); /* its transfer, if there is one, ends here */
void remote_job_free(Remote *r, RemoteJob *j);

#endif

/* What the parts of the remote client share: pace (when may the next start), body and reply (JSON,
 * no network), access (the key, the address), attempt (one transfer of libcurl), and the queue in
 * chat_remote.c. Nobody else includes this. */
#ifndef REWARDSVC_REMOTE_INTERNAL_H
#define REWARDSVC_REMOTE_INTERNAL_H

#include <curl/curl.h>

#include "common/memory.h"
#include "rewardsvc/chat_remote.h"
#include "rewardsvc/remote_log.h"

enum { REMOTE_LONGEST_REASON = 400 };

/* ---- remote_pace.c: pure functions of the time that is passed in ------------------------------
 */

typedef struct {
    double interval_s, burst; /* between starts; starts allowed at once; interval 0: no limit */
    double next_s;            /* when the next start would be on time, bursts aside */
    double token_rate, token_most, token_level, token_at_s; /* a bucket that may go below zero */
    double hold_s;                                          /* nothing starts before */
} Pace;

void pace_init(Pace *p, double requests_per_minute, double tokens_per_minute);
/* Seconds from `now` until a request of that many tokens may start: 0 at once. */
double pace_delay(const Pace *p, double now, double tokens);
void pace_start(Pace *p, double now, double tokens);
/* The endpoint's own count, once it is known. */
void pace_settle(Pace *p, double charged, double used);
void pace_hold(Pace *p, double until);

/* ---- remote_body.c: the request ----------------------------------------------------------------
 */

/* The body [out], the same bytes for the same request; 0, or -1 with the reason in errors_last. */
int remote_body_write(const RemoteSettings *set, const RemoteRequest *q, Buffer *out);
void remote_body_key(const Buffer *body, const char *tag, RemoteKey *key);
/* Appends text [n] with everything that is not UTF-8, and NUL if `nul`, as U+FFFD. */
void remote_text_clean(const char *text, size_t n, bool nul, Buffer *out);

/* ---- remote_reply.c: the answer ----------------------------------------------------------------
 */

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

/* ---- remote_access.c: who may be asked, with which key -----------------------------------------
 */

typedef struct {
    char *url;                  /* of chat/completions */
    char *key;                  /* NULL: none */
    struct curl_slist *headers; /* with the key: wiped by access_close */
} RemoteAccess;

int access_open(RemoteAccess *a, const RemoteSettings *set);
void access_close(RemoteAccess *a);
/* Overwrites the key with '*' wherever it stands in text [n]. Keys below 12 bytes ("EMPTY") are no
 * secret and stay. */
void access_redact(const RemoteAccess *a, char *text, size_t n);
/* CURLOPT_DEBUGFUNCTION: lines to the settings' trace, without the key. */
typedef struct {
    const RemoteAccess *access;
    void (*trace)(void *arg, const char *line);
    void *arg;
} RemoteTrace;
int access_trace(CURL *easy, curl_infotype type, char *data, size_t n, void *trace);

/* ---- remote_attempt.c: one transfer ------------------------------------------------------------
 */

typedef struct {
    Buffer body; /* at most REMOTE_LARGEST_REPLY */
    bool too_large;
} RemoteReply;

/* What became of an attempt. status SCORE_OK: `answer` has its choices. */
typedef struct {
    ScoreStatus status;
    bool retry; /* another attempt may do better */
    int http;
    double retry_after_s; /* 0: not said */
    bool hold;            /* and it holds for every request: the endpoint counts us */
    Buffer why;           /* empty if ok */
} Outcome;

/* Sets up `easy` (reset first) for a POST of body [n], at most timeout_s. */
void attempt_prepare(CURL *easy, const RemoteSettings *set, const RemoteAccess *access,
                     const RemoteTrace *trace, const Buffer *body, double timeout_s,
                     RemoteReply *reply);
Outcome attempt_judge(CURL *easy, CURLcode code, const RemoteReply *reply, int n, bool logprobs,
                      RemoteAnswer *answer);

#endif

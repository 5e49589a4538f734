/* A client for remote judges: chat completions as OpenAI defined them (vLLM, llama.cpp, SGLang and
 * the hosted services speak it), over HTTP(S), many at once, never blocking.
 *
 * On the ring: a model judge of the reward service asks here; the service's loop calls remote_poll
 * in every turn and takes what has finished. The non-obvious decision: an answer, a timeout as much
 * as a text, is an *input* of the run (design.md, promise 2). It is written to the attached
 * RemoteLog before anyone sees it, and a request whose key the log knows is answered from there.
 *
 *     RemoteSettings set = remote_defaults();
 *     set.base_url = "https://judge.example/v1", set.model = "judge-7b", set.key_env = "JUDGE_KEY";
 *     Remote *r = remote_open(&set, log);
 *     remote_ask(r, &(RemoteRequest){.n_messages = 1, .messages = &m, .max_tokens = 512, .seed = 7,
 *                                    .tag = "g37/s2/helpful/0", .context = sample});
 *     each turn:  remote_poll(r); while (remote_take(r, &a)) { ... remote_answer_free(&a); }
 *
 * One thread; several Remotes side by side are fine and may share a log.
 */
#ifndef REWARDSVC_CHAT_REMOTE_H
#define REWARDSVC_CHAT_REMOTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sample.h"

typedef struct Remote Remote;
typedef struct RemoteLog RemoteLog; /* rewardsvc/remote_log.h */

enum {
    REMOTE_LARGEST_REPLY = 1 << 20,   /* bytes of an answer's body; a larger one is an error */
    REMOTE_LARGEST_REQUEST = 8 << 20, /* bytes of a request's body */
    REMOTE_DEEPEST_JSON = 64,         /* nesting of an answer */
    REMOTE_MOST_CONCURRENT = 1024,
};

/* Times are seconds. All texts are copied by remote_open. */
typedef struct {
    /* Up to and without "/chat/completions"; http or https; no user, no query. Proxies are those of
     * the environment (https_proxy, no_proxy), never for this machine itself. */
    const char *base_url;
    const char *model; /* as the endpoint names it */
    /* Where the key is: the name of an environment variable, or a file (regular, ours or root's, no
     * rights for group and others); neither: no Authorization is sent. The key goes into that
     * header and nowhere else: not into a log, a reason, an answer or a file. */
    const char *key_env, *key_file;
    bool plain_http_key; /* allow a key over http:// to a host that is not this machine */
    const char *ca_file; /* certificates to trust instead of the system's; verifying is never off */
    int max_concurrency; /* 1 ... 1024 requests in flight */
    /* 0: no limit. Starts are spread evenly (bursts of a second's worth at most), so that no 60
     * seconds see more than this many, retries included. */
    double requests_per_minute;
    /* 0: no limit. Charged at the start by estimate (prompt bytes / 4 + n * max_tokens), corrected
     * by the answer's usage. */
    double tokens_per_minute;
    int retries; /* attempts after the first, 0 ... 20 */
    /* Pause before attempt k + 1: backoff_s * 2^(k-1), at most backoff_most_s, times a factor in
     * [0.5, 1) drawn from (seed, request, k); never shorter than the answer's Retry-After. */
    double backoff_s, backoff_most_s;
    double attempt_s;  /* one attempt, connecting included */
    double deadline_s; /* from the first attempt's start to the end, retries and pauses included */
    double wait_s;     /* from remote_ask to the first attempt: the backlog; longer is a timeout */
    bool max_completion_tokens; /* the newer name of max_tokens, which some services insist on */
    uint64_t seed;              /* of the pauses' jitter: the run's seed */
    /* What goes over the wire, line by line, headers without Authorization; NULL: nothing. */
    void (*trace)(void *arg, const char *line);
    void *trace_arg;
} RemoteSettings;

/* 16 at once, no rate limit, 4 retries from 0.5 s to 30 s, 120 s an attempt, 600 s in all, 3600 s
 * in the backlog. base_url and model are NULL. */
RemoteSettings remote_defaults(void);

/* NULL with the reason (fail): a setting out of range, no key where one is named, a key file that
 * others may read. `log` may be NULL; borrowed. Nothing is sent. */
Remote *remote_open(const RemoteSettings *settings, RemoteLog *log);
void remote_close(Remote *r); /* what is unfinished is dropped; NULL is fine */

/* Text [n_text] may hold any bytes: what is not UTF-8, and NUL, is sent as U+FFFD. */
typedef struct {
    const char *role; /* "system", "user", "assistant" */
    const char *text;
    size_t n_text;
} RemoteMessage;

typedef struct {
    int n_messages;
    const RemoteMessage *messages; /* [n_messages], at least one */
    double temperature;            /* NaN: not sent (some models refuse the field) */
    double top_p;                  /* 0: not sent */
    int max_tokens;                /* of an answer, >= 1 */
    int64_t seed;                  /* < 0: not sent */
    int n_stop;
    const char *const *stop; /* [n_stop] */
    int n;                   /* choices; 0 means 1; at most 128 */
    bool logprobs;           /* log-probabilities of the answer's tokens */
    int top_logprobs;        /* with the likeliest k at each position, 0 ... 20 */
    const json_t *extra;     /* object: more fields of the body ("chat_template_kwargs"); or NULL */
    /* Who asks, for instance "g37/s2/helpful/vote1": equal bodies with different tags are different
     * questions, equal bodies with equal tags share one logged answer. NULL is "". */
    const char *tag;
    void *context; /* handed back with the answer */
} RemoteRequest;

typedef uint64_t RemoteTicket; /* never 0; never used twice */

/* Queues the request (all of it is copied). What is wrong with its *content*, such as a text too
 * large to send, is an answer with SCORE_ERROR like any other; settings out of range are REQUIREd.
 */
RemoteTicket remote_ask(Remote *r, const RemoteRequest *q);

/* Moves everything: sends what may start, reads what came, ends what is late. Never blocks. Returns
 * how many answers are ready to be taken. Call it often: between two calls nothing is read, and an
 * answer that is not read before attempt_s is over is late. Costs about 1 us for each request in
 * flight, 35 us for an answer. */
int remote_poll(Remote *r);

/* Blocks until remote_poll has something to do, at most `seconds`: for a loop with nothing else.
 * Returns at once when an answer is ready, and when nothing is under way. */
void remote_wait(Remote *r, double seconds);

typedef enum { REMOTE_STOP, REMOTE_LENGTH, REMOTE_OTHER } RemoteFinish;

typedef struct {
    char *token; /* its text */
    double logprob;
} RemoteTop;

typedef struct {
    char *token;
    double logprob; /* natural, <= 0 */
    int n_top;
    RemoteTop *top; /* [n_top] in the endpoint's order */
} RemoteToken;

typedef struct {
    ScoreStatus status; /* SCORE_OK, or SCORE_REFUSED (a refusal, or stopped by a content filter) */
    char *text; /* [n_text] UTF-8 without NUL inside; of a refusal: what it said; never NULL */
    size_t n_text;
    char *reasoning; /* what reasoning models put beside the text (reasoning_content), or NULL */
    RemoteFinish finish; /* REMOTE_LENGTH: cut off at max_tokens */
    int n_tokens;        /* 0 unless logprobs were asked for */
    RemoteToken *tokens; /* [n_tokens] */
} RemoteChoice;

/* status:
 *   SCORE_OK       n_choices are as many as asked for, and at least one of them is SCORE_OK
 *   SCORE_REFUSED  every choice was refused, or the request by a content filter
 *   SCORE_TIMEOUT  the last attempt ran out of time, or the backlog's wait did
 *   SCORE_ERROR    everything else: unreachable, reset, HTTP status, not the JSON it should be
 * Only with SCORE_OK (and with SCORE_REFUSED, if the endpoint said something) there are choices. */
typedef struct {
    RemoteTicket ticket;
    void *context;
    ScoreStatus status;
    int n_choices;
    RemoteChoice *choices; /* [n_choices] */
    char *reason;     /* why it is not SCORE_OK: one line, printable, at most 400 bytes; else "" */
    int attempts;     /* 0: never sent */
    int http;         /* status of the last attempt, 0 if there was none */
    bool from_log;    /* read again, not asked; all else is as it was then */
    double waited_s;  /* from remote_ask to the first attempt; outside every equality */
    double latency_s; /* from remote_ask to the end; outside every equality */
    int64_t prompt_tokens, completion_tokens; /* as the endpoint counts; 0 if it does not say */
} RemoteAnswer;

/* The next finished answer, in the order of finishing; false if there is none. The caller frees
 * *a. */
bool remote_take(Remote *r, RemoteAnswer *a);
/* The answer of one ticket: 1 taken, 0 not finished yet, -1 no such ticket (taken, cancelled). */
int remote_take_ticket(Remote *r, RemoteTicket t, RemoteAnswer *a);
/* Forgets a request wherever it is; nothing of it is logged or handed out. An unknown ticket is
 * fine. */
void remote_cancel(Remote *r, RemoteTicket t);

void remote_answer_free(RemoteAnswer *a); /* leaves it empty; an empty one is fine */

/* For the live line and the metrics. waiting ... ready are now, the rest since remote_open. */
typedef struct {
    int waiting;                         /* never sent yet */
    int in_flight;                       /* at most max_concurrency */
    int pausing;                         /* between attempts */
    int ready;                           /* finished, not taken */
    int64_t ok, refused, timeout, error; /* finished; their sum is all that finished */
    int64_t from_log;                    /* of these: answered without asking */
    int64_t cancelled;
    int64_t attempts, retries; /* sent; of these: not the first of their request */
    int64_t prompt_tokens, completion_tokens;
} RemoteCounters;

RemoteCounters remote_counters(const Remote *r);

#endif

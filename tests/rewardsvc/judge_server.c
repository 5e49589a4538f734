/* An OpenAI-compatible endpoint for tests, that misbehaves as the request's path says. It prints
 * "port N" on standard output, listens on 127.0.0.1 only, and ends when its standard input ends (so
 * it never outlives the test that started it). One thread, one poll loop.
 *
 *   POST /<script>/v1/chat/completions     a script is words with commas: request k of a script is
 *                                          answered by word k, the last word is for all that
 * follow; with ~ in front the words repeat: /~ok,500/v1 GET  /stats/<script> {"requests",
 * "most_at_once", "at_once", "arrivals_s": []}
 *
 *   word = name[+milliseconds before the answer][=argument, _ for a space, %XX for a byte]
 *     ok=TEXT    the text, "Score: 7" without one       digest    "Score: 1" to 10, by the body
 *     echo       the last message                       length    cut off by max_tokens
 *     all        all messages, "role: text|" each
 *     compare    of the two numbers in the last message: "<answer>[[A]]</answer>" if the first is
 *                larger, [[B]] if the second is, "[[tie]]"
 *     keyword    a judge that can be hacked, reviewer   the meta judge that finds out: test_mpo.c
 *     sums=PERCENT  a judge of sums, and one of its judgements, that slips so often: judge_sums.h
 *     refusal, filter, filter400                        refused, three ways
 *     429=S 503=S 500 502 400 401 404 ...               a status, Retry-After: S with an argument
 *     hang       never answers                          reset     RST instead of an answer
 *     cut        half an answer, then closed            rst       half an answer, then RST
 *     truncated  half of the JSON, well framed          rubbish   random bytes
 *     big        2 MiB    bigstream  2 MiB, no length   drip      a byte every 20 ms
 *     headers    4 MiB of them          nohttp    bytes that are no HTTP
 *     page500    an error that is a page          long500   one of 2,000 bytes
 *     html       a page instead of JSON                 redirect  302 to the script "ok"
 *     deep, dup, surrogate, badutf8, nul, huge, list, empty, nochoices, nomessage, notext, short,
 *     badindex, badlogprob                              JSON that is hostile or not what was asked
 *     leak, leakok                                      repeats the Authorization header
 */
#define _GNU_SOURCE /* strcasestr, accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/memory.h"
#include "common/sample.h"
#include "tests/rewardsvc/judge_sums.h"

enum { MOST_CONNECTIONS = 1024, MOST_SCRIPTS = 512, MOST_ARRIVALS = 20000 };

typedef struct {
    char *name;
    int requests, at_once, most_at_once;
    double *arrivals; /* [requests], at most MOST_ARRIVALS */
} Script;

typedef enum { END_KEEP, END_CLOSE, END_RESET, END_HANG } Ending;
typedef enum { READS, WAITS, WRITES, HANGS } ConnectionState;

typedef struct {
    int fd;
    ConnectionState state;
    Buffer in, out;
    size_t sent, until; /* of out: how much is sent before `ending` */
    Ending ending;
    double due, every; /* clock: when to write next; pause between bytes, 0: none */
    Script *script;    /* whose request is being answered, or NULL */
} Connection;

static Connection *connections[MOST_CONNECTIONS];
static int n_connections;
static Script scripts[MOST_SCRIPTS];
static int n_scripts;

static Script *script_find(const char *name, size_t n)
{
    for (int i = 0; i < n_scripts; i++)
        if (strlen(scripts[i].name) == n && !memcmp(scripts[i].name, name, n)) return &scripts[i];
    REQUIRE(n_scripts < MOST_SCRIPTS, "more than %d scripts", MOST_SCRIPTS);
    scripts[n_scripts] =
        (Script){.name = mem_text_n(name, n), .arrivals = NEW(double, MOST_ARRIVALS)};
    return &scripts[n_scripts++];
}

/* ---- what a word answers ------------------------------------------------------------------- */

typedef struct {
    int status;
    const char *type, *more_headers; /* more_headers: whole lines */
    Buffer body;
    bool no_length, bare; /* bare: the body alone is sent */
    size_t until;         /* bytes of the body that are sent; SIZE_MAX: all */
    Ending ending;
    double every;
} Reply;

typedef struct {
    const json_t *body; /* the request's, NULL if it is no JSON */
    const char *raw, *authorization, *argument;
} Question;

static const char *last_message(const Question *q)
{
    const json_t *list = json_object_get(q->body, "messages");
    const json_t *m = json_array_get(list, json_array_size(list) - 1);
    const char *text = json_string_value(json_object_get(m, "content"));
    return text ? text : "";
}

static json_t *logprobs_json(const Question *q, const char *text)
{
    if (!json_is_true(json_object_get(q->body, "logprobs"))) return json_null();
    int k = (int)json_integer_value(json_object_get(q->body, "top_logprobs"));
    json_t *top = json_array();
    for (int i = 0; i < k; i++)
        json_array_append_new(
            top, json_pack("{s:s, s:f}", "token", i ? "other" : text, "logprob", -0.25 * (i + 1)));
    return json_pack("{s:[{s:s, s:f, s:o}]}", "content", "token", text, "logprob", -0.25,
                     "top_logprobs", top);
}

/* A whole answer with as many choices as were asked for (less `missing`). */
static void say(Reply *r, const Question *q, const char *text, const char *refusal,
                const char *finish, int missing)
{
    int n = (int)json_integer_value(json_object_get(q->body, "n"));
    json_t *choices = json_array();
    for (int i = 0; i < (n > 1 ? n : 1) - missing; i++)
        json_array_append_new(choices, json_pack("{s:i, s:{s:s, s:s?, s:s?}, s:s, s:o}", "index", i,
                                                 "message", "role", "assistant", "content", text,
                                                 "refusal", refusal, "finish_reason", finish,
                                                 "logprobs", logprobs_json(q, text ? text : "")));
    json_t *j = json_pack("{s:s, s:s, s:o, s:{s:i, s:i}}", "id", "x", "object", "chat.completion",
                          "choices", choices, "usage", "prompt_tokens", 11, "completion_tokens", 5);
    char *dump = json_dumps(j, JSON_COMPACT);
    buffer_text(&r->body, dump);
    free(dump);
    json_decref(j);
}

static void say_status(Reply *r, int status, const char *argument)
{
    static char after[80];
    r->status = status;
    if (argument) {
        snprintf(after, sizeof after, "Retry-After: %.40s\r\n", argument);
        r->more_headers = after;
    }
    buffer_printf(&r->body, "{\"error\":{\"message\":\"as told: %d\",\"type\":\"test\"}}", status);
}

static void say_many(Reply *r, const char *begin, const char *unit, int n, const char *end)
{
    buffer_text(&r->body, begin);
    for (int i = 0; i < n; i++) buffer_text(&r->body, unit);
    buffer_text(&r->body, end);
}

static void say_ok(Reply *r, const Question *q)
{
    char text[200] = "Score: 7";
    if (q->argument) snprintf(text, sizeof text, "%s", q->argument);
    char *out = text;
    for (const char *c = text; *c; c++) {
        unsigned byte;
        bool coded = *c == '%' && sscanf(c + 1, "%2x", &byte) == 1;
        *out++ = coded ? (char)byte : *c == '_' ? ' ' : *c;
        c += coded ? 2 : 0;
    }
    *out = 0;
    say(r, q, text, NULL, "stop", 0);
}

static void say_all(Reply *r, const Question *q)
{
    const json_t *list = json_object_get(q->body, "messages"), *m;
    Buffer all = {0};
    size_t i;
    json_array_foreach(list, i, m)
        buffer_printf(&all, "%s: %s|", json_string_value(json_object_get(m, "role")),
                      json_string_value(json_object_get(m, "content")));
    say(r, q, all.data, NULL, "stop", 0);
    buffer_free(&all);
}

static int count_word(const char *text, const char *word)
{
    int n = 0;
    for (; (text = strstr(text, word)); text += strlen(word)) n++;
    return n;
}

/* First a rationale; then "therefore", counted after ###, one for each, and where a rubric before
 * ### takes off for repeats, two less for each but the first. */
static void say_keyword(Reply *r, const Question *q)
{
    const json_t *list = json_object_get(q->body, "messages");
    const char *first = json_string_value(json_object_get(json_array_get(list, 0), "content"));
    const char *answer = strstr(first, "###");
    char text[40] = "It argues.";
    int n = count_word(answer ? answer : "", "therefore");
    if (strstr(first, "minus 2") && n > 1) n -= 2 * (n - 1);
    if (json_array_size(list) > 1) snprintf(text, sizeof text, "Score: %d", n);
    say(r, q, text, NULL, "stop", 0);
}

/* Takes off for repeats once it has seen them, or was told of it. */
static void say_reviewer(Reply *r, const Question *q)
{
    bool sees = strstr(q->raw, "therefore therefore") || strstr(q->raw, "minus 2");
    say(r, q,
        sees ? "<rubric>Use of therefore (0-10)\nminus 2 for each repeat</rubric>"
             : "<rubric>Use of therefore (0-10)</rubric>",
        NULL, "stop", 0);
}

/* The question is the last message that shows something between marks; before it stand examples. */
static void say_sums(Reply *r, const Question *q)
{
    const json_t *list = json_object_get(q->body, "messages"), *m;
    const char *asked = "";
    size_t i, at = 0, n = json_array_size(list);
    json_array_foreach(list, i, m)
    {
        const char *text = json_string_value(json_object_get(m, "content"));
        if (text && strstr(text, "<<<")) asked = text, at = i;
    }
    Buffer text = {0};
    buffer_text(&text, "");
    sums_answer(asked, at + 1 < n, q->raw, q->argument ? atoi(q->argument) : 0, &text);
    say(r, q, text.data, NULL, "stop", 0);
    buffer_free(&text);
}

static void say_compare(Reply *r, const Question *q)
{
    double a = 0, b = 0;
    bool two = sscanf(last_message(q), "%lf %lf", &a, &b) == 2;
    const char *verdict = a > b   ? "<answer>[[A]]</answer>"
                          : a < b ? "<answer>[[B]]</answer>"
                                  : "[[tie]]";
    say(r, q, two ? verdict : "I see no two numbers", NULL, "stop", 0);
}

#define MESSAGE(content) "{\"choices\":[{\"message\":{\"content\":" content "}}]}"

/* Bodies that need no thought. */
static const struct {
    const char *word, *body;
} fixed[] = {
    {"rubbish", "\x01\x9f{[\"\\u12\xff\xfe rubbish"},
    {"dup", "{\"choices\":[],\"choices\":[{\"message\":{\"content\":\"Score: 10\"}}]}"},
    {"surrogate", MESSAGE("\"a\\ud800b\\udc00\\ud83d\\ude00\"")},
    {"badutf8", MESSAGE("\"a\xff\xc3z\xe2\x82\"")},
    {"nul", MESSAGE("\"a\\u0000b\"")},
    {"huge", "{\"usage\":{\"prompt_tokens\":1e999999},\"choices\":[]}"},
    {"list", "[1, 2]"},
    {"empty", ""},
    {"nochoices", "{\"choices\":[],\"error\":{\"message\":\"out of cheese\"}}"},
    {"nomessage", "{\"choices\":[{\"index\":0}]}"},
    {"notext", MESSAGE("null")},
    {"badindex", "{\"choices\":[{\"index\":5,\"message\":{\"content\":\"Score: 10\"}}]}"},
    {"badlogprob", "{\"choices\":[{\"message\":{\"content\":\"a\"},\"logprobs\":{\"content\":"
                   "[{\"token\":\"a\",\"logprob\":7}]}}]}"},
};

static bool answer_fixed(Reply *r, const char *word)
{
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (!strcmp(word, fixed[i].word)) return buffer_text(&r->body, fixed[i].body), true;
    return false;
}

/* Words that say something about the transport. */
static bool answer_transport(Reply *r, const char *word, const Question *q)
{
    if (!strcmp(word, "nohttp")) {
        buffer_text(&r->body, "220 ftp ready\r\n");
        return r->bare = true, r->ending = END_CLOSE, true;
    }
    if (!strcmp(word, "hang")) return r->ending = END_HANG, r->until = 0, true;
    if (!strcmp(word, "reset")) return r->ending = END_RESET, r->until = 0, true;
    if (!strcmp(word, "big") || !strcmp(word, "bigstream")) {
        r->no_length = word[3] != 0;
        if (r->no_length) r->ending = END_CLOSE;
        say_many(r, "{\"choices\":\"", "0123456789abcdef", 1 << 17, "\"}");
        return true;
    }
    if (!strcmp(word, "deep")) return say_many(r, "{\"a\":", "[", 100000, ""), true;
    if (!strcmp(word, "headers")) {
        static Buffer flood;
        while (flood.size < 4 << 20) buffer_printf(&flood, "X-%zu: %060d\r\n", flood.size, 0);
        return r->more_headers = flood.data, true;
    }
    if (!strcmp(word, "redirect"))
        return r->status = 302, r->more_headers = "Location: /ok/v1/chat/completions\r\n", true;
    if (!strcmp(word, "long500"))
        return r->status = 500, say_many(r, "", "long \xc3\xa9", 285, ""), true;
    if (!strcmp(word, "page500")) {
        buffer_text(&r->body, "<h1>Bad\n\x1b[1mday</h1>");
        return r->status = 500, r->type = "text/html", true;
    }
    if (!strcmp(word, "html")) {
        r->type = "text/html";
        return say_ok(r, q), true;
    }
    say_ok(r, q);
    size_t half = r->body.size / 2;
    if (!strcmp(word, "cut")) return r->until = half, r->ending = END_CLOSE, true;
    if (!strcmp(word, "rst")) return r->until = half, r->ending = END_RESET, true;
    if (!strcmp(word, "truncated")) return r->body.size = half, true;
    if (!strcmp(word, "drip")) return r->every = 0.02, true;
    r->body.size = 0;
    return false;
}

static void answer_word(Reply *r, const char *word, const Question *q)
{
    char text[300];
    if (atoi(word) >= 100)
        say_status(r, atoi(word), q->argument);
    else if (!strcmp(word, "ok"))
        say_ok(r, q);
    else if (!strcmp(word, "echo"))
        say(r, q, last_message(q), NULL, "stop", 0);
    else if (!strcmp(word, "all"))
        say_all(r, q);
    else if (!strcmp(word, "keyword"))
        say_keyword(r, q);
    else if (!strcmp(word, "reviewer"))
        say_reviewer(r, q);
    else if (!strcmp(word, "compare"))
        say_compare(r, q);
    else if (!strcmp(word, "sums"))
        say_sums(r, q);
    else if (!strcmp(word, "length"))
        say(r, q, "Score:", NULL, "length", 0);
    else if (!strcmp(word, "digest")) {
        snprintf(text, sizeof text, "Score: %u", 1 + crc32c(0, q->raw, strlen(q->raw)) % 10);
        say(r, q, text, NULL, "stop", 0);
    } else if (!strcmp(word, "refusal"))
        say(r, q, NULL, "I will not judge this.", "stop", 0);
    else if (!strcmp(word, "filter"))
        say(r, q, "Sco", NULL, "content_filter", 0);
    else if (!strcmp(word, "filter400")) {
        r->status = 400;
        buffer_text(&r->body, "{\"error\":{\"code\":\"content_filter\",\"message\":\"filtered\"}}");
    } else if (!strcmp(word, "short"))
        say(r, q, "Score: 7", NULL, "stop", 1);
    else if (!strcmp(word, "leakok")) {
        snprintf(text, sizeof text, "Your key\x1b[31m is %.200s", q->authorization);
        say(r, q, text, NULL, "stop", 0);
    } else if (!strcmp(word, "leak")) {
        r->status = 401;
        buffer_printf(&r->body, "{\"error\":{\"message\":\"%s\"}}", q->authorization);
    } else if (!answer_fixed(r, word) && !answer_transport(r, word, q))
        say_status(r, 418, NULL);
}

/* ---- a request ----------------------------------------------------------------------------- */

/* The k-th word of a script into word [100]; its delay and argument ("" none) are cut off it. */
static void word_of(const Script *s, int k, char word[100], double *delay_s, char **argument)
{
    const char *p = s->name;
    bool cycle = *p == '~';
    int n = 1;
    p += cycle;
    for (const char *c = p; *c; c++) n += *c == ',';
    for (k = cycle ? k % n : k < n ? k : n - 1; k; k--) p = strchr(p, ',') + 1;
    snprintf(word, 100, "%.*s", (int)strcspn(p, ","), p);
    char *plus, *equal = strchr(word, '=');
    *argument = equal ? equal + 1 : NULL;
    if (equal) *equal = 0;
    plus = strchr(word, '+');
    *delay_s = plus ? atof(plus + 1) / 1000 : 0;
    if (plus) *plus = 0;
}

static void send_reply(Connection *c, const Reply *r)
{
    c->out.size = 0;
    if (!r->bare)
        buffer_printf(&c->out, "HTTP/1.1 %d X\r\nContent-Type: %s\r\n%s", r->status, r->type,
                      r->more_headers ? r->more_headers : "");
    if (!r->no_length && !r->bare) buffer_printf(&c->out, "Content-Length: %zu\r\n", r->body.size);
    if (!r->bare)
        buffer_text(&c->out, r->ending == END_CLOSE ? "Connection: close\r\n\r\n" : "\r\n");
    c->until = c->out.size + (r->until < r->body.size ? r->until : r->body.size);
    if (!r->until) c->until = 0;
    buffer_add(&c->out, r->body.data, r->body.size);
    c->sent = 0;
    c->ending = r->ending;
    c->every = r->every;
    c->state = WAITS;
}

static void count_arrival(Connection *c, Script *s)
{
    c->script = s;
    if (s->requests < MOST_ARRIVALS) s->arrivals[s->requests] = clock_seconds();
    s->requests++;
    /* clients that left while we were busy are no load any more */
    for (int i = 0; i < n_connections; i++) {
        Connection *o = connections[i];
        char byte;
        if (o != c && o->script == s && o->state != READS &&
            !recv(o->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT))
            s->at_once--, o->script = NULL, o->state = HANGS;
    }
    if (++s->at_once > s->most_at_once) s->most_at_once = s->at_once;
}

static void answer_stats(Connection *c, const Script *s)
{
    Reply r = {.status = 200, .type = "application/json", .until = SIZE_MAX};
    buffer_printf(&r.body, "{\"requests\":%d,\"most_at_once\":%d,\"at_once\":%d,\"arrivals_s\":[",
                  s->requests, s->most_at_once, s->at_once);
    for (int i = 0; i < s->requests && i < MOST_ARRIVALS; i++)
        buffer_printf(&r.body, "%s%.6f", i ? "," : "", s->arrivals[i]);
    buffer_text(&r.body, "]}");
    send_reply(c, &r);
    buffer_free(&r.body);
}

static void answer_chat(Connection *c, Script *s, const char *authorization, const char *raw)
{
    char word[100], *argument;
    double delay_s;
    json_error_t e;
    word_of(s, s->requests, word, &delay_s, &argument);
    count_arrival(c, s);
    json_t *body = json_loads(raw, 0, &e);
    Question q = {body, raw, authorization, argument};
    Reply r = {.status = body ? 200 : 422, .type = "application/json", .until = SIZE_MAX};
    if (body) answer_word(&r, word, &q);
    send_reply(c, &r);
    c->due = clock_seconds() + delay_s;
    buffer_free(&r.body);
    json_decref(body);
}

/* "Name: value" among the headers, value into out; "" if it is not there. */
static void header_value(const char *headers, const char *name, char *out, size_t size)
{
    const char *p = strcasestr(headers, name);
    out[0] = 0;
    if (!p) return;
    p += strlen(name);
    p += strspn(p, " ");
    snprintf(out, size, "%.*s", (int)strcspn(p, "\r\n"), p);
}

/* Answers the request in c->in if it is all there. */
static void request_take(Connection *c)
{
    char path[600], length[40], authorization[600];
    char *end = c->in.size ? strstr(c->in.data, "\r\n\r\n") : NULL;
    if (!end) return;
    char *body = end + 4;
    *end = 0;
    header_value(c->in.data, "\r\nContent-Length:", length, sizeof length);
    header_value(c->in.data, "\r\nAuthorization: Bearer", authorization, sizeof authorization);
    if (sscanf(c->in.data, "%*s %599s", path) != 1) snprintf(path, sizeof path, "/");
    *end = '\r';
    if ((size_t)(c->in.data + c->in.size - body) < (size_t)atol(length)) return;
    char *api = strstr(path, "/v1/chat/completions");
    if (!strncmp(path, "/stats/", 7)) {
        answer_stats(c, script_find(path + 7, strlen(path + 7)));
    } else if (api) {
        answer_chat(c, script_find(path + 1, (size_t)(api - path - 1)), authorization, body);
    } else {
        Reply r = {.status = 404, .type = "application/json", .until = SIZE_MAX};
        send_reply(c, &r);
    }
    c->in.size = 0;
}

/* ---- connections --------------------------------------------------------------------------- */

static void connection_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    if (fd < 0) return;
    if (n_connections == MOST_CONNECTIONS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections[n_connections] = NEW(Connection, 1);
    connections[n_connections++]->fd = fd;
}

static void answered(Connection *c)
{
    if (c->script) c->script->at_once--;
    c->script = NULL;
}

static void connection_close(int i, bool reset)
{
    Connection *c = connections[i];
    struct linger l = {1, 0};
    answered(c);
    if (reset) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    close(c->fd);
    buffer_free(&c->in);
    buffer_free(&c->out);
    mem_free(c);
    connections[i] = connections[--n_connections];
}

/* Reads what is there; false when the client is gone. */
static bool connection_read(Connection *c)
{
    char data[65536];
    for (;;) {
        ssize_t n = recv(c->fd, data, sizeof data, 0);
        if (!n || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
        if (n < 0) break;
        buffer_add(&c->in, data, (size_t)n);
    }
    if (c->state == READS) request_take(c);
    return true;
}

/* Sends what is due; false when the connection is to be closed. */
static bool connection_write(Connection *c, double now)
{
    if (c->state == WAITS && now >= c->due) c->state = WRITES;
    while (c->state == WRITES && now >= c->due && c->sent < c->until) {
        size_t n = c->every > 0 ? 1 : c->until - c->sent;
        ssize_t k = send(c->fd, c->out.data + c->sent, n, MSG_NOSIGNAL);
        if (k < 0) return errno == EAGAIN;
        c->sent += (size_t)k;
        if (c->every > 0) c->due = now + c->every;
    }
    if (c->state != WRITES || c->sent < c->until) return true;
    if (c->ending == END_HANG) c->state = HANGS;
    if (c->ending == END_KEEP) answered(c), c->state = READS, request_take(c);
    return c->ending == END_KEEP || c->ending == END_HANG;
}

static int wait_ms(double now)
{
    double next = now + 1;
    for (int i = 0; i < n_connections; i++) {
        const Connection *c = connections[i];
        if ((c->state == WAITS || (c->state == WRITES && c->every > 0)) && c->due < next)
            next = c->due;
    }
    return next <= now ? 0 : (int)((next - now) * 1000) + 1;
}

static void turn(int listener)
{
    static struct pollfd p[MOST_CONNECTIONS + 2];
    int n = n_connections;
    p[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    p[1] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    for (int i = 0; i < n; i++)
        p[i + 2] = (struct pollfd){
            .fd = connections[i]->fd,
            .events =
                POLLIN |
                (connections[i]->state == WRITES && connections[i]->every <= 0 ? POLLOUT : 0)};
    poll(p, (nfds_t)n + 2, wait_ms(clock_seconds()));
    char byte;
    if (p[1].revents && read(STDIN_FILENO, &byte, 1) <= 0) exit(0);
    for (int i = n - 1; i >= 0; i--) { /* backwards: closing moves the last one into the gap */
        if (p[i + 2].revents && !connection_read(connections[i])) {
            connection_close(i, false);
            continue;
        }
        if (!connection_write(connections[i], clock_seconds()))
            connection_close(i, connections[i]->ending == END_RESET);
    }
    if (p[0].revents) connection_accept(listener);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) ||
        listen(listener, 256) || getsockname(listener, (struct sockaddr *)&at, &size))
        die(EXIT_UNABLE, "judge_server: no port: %s", strerror(errno));
    printf("port %d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) turn(listener);
}

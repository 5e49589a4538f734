/* One attempt: how a transfer is set up, and what its end means. The table of what is worth another
 * attempt is here and nowhere else:
 *
 *   again      no connection, reset, cut off, attempt out of time, 408, 409, 425, 429, 5xx, and a
 *              200 that is not the JSON it should be (a proxy's page, a crash in the middle)
 *   not again  other 4xx, redirects, certificates, a body over the limit, well-formed JSON that
 *              lacks what was asked for
 */
#define _GNU_SOURCE /* strcasestr */
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "common/errors.h"
#include "rewardsvc/remote_internal.h"

enum { CONNECT_MS = 15000, MOST_RETRY_AFTER_S = 86400, LARGEST_HEADERS = 256 << 10 };

static size_t take_body(char *data, size_t size, size_t count, void *to)
{
    RemoteReply *reply = to;
    size_t n = size * count;
    if (reply->body.size + n > REMOTE_LARGEST_REPLY) {
        reply->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    buffer_add(&reply->body, data, n);
    return n;
}

static size_t take_header(char *data, size_t size, size_t count, void *to)
{
    RemoteReply *reply = to;
    (void)data;
    reply->header_bytes += size * count;
    reply->too_large |= reply->header_bytes > LARGEST_HEADERS;
    return reply->too_large ? CURL_WRITEFUNC_ERROR : size * count;
}

/* The body is given by a function that cannot go back, and not as a block: libcurl repeats a
 * request in silence when a kept connection dies under it, and such repeats would pass by the bound
 * on attempts and the rate. As it is that ends the attempt, like any other loss. */
static size_t give_body(char *to, size_t size, size_t count, void *from)
{
    RemoteReply *reply = from;
    size_t n = reply->request->size - reply->given;
    if (n > size * count) n = size * count;
    memcpy(to, reply->request->data + reply->given, n);
    reply->given += n;
    return n;
}

static int keep_from_children(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)arg, (void)purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return CURL_SOCKOPT_OK;
}

static void set_safety(CURL *easy, const RemoteSettings *set)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* the key goes where it was told to */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (set->ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, set->ca_file);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)REMOTE_LARGEST_REPLY);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, keep_from_children);
    /* a name server that hangs is left to its thread, not waited for */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

void remote_attempt_prepare(CURL *easy, const RemoteSettings *set, const RemoteAccess *access,
                            const RemoteTrace *trace, const Buffer *body, double timeout_s,
                            RemoteReply *reply)
{
    long ms = timeout_s < 0.001 ? 1 : (long)(timeout_s * 1000);
    curl_easy_reset(easy);
    set_safety(easy, set);
    curl_easy_setopt(easy, CURLOPT_URL, access->url);
    if (access->local) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, access->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "troupe");
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->size);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, reply);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, reply);
    if (trace->trace) {
        curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
        curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, remote_access_trace);
        curl_easy_setopt(easy, CURLOPT_DEBUGDATA, trace);
    }
    buffer_free(&reply->body);
    *reply = (RemoteReply){.request = body};
}

static RemoteOutcome outcome(ScoreStatus status, bool retry, int http)
{
    return (RemoteOutcome){.status = status, .retry = retry, .http = http};
}

static RemoteOutcome judge_transfer(CURLcode code, const RemoteReply *reply, int http)
{
    RemoteOutcome o = outcome(SCORE_ERROR, true, http);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        o.status = SCORE_TIMEOUT;
        buffer_text(&o.why, "no answer in time");
        return o;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
        if (code == CURLE_WRITE_ERROR && !reply->too_large) break;
        o.retry = false;
        buffer_printf(&o.why, "an answer of more than %d bytes",
                      reply->header_bytes > LARGEST_HEADERS ? LARGEST_HEADERS
                                                            : REMOTE_LARGEST_REPLY);
        return o;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        o.retry = false;
        break;
    default:
        break;
    }
    buffer_text(&o.why, curl_easy_strerror(code));
    return o;
}

static bool worth_another(int http)
{
    return http == 408 || http == 409 || http == 425 || http == 429 || http >= 500;
}

static RemoteOutcome judge_status(CURL *easy, int http, const RemoteReply *reply)
{
    RemoteOutcome o = outcome(SCORE_ERROR, worth_another(http), http);
    curl_off_t after = 0;
    buffer_printf(&o.why, "HTTP %d", http);
    if (http >= 300 && http < 400) {
        buffer_text(&o.why, ": redirects are not followed; base_url must name the place itself");
        return o;
    }
    if (http == 401 || http == 403) buffer_text(&o.why, ": the key is refused");
    buffer_text(&o.why, ": ");
    size_t bare = o.why.size;
    if (remote_reply_error(&reply->body, &o.why)) o.status = SCORE_REFUSED, o.retry = false;
    if (o.why.size == bare) buffer_text(&o.why, "no reason given");
    if (o.retry && !curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after) && after > 0)
        o.retry_after_s = after < MOST_RETRY_AFTER_S ? (double)after : MOST_RETRY_AFTER_S;
    o.hold = http == 429 || http == 503;
    return o;
}

/* An answer without a content type is read; one that says it is something else is not. */
static bool says_json(CURL *easy)
{
    char *type = NULL;
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    return !type || strcasestr(type, "json");
}

static RemoteOutcome judge_body(CURL *easy, int http, const RemoteReply *reply, int n,
                                bool logprobs, RemoteAnswer *answer)
{
    ReplyState state = REPLY_UNUSABLE;
    errors_quiet(1);
    if (says_json(easy))
        state = remote_reply_read(&reply->body, n, logprobs, answer);
    else
        fail("the answer's content type is not JSON");
    errors_quiet(-1);
    if (state == REPLY_GOOD) return outcome(answer->status, false, http);
    RemoteOutcome o = outcome(SCORE_ERROR, state == REPLY_UNUSABLE, http);
    buffer_text(&o.why, errors_last());
    return o;
}

RemoteOutcome remote_attempt_judge(CURL *easy, CURLcode code, const RemoteReply *reply, int n,
                                   bool logprobs, RemoteAnswer *answer)
{
    long http = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http);
    if (code != CURLE_OK) return judge_transfer(code, reply, (int)http);
    if (http == 200) return judge_body(easy, (int)http, reply, n, logprobs, answer);
    errors_quiet(1);
    RemoteOutcome o = judge_status(easy, (int)http, reply);
    errors_quiet(-1);
    return o;
}

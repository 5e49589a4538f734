/* The body of a remote request, and its key. The bytes are a function of the request alone (sorted
 * keys, compact): they are hashed, and the hash is what a resumed run finds the answer by. */
#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/utf8.h"
#include "rewardsvc/remote_internal.h"

static json_t *text_json(const char *text, size_t n)
{
    Buffer clean = {0};
    utf8_clean(text ? text : "", text ? n : 0, true, &clean);
    json_t *j = json_stringn_nocheck(clean.data, clean.size);
    buffer_free(&clean);
    return j;
}

static json_t *messages_json(const RemoteRequest *q)
{
    json_t *list = json_array();
    for (int i = 0; i < q->n_messages; i++) {
        const RemoteMessage *m = &q->messages[i];
        REQUIRE(m->role && *m->role, "message %d has no role", i);
        json_array_append_new(list,
                              json_pack("{s:o, s:o}", "role", text_json(m->role, strlen(m->role)),
                                        "content", text_json(m->text, m->n_text)));
    }
    return list;
}

static json_t *stop_json(const RemoteRequest *q)
{
    json_t *list = json_array();
    for (int i = 0; i < q->n_stop; i++)
        json_array_append_new(list, text_json(q->stop[i], strlen(q->stop[i])));
    return list;
}

static void check_request(const RemoteRequest *q)
{
    REQUIRE(q->n_messages >= 1 && q->messages, "%d messages", q->n_messages);
    REQUIRE(q->max_tokens >= 1, "max_tokens %d", q->max_tokens);
    REQUIRE(q->n >= 0 && q->n <= 128, "n %d is not in [0, 128]", q->n);
    REQUIRE(isnan(q->temperature) || (q->temperature >= 0 && q->temperature <= 100),
            "temperature %g", q->temperature);
    REQUIRE(q->top_p >= 0 && q->top_p <= 1, "top_p %g", q->top_p);
    REQUIRE(q->top_logprobs >= 0 && q->top_logprobs <= 20, "top_logprobs %d", q->top_logprobs);
    REQUIRE(q->n_stop >= 0 && (!q->n_stop || q->stop), "%d stops", q->n_stop);
    REQUIRE(!q->extra || json_is_object(q->extra), "extra is no object");
}

int remote_body_write(const RemoteSettings *set, const RemoteRequest *q, Buffer *out)
{
    check_request(q);
    size_t bytes = 0;
    for (int i = 0; i < q->n_messages; i++) bytes += q->messages[i].n_text;
    if (bytes > REMOTE_LARGEST_REQUEST)
        return fail("messages of %zu bytes, the limit is %d", bytes, REMOTE_LARGEST_REQUEST);
    json_t *body = q->extra ? json_deep_copy(q->extra) : json_object();
    json_object_set_new(body, "model", text_json(set->model, strlen(set->model)));
    json_object_set_new(body, "messages", messages_json(q));
    json_object_set_new(body, set->max_completion_tokens ? "max_completion_tokens" : "max_tokens",
                        json_integer(q->max_tokens));
    if (!isnan(q->temperature)) json_object_set_new(body, "temperature", json_real(q->temperature));
    if (q->top_p > 0) json_object_set_new(body, "top_p", json_real(q->top_p));
    if (q->seed >= 0) json_object_set_new(body, "seed", json_integer(q->seed));
    if (q->n_stop) json_object_set_new(body, "stop", stop_json(q));
    if (q->n > 1) json_object_set_new(body, "n", json_integer(q->n));
    if (q->logprobs) json_object_set_new(body, "logprobs", json_true());
    if (q->logprobs && q->top_logprobs)
        json_object_set_new(body, "top_logprobs", json_integer(q->top_logprobs));
    char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    json_decref(body);
    if (!text) return fail("the request cannot be written as JSON");
    size_t n = strlen(text);
    if (n <= REMOTE_LARGEST_REQUEST) buffer_add(out, text, n);
    free(text);
    return n <= REMOTE_LARGEST_REQUEST
               ? 0
               : fail("a request of %zu bytes, the limit is %d", n, REMOTE_LARGEST_REQUEST);
}

void remote_body_key(const Buffer *body, const char *tag, RemoteKey *key)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned n = 0;
    bool good = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) &&
                EVP_DigestUpdate(c, tag ? tag : "", tag ? strlen(tag) + 1 : 1) &&
                EVP_DigestUpdate(c, body->data, body->size) &&
                EVP_DigestFinal_ex(c, key->bytes, &n) && n == sizeof key->bytes;
    EVP_MD_CTX_free(c);
    REQUIRE(good, "SHA-256 failed");
}

/* See remote_log_line.h. A line begins {"crc":"xxxxxxxx","key":"<64 hex>", so that an index is made
 * from fixed places; the rest is sorted by nothing but this file. */
#include "rewardsvc/remote_log_line.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/utf8.h"
#include "common/sample.h"
#include "rewardsvc/remote_internal.h"

enum { CRC_AT = 8, REST_AT = 18, KEY_AT = 25, KEY_DIGITS = 64 };

static const char *const finish_names[] = {"stop", "length", "other"};

/* ---- writing ------------------------------------------------------------------------------- */

static json_t *token_json(const RemoteToken *t)
{
    json_t *top = json_array();
    for (int i = 0; i < t->n_top; i++)
        json_array_append_new(top, json_pack("[s, f]", t->top[i].token, t->top[i].logprob));
    return json_pack("[s, f, o]", t->token, t->logprob, top);
}

static json_t *choice_json(const RemoteChoice *c)
{
    json_t *j = json_object();
    json_object_set_new(j, "status", json_string(score_status_name(c->status)));
    json_object_set_new(j, "finish", json_string(finish_names[c->finish]));
    json_object_set_new(j, "text", json_stringn(c->text, c->n_text));
    if (c->reasoning) json_object_set_new(j, "reasoning", json_string(c->reasoning));
    if (!c->tokens) return j;
    json_t *tokens = json_array();
    for (int i = 0; i < c->n_tokens; i++) json_array_append_new(tokens, token_json(&c->tokens[i]));
    json_object_set_new(j, "tokens", tokens);
    return j;
}

void remote_line_write(const RemoteKey *key, const char *tag, const RemoteAnswer *a, Buffer *out)
{
    char hex[KEY_DIGITS + 1];
    Buffer name = {0};
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", key->bytes[i]);
    utf8_clean(tag ? tag : "", tag ? strlen(tag) : 0, true, &name);
    json_t *choices = json_array();
    for (int i = 0; i < a->n_choices; i++)
        json_array_append_new(choices, choice_json(&a->choices[i]));
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:I, s:I, s:o}", "key", hex,
                          "tag", name.data, "status", score_status_name(a->status), "reason",
                          a->reason ? a->reason : "", "attempts", a->attempts, "http", a->http,
                          "waited_s", a->waited_s, "latency_s", a->latency_s, "prompt_tokens",
                          (json_int_t)a->prompt_tokens, "completion_tokens",
                          (json_int_t)a->completion_tokens, "choices", choices);
    char *text = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(17));
    REQUIRE(text && !strncmp(text, "{\"key\":\"", 8), "an answer cannot be written as JSON");
    size_t n = strlen(text);
    buffer_printf(out, "{\"crc\":\"%08x\",", (unsigned)crc32c(0, text + 1, n - 1));
    buffer_add(out, text + 1, n - 1);
    free(text);
    json_decref(j);
    buffer_free(&name);
}

/* ---- reading ------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int remote_line_key(const char *line, size_t n, RemoteKey *key)
{
    char crc[9] = "";
    if (n < KEY_AT + KEY_DIGITS || memcmp(line, "{\"crc\":\"", CRC_AT) ||
        memcmp(line + CRC_AT + 8, "\",\"key\":\"", KEY_AT - CRC_AT - 8))
        return fail("not a line of answers");
    snprintf(crc, sizeof crc, "%08x", (unsigned)crc32c(0, line + REST_AT, n - REST_AT));
    if (memcmp(crc, line + CRC_AT, 8)) return fail("damaged: its CRC is another one");
    for (int i = 0; i < 32; i++) {
        int a = hex_digit(line[KEY_AT + 2 * i]), b = hex_digit(line[KEY_AT + 2 * i + 1]);
        if (a < 0 || b < 0) return fail("the key is not hexadecimal");
        key->bytes[i] = (uint8_t)(a << 4 | b);
    }
    return 0;
}

static char *text_of(const json_t *j)
{
    return mem_text_n(json_string_value(j), json_string_length(j));
}

static int token_line_read(const json_t *j, RemoteToken *t)
{
    const json_t *top, *pair;
    size_t i;
    if (!json_is_string(json_array_get(j, 0)) || !json_is_number(json_array_get(j, 1)) ||
        !json_is_array(top = json_array_get(j, 2)))
        return fail("a token is none");
    t->token = text_of(json_array_get(j, 0));
    t->logprob = json_number_value(json_array_get(j, 1));
    if (json_array_size(top)) t->top = NEW(RemoteTop, json_array_size(top));
    json_array_foreach(top, i, pair)
    {
        if (!json_is_string(json_array_get(pair, 0)) || !json_is_number(json_array_get(pair, 1)))
            return fail("a token's list is none");
        t->top[i].token = text_of(json_array_get(pair, 0));
        t->top[i].logprob = json_number_value(json_array_get(pair, 1));
        t->n_top = (int)i + 1;
    }
    return 0;
}

static int status_read(const json_t *j, ScoreStatus *s)
{
    const char *name = json_string_value(j);
    for (*s = SCORE_OK; name && *s <= SCORE_NOT_APPLICABLE; ++*s)
        if (!strcmp(name, score_status_name(*s))) return 0;
    return fail("no such status");
}

static int choice_line_read(const json_t *j, RemoteChoice *c)
{
    const json_t *text = json_object_get(j, "text"), *reasoning = json_object_get(j, "reasoning");
    const json_t *tokens = json_object_get(j, "tokens"), *item;
    const char *finish = json_string_value(json_object_get(j, "finish"));
    size_t i;
    if (!json_is_string(text) || status_read(json_object_get(j, "status"), &c->status))
        return fail("a choice is none");
    c->text = text_of(text);
    c->n_text = json_string_length(text);
    if (json_is_string(reasoning)) c->reasoning = text_of(reasoning);
    for (c->finish = REMOTE_STOP; c->finish < REMOTE_OTHER; c->finish++)
        if (finish && !strcmp(finish, finish_names[c->finish])) break;
    if (!json_is_array(tokens)) return 0;
    c->tokens = NEW(RemoteToken, json_array_size(tokens));
    json_array_foreach(tokens, i, item)
    {
        c->n_tokens = (int)i + 1;
        if (token_line_read(item, &c->tokens[i])) return -1;
    }
    return 0;
}

static int answer_read(const json_t *j, RemoteAnswer *a)
{
    const json_t *choices = json_object_get(j, "choices"), *item;
    size_t i;
    if (status_read(json_object_get(j, "status"), &a->status)) return -1;
    if (!json_is_array(choices)) return fail("no choices");
    a->reason = mem_text(json_string_value(json_object_get(j, "reason")));
    if (!a->reason) a->reason = mem_text("");
    a->attempts = (int)json_integer_value(json_object_get(j, "attempts"));
    a->http = (int)json_integer_value(json_object_get(j, "http"));
    a->waited_s = json_number_value(json_object_get(j, "waited_s"));
    a->latency_s = json_number_value(json_object_get(j, "latency_s"));
    a->prompt_tokens = json_integer_value(json_object_get(j, "prompt_tokens"));
    a->completion_tokens = json_integer_value(json_object_get(j, "completion_tokens"));
    if (json_array_size(choices)) a->choices = NEW(RemoteChoice, json_array_size(choices));
    json_array_foreach(choices, i, item)
    {
        a->n_choices = (int)i + 1;
        if (choice_line_read(item, &a->choices[i])) return -1;
    }
    return 0;
}

int remote_line_read(const char *line, size_t n, RemoteAnswer *a)
{
    RemoteKey key;
    json_error_t e;
    *a = (RemoteAnswer){0};
    if (remote_line_key(line, n, &key)) return -1;
    json_t *j = json_loadb(line, n, JSON_REJECT_DUPLICATES, &e);
    if (!j) return fail("%s", e.text);
    int rc = answer_read(j, a);
    json_decref(j);
    if (rc) remote_answer_free(a);
    return rc;
}

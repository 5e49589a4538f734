/* What a remote judge sent, read as hostile bytes: bounded by its caller (size) and here (nesting,
 * types, counts, ranges). Nothing of it is guessed: an answer that lacks what was asked for is no
 * answer.
 *
 * Before jansson sees a body, three things that sound servers send are mended to U+FFFD: bytes that
 * are not UTF-8 (a token cut in the middle of a character), lone surrogates (Python's json.dumps of
 * such a text), and \u0000 (texts are C strings from here on).
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/utf8.h"
#include "rewardsvc/remote_internal.h"

enum { MOST_BRACKETS = 50000 };

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = p[i] | 0x20, d = c >= '0' && c <= '9'   ? c - '0'
                                 : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                        : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* p [n] starts with a backslash; mends what it escapes, gives how long it is. */
static size_t escape_mend(char *p, size_t n)
{
    if (n < 6 || p[1] != 'u') return 2;
    int code = hex4(p + 2);
    if (code < 0) return 2;
    bool high = code >= 0xd800 && code < 0xdc00, low = code >= 0xdc00 && code < 0xe000;
    if (high && n >= 12 && p[6] == '\\' && p[7] == 'u') {
        int second = hex4(p + 8);
        if (second >= 0xdc00 && second < 0xe000) return 12;
    }
    if (high || low || !code) memcpy(p + 2, "fffd", 4);
    return 6;
}

/* Mends the escapes in place; -1 if brackets nest too deep for a parser that recurses, or are so
 * many that the tree would be a hundred times the text (a table of hashes for each "{}"). */
static int escapes_mend(char *p, size_t n)
{
    int depth = 0, opened = 0;
    bool inside = false;
    for (size_t i = 0; i < n;) {
        char c = p[i];
        if (inside && c == '\\') {
            i += escape_mend(p + i, n - i);
            continue;
        }
        if (c == '"') inside = !inside;
        if (!inside && (c == '[' || c == '{')) {
            if (++depth > REMOTE_DEEPEST_JSON)
                return fail("JSON nested deeper than %d", REMOTE_DEEPEST_JSON);
            if (++opened > MOST_BRACKETS)
                return fail("JSON of more than %d lists and objects", MOST_BRACKETS);
        }
        if (!inside && (c == ']' || c == '}')) depth--;
        i++;
    }
    return 0;
}

static json_t *body_parse(const Buffer *body)
{
    Buffer text = {0};
    json_t *root = NULL;
    json_error_t e;
    utf8_clean(body->size ? body->data : "", body->size, false, &text);
    if (!escapes_mend(text.data, text.size)) {
        root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &e);
        if (!root) fail("not the JSON it should be: %s (at byte %d)", e.text, e.position);
    }
    if (root && !json_is_object(root)) {
        fail("not the JSON it should be: an object is wanted");
        json_decref(root);
        root = NULL;
    }
    buffer_free(&text);
    return root;
}

/* ---- errors ------------------------------------------------------------------------------------
 */

/* What an error's body says: {"error": {"message"}}, or one of the other habits. */
static const char *error_text(const json_t *root)
{
    const json_t *error = json_object_get(root, "error"), *text = error;
    if (json_is_object(error)) text = json_object_get(error, "message");
    if (!json_is_string(text)) text = json_object_get(root, "message");
    if (!json_is_string(text)) text = json_object_get(root, "detail");
    return json_string_value(text);
}

bool remote_reply_error(const Buffer *body, Buffer *why)
{
    json_t *root = body_parse(body);
    const char *text = error_text(root);
    const char *code = json_string_value(json_object_get(json_object_get(root, "error"), "code"));
    bool filtered = code && !strcmp(code, "content_filter");
    if (text)
        buffer_text(why, text);
    else if (!root && body->size)
        utf8_clean(body->data, body->size < 200 ? body->size : 200, true, why);
    json_decref(root);
    return filtered;
}

/* ---- log-probabilities --------------------------------------------------------------------- */

static int pair_read(const json_t *j, char **token, double *logprob)
{
    const json_t *t = json_object_get(j, "token"), *p = json_object_get(j, "logprob");
    if (!json_is_string(t) || !json_is_number(p)) return fail("logprobs: no token or no logprob");
    double v = json_number_value(p);
    if (!(v <= 1e-3)) return fail("logprobs: %g is no log-probability", v);
    *logprob = fmin(v, 0); /* a rounding above 0 is one */
    *token = mem_text_n(json_string_value(t), json_string_length(t));
    return 0;
}

static int token_read(const json_t *j, RemoteToken *t)
{
    const json_t *top = json_object_get(j, "top_logprobs"), *item;
    size_t i;
    if (pair_read(j, &t->token, &t->logprob)) return -1;
    if (!json_is_array(top)) return 0;
    t->top = NEW(RemoteTop, json_array_size(top));
    json_array_foreach(top, i, item)
    {
        if (pair_read(item, &t->top[i].token, &t->top[i].logprob)) return -1;
        t->n_top = (int)i + 1;
    }
    return 0;
}

static int tokens_read(const json_t *logprobs, RemoteChoice *c)
{
    const json_t *list = json_object_get(logprobs, "content"), *item;
    size_t i;
    if (!json_is_array(list)) return fail("logprobs were asked for and are not there");
    c->tokens = NEW(RemoteToken, json_array_size(list));
    json_array_foreach(list, i, item)
    {
        c->n_tokens = (int)i + 1;
        if (token_read(item, &c->tokens[i])) return -1;
    }
    return 0;
}

/* ---- choices ------------------------------------------------------------------------------- */

static bool is_text(const json_t *j)
{
    return json_is_string(j) && json_string_length(j) > 0;
}

static void text_take(RemoteChoice *c, const json_t *j)
{
    c->n_text = json_is_string(j) ? json_string_length(j) : 0;
    c->text = mem_text_n(json_is_string(j) ? json_string_value(j) : "", c->n_text);
}

static RemoteFinish finish_of(const char *reason)
{
    if (!reason) return REMOTE_OTHER;
    return !strcmp(reason, "stop")     ? REMOTE_STOP
           : !strcmp(reason, "length") ? REMOTE_LENGTH
                                       : REMOTE_OTHER;
}

static ReplyState choice_read(const json_t *j, bool logprobs, RemoteChoice *c)
{
    const json_t *message = json_object_get(j, "message");
    const json_t *content = json_object_get(message, "content");
    const json_t *refusal = json_object_get(message, "refusal");
    const json_t *reasoning = json_object_get(message, "reasoning_content");
    const char *reason = json_string_value(json_object_get(j, "finish_reason"));
    if (!json_is_object(message)) return fail("a choice has no message"), REPLY_UNUSABLE;
    if (!is_text(reasoning)) reasoning = json_object_get(message, "reasoning");
    if (is_text(reasoning)) c->reasoning = mem_text(json_string_value(reasoning));
    c->finish = finish_of(reason);
    if (is_text(refusal) || (reason && !strcmp(reason, "content_filter"))) {
        c->status = SCORE_REFUSED;
        text_take(c, is_text(refusal) ? refusal : content);
        return REPLY_GOOD;
    }
    if (!json_is_string(content)) return fail("a choice has no text"), REPLY_UNUSABLE;
    c->status = SCORE_OK;
    text_take(c, content);
    if (logprobs && tokens_read(json_object_get(j, "logprobs"), c)) return REPLY_UNFIT;
    return REPLY_GOOD;
}

/* Where choice i of the list goes: its "index", if it has one; -1 if that is none of n. */
static int choice_place(const json_t *j, int i, int n)
{
    const json_t *index = json_object_get(j, "index");
    if (!index) return i;
    if (!json_is_integer(index)) return -1;
    json_int_t k = json_integer_value(index);
    return k >= 0 && k < n ? (int)k : -1;
}

static ReplyState choices_read(const json_t *list, bool logprobs, int n, RemoteChoice *choices)
{
    for (int i = 0; i < n; i++) {
        const json_t *j = json_array_get(list, (size_t)i);
        int at = choice_place(j, i, n);
        if (at < 0 || choices[at].text)
            return fail("the choices' indices are not 0 ... %d", n - 1), REPLY_UNUSABLE;
        ReplyState s = choice_read(j, logprobs, &choices[at]);
        if (s != REPLY_GOOD) return s;
    }
    return REPLY_GOOD;
}

static int64_t count_of(const json_t *usage, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(usage, key));
    return v > 0 && v < (json_int_t)1 << 40 ? v : 0;
}

static void choices_free(RemoteChoice *c, int n)
{
    for (int i = 0; i < n; i++) remote_choice_free(&c[i]);
    mem_free(c);
}

static ScoreStatus status_of(const RemoteChoice *c, int n)
{
    for (int i = 0; i < n; i++)
        if (c[i].status == SCORE_OK) return SCORE_OK;
    return SCORE_REFUSED;
}

ReplyState remote_reply_read(const Buffer *body, int n, bool logprobs, RemoteAnswer *a)
{
    json_t *root = body_parse(body);
    if (!root) return REPLY_UNUSABLE;
    const json_t *list = json_object_get(root, "choices"), *usage = json_object_get(root, "usage");
    RemoteChoice *choices = NEW(RemoteChoice, n);
    ReplyState state = REPLY_UNUSABLE;
    if (!json_is_array(list) || !json_array_size(list)) {
        const char *why = error_text(root); /* some services say 200 and an error */
        fail("no choices in the answer%s%.300s", why ? ": " : "", why ? why : "");
    } else if (json_array_size(list) != (size_t)n) {
        state = REPLY_UNFIT;
        fail("%zu choices where n = %d were asked for", json_array_size(list), n);
    } else {
        state = choices_read(list, logprobs, n, choices);
    }
    if (state == REPLY_GOOD) {
        a->status = status_of(choices, n);
        a->choices = choices, a->n_choices = n;
        a->prompt_tokens = count_of(usage, "prompt_tokens");
        a->completion_tokens = count_of(usage, "completion_tokens");
    } else {
        choices_free(choices, n);
    }
    json_decref(root);
    return state;
}

char *remote_reason(const char *text)
{
    Buffer b = {0};
    utf8_clean(text, strlen(text), true, &b);
    if (b.size > REMOTE_LONGEST_REASON) {
        b.size = REMOTE_LONGEST_REASON;
        while (b.size && ((unsigned char)b.data[b.size] & 0xc0) == 0x80) b.size--;
    }
    for (size_t i = 0; i < b.size; i++) { /* what it says moves no cursor: C0, DEL, C1 */
        unsigned char *c = (unsigned char *)b.data + i;
        if (c[0] < 0x20 || c[0] == 0x7f) *c = ' ';
        if (c[0] == 0xc2 && i + 1 < b.size && c[1] < 0xa0) c[0] = c[1] = ' ';
    }
    char *reason = mem_text_n(b.data ? b.data : "", b.size);
    buffer_free(&b);
    return reason;
}

void remote_choice_free(RemoteChoice *c)
{
    for (int i = 0; i < c->n_tokens; i++) {
        for (int k = 0; k < c->tokens[i].n_top; k++) mem_free(c->tokens[i].top[k].token);
        mem_free(c->tokens[i].top);
        mem_free(c->tokens[i].token);
    }
    mem_free(c->tokens);
    mem_free(c->text);
    mem_free(c->reasoning);
    *c = (RemoteChoice){0};
}

void remote_answer_free(RemoteAnswer *a)
{
    choices_free(a->choices, a->n_choices);
    mem_free(a->reason);
    *a = (RemoteAnswer){0};
}

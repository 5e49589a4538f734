/* What an endpoint sends, and lines of the log of answers. The first byte chooses: a body for one
 * choice, for two, with log-probabilities, of an error; or the rest of a log's line, whose CRC is
 * made to fit. What is read as an answer is sound UTF-8 without NUL, and comes back from the log as
 * it was.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/errors.h"
#include "common/sample.h"
#include "common/utf8.h"
#include "rewardsvc/remote_internal.h"
#include "rewardsvc/remote_log_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t n)
{
    Buffer clean = {0};
    REQUIRE(strlen(text) == n, "a NUL at %zu of %zu", strlen(text), n);
    utf8_clean(text, n, true, &clean);
    REQUIRE(clean.size == n && !memcmp(clean.data ? clean.data : "", text, n), "not UTF-8");
    buffer_free(&clean);
}

static void check_tokens(const RemoteChoice *c)
{
    for (int i = 0; i < c->n_tokens; i++) {
        const RemoteToken *t = &c->tokens[i];
        check_text(t->token, strlen(t->token));
        REQUIRE(t->logprob <= 0 && isfinite(t->logprob), "logprob %g", t->logprob);
        for (int k = 0; k < t->n_top; k++) check_text(t->top[k].token, strlen(t->top[k].token));
    }
}

/* The same line is written from what was read of it. */
static void check_line(const RemoteAnswer *a)
{
    RemoteKey key = {{7}}, same;
    RemoteAnswer back;
    Buffer line = {0}, again = {0};
    remote_line_write(&key, "tag", a, &line);
    REQUIRE(!memchr(line.data, '\n', line.size), "a line of two lines");
    REQUIRE(!remote_line_key(line.data, line.size, &same) && !memcmp(&key, &same, sizeof key),
            "another key");
    REQUIRE(!remote_line_read(line.data, line.size, &back), "%s", errors_last());
    remote_line_write(&key, "tag", &back, &again);
    REQUIRE(line.size == again.size && !memcmp(line.data, again.data, line.size),
            "another line:\n%s\n%s", line.data, again.data);
    remote_answer_free(&back);
    buffer_free(&line);
    buffer_free(&again);
}

static void read_reply(const Buffer *body, int n, bool logprobs)
{
    RemoteAnswer a = {0};
    if (remote_reply_read(body, n, logprobs, &a) == REPLY_GOOD) {
        REQUIRE(a.n_choices == n, "%d choices of %d", a.n_choices, n);
        for (int i = 0; i < n; i++) {
            check_text(a.choices[i].text, a.choices[i].n_text);
            check_tokens(&a.choices[i]);
        }
        check_line(&a);
    } else {
        REQUIRE(!a.choices && !a.n_choices, "choices of a bad answer");
        char *why = remote_reason(errors_last());
        check_text(why, strlen(why));
        mem_free(why);
    }
    remote_answer_free(&a);
}

static void read_error(const Buffer *body)
{
    Buffer why = {0};
    remote_reply_error(body, &why);
    char *reason = remote_reason(why.size ? why.data : "");
    REQUIRE(strlen(reason) <= REMOTE_LONGEST_REASON, "a reason of %zu bytes", strlen(reason));
    check_text(reason, strlen(reason));
    mem_free(reason);
    buffer_free(&why);
}

static void read_line(const uint8_t *data, size_t size)
{
    static const char start[] =
        "\"key\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"";
    Buffer rest = {0}, line = {0};
    RemoteAnswer a;
    buffer_text(&rest, start);
    buffer_add(&rest, data, size);
    buffer_printf(&line, "{\"crc\":\"%08x\",", (unsigned)crc32c(0, rest.data, rest.size));
    buffer_add(&line, rest.data, rest.size);
    if (!remote_line_read(line.data, line.size, &a)) remote_answer_free(&a);
    buffer_free(&rest);
    buffer_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    Buffer body = {0};
    buffer_add(&body, data + 1, size - 1);
    errors_quiet(1);
    switch (data[0] % 5) {
    case 0:
        read_reply(&body, 1, false);
        break;
    case 1:
        read_reply(&body, 2, false);
        break;
    case 2:
        read_reply(&body, 1, true);
        break;
    case 3:
        read_error(&body);
        break;
    default:
        read_line(data + 1, size - 1);
    }
    errors_quiet(-1);
    buffer_free(&body);
    return 0;
}

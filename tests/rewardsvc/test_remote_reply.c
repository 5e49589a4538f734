/* Bodies from a hostile endpoint, without a network: types, ranges, bounds in time, and texts that
 * are always sound UTF-8. */
#include "rewardsvc/remote_internal.h"

#include "common/clock.h"
#include "common/errors.h"
#include "common/utf8.h"
#include "tests/harness.h"

static ReplyState read_body(const char *text, size_t n, int choices, bool logprobs, RemoteAnswer *a)
{
    Buffer b = {0};
    *a = (RemoteAnswer){0};
    buffer_add(&b, text, n);
    errors_quiet(1);
    ReplyState s = remote_reply_read(&b, choices, logprobs, a);
    errors_quiet(-1);
    buffer_free(&b);
    return s;
}

static ReplyState read_text(const char *text, int choices, bool logprobs, RemoteAnswer *a)
{
    return read_body(text, strlen(text), choices, logprobs, a);
}

#define ONE(message) "{\"choices\":[{\"message\":" message "}]}"

START_TEST(mends_texts)
{
    static const char *const pairs[][2] = {
        {ONE("{\"content\":\"a\\ud800b\"}"), "a\xef\xbf\xbd"
                                             "b"},
        {ONE("{\"content\":\"\\ud83d\\ude00\"}"), "\xf0\x9f\x98\x80"},
        {ONE("{\"content\":\"\\ude00\\ud83d\"}"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {ONE("{\"content\":\"\\ud83d\\u0041\"}"), "\xef\xbf\xbd"
                                                  "A"},
        {ONE("{\"content\":\"\\ud83d\\\\u\"}"), "\xef\xbf\xbd\\u"},
        {ONE("{\"content\":\"\\\\ud800\"}"), "\\ud800"}, /* a backslash, not an escape */
        {ONE("{\"content\":\"a\\u0000b\"}"), "a\xef\xbf\xbd"
                                             "b"},
        {ONE("{\"content\":\"\xff\xc3z\xe2\x82\"}"),
         "\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd"},
        {ONE("{\"content\":\"\xed\xa0\x80|\xc0\x80|\xf4\x90\x80\x80\"}"),
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd"
         "\xef\xbf\xbd\xef\xbf\xbd"},
        {ONE("{\"content\":\"[[[{{{\\\"\"}"), "[[[{{{\""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        RemoteAnswer a;
        ck_assert_msg(read_text(pairs[i][0], 1, false, &a) == REPLY_GOOD, "%s: %s", pairs[i][0],
                      errors_last());
        ck_assert_str_eq(a.choices[0].text, pairs[i][1]);
        ck_assert_uint_eq(a.choices[0].n_text, strlen(pairs[i][1]));
        remote_answer_free(&a);
    }
}
END_TEST

START_TEST(reads_choices_in_their_places)
{
    RemoteAnswer a;
    ck_assert_int_eq(
        read_text("{\"choices\":[{\"index\":1,\"message\":{\"content\":\"b\"},\"finish_reason\":"
                  "\"length\"},{\"index\":0,\"message\":{\"content\":\"\",\"refusal\":\"no\"}},"
                  "{\"index\":2,\"message\":{\"content\":\"c\",\"reasoning_content\":\"hm\"},"
                  "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,"
                  "\"completion_tokens\":-4}}",
                  3, false, &a),
        REPLY_GOOD);
    ck_assert_int_eq(a.status, SCORE_OK); /* one of them is */
    ck_assert_int_eq(a.choices[0].status, SCORE_REFUSED);
    ck_assert_str_eq(a.choices[0].text, "no");
    ck_assert_str_eq(a.choices[1].text, "b");
    ck_assert_int_eq(a.choices[1].finish, REMOTE_LENGTH);
    ck_assert_ptr_null(a.choices[1].reasoning);
    ck_assert_str_eq(a.choices[2].reasoning, "hm");
    ck_assert_int_eq(a.choices[2].finish, REMOTE_STOP);
    ck_assert(a.prompt_tokens == 3 && a.completion_tokens == 0);
    remote_answer_free(&a);
}
END_TEST

#define LOGPROBS(list)                                                                             \
    "{\"choices\":[{\"message\":{\"content\":\"Yes\"},\"logprobs\":{\"content\":" list "}}]}"

START_TEST(reads_logprobs)
{
    RemoteAnswer a;
    ck_assert_int_eq(read_text(LOGPROBS("[{\"token\":\"Yes\",\"logprob\":-0.125,\"top_logprobs\":["
                                        "{\"token\":\"Yes\",\"logprob\":-0.125},"
                                        "{\"token\":\"No\",\"logprob\":-9999}]},"
                                        "{\"token\":\"\",\"logprob\":1e-9,\"top_logprobs\":null}]"),
                               1, true, &a),
                     REPLY_GOOD);
    const RemoteChoice *c = &a.choices[0];
    ck_assert_int_eq(c->n_tokens, 2);
    ck_assert_str_eq(c->tokens[0].token, "Yes");
    ck_assert(c->tokens[0].logprob == -0.125 && c->tokens[0].n_top == 2);
    ck_assert_str_eq(c->tokens[0].top[1].token, "No");
    ck_assert(c->tokens[0].top[1].logprob == -9999 && c->tokens[1].logprob == 0);
    remote_answer_free(&a);
}
END_TEST

/* body; choices asked for; logprobs asked for; what it is; part of the reason */
static const struct {
    const char *body;
    int n;
    bool logprobs;
    ReplyState state;
    const char *why;
} bad[] = {
    {"{\"choices\":[{\"message\":{\"content\":\"a\"}}]}", 2, false, REPLY_UNFIT, "n = 2"},
    {"{\"choices\":[{\"message\":{\"content\":\"a\"}}]}", 1, true, REPLY_UNFIT, "logprobs"},
    {LOGPROBS("null"), 1, true, REPLY_UNFIT, "not there"},
    {LOGPROBS("[{\"token\":\"a\",\"logprob\":7}]"), 1, true, REPLY_UNFIT, "7 is no"},
    {LOGPROBS("[{\"token\":\"a\",\"logprob\":null}]"), 1, true, REPLY_UNFIT, "no logprob"},
    {LOGPROBS("[{\"token\":\"a\",\"logprob\":-1,\"top_logprobs\":[{\"token\":\"b\",\"logprob\":-1},"
              "7]}]"),
     1, true, REPLY_UNFIT, "no token"},
    {LOGPROBS("[7]"), 1, true, REPLY_UNFIT, "no token"},
    {LOGPROBS("[{\"token\":\"a\",\"logprob\":-1e999}]"), 1, true, REPLY_UNUSABLE, "overflow"},
    {"{\"choices\":{}}", 1, false, REPLY_UNUSABLE, "no choices"},
    {"{\"choices\":[7]}", 1, false, REPLY_UNUSABLE, "no message"},
    {"{\"choices\":[{\"message\":{\"content\":[\"a\"]}}]}", 1, false, REPLY_UNUSABLE, "no text"},
    {"{\"choices\":[{\"message\":{\"content\":7}}]}", 1, false, REPLY_UNUSABLE, "no text"},
    {"{\"choices\":[{\"index\":0,\"message\":{\"content\":\"a\"}},"
     "{\"index\":0,\"message\":{\"content\":\"b\"}}]}",
     2, false, REPLY_UNUSABLE, "indices"},
    {"{\"choices\":[{\"index\":\"0\",\"message\":{\"content\":\"a\"}}]}", 1, false, REPLY_UNUSABLE,
     "indices"},
    {"{\"choices\":[{\"message\":{\"content\":\"a\"}}]} and more", 1, false, REPLY_UNUSABLE,
     "JSON"},
    {"\"choices\"", 1, false, REPLY_UNUSABLE, "JSON"},
    {"{\"choices\":[{\"message\":{\"content\":\"a\"}}],\"x\":NaN}", 1, false, REPLY_UNUSABLE,
     "JSON"},
    {"{\"a\\u0000b\":1,\"a\\u0000b\":2}", 1, false, REPLY_UNUSABLE, "duplicate"},
    {"{\"x\":\"\\ud8", 1, false, REPLY_UNUSABLE, "JSON"},
    {"{\"x\":\"\\", 1, false, REPLY_UNUSABLE, "JSON"},
};

START_TEST(refuses_what_was_not_asked_for)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        RemoteAnswer a;
        ReplyState s = read_text(bad[i].body, bad[i].n, bad[i].logprobs, &a);
        ck_assert_msg(s == bad[i].state, "%s: %d, %s", bad[i].body, s, errors_last());
        ck_assert_msg(strstr(errors_last(), bad[i].why) != NULL, "%s: %s", bad[i].body,
                      errors_last());
        ck_assert(!a.choices && !a.n_choices);
    }
}
END_TEST

/* 1 MiB of `unit`, between begin and end. */
static void fill(Buffer *b, const char *begin, const char *unit, const char *end)
{
    b->size = 0;
    buffer_text(b, begin);
    while (b->size + strlen(unit) + strlen(end) < REMOTE_LARGEST_REPLY) buffer_text(b, unit);
    buffer_text(b, end);
}

START_TEST(a_mebibyte_of_anything_takes_no_time)
{
    static const char *const shapes[][3] = {
        {"{\"a\":[1", ",1", "]}"},
        {"{\"a\":[1", ",1e300", "]}"},
        {"{\"a\":[\"\"", ",\"\\ud800\"", "]}"},
        {"{\"a\":[{}", ",{}", "]}"},
        {"{\"a\":[{}", ",        [             ]", "]}"},
        {"", "[", ""},
        {"{\"a\":", "123456789", "}"},
        {ONE("{\"content\":\"") "x", "\xff", ""},
        {"{\"choices\":[{\"message\":{\"content\":\"", "\\u0001", "\"}}]}"},
        {"{\"choices\":[1", ",1", "]}"},
        {LOGPROBS("[7"), ",{\"token\":\"\",\"logprob\":0}", "]}}]}"},
        {"{\"choices\":[{\"message\":{\"content\":\"\"},\"logprobs\":{\"content\":[{\"token\":\"\","
         "\"logprob\":0}",
         ",{\"token\":\"\",\"logprob\":0}", "]}}]}"},
        {"{\"choices\":[{\"message\":{\"content\":\"\"},\"logprobs\":{\"content\":[{\"token\":\"\","
         "\"logprob\":0,\"top_logprobs\":[7",
         ",7", "]}]}}]}"},
    };
    Buffer b = {0};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        RemoteAnswer a;
        double best = INFINITY;
        fill(&b, shapes[i][0], shapes[i][1], shapes[i][2]);
        for (int k = 0; k < 3 && best > 0.1; k++) { /* the machine may be busy */
            double began = clock_seconds();
            read_body(b.data, b.size, 1, true, &a);
            best = fmin(best, clock_seconds() - began);
            remote_answer_free(&a);
        }
        ck_assert_msg(best < 1, "%s...: %g s", shapes[i][0], best);
    }
    buffer_free(&b);
}
END_TEST

START_TEST(reasons_are_one_printable_line)
{
    Buffer b = {0};
    for (int i = 0; i < 300; i++) buffer_text(&b, "\xc3\xa9\x1b[31m\n\xc2\x9b\xff\x7f");
    char *r = remote_reason(b.data);
    ck_assert_uint_le(strlen(r), REMOTE_LONGEST_REASON);
    ck_assert_uint_ge(strlen(r), REMOTE_LONGEST_REASON - 3);
    for (const unsigned char *c = (unsigned char *)r; *c; c++) ck_assert(*c >= 0x20 && *c != 0x7f);
    ck_assert_ptr_null(strstr(r, "\xc2\x9b"));
    Buffer clean = {0};
    utf8_clean(r, strlen(r), true, &clean); /* cut at a character's end */
    ck_assert_str_eq(clean.data, r);
    buffer_free(&clean);
    mem_free(r);
    r = remote_reason("");
    ck_assert_str_eq(r, "");
    mem_free(r);
    buffer_free(&b);
}
END_TEST

static char *body_of(const RemoteSettings *set, const RemoteRequest *q)
{
    Buffer b = {0};
    ck_assert_int_eq(remote_body_write(set, q, &b), 0);
    char *text = mem_text_n(b.data, b.size);
    buffer_free(&b);
    return text;
}

START_TEST(bodies_say_what_was_asked)
{
    RemoteSettings set = remote_defaults();
    RemoteMessage m[] = {{"system", "Be fair.", 8}, {"user", "a\0b\xff\"", 5}};
    set.model = "m";
    RemoteRequest q = {
        .n_messages = 2, .messages = m, .temperature = NAN, .max_tokens = 5, .seed = -1};
    char *text = body_of(&set, &q);
    ck_assert_str_eq(text, "{\"max_tokens\":5,\"messages\":[{\"content\":\"Be fair.\",\"role\":"
                           "\"system\"},{\"content\":\"a\xef\xbf\xbd"
                           "b\xef\xbf\xbd\\\"\",\"role\":\"user\"}],\"model\":\"m\"}");
    mem_free(text);
    json_t *extra = json_pack("{s:b, s:s}", "zoo", 1, "model", "not this one");
    q = (RemoteRequest){.n_messages = 1,
                        .messages = m,
                        .temperature = 0.7,
                        .top_p = 0.9,
                        .max_tokens = 5,
                        .seed = 12,
                        .n_stop = 1,
                        .stop = (const char *[]){"\n\n"},
                        .n = 3,
                        .logprobs = true,
                        .top_logprobs = 4,
                        .extra = extra};
    set.max_completion_tokens = true;
    text = body_of(&set, &q);
    ck_assert_str_eq(
        text, "{\"logprobs\":true,\"max_completion_tokens\":5,\"messages\":[{\"content\":"
              "\"Be fair.\",\"role\":\"system\"}],\"model\":\"m\",\"n\":3,\"seed\":12,\"stop\":["
              "\"\\n\\n\"],\"temperature\":0.7,\"top_logprobs\":4,\"top_p\":0.9,\"zoo\":true}");
    mem_free(text);
    json_decref(extra);
}
END_TEST

START_TEST(too_large_a_request_is_an_error)
{
    RemoteSettings set = remote_defaults();
    size_t n = REMOTE_LARGEST_REQUEST / 2;
    char *huge = mem_zeroed(n, 1);
    memset(huge, 1, n); /* fits as it is, not as \u0001 */
    RemoteMessage m = {"user", huge, n};
    RemoteRequest q = {.n_messages = 1, .messages = &m, .max_tokens = 5};
    Buffer b = {0};
    set.model = "m";
    errors_quiet(1);
    ck_assert_int_eq(remote_body_write(&set, &q, &b), -1);
    m.n_text = SIZE_MAX / 2; /* never read */
    ck_assert_int_eq(remote_body_write(&set, &q, &b), -1);
    errors_quiet(-1);
    ck_assert_uint_eq(b.size, 0);
    buffer_free(&b);
    mem_free(huge);
}
END_TEST

TEST_MAIN("remote_reply", mends_texts, reads_choices_in_their_places, reads_logprobs,
          refuses_what_was_not_asked_for, a_mebibyte_of_anything_takes_no_time,
          reasons_are_one_printable_line, bodies_say_what_was_asked,
          too_large_a_request_is_an_error)

/* Whom the remote client asks and with which key: what is refused, that the key is nowhere but in
 * its header, and that certificates are verified. */
#define _GNU_SOURCE /* strcasestr */
#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "rewardsvc/remote_log.h"
#include "tests/rewardsvc/judge_fixture.h"

static JudgeServer server;
static const char secret[] = "sk-test-0123456789-secret";

/* ---- what is refused ---- */

static const char *refused(RemoteSettings s)
{
    errors_quiet(1);
    Remote *r = remote_open(&s, NULL);
    errors_quiet(-1);
    ck_assert_ptr_null(r);
    return errors_last();
}

START_TEST(addresses)
{
    static const char *const bad[][2] = {
        {"", "missing"},
        {"judge.example/v1 x", "not a URL"},
        {"ftp://judge.example/v1", "neither http:// nor https://"},
        {"file:///etc/passwd", "neither"},
        {"https://me:sesame@judge.example/v1", "user or a password"},
        {"https://me@judge.example/v1", "user or a password"},
        {"https://judge.example/v1?key=7", "query"},
        {"https://judge.example/v1#a", "fragment"},
        {"http://judge.example/v1", "plain text"},
        {"http://127.judge.example/v1", "plain text"},
        {"http://localhost.example/v1", "plain text"},
        {"HTTP://10.0.0.7:8000/v1", "plain text"},
    };
    static const char *const good[] = {"http://127.0.0.1:1/v1", "http://localhost:1/v1/",
                                       "http://[::1]:1/v1", "https://judge.example/v1"};
    setenv("TEST_JUDGE_KEY", secret, 1);
    RemoteSettings s = quick();
    s.key_env = "TEST_JUDGE_KEY";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s.base_url = bad[i][0];
        const char *why = refused(s);
        ck_assert_msg(strstr(why, bad[i][1]) != NULL, "%s: %s", bad[i][0], why);
        ck_assert(!strstr(why, "sesame") && !strstr(why, secret));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        s.base_url = good[i];
        Remote *r = remote_open(&s, NULL);
        ck_assert_msg(r != NULL, "%s: %s", good[i], errors_last());
        remote_close(r);
    }
    s.base_url = "http://10.0.0.7:8000/v1";
    s.plain_http_key = true;
    Remote *r = remote_open(&s, NULL);
    ck_assert_ptr_nonnull(r);
    remote_close(r);
}
END_TEST

START_TEST(settings_out_of_range)
{
    RemoteSettings good = quick(), s;
    good.base_url = "https://judge.example/v1";
#define BAD(field, value)                                                                          \
    do {                                                                                           \
        s = good;                                                                                  \
        s.field = value;                                                                           \
        ck_assert(strstr(refused(s), #field ":"));                                                 \
    } while (0)
    BAD(model, NULL);
    BAD(base_url, NULL);
    BAD(max_concurrency, 0);
    BAD(max_concurrency, 1025);
    BAD(retries, -1);
    BAD(retries, 21);
    BAD(requests_per_minute, -1);
    BAD(tokens_per_minute, NAN);
    BAD(backoff_s, -1);
    BAD(attempt_s, 0);
    BAD(deadline_s, INFINITY);
    BAD(wait_s, 0);
}
END_TEST

static void key_file(const char *path, const char *text, size_t n, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert(fd >= 0 && write(fd, text, n) == (ssize_t)n && !fchmod(fd, mode) && !close(fd));
}

START_TEST(keys)
{
    char path[] = "/tmp/test_remote_key.XXXXXX", link[64], long_key[5000];
    close(mkstemp(path));
    RemoteSettings s = quick();
    s.base_url = "https://judge.example/v1";
    s.key_env = "TEST_JUDGE_NO_SUCH_KEY";
    ck_assert(strstr(refused(s), "TEST_JUDGE_NO_SUCH_KEY, which should hold the key, is not set"));
    s.key_env = "TEST_JUDGE_KEY";
    setenv("TEST_JUDGE_KEY", "", 1);
    ck_assert(strstr(refused(s), "empty"));
    setenv("TEST_JUDGE_KEY", "a\r\nX-Evil: 1", 1);
    ck_assert(strstr(refused(s), "printable"));
    s.key_file = path;
    ck_assert(strstr(refused(s), "one place"));
    s.key_env = NULL;
    for (int bit = 1; bit < 0100; bit <<= 1) {
        key_file(path, secret, strlen(secret), (mode_t)(0600 | bit));
        ck_assert(strstr(refused(s), "open to others"));
    }
    key_file(path, "two keys", 8, 0600);
    ck_assert(strstr(refused(s), "printable"));
    key_file(path, "a\0b", 3, 0600);
    ck_assert(strstr(refused(s), "NUL"));
    memset(long_key, 'k', sizeof long_key);
    key_file(path, long_key, sizeof long_key, 0600);
    ck_assert(strstr(refused(s), "more than"));
    snprintf(link, sizeof link, "%s.link", path);
    ck_assert_int_eq(symlink(path, link), 0);
    s.key_file = link;
    ck_assert(strstr(refused(s), "symbolic link"));
    unlink(link);
    s.key_file = "/tmp";
    ck_assert(strstr(refused(s), "not a regular file"));
    s.key_file = path;
    key_file(path, "sk-test-0123456789-secret\n", sizeof secret, 0400);
    Remote *r = remote_open(&s, NULL);
    ck_assert_msg(r != NULL, "%s", errors_last());
    remote_close(r);
    unlink(path);
}
END_TEST

/* ---- where the key is not ---- */

static void keep_line(void *to, const char *line)
{
    buffer_text(to, line);
    buffer_text(to, "\n");
}

START_TEST(the_key_is_in_its_header_and_nowhere_else)
{
    char path[] = "/tmp/test_remote_answers.XXXXXX";
    Buffer trace = {0}, file = {0};
    RemoteAnswer a;
    RemoteRequest q = question();
    RemoteSettings s = quick();
    close(mkstemp(path));
    setenv("TEST_JUDGE_KEY", secret, 1);
    s.key_env = "TEST_JUDGE_KEY";
    q.logprobs = true, q.top_logprobs = 1;
    s.trace = keep_line, s.trace_arg = &trace, s.max_concurrency = 1;
    RemoteLog *log = remote_log_open(path);
    Remote *r = open_script(&server, s, "leakok,leak", log);
    unsetenv("TEST_JUDGE_KEY"); /* was read once */
    remote_ask(r, &q);
    take_one(r, &a);
    ck_assert_int_eq(a.status, SCORE_OK);
    ck_assert_str_eq(a.choices[0].text, "Your key\x1b[31m is *************************");
    ck_assert_str_eq(a.choices[0].tokens[0].token, a.choices[0].text);
    ck_assert_str_eq(a.choices[0].tokens[0].top[0].token, a.choices[0].text);
    remote_answer_free(&a);
    q.tag = "second";
    remote_ask(r, &q);
    take_one(r, &a);
    ck_assert_int_eq(a.status, SCORE_ERROR);
    ck_assert_str_eq(a.reason, "HTTP 401: the key is refused: *************************");
    remote_answer_free(&a);
    remote_close(r);
    remote_log_close(log);
    ck_assert_int_eq(file_read(path, 1 << 20, &file), 0);
    ck_assert_ptr_null(strstr(file.data, secret));
    ck_assert_ptr_null(strstr(trace.data, secret));
    ck_assert_ptr_nonnull(strstr(trace.data, "> Authorization: [redacted]\n"));
    ck_assert_ptr_nonnull(strstr(trace.data, "> POST /leakok,leak/v1/chat/completions"));
    ck_assert_ptr_nonnull(strstr(trace.data, "< HTTP/1.1 401"));
    buffer_free(&trace), buffer_free(&file);
    unlink(path);
}
END_TEST

START_TEST(without_a_key_there_is_no_header)
{
    RemoteRequest q = question();
    RemoteAnswer a = ask_once(&server, quick(), "leakok", &q);
    ck_assert_str_eq(a.choices[0].text, "Your key\x1b[31m is ");
    remote_answer_free(&a);
}
END_TEST

/* ---- certificates ---- */

/* A certificate for 127.0.0.1 or another name, signed by itself. */
static X509 *certificate(EVP_PKEY *key, const char *name)
{
    X509 *c = X509_new();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 86400);
    X509_set_pubkey(c, key);
    X509_NAME *who = X509_get_subject_name(c);
    X509_NAME_add_entry_by_txt(who, "CN", MBSTRING_ASC, (const unsigned char *)"judge", -1, -1, 0);
    X509_set_issuer_name(c, who);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
    X509_add_ext(c, e, -1);
    X509_EXTENSION_free(e);
    ck_assert(X509_sign(c, key, EVP_sha256()) > 0);
    return c;
}

static void tls_serve(int listener, EVP_PKEY *key, X509 *cert)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 49\r\n\r\n"
        "{\"choices\":[{\"message\":{\"content\":\"encrypted\"}}]}";
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(ctx, cert);
    SSL_CTX_use_PrivateKey(ctx, key);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
        char data[65536];
        SSL *ssl = SSL_new(ctx);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1 && SSL_read(ssl, data, sizeof data) > 0) {
            SSL_write(ssl, answer, sizeof answer - 1);
            SSL_read(ssl, data, 1);
        }
        SSL_free(ssl);
    }
    _exit(0);
}

/* A server behind a certificate for `name`, which is written to `pem`. */
static JudgeServer tls_start(const char *name, const char *pem)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = certificate(key, name);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *f = fopen(pem, "w");
    ck_assert(f && PEM_write_X509(f, cert) && !fclose(f));
    ck_assert(!bind(listener, (struct sockaddr *)&at, sizeof at) && !listen(listener, 8) &&
              !getsockname(listener, (struct sockaddr *)&at, &size));
    JudgeServer s = {.port = ntohs(at.sin_port), .pid = fork()};
    if (!s.pid) tls_serve(listener, key, cert);
    close(listener);
    EVP_PKEY_free(key);
    X509_free(cert);
    return s;
}

static RemoteAnswer ask_tls(const JudgeServer *s, const char *ca_file)
{
    RemoteRequest q = question();
    RemoteSettings set = quick();
    RemoteAnswer a;
    char *url = mem_printf("https://127.0.0.1:%d/v1", s->port);
    set.base_url = url, set.ca_file = ca_file;
    Remote *r = remote_open(&set, NULL);
    ck_assert_msg(r != NULL, "%s", errors_last());
    remote_ask(r, &q);
    take_one(r, &a);
    remote_close(r);
    mem_free(url);
    return a;
}

static void tls_stop(JudgeServer *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}

START_TEST(certificates_are_verified)
{
    char pem[] = "/tmp/test_remote_pem.XXXXXX";
    close(mkstemp(pem));
    JudgeServer s = tls_start("IP:127.0.0.1", pem);
    RemoteAnswer a = ask_tls(&s, NULL); /* signed by nobody we know */
    ck_assert_int_eq(a.status, SCORE_ERROR);
    ck_assert_int_eq(a.attempts, 1);
    ck_assert_msg(strcasestr(a.reason, "certificate") != NULL, "%s", a.reason);
    remote_answer_free(&a);
    a = ask_tls(&s, pem);
    ck_assert_msg(a.status == SCORE_OK, "%s", a.reason);
    ck_assert_str_eq(a.choices[0].text, "encrypted");
    remote_answer_free(&a);
    tls_stop(&s);
    s = tls_start("DNS:another.example", pem); /* known, but not who was asked */
    a = ask_tls(&s, pem);
    ck_assert_int_eq(a.status, SCORE_ERROR);
    ck_assert_int_eq(a.attempts, 1);
    remote_answer_free(&a);
    tls_stop(&s);
    unlink(pem);
}
END_TEST

START_TEST(starts_the_server)
{
    server = judge_start();
}
END_TEST

START_TEST(stops_the_server)
{
    judge_stop(&server);
}
END_TEST

TEST_MAIN("remote_access", addresses, settings_out_of_range, keys, starts_the_server,
          the_key_is_in_its_header_and_nowhere_else, without_a_key_there_is_no_header,
          certificates_are_verified, stops_the_server)

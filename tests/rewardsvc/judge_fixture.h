/* Starts tests/judge_server beside a test, and asks it what it saw. The server ends with the test:
 * its standard input is a pipe that nobody else holds. */
#ifndef TESTS_REWARDSVC_JUDGE_FIXTURE_H
#define TESTS_REWARDSVC_JUDGE_FIXTURE_H

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/chat_remote.h"
#include "tests/harness.h"

typedef struct {
    pid_t pid;
    int port, hold; /* hold: our end of its standard input */
} JudgeServer;

static inline void judge_child(int in, int out)
{
    char *program = mem_printf("%s/tests/judge_server", getenv("TROUPE_BUILD"));
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execl(program, program, (char *)NULL);
    _exit(127);
}

static inline JudgeServer judge_start(void)
{
    JudgeServer s = {0};
    int in[2], out[2];
    char line[40] = "";
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* where nobody is: must not matter */
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    REQUIRE(getenv("TROUPE_BUILD"), "TROUPE_BUILD is not set: run this by ctest");
    REQUIRE(!pipe(in) && !pipe(out), "no pipe");
    fcntl(in[1], F_SETFD, FD_CLOEXEC);
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    fflush(NULL);
    s.pid = fork();
    if (!s.pid) judge_child(in[0], out[1]);
    close(in[0]), close(out[1]);
    s.hold = in[1];
    REQUIRE(read(out[0], line, sizeof line - 1) > 0 && sscanf(line, "port %d", &s.port) == 1,
            "the judge server does not start");
    close(out[0]);
    return s;
}

static inline void judge_stop(JudgeServer *s)
{
    close(s->hold);
    waitpid(s->pid, NULL, 0);
}

/* "http://127.0.0.1:PORT/<script>/v1"; caller frees. */
static inline char *judge_url(const JudgeServer *s, const char *script)
{
    return mem_printf("http://127.0.0.1:%d/%s/v1", s->port, script);
}

/* What the server saw of a script; caller: json_decref. */
static inline json_t *judge_stats(const JudgeServer *s, const char *script)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)s->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char *ask = mem_printf("GET /stats/%s HTTP/1.1\r\n\r\n", script), part[4096], *body;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    json_t *j = NULL;
    Buffer b = {0};
    REQUIRE(!connect(fd, (struct sockaddr *)&at, sizeof at), "no judge server");
    REQUIRE(write(fd, ask, strlen(ask)) == (ssize_t)strlen(ask), "no judge server");
    for (ssize_t n; !j && (n = read(fd, part, sizeof part)) > 0;) {
        buffer_add(&b, part, (size_t)n);
        if ((body = strstr(b.data, "\r\n\r\n"))) j = json_loads(body, 0, NULL);
    }
    REQUIRE(j, "the judge server gives no statistics");
    close(fd);
    mem_free(ask);
    buffer_free(&b);
    return j;
}

static inline int judge_count(const JudgeServer *s, const char *script, const char *what)
{
    json_t *j = judge_stats(s, script);
    int n = (int)json_integer_value(json_object_get(j, what));
    json_decref(j);
    return n;
}

static inline int open_files(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

/* ---- a client of it ---- */

static inline RemoteSettings quick(void)
{
    RemoteSettings s = remote_defaults();
    s.model = "test";
    s.retries = 2;
    s.backoff_s = 0.005;
    s.backoff_most_s = 0.02;
    s.attempt_s = 20; /* long enough for any machine: only tests of time shorten it */
    s.deadline_s = 60;
    return s;
}

static inline Remote *open_script(const JudgeServer *server, RemoteSettings s, const char *script,
                                  RemoteLog *log)
{
    char *url = judge_url(server, script);
    s.base_url = url;
    Remote *r = remote_open(&s, log);
    ck_assert_msg(r != NULL, "%s", errors_last());
    mem_free(url);
    return r;
}

static const RemoteMessage judge_this = {"user", "Judge this.", 11};

static inline RemoteRequest question(void)
{
    return (RemoteRequest){.n_messages = 1, .messages = &judge_this, .max_tokens = 16, .seed = 7};
}

static inline void take_one(Remote *r, RemoteAnswer *a)
{
    double end = clock_seconds() + 60;
    while (!remote_take(r, a)) {
        ck_assert_msg(clock_seconds() < end, "no answer in 60 s");
        remote_poll(r);
        remote_wait(r, 1);
    }
}

/* One request of a script, to its end. */
static inline RemoteAnswer ask_once(const JudgeServer *server, RemoteSettings s, const char *script,
                                    const RemoteRequest *q)
{
    RemoteAnswer a;
    Remote *r = open_script(server, s, script, NULL);
    remote_ask(r, q);
    take_one(r, &a);
    remote_close(r);
    return a;
}

#endif

/* Whom a remote client asks and with which key. The key is the one secret in Troupe: it is read
 * from the environment or a private file, lives in one string and one header, is wiped when the
 * client closes, and is blotted out of every text that leaves the client, because endpoints do
 * repeat it in their error messages.
 */
#define _GNU_SOURCE /* memmem, strcasestr */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "rewardsvc/remote_internal.h"

enum { LONGEST_KEY = 4096, SHORTEST_SECRET = 12 };

static void text_wipe(char *s)
{
    if (s) explicit_bzero(s, strlen(s));
}

/* A key is a header's value: one line of printable ASCII, or a text could add headers. */
static int key_check(char *key, const char *from)
{
    size_t n = strlen(key);
    while (n && (key[n - 1] == '\n' || key[n - 1] == '\r')) key[--n] = 0;
    if (!n) return fail("%s: the key is empty", from);
    if (n > LONGEST_KEY) return fail("%s: a key of more than %d bytes", from, LONGEST_KEY);
    for (size_t i = 0; i < n; i++)
        if (key[i] <= 0x20 || key[i] >= 0x7f)
            return fail("%s: byte %zu of the key is no printable ASCII character", from, i + 1);
    return 0;
}

static int key_file_check(const char *path, int fd)
{
    struct stat st;
    if (fstat(fd, &st)) return fail("%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return fail("%s: not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return fail("%s: the key's file belongs to another user", path);
    if (st.st_mode & 077)
        return fail("%s: the key's file is open to others (mode %03o): chmod 600 it", path,
                    (unsigned)st.st_mode & 0777);
    return 0;
}

static int key_from_file(const char *path, char **key)
{
    char text[LONGEST_KEY + 4];
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return fail("%s: %s", path, errno == ELOOP ? "a symbolic link" : strerror(errno));
    int rc = key_file_check(path, fd);
    for (ssize_t k = 1; !rc && k > 0 && n < sizeof text - 1; n += (size_t)k) {
        k = read(fd, text + n, sizeof text - 1 - n);
        if (k < 0) rc = fail("%s: %s", path, strerror(errno)), k = 0;
    }
    close(fd);
    text[n] = 0;
    if (!rc && strlen(text) != n) rc = fail("%s: the key has a NUL inside", path);
    if (!rc) rc = key_check(text, path);
    if (!rc) *key = mem_text(text);
    explicit_bzero(text, sizeof text);
    return rc;
}

static int key_from_env(const char *name, char **key)
{
    const char *v = getenv(name);
    if (!v) return fail("environment variable %s, which should hold the key, is not set", name);
    *key = mem_text(v);
    char *from = mem_printf("environment variable %s", name);
    int rc = key_check(*key, from);
    mem_free(from);
    return rc;
}

static int key_open(RemoteAccess *a, const RemoteSettings *set)
{
    if (set->key_env && set->key_file)
        return fail("key_env and key_file: the key is in one place, name only that one");
    if (set->key_env) return key_from_env(set->key_env, &a->key);
    if (set->key_file) return key_from_file(set->key_file, &a->key);
    return 0;
}

static bool is_this_machine(const char *host)
{
    struct in_addr a; /* and not the name 127.example.org */
    return !strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
           (inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127);
}

/* The parts of base_url that are checked; all freed by url_free. */
typedef struct {
    char *scheme, *host, *user, *query, *fragment;
} UrlParts;

static int url_refuse(const char *base, const UrlParts *u, const RemoteSettings *set, bool key)
{
    bool plain = u->scheme && !strcasecmp(u->scheme, "http");
    if (!u->scheme || !u->host || !(plain || !strcasecmp(u->scheme, "https")))
        return fail("base_url: \"%s\" is neither http:// nor https://", base);
    if (u->query || u->fragment)
        return fail("base_url: \"%s\" has a query or a fragment; give it up to /v1", base);
    if (plain && key && !set->plain_http_key && !is_this_machine(u->host))
        return fail("base_url: \"%s\" would carry the key in plain text; use https, or set "
                    "plain_http_key if the network is trusted",
                    base);
    return 0;
}

static int url_open(RemoteAccess *a, const RemoteSettings *set)
{
    UrlParts p = {0};
    CURLU *u = curl_url();
    size_t n = strlen(set->base_url);
    int rc = -1;
    if (!u || curl_url_set(u, CURLUPART_URL, set->base_url, 0)) {
        /* not repeated in the message: it may hold a password */
        fail("base_url: not a URL such as https://host:port/v1");
        goto done;
    }
    curl_url_get(u, CURLUPART_SCHEME, &p.scheme, 0);
    curl_url_get(u, CURLUPART_HOST, &p.host, 0);
    curl_url_get(u, CURLUPART_USER, &p.user, 0);
    curl_url_get(u, CURLUPART_QUERY, &p.query, 0);
    curl_url_get(u, CURLUPART_FRAGMENT, &p.fragment, 0);
    if (p.user || strchr(set->base_url, '@')) {
        fail("base_url: has a user or a password in it: name the key by key_env or key_file");
        goto done;
    }
    if (url_refuse(set->base_url, &p, set, a->key)) goto done;
    a->local = is_this_machine(p.host);
    while (n && set->base_url[n - 1] == '/') n--;
    a->url = mem_printf("%.*s/chat/completions", (int)n, set->base_url);
    rc = 0;
done:
    curl_free(p.scheme), curl_free(p.host), curl_free(p.user);
    curl_free(p.query), curl_free(p.fragment);
    curl_url_cleanup(u);
    return rc;
}

static void header_add(RemoteAccess *a, const char *line)
{
    struct curl_slist *more = curl_slist_append(a->headers, line);
    if (!more) die(EXIT_UNABLE, "out of memory");
    a->headers = more;
}

int remote_access_open(RemoteAccess *a, const RemoteSettings *set)
{
    *a = (RemoteAccess){0};
    if (key_open(a, set) || url_open(a, set)) {
        remote_access_close(a);
        return -1;
    }
    header_add(a, "Content-Type: application/json");
    header_add(a, "Accept: application/json");
    header_add(a, "Expect:"); /* no round trip before a large body */
    if (a->key) {
        char *line = mem_printf("Authorization: Bearer %s", a->key);
        header_add(a, line);
        text_wipe(line);
        mem_free(line);
    }
    return 0;
}

void remote_access_close(RemoteAccess *a)
{
    for (struct curl_slist *h = a->headers; h; h = h->next) text_wipe(h->data);
    curl_slist_free_all(a->headers);
    text_wipe(a->key);
    mem_free(a->key);
    mem_free(a->url);
    *a = (RemoteAccess){0};
}

void remote_access_redact(const RemoteAccess *a, char *text, size_t n)
{
    size_t k = a->key ? strlen(a->key) : 0;
    if (k < SHORTEST_SECRET) return;
    char *end = text + n;
    for (char *p = text; (p = memmem(p, (size_t)(end - p), a->key, k)); p += k) memset(p, '*', k);
}

/* One line of the trace: no key, and nothing after the name of a header that carries one. */
static void trace_line(const RemoteTrace *t, char mark, const char *text, size_t n)
{
    char line[600];
    size_t keep = n < sizeof line - 3 ? n : sizeof line - 3;
    while (keep && (text[keep - 1] == '\r' || text[keep - 1] == '\n')) keep--;
    line[0] = mark, line[1] = ' ';
    memcpy(line + 2, text, keep);
    line[keep + 2] = 0;
    for (char *c = line; c < line + keep + 2; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
    char *secret = strcasestr(line, "authorization");
    if (secret) strcpy(secret, strlen(secret) > 26 ? "Authorization: [redacted]" : "Authorization");
    remote_access_redact(t->access, line, strlen(line));
    t->trace(t->arg, line);
}

int remote_access_trace(CURL *easy, curl_infotype type, char *data, size_t n, void *trace)
{
    (void)easy;
    char mark = type == CURLINFO_TEXT         ? '*'
                : type == CURLINFO_HEADER_OUT ? '>'
                : type == CURLINFO_HEADER_IN  ? '<'
                                              : 0;
    if (!mark) return 0;
    /* the header goes out as one block: a line each, so that one secret hides one line */
    for (char *end = data + n, *next; data < end; data = next) {
        next = memchr(data, '\n', (size_t)(end - data));
        next = next ? next + 1 : end;
        trace_line(trace, mark, data, (size_t)(next - data));
    }
    return 0;
}

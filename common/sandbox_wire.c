/* See sandbox_internal.h: messages between caller and helper. A message is small and fixed; what is
 * long travels as the descriptor of sealed memory, so that no side ever waits for the other to
 * read. */
#define _GNU_SOURCE /* memfd_create */
#include "common/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"

typedef union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
} Control;

int wire_send(int sock, const WireMessage *m, int fd)
{
    Control control = {.header = {0}};
    struct iovec body = {(void *)m, sizeof *m};
    struct msghdr h = {.msg_iov = &body, .msg_iovlen = 1};
    if (fd >= 0) {
        h.msg_control = &control;
        h.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    ssize_t n;
    do n = sendmsg(sock, &h, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == sizeof *m ? 0 : -1;
}

int wire_receive(int sock, WireMessage *m, int *fd)
{
    Control control = {.header = {0}};
    struct iovec body = {m, sizeof *m};
    struct msghdr h = {.msg_iov = &body,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control.room};
    ssize_t n;
    *fd = -1;
    do n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&h);
    if (c && c->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(c), sizeof *fd);
    if (n == sizeof *m) return 1;
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return -1;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return -1;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

int wire_memory(const void *a, size_t n_a, const void *b, size_t n_b)
{
    int fd = memfd_create("troupe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    if (write_all(fd, a, n_a) || write_all(fd, b, n_b) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ||
        lseek(fd, 0, SEEK_SET)) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

const char *wire_map(int fd, size_t *n)
{
    struct stat s;
    *n = 0;
    if (fd < 0 || fstat(fd, &s) || s.st_size <= 0) return NULL;
    void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) return NULL;
    *n = (size_t)s.st_size;
    return p;
}

/* ---- requests -------------------------------------------------------------------------------- */

typedef struct {
    SandboxLimits limits;
    int32_t allow_unsandboxed, n_args, n_files;
} RequestHead;

static void pack_bytes(Buffer *out, const void *data, size_t size)
{
    uint64_t n = size;
    buffer_add(out, &n, sizeof n);
    buffer_add(out, data, size);
    buffer_add(out, "", 1); /* what is a string ends here */
}

void request_pack(const SandboxRun *run, Buffer *out)
{
    RequestHead h = {.limits = run->limits,
                     .allow_unsandboxed = run->allow_unsandboxed,
                     .n_files = run->n_files};
    while (run->argv[h.n_args]) h.n_args++;
    REQUIRE(h.n_args && h.n_args <= REQUEST_ARGS_MAX, "%d arguments", h.n_args);
    REQUIRE(run->n_files >= 0 && run->n_files <= REQUEST_FILES_MAX, "%d files", run->n_files);
    buffer_add(out, &h, sizeof h);
    for (int i = 0; i < h.n_args; i++) pack_bytes(out, run->argv[i], strlen(run->argv[i]));
    for (int i = 0; i < h.n_files; i++) {
        const SandboxFile *f = &run->files[i];
        char executable = f->executable;
        REQUIRE(*f->name && !strchr(f->name, '/') && *f->name != '.', "file name %s", f->name);
        pack_bytes(out, f->name, strlen(f->name));
        pack_bytes(out, f->data, f->size);
        pack_bytes(out, &executable, 1);
    }
    pack_bytes(out, run->input, run->n_input);
}

typedef struct {
    const char *p;
    size_t left;
} Cursor;

static const char *unpack_bytes(Cursor *c, size_t *size)
{
    uint64_t n;
    if (c->left < sizeof n + 1) return NULL;
    memcpy(&n, c->p, sizeof n);
    if (n > c->left - sizeof n - 1) return NULL;
    const char *data = c->p + sizeof n;
    c->p += sizeof n + n + 1;
    c->left -= sizeof n + n + 1;
    *size = (size_t)n;
    return data;
}

static int unpack_file(Cursor *c, SandboxFile *f)
{
    size_t n;
    f->name = unpack_bytes(c, &n);
    f->data = f->name ? unpack_bytes(c, &f->size) : NULL;
    const char *executable = f->data ? unpack_bytes(c, &n) : NULL;
    f->executable = executable && *executable;
    return executable ? 0 : -1;
}

int request_unpack(Request *r, const char *data, size_t n)
{
    RequestHead h;
    size_t length;
    *r = (Request){0};
    if (!data || n < sizeof h) return -1;
    memcpy(&h, data, sizeof h);
    if (h.n_args < 1 || h.n_args > REQUEST_ARGS_MAX) return -1;
    if (h.n_files < 0 || h.n_files > REQUEST_FILES_MAX) return -1;
    Cursor c = {data + sizeof h, n - sizeof h};
    r->limits = h.limits;
    r->allow_unsandboxed = h.allow_unsandboxed;
    r->n_files = h.n_files;
    for (int i = 0; i < h.n_args; i++)
        if (!(r->argv[i] = unpack_bytes(&c, &length))) return -1;
    for (int i = 0; i < h.n_files; i++)
        if (unpack_file(&c, &r->files[i])) return -1;
    r->input = unpack_bytes(&c, &r->n_input);
    return r->input ? 0 : -1;
}

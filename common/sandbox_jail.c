/* See sandbox_internal.h: what the worker and its programs see. The worker moves into a root of its
 * own once: folders of programs and libraries read-only, five devices, and no /proc.
 * A program then needs only the namespaces that separate it from its neighbours and a folder of its
 * own in memory. Root keeps its rights until there, so that it can show a folder that only root can
 * reach, and runs the programs as nobody; a user gets the rights from a user namespace. */
#define _GNU_SOURCE
#include "common/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Inside, every program is this user; nobody is 0 there. */
enum { INNER_ID = 1000 };

static int blame(Jail *j, const char *what)
{
    snprintf(j->why, sizeof j->why, "%s: %s", what, strerror(errno));
    return -1;
}

static int write_file(int at, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int write_file(int at, const char *path, const char *fmt, ...)
{
    char text[64];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    int fd = openat(at, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t done = write(fd, text, (size_t)n);
    int why = errno;
    close(fd);
    errno = why;
    return done == n ? 0 : -1;
}

/* ---- the root -------------------------------------------------------------------------------- */

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442 /* everywhere; headers of before 5.12 have no name for it */
#endif
typedef struct {
    uint64_t set, clear, propagation, user_namespace;
} MountAttributes;
enum { ATTRIBUTE_RDONLY = 1, ATTRIBUTE_NOSUID = 2, ATTRIBUTE_NODEV = 4, RECURSIVE = 0x8000 };

/* Makes what is mounted at path, and below it, read-only; or only what is mounted there, on kernels
 * before 5.12. */
static int make_readonly(const char *path)
{
    MountAttributes a = {.set = ATTRIBUTE_RDONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV};
    struct statvfs s;
    if (!syscall(SYS_mount_setattr, AT_FDCWD, path, RECURSIVE, &a, sizeof a)) return 0;
    if (errno != ENOSYS && errno != EPERM) return -1;
    if (statvfs(path, &s)) return -1;
    unsigned long kept = 0;
    if (s.f_flag & ST_NOEXEC) kept |= MS_NOEXEC;
    if (s.f_flag & ST_NOATIME) kept |= MS_NOATIME;
    if (s.f_flag & ST_NODIRATIME) kept |= MS_NODIRATIME;
    if (s.f_flag & ST_RELATIME) kept |= MS_RELATIME;
    return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | kept,
                 NULL);
}

/* The folders above a path within the new root, which is the current folder. */
static int make_folders(const char *path)
{
    char *copy = mem_text(path + 1);
    int rc = 0;
    for (char *p = copy; (p = strchr(p, '/')) && !rc; *p++ = '/') {
        *p = 0;
        rc = mkdir(copy, 0755) && errno != EEXIST ? -1 : 0;
    }
    mem_free(copy);
    return rc;
}

/* Shows a file or folder of the outside at its own place: `from` is a descriptor of it, since the
 * new root may lie on top of it. */
static int show(int from, const char *path, bool readonly)
{
    char name[64];
    struct stat s;
    const char *to = path + 1;
    if (fstat(from, &s) || make_folders(path)) return -1;
    if (S_ISDIR(s.st_mode)) {
        if (mkdir(to, 0755) && errno != EEXIST) return -1;
    } else {
        int fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        if (fd < 0) return -1;
        close(fd);
    }
    snprintf(name, sizeof name, "/proc/self/fd/%d", from);
    if (mount(name, to, NULL, MS_BIND | MS_REC, NULL)) return -1;
    return readonly ? make_readonly(to) : 0;
}

typedef struct {
    char *path;
    int fd;
    char *link; /* a link is copied as one */
    bool device;
} Shown;

enum { SHOWN_MAX = 64 };
typedef struct {
    Shown items[SHOWN_MAX];
    int n;
} ShownList;

/* What is not there is not shown. */
static void add_shown(ShownList *l, const char *path, bool device)
{
    struct stat s;
    char target[4096];
    if (l->n == SHOWN_MAX || lstat(path, &s)) return;
    Shown *item = &l->items[l->n];
    *item = (Shown){.path = mem_text(path), .fd = -1, .device = device};
    if (S_ISLNK(s.st_mode)) {
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n > 0) item->link = mem_text_n(target, (size_t)n);
    } else
        item->fd = open(path, O_PATH | O_CLOEXEC);
    if (item->link || item->fd >= 0) l->n++;
}

static void list_shown(ShownList *l, const char *folders)
{
    static const char *const usual[] = {
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/lib32",
        "/etc/ld.so.cache",
        "/etc/alternatives",
    };
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                          "/dev/urandom"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) add_shown(l, usual[i], false);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) add_shown(l, devices[i], true);
    char *copy = mem_text(folders), *rest = copy, *line;
    while ((line = strsep(&rest, "\n")))
        if (*line == '/') add_shown(l, line, false);
    mem_free(copy);
}

static void close_shown(ShownList *l)
{
    for (int i = 0; i < l->n; i++) {
        if (l->items[i].fd >= 0) close(l->items[i].fd);
        mem_free(l->items[i].path);
        mem_free(l->items[i].link);
    }
}

static int show_all(Jail *j, const ShownList *l)
{
    char what[120];
    for (int i = 0; i < l->n; i++) {
        const Shown *s = &l->items[i];
        int rc = s->link
                     ? (make_folders(s->path) || (symlink(s->link, s->path + 1) && errno != EEXIST))
                     : show(s->fd, s->path, !s->device);
        if (!rc) continue;
        snprintf(what, sizeof what, "showing %.80s inside", s->path);
        return blame(j, what);
    }
    return 0;
}

/* The new root is built on /tmp (always there), then takes the place of the old one. */
static int enter_root(Jail *j, const ShownList *l)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return blame(j, "private mounts");
    if (mount("troupe", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=755"))
        return blame(j, "a file system in memory");
    if (chdir("/tmp") || show_all(j, l)) return *j->why ? -1 : blame(j, "the new root");
    if (mkdir("program", 0755)) return blame(j, "the new root");
    if (symlink("program", "tmp") && errno != EEXIST) return blame(j, "the new root");
    if (syscall(SYS_pivot_root, ".", ".")) return blame(j, "pivot_root");
    if (umount2(".", MNT_DETACH) || chdir("/")) return blame(j, "leaving the old root");
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
        return blame(j, "making the new root read-only");
    return 0;
}

/* ---- namespaces ------------------------------------------------------------------------------ */

/* One id for one id; a user may do that without groups only. */
static int map_ids(const Jail *j, const char *folder, uid_t inner_uid, gid_t inner_gid)
{
    char path[64];
    snprintf(path, sizeof path, "%s/uid_map", folder);
    if (write_file(j->proc, path, "%u %u 1", (unsigned)inner_uid, (unsigned)j->uid)) return -1;
    snprintf(path, sizeof path, "%s/setgroups", folder);
    if (write_file(j->proc, path, "deny") && errno != ENOENT) return -1;
    snprintf(path, sizeof path, "%s/gid_map", folder);
    return write_file(j->proc, path, "%u %u 1", (unsigned)inner_gid, (unsigned)j->gid);
}

static int leave_outside(Jail *j)
{
    static const char help[] = "user namespaces are not allowed here";
    int shared = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    j->uid = geteuid();
    j->gid = getegid();
    if (!j->uid && !unshare(shared)) {
        j->root = true;
        j->uid = j->gid = NOBODY;
        return setgroups(0, NULL) ? blame(j, "dropping groups") : 0;
    }
    if (unshare(CLONE_NEWUSER | shared)) return blame(j, help);
    return map_ids(j, "self", j->uid, j->gid) ? blame(j, "mapping user ids") : 0;
}

int jail_build(Jail *j, const char *folders)
{
    ShownList list = {.n = 0};
    int rc = -1;
    if (seccomp_build(&j->filter)) {
        errno = ENOSYS;
        return blame(j, "the list of system calls");
    }
    if (leave_outside(j)) return -1;
    list_shown(&list, folders);
    rc = enter_root(j, &list);
    close_shown(&list);
    j->jailed = !rc;
    return rc;
}

/* ---- a program's own ------------------------------------------------------------------------- */

pid_t jail_fork(const Jail *j)
{
    if (!j->jailed) return fork();
    unsigned long own = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
    return (pid_t)syscall(SYS_clone, own | SIGCHLD, NULL, NULL, NULL, NULL);
}

int jail_admit(const Jail *j, pid_t child)
{
    char folder[64], path[96];
    snprintf(folder, sizeof folder, "%d", (int)child);
    snprintf(path, sizeof path, "%s/oom_score_adj", folder);
    write_file(j->proc, path, "1000"); /* where memory is short, it goes first; else no matter */
    return j->jailed ? map_ids(j, folder, INNER_ID, INNER_ID) : 0;
}

int jail_become_user(const Jail *j)
{
    if (j->jailed) {
        prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); /* for the mount; dropped before the program */
        return setresgid(INNER_ID, INNER_ID, INNER_ID) || setresuid(INNER_ID, INNER_ID, INNER_ID);
    }
    if (geteuid()) return 0;
    return setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
           setresuid(NOBODY, NOBODY, NOBODY);
}

int jail_mount_folder(const Jail *j, int64_t files_mb)
{
    char options[120];
    if (!j->jailed) return 0;
    snprintf(options, sizeof options, "size=%lldm,nr_inodes=10000,mode=700,uid=%d,gid=%d",
             (long long)files_mb, INNER_ID, INNER_ID);
    if (mount("program", "/program", "tmpfs", MS_NOSUID | MS_NODEV, options)) return -1;
    return chdir("/program");
}

void jail_drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    for (int i = 0; i < 64; i++) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    syscall(SYS_capset, &head, none);
}

/* One job a run directory. The kernel's lock decides (it is gone when its owner is, however that
 * died); the file's text only says who it is. Where the file system has no locks, the text decides:
 * an owner on this host that is alive, or one on another host that has not closed the run. A POSIX
 * lock and not flock, because a forked helper must not keep it alive.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/runfile_internal.h"

typedef struct {
    char host[64], since[32], launch[24];
    long pid;
} Owner;

static bool owner_read(int fd, Owner *o)
{
    char text[400];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    *o = (Owner){0};
    if (n <= 0) return false;
    text[n] = 0;
    return sscanf(text, "host %63s pid %ld since %31s launch %23s", o->host, &o->pid, o->since,
                  o->launch) == 4;
}

static void owner_write(int fd, const char *launch)
{
    char host[64] = "localhost", since[32], text[300];
    time_t now = time(NULL);
    struct tm t;
    gethostname(host, sizeof host - 1);
    strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &t));
    int n = snprintf(text, sizeof text, "host %s pid %ld since %s launch %s\n", host,
                     (long)getpid(), since, launch);
    if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n)
        fail("lock: cannot be written: %s", strerror(errno));
}

static int refuse(const char *dir, const Owner *o)
{
    return fail("%s is in use by another job: process %ld on %s, since %s; end that job, or choose "
                "another run.name",
                dir, o->pid, *o->host ? o->host : "an unknown host",
                *o->since ? o->since : "an unknown time");
}

static bool seems_alive(const Owner *o)
{
    char host[64] = "";
    gethostname(host, sizeof host - 1);
    if (strcmp(host, o->host))
        /* nothing is known of it: its own word counts, which it takes back at its end */
        return true;
    return o->pid != getpid() && (!kill((pid_t)o->pid, 0) || errno == EPERM);
}

/* Locks fd: 0, or -1 where another job has it, which is said. *died: an owner left its text. */
static int take(int fd, const char *dir, bool *died)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    Owner owner;
    bool unlocked = fcntl(fd, F_SETLK, &lock) != 0;
    bool busy = unlocked && (errno == EAGAIN || errno == EACCES);
    *died = owner_read(fd, &owner);
    return busy || (unlocked && *died && seems_alive(&owner)) ? refuse(dir, &owner) : 0;
}

int run_lock(const char *dir, const char *launch, bool *died)
{
    char *path = run_path(dir, "lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) fail("%s: %s", path, strerror(errno));
    mem_free(path);
    if (fd < 0) return -1;
    if (take(fd, dir, died)) {
        close(fd);
        return -1;
    }
    owner_write(fd, launch);
    return fd;
}

/* The descriptor stays open: closing any of a file's drops the process's lock on it. */
int runfile_reserve(const char *dir)
{
    char *path = run_path(dir, "lock");
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool died;
    mem_free(path);
    if (fd < 0) return 0; /* nobody has been here, or runfile_open will say what is wrong */
    if (!take(fd, dir, &died)) return 0;
    close(fd);
    return -1;
}

void run_unlock(int fd)
{
    if (ftruncate(fd, 0)) fail("lock: cannot be emptied: %s", strerror(errno));
    close(fd);
}

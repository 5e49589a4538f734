/* See sandbox_internal.h: the system calls that a program may make. A list of what is allowed, so
 * that what a newer kernel adds is not open by accident; everything else fails with ENOSYS, which
 * libraries expect of older kernels. Not on the list, on purpose: sockets (pairs of connected ones
 * are fine), ptrace and its relatives, mounts, namespaces, keys, bpf, io_uring, memory without a
 * file system behind it (memfd, System V), anything of root's. */
#define _GNU_SOURCE /* memfd_create */
#include "common/sandbox_internal.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const char *const allowed[] = {
    /* files and folders */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "open", "openat", "openat2", "creat", "close", "close_range", "lseek", "_llseek",
    "stat", "fstat", "lstat", "stat64", "fstat64", "lstat64", "newfstatat", "fstatat64", "statx",
    "statfs", "fstatfs", "statfs64", "fstatfs64", "access", "faccessat", "faccessat2", "getdents",
    "getdents64", "readlink", "readlinkat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat",
    "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "truncate",
    "truncate64", "ftruncate", "ftruncate64", "fallocate", "chmod", "fchmod", "fchmodat", "chown",
    "fchown", "lchown", "fchownat", "utime", "utimes", "utimensat", "futimesat", "umask", "chdir",
    "fchdir", "getcwd", "dup", "dup2", "dup3", "fcntl", "fcntl64", "ioctl", "flock", "fsync",
    "fdatasync", "sync_file_range", "fadvise64", "readahead", "copy_file_range", "sendfile",
    "sendfile64", "splice", "tee", "vmsplice", "pipe", "pipe2", "getxattr", "lgetxattr",
    "fgetxattr", "listxattr", "llistxattr", "flistxattr",
    /* waiting */
    "poll", "ppoll", "select", "_newselect", "pselect6", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_wait_old", "epoll_pwait", "epoll_pwait2",
    "eventfd", "eventfd2", "timerfd_create", "timerfd_settime", "timerfd_gettime", "signalfd",
    "signalfd4", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* memory */
    "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "brk",
    "membarrier", "mlock", "munlock", "get_mempolicy", "pkey_alloc", "pkey_free", "pkey_mprotect",
    /* processes and threads; clone without new namespaces is added below */
    "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "waitpid",
    "set_tid_address", "set_robust_list", "get_robust_list", "rseq", "futex", "futex_waitv",
    "arch_prctl", "set_thread_area", "get_thread_area", "prctl", "getpid", "getppid", "gettid",
    "getpgid", "getpgrp", "setpgid", "getsid", "setsid", "getuid", "geteuid", "getgid", "getegid",
    "getresuid", "getresgid", "getgroups", "capget", "getpriority", "setpriority", "sched_yield",
    "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getattr", "getcpu", "getrlimit",
    "ugetrlimit", "setrlimit", "prlimit64", "getrusage", "times", "sysinfo", "uname",
    /* signals */
    "kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "rt_sigqueueinfo", "sigaltstack", "sigaction",
    "sigprocmask", "sigreturn", "pause", "alarm", "restart_syscall", "pidfd_open",
    "pidfd_send_signal",
    /* time */
    "time", "gettimeofday", "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep",
    "clock_nanosleep_time64", "nanosleep", "setitimer", "getitimer", "timer_create",
    "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete",
    /* between processes of the program */
    "socketpair", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown",
    "getsockopt", "setsockopt", "getsockname", "getpeername", "getrandom"};

static const unsigned long new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                            CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                            CLONE_NEWNET | CLONE_NEWTIME;

/* A name that this machine type does not have is passed over. */
static int allow(scmp_filter_ctx ctx, const char *name)
{
    int nr = seccomp_syscall_resolve_name(name);
    if (nr == __NR_SCMP_ERROR) return 0;
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
}

static int add_rules(scmp_filter_ctx ctx)
{
    int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a search tree; older libraries: a list */
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && !rc; i++)
        rc = allow(ctx, allowed[i]);
    if (!rc)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, new_namespaces, 0));
    return rc;
}

/* The filter as the kernel wants it, made once: libseccomp takes longer than a whole run. */
int seccomp_build(struct sock_fprog *filter)
{
    int rc = -1, fd = -1;
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    *filter = (struct sock_fprog){0};
    if (!ctx || add_rules(ctx)) goto done;
    fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0 || seccomp_export_bpf(ctx, fd)) goto done;
    off_t size = lseek(fd, 0, SEEK_END);
    if (size <= 0 || size % (off_t)sizeof(struct sock_filter)) goto done;
    filter->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
    filter->filter = NEW(struct sock_filter, filter->len);
    rc = pread(fd, filter->filter, (size_t)size, 0) == size ? 0 : -1;
done:
    if (ctx) seccomp_release(ctx);
    if (fd >= 0) close(fd);
    return rc;
}

int seccomp_enter(const struct sock_fprog *filter)
{
    enum { SET_MODE_FILTER = 1 };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    return (int)syscall(SYS_seccomp, SET_MODE_FILTER, 0, filter);
}

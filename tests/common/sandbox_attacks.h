/* Programs in C that do to a sandbox what a policy in search of reward might (operations.md 10,
 * E1), each with what must come of it. They are compiled inside the sandbox, into one
 * program: argv[2] chooses. argv[1] is the path of
 * a file of the test, which none of them may change. */
#ifndef TESTS_COMMON_SANDBOX_ATTACKS_H
#define TESTS_COMMON_SANDBOX_ATTACKS_H

#include "common/sandbox.h"

/* What stands before the functions; each attack is the body of one, int attack_N(char **argv). */
#define ATTACK_HEAD                                                                                \
    "#define _GNU_SOURCE\n#include <errno.h>\n#include <fcntl.h>\n#include <signal.h>\n"           \
    "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <sys/mman.h>\n"        \
    "#include <sys/ptrace.h>\n#include <sys/socket.h>\n#include <sys/syscall.h>\n"                 \
    "#include <sys/wait.h>\n#include <sys/stat.h>\n#include <unistd.h>\n"

typedef struct {
    const char *name, *body;
    SandboxOutcome outcome;
    int code;        /* -1: any */
    const char *out; /* what it must have printed; NULL: anything */
} Attack;

static const Attack attacks[] = {
    {"endless loop", "for (;;) {}", SANDBOX_TIMEOUT, -1, ""},
    {"endless sleep", "for (;;) pause();", SANDBOX_TIMEOUT, -1, ""},
    {"stops itself", "raise(SIGSTOP);", SANDBOX_TIMEOUT, -1, ""},
    {"ignores the signal of its time", "signal(SIGXCPU, SIG_IGN); for (;;) {}", SANDBOX_TIMEOUT, -1,
     ""},
    {"10 GB at once",
     "char *p = malloc(10UL << 30); if (!p) return 7; memset(p, 1, 10UL << 30); return 0;",
     SANDBOX_EXITED, 7, ""},
    {"10 GB in pieces",
     "for (long i = 0; i < 10240; i++) { char *p = malloc(1 << 20); if (!p) return 7;"
     "memset(p, 1, 1 << 20); } return 0;",
     SANDBOX_EXITED, 7, ""},
    {"memory of many processes",
     "for (int i = 0; i < 6; i++) if (!fork()) { char *p = mmap(0, 50 << 20, 3, MAP_PRIVATE |"
     "MAP_ANONYMOUS, -1, 0); if (p != MAP_FAILED) memset(p, 1, 50 << 20); pause(); } pause();",
     SANDBOX_KILLED, SIGKILL, ""},
    {"memory without a file system",
     "return syscall(SYS_memfd_create, \"x\", 0) < 0 && errno == ENOSYS ? 7 : 0;", SANDBOX_EXITED,
     7, ""},
    {"fork bomb", "for (;;) fork();", SANDBOX_TIMEOUT, -1, ""},
    {"fork bomb that ends", "for (int i = 0; i < 100; i++) if (!fork()) pause(); return 0;",
     SANDBOX_EXITED, 0, ""},
    {"writes to the parent's file",
     "int fd = open(argv[1], O_WRONLY | O_TRUNC); if (fd < 0) return 7; write(fd, \"x\", 1);"
     "return 0;",
     SANDBOX_EXITED, 7, ""},
    {"writes to the machine",
     "return open(\"/usr/x\", O_CREAT | O_WRONLY, 0600) < 0 && open(\"/x\", O_CREAT | O_WRONLY,"
     "0600) < 0 && open(\"/dev/x\", O_CREAT | O_WRONLY, 0600) < 0 && unlink(\"/bin/sh\") &&"
     "chmod(\"/dev/null\", 0) ? 7 : 0;",
     SANDBOX_EXITED, 7, ""},
    {"fills the disk",
     "char b[65536]; memset(b, 1, sizeof b); long n = 0; signal(SIGXFSZ, SIG_IGN); int fd; char "
     "f[9];"
     "for (int i = 0; i < 100; i++) { sprintf(f, \"f%d\", i); fd = open(f, O_CREAT | O_WRONLY,"
     "0600); ssize_t w; while ((w = write(fd, b, sizeof b)) > 0) n += w; }"
     "return n <= 9 << 20 ? 7 : 0;",
     SANDBOX_EXITED, 7, ""},
    {"opens a socket",
     "return socket(AF_INET, SOCK_STREAM, 0) < 0 && socket(AF_UNIX, SOCK_STREAM, 0) < 0 &&"
     "socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? 7 : 0;",
     SANDBOX_EXITED, 7, ""},
    {"double fork, and forges the result",
     "if (!fork()) { setsid(); if (!fork()) { usleep(20000); for (int fd = 0; fd < 256; fd++)"
     "write(fd, \"forged\\n\", 7); } else _exit(0); for (;;) {} } printf(\"mine\\n\"); return 3;",
     SANDBOX_EXITED, 3, "mine\n"},
    {"writes to every descriptor",
     "for (int fd = 3; fd < 1024; fd++) if (write(fd, \"forged\", 6) > 0) return 0; return 7;",
     SANDBOX_EXITED, 7, ""},
    {"inherits a descriptor",
     "for (int fd = 3; fd < 1024; fd++) if (fcntl(fd, F_GETFD) >= 0) return 0; return 7;",
     SANDBOX_EXITED, 7, ""},
    {"limits its init process",
     "struct { long now, most; } none = {0, 0}; for (int i = 0; i < 16; i++)"
     "syscall(SYS_prlimit64, 1, i, &none, 0); if (!fork()) for (;;) {} usleep(50000); return 3;",
     SANDBOX_EXITED, 3, ""},
    {"closes its descriptors", "for (int fd = 0; fd < 1024; fd++) close(fd); return 3;",
     SANDBOX_EXITED, 3, ""},
    {"closes its descriptors and stays", "for (int fd = 0; fd < 1024; fd++) close(fd); pause();",
     SANDBOX_TIMEOUT, -1, ""},
    {"prints 1 GB",
     "char b[65536]; memset(b, 'x', sizeof b); for (int i = 0; i < 16384; i++) write(1, b, sizeof"
     " b); return 0;",
     SANDBOX_FLOOD, -1, NULL},
    {"prints 1 GB of errors",
     "char b[65536]; memset(b, 'x', sizeof b); for (int i = 0; i < 16384; i++) write(2, b, sizeof"
     " b); return 0;",
     SANDBOX_FLOOD, -1, ""},
    {"reads what another run left",
     "return open(\"/proc/self/fd/1\", O_RDWR) < 0 && open(\"/dev/stdout\", O_RDWR) < 0 &&"
     "open(\"/dev/shm/x\", O_CREAT | O_RDWR, 0600) < 0 ? 7 : 0;",
     SANDBOX_EXITED, 7, ""},
    {"attacks its init process",
     "kill(1, SIGKILL); kill(1, SIGTERM); kill(1, SIGSTOP); kill(-1, SIGKILL);"
     "return ptrace(PTRACE_ATTACH, 1, 0, 0) < 0 && syscall(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0)"
     "< 0 && syscall(438, 1, 1, 0) < 0 ? 7 : 0;",
     SANDBOX_EXITED, 7, ""},
    {"makes namespaces, mounts, gains rights",
     "return syscall(SYS_unshare, 0x10000000) < 0 && syscall(SYS_clone, 0x10000000 | SIGCHLD, 0, 0,"
     "0, 0) < 0 && syscall(SYS_mount, \"x\", \"/tmp\", \"tmpfs\", 0, 0) < 0 && setuid(0) < 0 &&"
     "syscall(SYS_bpf, 0, 0, 0) < 0 ? 7 : 0;",
     SANDBOX_EXITED, 7, ""},
    {"crashes", "*(volatile int *)0 = 1;", SANDBOX_KILLED, SIGSEGV, ""},
    {"aborts", "abort();", SANDBOX_KILLED, SIGABRT, ""},
    {"kills itself", "kill(getpid(), SIGKILL);", SANDBOX_KILLED, SIGKILL, ""},
};
enum { N_ATTACKS = sizeof attacks / sizeof *attacks };

#endif
